package driverwrap_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/driverwrap"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// fakeConns are the kinds of connection for the matrix.
var fakeConns = map[string]func(*calls) driver.Conn{
	"minimal":    func(c *calls) driver.Conn { return &minimalConn{c, plainStmt} },
	"legacy":     func(c *calls) driver.Conn { return &legacyConn{minimalConn{c, plainStmt}} },
	"exec only":  func(c *calls) driver.Conn { return &execOnlyConn{minimalConn{c, plainStmt}} },
	"query only": func(c *calls) driver.Conn { return &queryOnlyConn{minimalConn{c, plainStmt}} },
	"skipping":   func(c *calls) driver.Conn { return &skippingConn{minimalConn{c, contextStmt}} },
	"modern":     func(c *calls) driver.Conn { return &modernConn{minimalConn: minimalConn{c, contextStmt}} },
	"invalid": func(c *calls) driver.Conn {
		return &modernConn{minimalConn: minimalConn{c, contextStmt}, invalid: true}
	},
	"converting":  func(c *calls) driver.Conn { return &minimalConn{c, converting} },
	"checking":    func(c *calls) driver.Conn { return &modernConn{minimalConn: minimalConn{c, checking}} },
	"does it all": func(c *calls) driver.Conn { return &modernConn{minimalConn: minimalConn{c, both}} },
}

func plainStmt(c *calls, q string) driver.Stmt   { return &minimalStmt{c, q, -1} }
func contextStmt(c *calls, q string) driver.Stmt { return &modernStmt{minimalStmt{c, q, -1}} }
func converting(c *calls, q string) driver.Stmt  { return &convertingStmt{minimalStmt{c, q, 1}} }
func checking(c *calls, q string) driver.Stmt {
	return &checkingStmt{modernStmt{minimalStmt{c, q, -1}}}
}
func both(c *calls, q string) driver.Stmt {
	return &bothStmt{checkingStmt{modernStmt{minimalStmt{c, q, -1}}}}
}

// steps is one program; what each step returns is its transcript.
var steps = []struct {
	name string
	run  func(*sql.DB) string
}{
	{"exec", func(db *sql.DB) string { return exec(db.Exec("x")) }},
	{"exec with parameters", func(db *sql.DB) string { return exec(db.Exec("x", 1, "two")) }},
	{"exec with a named parameter", func(db *sql.DB) string { return exec(db.Exec("x", sql.Named("a", 1))) }},
	{"exec with a parameter of the driver's own", func(db *sql.DB) string { return exec(db.Exec("x", shout("hey"))) }},
	{"exec with a parameter to be dropped", func(db *sql.DB) string { return exec(db.Exec("x", 1, dropMe{})) }},
	{"exec with a struct", func(db *sql.DB) string { return exec(db.Exec("x", struct{ X int }{1})) }},
	{"exec fails", func(db *sql.DB) string { return exec(db.Exec("broken")) }},
	{"exec on a bad connection", func(db *sql.DB) string { return exec(db.Exec("bad connection")) }},
	{"exec without a count", func(db *sql.DB) string { return exec(db.Exec("countless")) }},
	{"exec, context done", func(db *sql.DB) string { return exec(db.ExecContext(done(), "x")) }},
	{"query", func(db *sql.DB) string { return query(db.Query("x")) }},
	{"query with parameters", func(db *sql.DB) string { return query(db.Query("x", 1, nil)) }},
	{"query fails", func(db *sql.DB) string { return query(db.Query("broken")) }},
	{"query on a bad connection", func(db *sql.DB) string { return query(db.Query("bad connection")) }},
	{"query, rows break off", func(db *sql.DB) string { return query(db.Query("breaks off")) }},
	{"query, rows close badly", func(db *sql.DB) string { return query(db.Query("closes badly")) }},
	{"query with column types", func(db *sql.DB) string { return query(db.Query("typed")) }},
	{"query with many result sets", func(db *sql.DB) string { return query(db.Query("many sets")) }},
	{"query row", func(db *sql.DB) string {
		var n int
		return fmt.Sprint(db.QueryRow("x").Scan(&n), n)
	}},
	{"rows closed early", func(db *sql.DB) string {
		rows, err := db.Query("x")
		if err != nil {
			return err.Error()
		}
		rows.Next()
		return fmt.Sprint(rows.Close(), rows.Close(), rows.Err())
	}},
	{"prepared", func(db *sql.DB) string {
		stmt, err := db.Prepare("x")
		if err != nil {
			return err.Error()
		}
		defer stmt.Close()
		return exec(stmt.Exec(1)) + query(stmt.Query("a")) + exec(stmt.Exec(1, 2))
	}},
	{"prepare fails", func(db *sql.DB) string { _, err := db.Prepare("broken"); return fmt.Sprint(err) }},
	{"prepare, context done", func(db *sql.DB) string { _, err := db.PrepareContext(done(), "x"); return fmt.Sprint(err) }},
	{"ping", func(db *sql.DB) string { return fmt.Sprint(db.Ping()) }},
	{"transaction", func(db *sql.DB) string {
		tx, err := db.Begin()
		if err != nil {
			return err.Error()
		}
		return exec(tx.Exec("x")) + fmt.Sprint(tx.Commit())
	}},
	{"transaction rolled back", func(db *sql.DB) string {
		tx, err := db.Begin()
		if err != nil {
			return err.Error()
		}
		return fmt.Sprint(tx.Rollback())
	}},
	{"transaction, serializable", func(db *sql.DB) string {
		return begin(db, &sql.TxOptions{Isolation: sql.LevelSerializable})
	}},
	{"transaction, read only", func(db *sql.DB) string { return begin(db, &sql.TxOptions{ReadOnly: true}) }},
}

