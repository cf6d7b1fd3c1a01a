package driverwrap_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"io"
	"reflect"
	"runtime"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
	"weak"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/driverwrap"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// sql.DB.Close closes the connections of the pool. Those that are in use live on until what
// uses them ends, and so must their records.

// outliving is a database whose rows, and calls, outlive it.
type outliving struct {
	*sql.DB
	release chan struct{} // lets "slow" calls return
	sink    *memory
	process *telemetry.Process
}

type patientConn struct {
	modernConn
	release <-chan struct{}
}

func (c *patientConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	if query == "slow" {
		<-c.release
	}
	return c.modernConn.ExecContext(ctx, query, args)
}

func (c *patientConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	if query == "slow" {
		<-c.release
	}
	return c.modernConn.QueryContext(ctx, query, args)
}

func newOutliving() outliving {
	release := make(chan struct{})
	o := newOutlivingOf(func(c *calls) driver.Conn {
		return &patientConn{modernConn{minimalConn: minimalConn{c, contextStmt}}, release}
	})
	o.release = release
	return o
}

func newOutlivingOf(conn func(*calls) driver.Conn) outliving {
	o := outliving{sink: &memory{}, process: &telemetry.Process{}}
	o.DB = sql.OpenDB(driverwrap.Config{Settings: telemetry.Settings{QueryText: true}, Sinks: []telemetry.Sink{o.sink}}.In(o.process).Wrap(&fakeConnector{calls: &calls{}, conn: conn}))
	return o
}

