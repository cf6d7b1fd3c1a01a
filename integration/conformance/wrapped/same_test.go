package wrapped

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"slices"
	"testing"
	"time"

	dbsql "github.com/databricks/databricks-sql-go"
	dbsqlerr "github.com/databricks/databricks-sql-go/errors"
	dbsqlrows "github.com/databricks/databricks-sql-go/rows"
	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/integration/workspace"
)

// program is what an application does; its transcript must not depend on the entry point.
var program = []struct {
	name string
	run  func(context.Context, *sql.DB) string
}{
	{"ddl", execs("CREATE TABLE t (id BIGINT, name STRING, price DECIMAL(10,2), at TIMESTAMP, day DATE, ok BOOLEAN, raw BINARY, score DOUBLE)")},
	{"insert", execs("INSERT INTO t VALUES (1, 'one', 1.50, TIMESTAMP '2024-02-29 12:34:56.789', DATE '2024-02-29', true, X'0102', 0.5), (2, NULL, NULL, NULL, NULL, NULL, NULL, NULL)")},
	{"update", execs("UPDATE t SET score = 2.5 WHERE id = 1")},
	{"select all types", queries("SELECT * FROM t ORDER BY id")},
	{"select nothing", queries("SELECT * FROM t WHERE id > 100")},
	{"positional parameters", queries("SELECT id, name FROM t WHERE id = ? AND name = ?", 1, "one")},
	{"named parameters", queries("SELECT :n AS n, :s AS s, :nothing AS nothing", sql.Named("n", 7), sql.Named("s", "x"), sql.Named("nothing", nil))},
	{"parameters of the driver's own type", queries("SELECT :d AS d", dbsql.Parameter{Name: "d", Type: dbsql.SqlDecimal, Value: "12.50"})},
	{"parameter of an unknown type", queries("SELECT ?", struct{ X int }{1})},
	{"pages", queries("SELECT id FROM range(1800)")},
	{"files", queries("SELECT id, concat('row number ', id) AS s FROM range(1800)")},
	{"syntax error", queries("SELEC 1")},
	{"unknown table, exec", execs("INSERT INTO nowhere VALUES (1)")},
	{"unknown table, query", queries("SELECT secret_column FROM nowhere")},
	{"delete", execs("DELETE FROM t WHERE id = 2")},
	{"query row", func(ctx context.Context, db *sql.DB) string {
		var n int64
		err := db.QueryRowContext(ctx, "SELECT count(*) FROM t").Scan(&n)
		return fmt.Sprint(n, err)
	}},
	{"query row, none", func(ctx context.Context, db *sql.DB) string {
		var n int64
		err := db.QueryRowContext(ctx, "SELECT id FROM t WHERE id = 99").Scan(&n)
		return fmt.Sprint(n, err == sql.ErrNoRows)
	}},
	{"closed early", func(ctx context.Context, db *sql.DB) string {
		rows, err := db.QueryContext(ctx, "SELECT id, concat('row number ', id) AS s FROM range(1800)")
		if err != nil {
			return err.Error()
		}
		return fmt.Sprint(rows.Next(), rows.Close(), rows.Err(), rows.Next())
	}},
	{"prepared", func(ctx context.Context, db *sql.DB) string {
		stmt, err := db.PrepareContext(ctx, "SELECT id FROM range(10) WHERE id >= ?")
		if err != nil {
			return err.Error()
		}
		defer stmt.Close()
		first := transcript(stmt.QueryContext(ctx, 8))
		return first + transcript(stmt.QueryContext(ctx, 9))
	}},
	{"prepared exec", func(ctx context.Context, db *sql.DB) string {
		stmt, err := db.PrepareContext(ctx, "INSERT INTO t (id) VALUES (?)")
		if err != nil {
			return err.Error()
		}
		defer stmt.Close()
		return result(stmt.ExecContext(ctx, 5))
	}},
	{"transaction", func(ctx context.Context, db *sql.DB) string {
		_, err := db.BeginTx(ctx, nil)
		return describe(err)
	}},
	{"ping", func(ctx context.Context, db *sql.DB) string { return describe(db.PingContext(ctx)) }},
	{"context done before", func(ctx context.Context, db *sql.DB) string {
		ctx, cancel := context.WithCancel(ctx)
		cancel()
		return transcript(db.QueryContext(ctx, "SELECT 1"))
	}},
	{"context done while it runs", func(ctx context.Context, db *sql.DB) string {
		ctx, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
		defer cancel()
		_, err := db.ExecContext(ctx, "SELECT sleep(2)")
		return fmt.Sprint(err != nil, errors.Is(err, context.DeadlineExceeded))
	}},
	{"arrow batches", raw(func(rows dbsqlrows.Rows) string {
		it, err := rows.GetArrowBatches(context.Background())
		if err != nil {
			return describe(err)
		}
		defer it.Close()
		h := fnv.New64()
		var n int64
		for it.HasNext() {
			record, err := it.Next()
			if err != nil {
				return describe(err)
			}
			n += record.NumRows()
			fmt.Fprint(h, record)
			record.Release()
		}
		_, err = it.Next()
		schema, err2 := it.Schema()
		return fmt.Sprint(n, h.Sum64(), err, schema, err2)
	})},
	{"arrow streams", raw(func(rows dbsqlrows.Rows) string {
		it, err := rows.GetArrowIPCStreams(context.Background())
		if err != nil {
			return describe(err)
		}
		defer it.Close()
		h := fnv.New64()
		for it.HasNext() {
			stream, err := it.Next()
			if err != nil {
				return describe(err)
			}
			if _, err := io.Copy(h, stream); err != nil {
				return describe(err)
			}
		}
		schema, err := it.SchemaBytes()
		return fmt.Sprint(h.Sum64(), len(schema), err)
	})},
	{"drop", execs("DROP TABLE t")},
}

