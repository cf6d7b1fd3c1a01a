package main

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	dbsql "github.com/databricks/databricks-sql-go"

	"github.com/seed-01322ee7/databricks-telemetry/examples/internal/demo"
)

// step is one thing an application does with a database.
type step struct {
	title  string
	writes bool
	run    func(context.Context, *sql.DB) string // says how it went
}

var steps = []step{
	{"ping", false, func(ctx context.Context, db *sql.DB) string { return outcome(db.PingContext(ctx)) }},
	{"create a table", true, exec("CREATE TABLE IF NOT EXISTS quickstart (id BIGINT, name STRING, price DECIMAL(10,2))")},
	{"insert three rows", true, exec("INSERT INTO quickstart VALUES (1, 'apple', 0.50), (2, 'pear', 0.75), (3, 'quince', NULL)")},
	{"update two of them", true, exec("UPDATE quickstart SET price = 1.25 WHERE id > 1")},
	{"read them", true, query("SELECT * FROM quickstart ORDER BY id")},
	{"one row", false, query("SELECT 42 AS answer")},
	{"named parameters", false, query("SELECT :name AS name, :price AS price",
		sql.Named("name", "fig"), dbsql.Parameter{Name: "price", Type: dbsql.SqlDecimal, Value: "2.50"})},
	{"a prepared statement", false, func(ctx context.Context, db *sql.DB) string {
		stmt, err := db.PrepareContext(ctx, "SELECT id FROM range(10) WHERE id >= ?")
		if err != nil {
			return outcome(err)
		}
		defer func() { _ = stmt.Close() }()
		return read(stmt.QueryContext(ctx, 7))
	}},
	{"100,000 rows, inline", false, query("SELECT id FROM range(100000)")},
	{"1,000,000 rows, as files", false, query("SELECT id, id * 2 AS twice FROM range(1000000)")},
	{"the same, closed after 10 rows", false, func(ctx context.Context, db *sql.DB) string {
		rows, err := db.QueryContext(ctx, "SELECT id, id * 2 AS twice FROM range(1000000)")
		if err != nil {
			return outcome(err)
		}
		for range 10 {
			rows.Next()
		}
		return outcome(rows.Close())
	}},
	{"a slow statement, polled", false, query("SELECT " + demo.Slow + " count(*) AS n FROM range(1000)")},
	{"a slow statement, given up", false, func(ctx context.Context, db *sql.DB) string {
		ctx, cancel := context.WithTimeout(ctx, 700*time.Millisecond)
		defer cancel()
		return query("SELECT "+demo.Slow+" count(*) AS n FROM range(1000)")(ctx, db)
	}},
	{"a syntax error", false, query("SELEC 1")},
	{"an unknown table", false, query("SELECT * FROM no_such_table")},
	{"drop the table", true, exec("DROP TABLE quickstart")},
}

func exec(text string, args ...any) func(context.Context, *sql.DB) string {
	return func(ctx context.Context, db *sql.DB) string {
		_, err := db.ExecContext(ctx, text, args...)
		return outcome(err)
	}
}

func query(text string, args ...any) func(context.Context, *sql.DB) string {
	return func(ctx context.Context, db *sql.DB) string { return read(db.QueryContext(ctx, text, args...)) }
}

// read reads rows to their end.
func read(rows *sql.Rows, err error) string {
	if err != nil {
		return outcome(err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
	}
	return outcome(rows.Err())
}

func outcome(err error) string {
	if err == nil {
		return "ok"
	}
	return fmt.Sprintf("error (%T)", err)
}