func begin(db *sql.DB, opts *sql.TxOptions) string {
	tx, err := db.BeginTx(context.Background(), opts)
	if err != nil {
		return err.Error()
	}
	return fmt.Sprint(tx.Commit())
}

func done() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}

func exec(r sql.Result, err error) string {
	if err != nil {
		return fmt.Sprint(err, errors.Is(err, errBroken), errors.Is(err, driver.ErrBadConn))
	}
	n, err1 := r.RowsAffected()
	id, err2 := r.LastInsertId()
	return fmt.Sprint(n, err1, id, err2)
}

func query(rows *sql.Rows, err error) string {
	if err != nil {
		return fmt.Sprint(err, errors.Is(err, errBroken), errors.Is(err, driver.ErrBadConn))
	}
	var out string
	for {
		columns, err := rows.Columns()
		out += fmt.Sprint(columns, err)
		types, err := rows.ColumnTypes()
		out += fmt.Sprint(err)
		for _, t := range types {
			nullable, ok1 := t.Nullable()
			length, ok2 := t.Length()
			precision, scale, ok3 := t.DecimalSize()
			out += fmt.Sprint(t.Name(), t.DatabaseTypeName(), t.ScanType(), nullable, ok1, length, ok2, precision, scale, ok3)
		}
		for rows.Next() {
			var n int
			out += fmt.Sprint(rows.Scan(&n), n)
		}
		if !rows.NextResultSet() {
			break
		}
	}
	return out + fmt.Sprint(rows.Err(), rows.Close())
}

// transcript runs the program and returns what it saw and what the driver saw.
func transcript(t *testing.T, conn func(*calls) driver.Conn, wrap func(driver.Connector) driver.Connector) (seen, called []string) {
	t.Helper()
	c := &calls{}
	db := sql.OpenDB(wrap(&closingConnector{fakeConnector{calls: c, conn: conn}}))
	db.SetMaxOpenConns(1)
	for _, s := range steps {
		c.note("-- %s", s.name)
		seen = append(seen, s.name+": "+s.run(db))
	}
	seen = append(seen, fmt.Sprint(db.Close()), fmt.Sprintf("%T", db.Driver()))
	return seen, c.taken()
}

func TestAnyDriverBehavesTheSameWrappedAndBare(t *testing.T) {
	before := telemetry.ReadStats().Incidents()
	bare := func(c driver.Connector) driver.Connector { return c }
	measured := func(c driver.Connector) driver.Connector {
		return driverwrap.Config{Sinks: []telemetry.Sink{&memory{}}}.Wrap(c)
	}
	for name, conn := range fakeConns {
		for how, wrap := range map[string]func(driver.Connector) driver.Connector{
			"measured":      measured,
			"unmeasured":    driverwrap.Wrap,
			"wrapped twice": func(c driver.Connector) driver.Connector { return measured(measured(c)) },
		} {
			t.Run(name+"/"+how, func(t *testing.T) {
				wantSeen, wantCalled := transcript(t, conn, bare)
				seen, called := transcript(t, conn, wrap)
				require.Equal(t, wantSeen, seen)
				require.Equal(t, wantCalled, called)
			})
		}
	}
	require.Equal(t, before, telemetry.ReadStats().Incidents())
}

// A driver without contexts does not notice that a context ends during a call. database/sql does, and undoes the call.
func TestWhatADriverWithoutContextsDidForAContextThatEndedIsUndone(t *testing.T) {
	for during, call := range map[string]func(context.Context, *sql.DB) error{
		"Prepare x": func(ctx context.Context, db *sql.DB) error { _, err := db.PrepareContext(ctx, "x"); return err },
		"Begin":     func(ctx context.Context, db *sql.DB) error { _, err := db.BeginTx(ctx, nil); return err },
	} {
		t.Run(during, func(t *testing.T) {
			called := func(wrap func(driver.Connector) driver.Connector) []string {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				c := &calls{noted: func(call string) {
					if call == during {
						cancel()
					}
				}}
				db := sql.OpenDB(wrap(&fakeConnector{calls: c, conn: fakeConns["minimal"]}))
				require.Equal(t, context.Canceled, call(ctx, db))
				require.NoError(t, db.Close())
				return c.taken()
			}
			want := called(func(c driver.Connector) driver.Connector { return c })
			require.Equal(t, want, called(driverwrap.Wrap))
		})
	}
}