// polled are the steps to run if every statement waits a second for its first status call.
var polled = []string{
	"ddl", "insert", "select all types", "files", "syntax error", "unknown table, exec", "closed early",
	"context done while it runs", "arrow batches", "ping",
}

func execs(query string, args ...any) func(context.Context, *sql.DB) string {
	return func(ctx context.Context, db *sql.DB) string { return result(db.ExecContext(ctx, query, args...)) }
}

func queries(query string, args ...any) func(context.Context, *sql.DB) string {
	return func(ctx context.Context, db *sql.DB) string { return transcript(db.QueryContext(ctx, query, args...)) }
}

// raw reads a large result below database/sql, through the native interfaces.
func raw(read func(dbsqlrows.Rows) string) func(context.Context, *sql.DB) string {
	return func(ctx context.Context, db *sql.DB) (out string) {
		c, err := db.Conn(ctx)
		if err != nil {
			return err.Error()
		}
		defer c.Close()
		err = c.Raw(func(conn any) error {
			rows, err := conn.(driver.QueryerContext).QueryContext(ctx, "SELECT id, concat('row number ', id) AS s FROM range(1800)", nil)
			if err != nil {
				return err
			}
			out = read(rows.(dbsqlrows.Rows))
			return rows.Close()
		})
		return out + fmt.Sprint(err)
	}
}

func result(r sql.Result, err error) string {
	if err != nil {
		return describe(err)
	}
	n, err1 := r.RowsAffected()
	id, err2 := r.LastInsertId()
	return fmt.Sprint(n, err1, id, err2)
}

// transcript reads all rows: columns with their types, and every value.
func transcript(rows *sql.Rows, err error) string {
	if err != nil {
		return describe(err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	out := fmt.Sprint(columns, err)
	types, err := rows.ColumnTypes()
	out += fmt.Sprint(err)
	for _, t := range types {
		nullable, ok1 := t.Nullable()
		length, ok2 := t.Length()
		precision, scale, ok3 := t.DecimalSize()
		out += fmt.Sprintln(t.Name(), t.DatabaseTypeName(), t.ScanType(), nullable, ok1, length, ok2, precision, scale, ok3)
	}
	h, n := fnv.New64(), 0
	values := make([]any, len(columns))
	for i := range values {
		values[i] = new(any)
	}
	for rows.Next() {
		if err := rows.Scan(values...); err != nil {
			return out + err.Error()
		}
		for _, v := range values {
			fmt.Fprintf(h, "%T %v,", *v.(*any), *v.(*any))
			if n < 5 {
				out += fmt.Sprintf("%T %v,", *v.(*any), *v.(*any))
			}
		}
		n++
	}
	return out + fmt.Sprint(n, h.Sum64(), describe(rows.Err()), rows.Close())
}

// describe is everything a caller can find out about an error, without ids.
func describe(err error) string {
	if err == nil {
		return "no error"
	}
	out := fmt.Sprintf("%T %v", err, err)
	for _, target := range []error{
		dbsqlerr.DatabricksError, dbsqlerr.DriverError, dbsqlerr.RequestError, dbsqlerr.ExecutionError,
		driver.ErrBadConn, driver.ErrSkip, sql.ErrNoRows, context.Canceled, context.DeadlineExceeded,
	} {
		out += fmt.Sprint(" ", errors.Is(err, target))
	}
	var execution dbsqlerr.DBExecutionError
	if errors.As(err, &execution) {
		out += fmt.Sprint(" ", execution.SqlState(), execution.IsRetryable(), execution.QueryId() != "", execution.ConnectionId() != "")
	}
	return out
}

// play runs the program against its own workspace.
func play(t *testing.T, entry entryPoint, opts workspace.Options) []string {
	ws := workspace.New(t, opts)
	db := entry.open(t, ws)
	defer db.Close()
	db.SetMaxOpenConns(1)
	var out []string
	for _, step := range program {
		if opts.NoDirectResults && !slices.Contains(polled, step.name) {
			continue
		}
		out = append(out, step.name+": "+step.run(t.Context(), db))
	}
	return append(out, fmt.Sprint(db.Close()))
}

func TestAProgramSeesTheSameThroughEveryEntryPoint(t *testing.T) {
	warehouses := map[string]workspace.Options{
		"inline Arrow": {CloudFetchThreshold: -1, PageRows: 500, BatchRows: 150},
		"CloudFetch":   {CloudFetchThreshold: 1 << 14, FileRows: 200},
		"columnar":     {ProtocolVersion: 42241, CloudFetchThreshold: -1, PageRows: 500},
		"polled":       {NoDirectResults: true, PageRows: 500}, // the driver polls once a second
	}
	for name, opts := range warehouses {
		opts.WarehouseID = "1234567890abcdef" // part of error texts
		opts.DirectResultWait = time.Hour     // so that what the driver asks does not depend on how busy this machine is
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			all := append([]entryPoint{native}, entryPoints(&memory{})...)
			transcripts := make([][]string, len(all))
			t.Run("play", func(t *testing.T) {
				for i, entry := range all {
					t.Run(entry.name, func(t *testing.T) {
						t.Parallel()
						transcripts[i] = play(t, entry, opts)
					})
				}
			})
			for i, entry := range all[1:] {
				require.Equal(t, transcripts[0], transcripts[i+1], entry.name)
			}
		})
	}
}