func TestAStatementThatOutlivesItsDatabaseIsRecordedAsItEnds(t *testing.T) {
	tests := map[string]struct {
		// begin uses a connection; goOn continues after the database is closed.
		begin func(*testing.T, outliving) (goOn func())
		want  []telemetry.Statement
	}{
		"rows read to the end": {
			func(t *testing.T, db outliving) func() {
				rows := firstOf(t)(db.Query("x"))
				return func() {
					require.True(t, rows.Next())
					require.True(t, rows.Next())
					require.False(t, rows.Next())
					require.NoError(t, rows.Err())
				}
			},
			[]telemetry.Statement{{Outcome: telemetry.OutcomeCompleted, RowsRead: telemetry.Known[int64](3)}},
		},
		"rows closed early": {
			func(t *testing.T, db outliving) func() {
				rows := firstOf(t)(db.Query("x"))
				return func() {
					require.True(t, rows.Next())
					require.NoError(t, rows.Close())
				}
			},
			[]telemetry.Statement{{Outcome: telemetry.OutcomeClosedEarly, RowsRead: telemetry.Known[int64](2)}},
		},
		"rows that break off": {
			func(t *testing.T, db outliving) func() {
				rows := firstOf(t)(db.Query("breaks off"))
				return func() {
					require.False(t, rows.Next())
					require.ErrorIs(t, rows.Err(), errBroken)
				}
			},
			[]telemetry.Statement{{Outcome: telemetry.OutcomeFailed, RowsRead: telemetry.Known[int64](1), Failure: &telemetry.Failure{Category: telemetry.CategoryOther, Message: "broken"}}},
		},
		"rows whose context is canceled": {
			func(t *testing.T, db outliving) func() {
				ctx, cancel := context.WithCancel(context.Background())
				firstOf(t)(db.QueryContext(ctx, "x"))
				return cancel
			},
			[]telemetry.Statement{{Outcome: telemetry.OutcomeCanceled, RowsRead: telemetry.Known[int64](1), Failure: &telemetry.Failure{Category: telemetry.CategoryCanceled, Message: "context canceled"}}},
		},
		"rows of a prepared statement": {
			func(t *testing.T, db outliving) func() {
				stmt, err := db.Prepare("x")
				require.NoError(t, err)
				rows := firstOf(t)(stmt.Query())
				return func() {
					require.NoError(t, stmt.Close())
					query(rows, nil)
				}
			},
			[]telemetry.Statement{{Prepared: true, Outcome: telemetry.OutcomeCompleted, RowsRead: telemetry.Known[int64](3)}},
		},
		"a transaction, and what it runs from then on": {
			func(t *testing.T, db outliving) func() {
				tx, err := db.Begin()
				require.NoError(t, err)
				rows := firstOf(t)(tx.Query("x"))
				return func() {
					query(rows, nil)
					query(tx.Query("x"))
					_, err := tx.Exec("broken")
					require.ErrorIs(t, err, errBroken)
					require.NoError(t, tx.Commit())
				}
			},
			[]telemetry.Statement{
				{Outcome: telemetry.OutcomeCompleted, RowsRead: telemetry.Known[int64](3)},
				{Outcome: telemetry.OutcomeCompleted, RowsRead: telemetry.Known[int64](3)},
				{Kind: telemetry.KindUpdate, Outcome: telemetry.OutcomeFailed, Failure: &telemetry.Failure{Category: telemetry.CategoryOther, Message: "broken"}},
			},
		},
		"a connection that is held, and what it runs from then on": {
			func(t *testing.T, db outliving) func() {
				c, err := db.Conn(context.Background())
				require.NoError(t, err)
				return func() {
					query(c.QueryContext(context.Background(), "x"))
					require.NoError(t, c.Close())
				}
			},
			[]telemetry.Statement{{Outcome: telemetry.OutcomeCompleted, RowsRead: telemetry.Known[int64](3)}},
		},
		"rows below database/sql": {
			func(t *testing.T, db outliving) func() {
				c, err := db.Conn(context.Background())
				require.NoError(t, err)
				var rows driver.Rows
				require.NoError(t, c.Raw(func(raw any) (err error) {
					rows, err = raw.(driver.QueryerContext).QueryContext(context.Background(), "x", nil)
					return err
				}))
				return func() {
					require.NoError(t, rows.Next(make([]driver.Value, 1)))
					require.NoError(t, rows.Close())
					require.NoError(t, c.Close())
				}
			},
			[]telemetry.Statement{{Outcome: telemetry.OutcomeClosedEarly, RowsRead: telemetry.Known[int64](1)}},
		},
		"an Exec that is running": {
			func(_ *testing.T, db outliving) func() {
				go func() { _, _ = db.Exec("slow") }()
				return func() { close(db.release) }
			},
			[]telemetry.Statement{{Kind: telemetry.KindUpdate, Outcome: telemetry.OutcomeCompleted, RowsAffected: telemetry.Known[int64](7)}},
		},
		"a Query that is running": {
			func(_ *testing.T, db outliving) func() {
				go func() { query(db.Query("slow")) }()
				return func() { close(db.release) }
			},
			[]telemetry.Statement{{Outcome: telemetry.OutcomeCompleted, RowsRead: telemetry.Known[int64](3)}},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				db := newOutliving()
				goOn := test.begin(t, db)
				synctest.Wait()
				require.NoError(t, db.Close())
				require.NoError(t, db.Close())
				pass(time.Hour)
				require.Empty(t, db.sink.statements, "nothing has ended")
				require.Empty(t, db.sink.closed, "the session neither")

				goOn()
				pass(time.Second)
				require.Len(t, db.sink.closed, 1)
				require.Zero(t, db.sink.closed[0].Abandoned)
				require.Len(t, db.sink.statements, len(test.want))
				for i, s := range db.sink.statements {
					if test.want[i].Kind == "" {
						test.want[i].Kind = telemetry.KindQuery
					}
					got := telemetry.Statement{Kind: s.Kind, Prepared: s.Prepared, Outcome: s.Outcome, RowsRead: s.RowsRead, RowsAffected: s.RowsAffected, Failure: s.Failure}
					require.Equal(t, test.want[i], got)
				}
			})
		})
	}
}

// pass lets the fake time of a synctest bubble pass, and what it starts come to rest.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// firstOf reads one row.
func firstOf(t *testing.T) func(*sql.Rows, error) *sql.Rows {
	return func(rows *sql.Rows, err error) *sql.Rows {
		t.Helper()
		require.NoError(t, err)
		require.True(t, rows.Next())
		return rows
	}
}

// A statement that runs is on the debug page, whether its database is closed or not.
func TestAStatementThatOutlivesItsDatabaseIsSeenRunning(t *testing.T) {
	db := newOutliving()
	const text = "is seen running"
	rows := firstOf(t)(db.Query(text))
	require.NoError(t, db.Close())
	c := db.process.Connectors()[0]
	require.Len(t, c.Running(), 1)
	require.Equal(t, text, c.Running()[0].Query)
	require.NoError(t, rows.Close())
	require.Empty(t, c.Running())
}

