package driverwrap_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"maps"
	"testing"

	dbsqlrows "github.com/databricks/databricks-sql-go/rows"
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
	"legacy exec": func(c *calls) driver.Conn {
		m := minimalConn{c, plainStmt}
		return &legacyExecConn{queryOnlyConn{m}, legacyConn{m}}
	},
	"legacy query": func(c *calls) driver.Conn {
		m := minimalConn{c, plainStmt}
		return &legacyQueryConn{execOnlyConn{m}, legacyConn{m}}
	},
	"skipping": func(c *calls) driver.Conn { return &skippingConn{minimalConn{c, contextStmt}} },
	"modern":   func(c *calls) driver.Conn { return &modernConn{minimalConn: minimalConn{c, contextStmt}} },
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
	return &bothStmt{modernStmt{minimalStmt{c, q, -1}}}
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
	{"query with many result sets, read and not closed", func(db *sql.DB) string {
		rows, err := db.Query("many sets")
		if err != nil {
			return err.Error()
		}
		defer rows.Close()
		var inUse []int
		for more := true; more; more = len(inUse) < 2 && rows.NextResultSet() {
			for rows.Next() {
			}
			inUse = append(inUse, db.Stats().InUse)
		}
		return fmt.Sprint(inUse)
	}},
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
	{"prepared with a named parameter", func(db *sql.DB) string {
		stmt, err := db.Prepare("x")
		if err != nil {
			return err.Error()
		}
		defer stmt.Close()
		return exec(stmt.Exec(sql.Named("a", 1))) + query(stmt.Query(sql.Named("a", 1)))
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

// beginlessConn refuses transactions.
type beginlessConn struct{ minimalConn }

func (c *beginlessConn) Begin() (driver.Tx, error) {
	c.note("Begin that fails")
	return nil, errBroken
}

// A driver without contexts does not notice that a context ends during a call. database/sql does, and undoes the call.
func TestWhatADriverWithoutContextsDidForAContextThatEndedIsUndone(t *testing.T) {
	minimal := fakeConns["minimal"]
	for during, c := range map[string]struct {
		conn func(*calls) driver.Conn
		call func(context.Context, *sql.DB) error
		err  error
	}{
		"Prepare x":        {minimal, func(ctx context.Context, db *sql.DB) error { _, err := db.PrepareContext(ctx, "x"); return err }, context.Canceled},
		"Prepare broken":   {minimal, func(ctx context.Context, db *sql.DB) error { _, err := db.PrepareContext(ctx, "broken"); return err }, errBroken},
		"Begin":            {minimal, func(ctx context.Context, db *sql.DB) error { _, err := db.BeginTx(ctx, nil); return err }, context.Canceled},
		"Begin that fails": {func(c *calls) driver.Conn { return &beginlessConn{minimalConn{c, plainStmt}} }, func(ctx context.Context, db *sql.DB) error { _, err := db.BeginTx(ctx, nil); return err }, errBroken},
	} {
		t.Run(during, func(t *testing.T) {
			called := func(wrap func(driver.Connector) driver.Connector) []string {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				log := &calls{noted: func(call string) {
					if call == during {
						cancel()
					}
				}}
				db := sql.OpenDB(wrap(&fakeConnector{calls: log, conn: c.conn}))
				require.Equal(t, c.err, c.call(ctx, db))
				require.ErrorIs(t, ctx.Err(), context.Canceled)
				require.NoError(t, db.Close())
				return log.taken()
			}
			want := called(func(c driver.Connector) driver.Connector { return c })
			require.Equal(t, want, called(driverwrap.Wrap))
		})
	}
}

// presence returns which of the interfaces that matter by their mere presence an object has.
func presence(of any) string {
	var has [6]bool
	switch of.(type) {
	case driver.ExecerContext, driver.Execer: //nolint:staticcheck // the wrapper offers the first for both
		has[0] = true
	}
	switch of.(type) {
	case driver.QueryerContext, driver.Queryer: //nolint:staticcheck // as above
		has[1] = true
	}
	if _, isConn := of.(driver.Conn); !isConn { // for which driver.ErrSkip says as much
		_, has[2] = of.(driver.NamedValueChecker)
	}
	_, has[3] = of.(driver.ColumnConverter) //nolint:staticcheck // drivers from before NamedValueChecker exist
	switch of.(type) {
	case driver.RowsNextResultSet, driver.RowsColumnTypePrecisionScale: // the wrapper offers both for each
		has[4] = true
	}
	_, has[5] = of.(dbsqlrows.Rows)
	return fmt.Sprint(has)
}

func TestTheObjectsOfAnyDriverHaveTheInterfacesOfTheBareOnes(t *testing.T) {
	conns := maps.Clone(fakeConns)
	conns["arrow"] = arrowRecords(1)
	conns["arrow, many sets"] = func(c *calls) driver.Conn {
		return &panickingConn{modernConn{minimalConn: minimalConn{c, contextStmt}}, 1}
	}
	for name, conn := range conns {
		for _, query := range []string{"x", "typed", "many sets"} {
			t.Run(name+"/"+query, func(t *testing.T) {
				look := func(wrap func(driver.Connector) driver.Connector) (seen []string) {
					conn, err := wrap(&fakeConnector{calls: &calls{}, conn: conn}).Connect(t.Context())
					require.NoError(t, err)
					stmt, err := conn.Prepare(query)
					require.NoError(t, err)
					rows, err := stmt.Query(nil) //nolint:staticcheck // all have it
					require.NoError(t, err)
					seen = append(seen, presence(conn), presence(stmt), presence(rows))
					if c, ok := conn.(driver.QueryerContext); ok {
						if rows, err := c.QueryContext(t.Context(), query, nil); err != driver.ErrSkip {
							require.NoError(t, err)
							seen = append(seen, presence(rows))
						}
					}
					return seen
				}
				bare := look(func(c driver.Connector) driver.Connector { return c })
				require.Equal(t, bare, look(driverwrap.Config{Sinks: []telemetry.Sink{discard{}}}.Wrap)[:len(bare)])
			})
		}
	}
}