// What a closed connector leaves behind (its reporting, its place in the list) ends with its last use.
func TestAClosedConnectorEndsWithItsLastUse(t *testing.T) {
	t.Run("a connection", func(t *testing.T) {
		db := newOutliving()
		c, err := db.Conn(t.Context())
		require.NoError(t, err)
		require.NoError(t, db.Close())
		require.Len(t, db.process.Connectors(), 1)
		require.NoError(t, c.Close())
		require.Empty(t, db.process.Connectors())
	})
	for name, conn := range map[string]string{"rows that are dropped": "modern", "rows that are dropped, of a call that was declined at first": "skipping"} {
		t.Run(name, func(t *testing.T) {
			db := newOutlivingOf(fakeConns[conn])
			rows := firstOf(t)(db.Query("x"))
			require.NoError(t, db.Close())
			require.Len(t, db.process.Connectors(), 1)
			runtime.KeepAlive(rows)
			db.eventually(t, 1)
			eventually(t, func() bool { return len(db.process.Connectors()) == 0 })
			runtime.KeepAlive(db.DB)
		})
	}
	for name, takes := range map[string]time.Duration{"a connection that is being opened": time.Second, "an attempt to connect that fails": -time.Second} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				process, opening := &telemetry.Process{}, make(chan time.Duration, 1)
				c := driverwrap.Config{}.In(process).Wrap(slowConnector{takes: opening})
				opening <- takes
				go func() {
					if conn, err := c.Connect(t.Context()); err == nil {
						time.Sleep(time.Second)
						_ = conn.Close()
					}
				}()
				synctest.Wait()
				require.NoError(t, c.(io.Closer).Close())
				require.Len(t, process.Connectors(), 1)
				pass(takes.Abs())
				require.Equal(t, takes > 0, len(process.Connectors()) == 1)
				pass(time.Second)
				require.Empty(t, process.Connectors())
				runtime.KeepAlive(c)
			})
		})
	}
}

func TestOneDatabaseIsClosedWhileAnotherReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		closed, other := newOutliving(), newOutliving()
		rows, others := firstOf(t)(closed.Query("x")), firstOf(t)(other.Query("x"))
		require.NoError(t, closed.Close())
		query(others, nil)
		require.NoError(t, other.Close())
		require.Len(t, other.sink.statements, 1)
		require.Empty(t, closed.sink.statements)
		query(rows, nil)
		pass(time.Second)
		require.Len(t, closed.sink.statements, 1)
		require.Equal(t, telemetry.Known[int64](3), closed.sink.statements[0].RowsRead)
	})
}

func TestARowThatIsReadWhileTheDatabaseIsClosedIsCounted(t *testing.T) {
	for range 200 {
		db := newOutliving()
		rows := firstOf(t)(db.Query("x"))
		var wg sync.WaitGroup
		wg.Go(func() { query(rows, nil) })
		wg.Go(func() { _ = db.Close() })
		wg.Wait()
		require.NoError(t, db.Close())
		one := db.eventually(t, 1)[0]
		require.Equal(t, telemetry.OutcomeCompleted, one.Outcome)
		require.Equal(t, telemetry.Known[int64](3), one.RowsRead)
	}
}

// eventually returns the records, once there are so many. The garbage collector runs
// meanwhile: what nothing refers to any more is noticed.
func (o outliving) eventually(t *testing.T, n int) (all []*telemetry.Statement) {
	t.Helper()
	eventually(t, func() bool {
		runtime.GC()
		o.sink.mu.Lock()
		defer o.sink.mu.Unlock()
		all = o.sink.statements
		return len(all) >= n
	})
	require.Len(t, all, n)
	return all
}

func TestRowsDroppedAfterTheDatabaseIsClosedAreAbandoned(t *testing.T) {
	tests := map[string]func(*testing.T, outliving) (held any){
		"before it is closed": func(t *testing.T, db outliving) any {
			firstOf(t)(db.Query("x"))
			return nil
		},
		"later": func(t *testing.T, db outliving) any { return firstOf(t)(db.Query("x")) },
		"of a connection that is held": func(t *testing.T, db outliving) any {
			c, err := db.Conn(context.Background())
			require.NoError(t, err)
			return firstOf(t)(c.QueryContext(context.Background(), "x"))
		},
		"of a call that returns after it": func(t *testing.T, db outliving) any {
			c, err := db.Conn(context.Background())
			require.NoError(t, err)
			go func() {
				rows, err := c.QueryContext(context.Background(), "slow") //nolint:sqlclosecheck // that is the point
				if err == nil {
					rows.Next()
				}
			}()
			return nil
		},
	}
	for name, begin := range tests {
		t.Run(name, func(t *testing.T) {
			db := newOutliving()
			held := begin(t, db)
			require.NoError(t, db.Close())
			for range 3 {
				runtime.GC()
			}
			if held != nil {
				db.sink.mu.Lock()
				require.Empty(t, db.sink.statements, "the rows can still be read")
				db.sink.mu.Unlock()
			}
			runtime.KeepAlive(held)
			close(db.release)
			one := db.eventually(t, 1)[0]
			require.Equal(t, telemetry.OutcomeAbandoned, one.Outcome)
			require.Equal(t, telemetry.Known[int64](1), one.RowsRead)
		})
	}
}

// What is made in a bubble of testing/synctest must not be used outside of it, where cleanups
// run: the runtime ends the process then.
func TestRowsDroppedInABubbleDoNotEndTheProcess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		inside, cancel := context.WithCancel(context.Background())
		defer cancel()
		db := newOutliving()
		c, err := db.Conn(t.Context())
		require.NoError(t, err)
		require.NoError(t, c.Raw(func(raw any) error {
			_, err := raw.(driver.QueryerContext).QueryContext(inside, "x", nil) // database/sql would close them
			return err
		}))
		require.NoError(t, db.Close())
	})
	for range 10 {
		runtime.GC()
		runtime.Gosched()
	}
}

// Rows of a session use the same lease one after the other: a lease of a closed database must
// not report the wrong rows.
func TestRowsThatWereClosedAreNotAbandonedToo(t *testing.T) {
	db := newOutliving()
	c, err := db.Conn(t.Context())
	require.NoError(t, err)
	rows := firstOf(t)(c.QueryContext(context.Background(), "x"))
	require.NoError(t, db.Close())
	require.NoError(t, rows.Close())
	for range 3 {
		firstRows := firstOf(t)(c.QueryContext(context.Background(), "x"))
		runtime.GC()
		query(firstRows, nil)
	}
	require.NoError(t, c.Close())
	var outcomes []telemetry.Outcome
	for _, s := range db.eventually(t, 4) {
		outcomes = append(outcomes, s.Outcome)
	}
	require.Equal(t, []telemetry.Outcome{telemetry.OutcomeClosedEarly, telemetry.OutcomeCompleted, telemetry.OutcomeCompleted, telemetry.OutcomeCompleted}, outcomes)
}

// So that such a session, which may live on, does not gather its statements, each has a lease of its own.
func TestAStatementOfAClosedDatabaseIsReleasedWithItsRows(t *testing.T) {
	type key struct{}
	db := newOutliving()
	c, err := db.Conn(t.Context())
	require.NoError(t, err)
	require.NoError(t, db.Close())
	var held [3]weak.Pointer[telemetry.Settings]
	for i := range held {
		value := &telemetry.Settings{}
		held[i] = weak.Make(value)
		query(c.QueryContext(context.WithValue(t.Context(), key{}, value), "x"))
	}
	eventually(t, func() bool {
		runtime.GC()
		return !slices.ContainsFunc(held[:], func(p weak.Pointer[telemetry.Settings]) bool { return p.Value() != nil })
	})
	require.NoError(t, c.Close())
}

func TestAnErrorOfRowsThatAreNeverClosedIsTheirOutcome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := newOutliving()
		c, err := db.Conn(t.Context())
		require.NoError(t, err)
		require.ErrorIs(t, c.Raw(func(raw any) error {
			rows, err := raw.(driver.QueryerContext).QueryContext(context.Background(), "breaks off", nil)
			require.NoError(t, err)
			require.NoError(t, rows.Next(make([]driver.Value, 1)))
			require.ErrorIs(t, rows.Next(make([]driver.Value, 1)), errBroken)
			return driver.ErrBadConn
		}), driver.ErrBadConn)
		require.NoError(t, db.Close())
		require.Len(t, db.sink.statements, 1)
		require.Equal(t, telemetry.OutcomeFailed, db.sink.statements[0].Outcome)
		require.Equal(t, "broken", db.sink.statements[0].Failure.Message)
	})
}

// Code below database/sql may close a connection while another goroutine uses it.
func TestACallThatOutlivesItsConnectionIsRecordedAsItEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := newOutliving()
		c, err := db.Conn(t.Context())
		require.NoError(t, err)
		require.NoError(t, c.Raw(func(raw any) error {
			var wg sync.WaitGroup
			wg.Go(func() { _, _ = raw.(driver.ExecerContext).ExecContext(context.Background(), "slow", nil) })
			synctest.Wait()
			require.NoError(t, raw.(driver.Conn).Close())
			pass(time.Second)
			require.Len(t, db.sink.closed, 1)
			require.Zero(t, db.sink.closed[0].Abandoned)
			require.Empty(t, db.sink.statements)
			close(db.release)
			wg.Wait()
			return nil
		}))
		pass(time.Second)
		require.Len(t, db.sink.statements, 1)
		require.Equal(t, telemetry.OutcomeCompleted, db.sink.statements[0].Outcome)
		require.NoError(t, c.Close())
		require.NoError(t, db.Close())
		require.Len(t, db.sink.closed, 1, "the pool closes the connection once more")
	})
}

// Opening a connection is when dropped rows are looked for.
func TestWhatIsStillInUseIsNotAbandonedWhenAConnectionIsOpened(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := newOutliving()
		rows := firstOf(t)(db.Query("x"))
		go func() { _, _ = db.Exec("slow") }()
		synctest.Wait()
		_, err := db.Exec("on a third connection")
		require.NoError(t, err)
		close(db.release)
		query(rows, nil)
		require.NoError(t, db.Close())
		pass(time.Second)
		for _, s := range db.sink.statements {
			require.Equal(t, telemetry.OutcomeCompleted, s.Outcome)
		}
		require.Len(t, db.sink.statements, 3)
	})
}

func TestAClosedSessionCountsRowsThatWereDroppedBeforeIt(t *testing.T) {
	sink := &memory{}
	c := driverwrap.Config{Sinks: []telemetry.Sink{sink}}.Wrap(&fakeConnector{calls: &calls{}, conn: fakeConns["modern"]})
	conn, err := c.Connect(t.Context())
	require.NoError(t, err)
	_, err = conn.(driver.QueryerContext).QueryContext(t.Context(), "dropped", nil)
	require.NoError(t, err)
	eventually(t, func() bool {
		runtime.GC()
		_, err := c.Connect(t.Context()) // looks for dropped rows
		require.NoError(t, err)
		sink.mu.Lock()
		defer sink.mu.Unlock()
		return len(sink.statements) == 1
	})
	_, err = conn.(driver.QueryerContext).QueryContext(t.Context(), "open", nil)
	require.NoError(t, err)
	require.NoError(t, conn.Close())
	require.NoError(t, c.(io.Closer).Close())
	for _, s := range sink.statements {
		require.Equal(t, telemetry.OutcomeAbandoned, s.Outcome)
	}
	require.Len(t, sink.statements, 2)
	require.EqualValues(t, 2, sink.closed[0].Abandoned)
}

// A held connection goes on after the application has dropped rows of it.
func TestAConnectorWhoseConnectionRunsOnAfterItsRowsWereDroppedHasNotEnded(t *testing.T) {
	db := newOutliving()
	c, err := db.Conn(t.Context())
	require.NoError(t, err)
	var raw driver.Conn
	require.NoError(t, c.Raw(func(native any) error { raw = native.(driver.Conn); return nil }))
	_, err = raw.(driver.QueryerContext).QueryContext(t.Context(), "x", nil)
	require.NoError(t, err)
	eventually(t, func() bool {
		runtime.GC()
		other, err := db.Conn(t.Context()) // opening a connection looks for dropped rows
		require.NoError(t, err)
		require.ErrorIs(t, other.Raw(func(any) error { return driver.ErrBadConn }), driver.ErrBadConn)
		db.sink.mu.Lock()
		defer db.sink.mu.Unlock()
		return len(db.sink.statements) == 1
	})
	rows, err := raw.(driver.QueryerContext).QueryContext(t.Context(), "x", nil)
	require.NoError(t, err)
	require.NoError(t, db.Close())
	require.Len(t, db.process.Connectors(), 1, "its rows are read")
	require.NoError(t, rows.Close())
	require.NoError(t, c.Close())
	require.Empty(t, db.process.Connectors())
}

func TestRowsThatWereCollectedBeforeTheDatabaseIsClosedAreAbandoned(t *testing.T) {
	db := newOutliving()
	c, err := db.Conn(t.Context())
	require.NoError(t, err)
	var dropped, native weak.Pointer[byte]
	require.NoError(t, c.Raw(func(raw any) error {
		rows, err := raw.(driver.QueryerContext).QueryContext(t.Context(), "x", nil)
		dropped = weak.Make((*byte)(reflect.ValueOf(rows).UnsafePointer()))
		native = weak.Make((*byte)(reflect.ValueOf(rows.(interface{ Raw() driver.Rows }).Raw()).UnsafePointer()))
		return err
	}))
	eventually(t, func() bool { runtime.GC(); return dropped.Value() == nil && native.Value() == nil })
	require.NoError(t, db.Close())
	require.Len(t, db.sink.statements, 1)
	require.Equal(t, telemetry.OutcomeAbandoned, db.sink.statements[0].Outcome)
	require.NoError(t, c.Close())
}
