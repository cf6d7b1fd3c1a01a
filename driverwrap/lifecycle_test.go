package driverwrap_test

import (
	"bytes"
	"context"
	"database/sql"
	"database/sql/driver"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/databricks/databricks-sql-go/driverctx"
	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/driverwrap"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// slowConn takes seconds for everything, in the fake time of a synctest bubble, and reports ids
// as the Databricks driver does.
type slowConn struct{ modernConn }

func (c *slowConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	driverctx.NewContextWithConnId(ctx, "session-1")
	time.Sleep(3 * time.Second)
	driverctx.NewContextWithQueryId(ctx, "")
	driverctx.NewContextWithQueryId(ctx, "statement-1")
	rows, err := c.modernConn.QueryContext(ctx, query, args)
	if err != nil {
		return nil, err
	}
	return &slowRows{rows}, nil
}

func (c *slowConn) Close() error {
	time.Sleep(time.Second)
	return c.modernConn.Close()
}

type slowRows struct{ driver.Rows }

func (r *slowRows) Next(dest []driver.Value) error {
	time.Sleep(2 * time.Second)
	return r.Rows.Next(dest)
}

func (r *slowRows) Close() error {
	time.Sleep(time.Second)
	return r.Rows.Close()
}

func slowDB(cfg driverwrap.Config) *sql.DB {
	return sql.OpenDB(cfg.Wrap(&fakeConnector{calls: &calls{}, conn: func(c *calls) driver.Conn {
		return &slowConn{modernConn{minimalConn: minimalConn{c, contextStmt}}}
	}}))
}

func TestLatenciesSplitWhereTheStatementMovesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sink := &memory{}
		db := slowDB(driverwrap.Config{Sinks: []telemetry.Sink{sink}})
		rows, err := db.Query("x")
		require.NoError(t, err)
		for rows.Next() {
			time.Sleep(10 * time.Second) // the application thinks
		}
		require.NoError(t, rows.Err())
		require.NoError(t, db.Close())

		require.Len(t, sink.statements, 1)
		s := sink.statements[0]
		require.Equal(t, "statement-1", s.StatementID)
		require.Equal(t, "session-1", s.SessionID)
		require.Equal(t, telemetry.KindQuery, s.Kind)
		require.Equal(t, telemetry.OutcomeCompleted, s.Outcome)
		require.Equal(t, 3*time.Second, s.Execute)
		require.Equal(t, telemetry.Known(2*time.Second), s.FirstRow)
		require.Equal(t, telemetry.Known(36*time.Second), s.Consume, "3 rows of thinking, 2 more rows and the end")
		require.Equal(t, telemetry.Known(time.Second), s.Close)
		require.Equal(t, 42*time.Second, s.Total)
		require.Equal(t, telemetry.Known[int64](3), s.RowsRead)
		require.Equal(t, telemetry.Maybe[int64]{}, s.RowsAffected)
		require.Nil(t, s.Failure)

		require.Len(t, sink.opened, 1)
		require.Len(t, sink.closed, 1)
		c := sink.closed[0]
		require.Equal(t, "session-1", c.SessionID)
		require.EqualValues(t, 1, c.Statements)
		require.Equal(t, 42*time.Second, c.Lifetime)
		require.Equal(t, sink.opened[0].Started.Add(c.Lifetime), c.Started)
		require.Equal(t, time.Second, c.Latency)
		require.Equal(t, s.Connector, c.Connector)
	})
}

// fastDB is a database over a modern fake, with one connection.
func fastDB(t *testing.T) (*sql.DB, *memory) {
	sink := &memory{}
	db := sql.OpenDB(driverwrap.Config{Sinks: []telemetry.Sink{sink}}.Wrap(
		&fakeConnector{calls: &calls{}, conn: func(c *calls) driver.Conn {
			return &modernConn{minimalConn: minimalConn{c, contextStmt}}
		}}))
	db.SetMaxOpenConns(1)
	t.Cleanup(func() { _ = db.Close() })
	return db, sink
}

func TestEveryStatementIsFinishedExactlyOnce(t *testing.T) {
	tests := map[string]struct {
		run  func(*testing.T, *sql.DB)
		want telemetry.Statement
	}{
		"exec": {
			func(t *testing.T, db *sql.DB) { _, _ = db.Exec("x") },
			telemetry.Statement{Kind: telemetry.KindUpdate, Outcome: telemetry.OutcomeCompleted, RowsAffected: telemetry.Known[int64](7)},
		},
		"exec without a count": {
			func(t *testing.T, db *sql.DB) { _, _ = db.Exec("countless") },
			telemetry.Statement{Kind: telemetry.KindUpdate, Outcome: telemetry.OutcomeCompleted},
		},
		"exec fails": {
			func(t *testing.T, db *sql.DB) { _, _ = db.Exec("broken") },
			telemetry.Statement{Kind: telemetry.KindUpdate, Outcome: telemetry.OutcomeFailed, Failure: &telemetry.Failure{Category: telemetry.CategoryOther, Message: "broken"}},
		},
		"query fails": {
			func(t *testing.T, db *sql.DB) { _, _ = db.Query("broken") },
			telemetry.Statement{Kind: telemetry.KindQuery, Outcome: telemetry.OutcomeFailed, Failure: &telemetry.Failure{Category: telemetry.CategoryOther, Message: "broken"}},
		},
		"rows read to the end": {
			func(t *testing.T, db *sql.DB) { query(db.Query("x")) },
			telemetry.Statement{Kind: telemetry.KindQuery, Outcome: telemetry.OutcomeCompleted, RowsRead: telemetry.Known[int64](3)},
		},
		"rows of several result sets": {
			func(t *testing.T, db *sql.DB) { query(db.Query("many sets")) },
			telemetry.Statement{Kind: telemetry.KindQuery, Outcome: telemetry.OutcomeCompleted, RowsRead: telemetry.Known[int64](3)},
		},
		"rows break off": {
			func(t *testing.T, db *sql.DB) { query(db.Query("breaks off")) },
			telemetry.Statement{Kind: telemetry.KindQuery, Outcome: telemetry.OutcomeFailed, RowsRead: telemetry.Known[int64](1), Failure: &telemetry.Failure{Category: telemetry.CategoryOther, Message: "broken"}},
		},
		"rows close badly": {
			func(t *testing.T, db *sql.DB) { query(db.Query("closes badly")) },
			telemetry.Statement{Kind: telemetry.KindQuery, Outcome: telemetry.OutcomeCompleted, RowsRead: telemetry.Known[int64](1), CloseFailure: &telemetry.Failure{Category: telemetry.CategoryOther, Message: "closed <name>"}},
		},
		"rows closed early, twice": {
			func(t *testing.T, db *sql.DB) {
				rows, err := db.Query("x")
				require.NoError(t, err)
				require.True(t, rows.Next())
				require.NoError(t, rows.Close())
				require.NoError(t, rows.Close())
			},
			telemetry.Statement{Kind: telemetry.KindQuery, Outcome: telemetry.OutcomeClosedEarly, RowsRead: telemetry.Known[int64](1)},
		},
		"rows never read": {
			func(t *testing.T, db *sql.DB) {
				rows, err := db.Query("x")
				require.NoError(t, err)
				require.NoError(t, rows.Close())
			},
			telemetry.Statement{Kind: telemetry.KindQuery, Outcome: telemetry.OutcomeClosedEarly, RowsRead: telemetry.Known[int64](0)},
		},
		"context canceled while reading": {
			func(t *testing.T, db *sql.DB) {
				ctx, cancel := context.WithCancel(context.Background())
				rows, err := db.QueryContext(ctx, "x")
				require.NoError(t, err)
				require.True(t, rows.Next())
				cancel()
				require.NoError(t, rows.Close())
			},
			telemetry.Statement{Kind: telemetry.KindQuery, Outcome: telemetry.OutcomeCanceled, RowsRead: telemetry.Known[int64](1), Failure: &telemetry.Failure{Category: telemetry.CategoryCanceled, Message: "context canceled"}},
		},
		"rows abandoned with their connection": {
			func(t *testing.T, db *sql.DB) {
				c, err := db.Conn(context.Background())
				require.NoError(t, err)
				require.ErrorIs(t, c.Raw(func(raw any) error {
					_, err := raw.(driver.QueryerContext).QueryContext(context.Background(), "x", nil)
					require.NoError(t, err)
					return driver.ErrBadConn // the pool discards the connection
				}), driver.ErrBadConn)
			},
			telemetry.Statement{Kind: telemetry.KindQuery, Outcome: telemetry.OutcomeAbandoned, RowsRead: telemetry.Known[int64](0)},
		},
		"ping": {
			func(t *testing.T, db *sql.DB) { require.ErrorIs(t, db.Ping(), errBroken) },
			telemetry.Statement{Kind: telemetry.KindQuery, Internal: true, Outcome: telemetry.OutcomeFailed, Failure: &telemetry.Failure{Category: telemetry.CategoryOther, Message: "broken"}},
		},
		"prepared": {
			func(t *testing.T, db *sql.DB) {
				stmt, err := db.Prepare("x")
				require.NoError(t, err)
				query(stmt.Query())
				require.NoError(t, stmt.Close())
			},
			telemetry.Statement{Kind: telemetry.KindQuery, Prepared: true, Outcome: telemetry.OutcomeCompleted, RowsRead: telemetry.Known[int64](3)},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { // and nothing it started may outlive the database
				db, sink := fastDB(t)
				test.run(t, db)
				require.NoError(t, db.Close())

				require.Len(t, sink.statements, 1)
				got := *sink.statements[0]
				require.Positive(t, got.Connector)
				require.Equal(t, got.Internal, got.Shape == "")
				got.Started, got.Connector, got.Shape = time.Time{}, 0, ""
				got.FirstRow, got.Consume, got.Close = telemetry.Maybe[time.Duration]{}, telemetry.Maybe[time.Duration]{}, telemetry.Maybe[time.Duration]{}
				require.Equal(t, test.want, got)
			})
		})
	}
}

func TestSkippedCallsAreNoStatements(t *testing.T) {
	sink := &memory{}
	db := sql.OpenDB(driverwrap.Config{Sinks: []telemetry.Sink{sink}}.Wrap(&fakeConnector{calls: &calls{}, conn: fakeConns["skipping"]}))
	_, err := db.Exec("x")
	require.NoError(t, err)
	require.NoError(t, db.Close())
	require.Len(t, sink.statements, 1, "the prepared statement database/sql turned to, and nothing for the skipped call")
	require.True(t, sink.statements[0].Prepared)
	require.Len(t, sink.closed, 1)
	require.EqualValues(t, 1, sink.closed[0].Statements)
}

func TestABadConnectionIsRecordedPerAttempt(t *testing.T) {
	db, sink := fastDB(t)
	_, err := db.Exec("bad connection")
	require.Equal(t, driver.ErrBadConn, err)
	require.NoError(t, db.Close())
	require.Len(t, sink.statements, 3, "database/sql tries three connections")
	for _, s := range sink.statements {
		require.Equal(t, telemetry.CategoryOther, s.Failure.Category, "the error alone does not say why")
	}
}

func TestFailedConnectIsRecordedAndReturnedAsItIs(t *testing.T) {
	failed := error(&net.OpError{Op: "dial", Err: io.ErrUnexpectedEOF})
	sink := &memory{}
	db := sql.OpenDB(driverwrap.Config{Sinks: []telemetry.Sink{sink}}.Wrap(&fakeConnector{calls: &calls{}, fail: failed}))
	err := db.PingContext(context.Background())
	require.True(t, err == failed)
	require.NoError(t, db.Close())
	require.Len(t, sink.opened, 1)
	require.Equal(t, telemetry.CategoryConnection, sink.opened[0].Failure.Category)
	require.Empty(t, sink.statements)
}

func TestIDCallbacksOfTheCallerAreCalledAsByTheBareDriver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		program := func(db *sql.DB) (ids []string) {
			ctx := driverctx.NewContextWithQueryIdCallback(t.Context(), func(id string) { ids = append(ids, "statement "+id) })
			ctx = driverctx.NewContextWithConnIdCallback(ctx, func(id string) { ids = append(ids, "session "+id) })
			rows, err := db.QueryContext(ctx, "x")
			require.NoError(t, err)
			require.NoError(t, rows.Close())
			require.NoError(t, db.Close())
			return ids
		}
		bare := sql.OpenDB(&fakeConnector{calls: &calls{}, conn: func(c *calls) driver.Conn {
			return &slowConn{modernConn{minimalConn: minimalConn{c, contextStmt}}}
		}})
		sink := &memory{}
		want := program(bare)
		require.Equal(t, want, program(slowDB(driverwrap.Config{Sinks: []telemetry.Sink{sink}})))
		require.Equal(t, []string{"session session-1", "statement ", "statement statement-1"}, want)
		require.Equal(t, "statement-1", sink.statements[0].StatementID)
	})
}

// Below database/sql no lock keeps goroutines from closing rows at the same time.
func TestRowsClosedByAnotherGoroutineFinishOnce(t *testing.T) {
	for range 100 {
		db, sink := fastDB(t)
		c, err := db.Conn(context.Background())
		require.NoError(t, err)
		require.NoError(t, c.Raw(func(raw any) error {
			rows, err := raw.(driver.QueryerContext).QueryContext(context.Background(), "x", nil)
			require.NoError(t, err)
			var wg sync.WaitGroup
			for range 4 {
				wg.Go(func() { _ = rows.Close() })
			}
			wg.Wait()
			return nil
		}))
		require.NoError(t, c.Close())
		require.NoError(t, db.Close())
		require.Len(t, sink.statements, 1)
	}
}

// faultySink is a sink that panics, or blocks until it is released.
type faultySink struct {
	memory
	block chan struct{}
}

func (r *faultySink) StatementFinished(*telemetry.Statement) {
	if r.block == nil {
		panic("faulty sink")
	}
	<-r.block
}

func TestASinkThatPanicsOrBlocksAffectsNothingElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		blocked := &faultySink{block: make(chan struct{})}
		good := &memory{}
		db := sql.OpenDB(driverwrap.Config{Sinks: []telemetry.Sink{&faultySink{}, blocked, good}}.Wrap(
			&fakeConnector{calls: &calls{}, conn: fakeConns["modern"]}))
		for range 10 {
			_, err := db.Exec("x")
			require.NoError(t, err)
		}
		start := time.Now()
		require.NoError(t, db.Close())
		require.Equal(t, 2*time.Second, time.Since(start), "closing waits for the blocked sink as long as the setting says")
		require.Len(t, good.statements, 10)
		close(blocked.block)
	})
}

// hostile is an error, and a result, whose methods panic.
type hostile struct{}

func (hostile) Error() string                { panic("no text") }
func (hostile) Is(error) bool                { panic("no comparison") }
func (hostile) RowsAffected() (int64, error) { panic("no count") }
func (hostile) LastInsertId() (int64, error) { panic("no id") }

type hostileConn struct{ modernConn }

func (c *hostileConn) ExecContext(_ context.Context, query string, _ []driver.NamedValue) (driver.Result, error) {
	if query == "fail" {
		return nil, hostile{}
	}
	return hostile{}, nil
}

func (c *hostileConn) QueryContext(context.Context, string, []driver.NamedValue) (driver.Rows, error) {
	return &plainRows{calls: c.calls, left: 1, then: hostile{}, closing: hostile{}}, nil
}

func TestWhatPanicsInsideAnErrorIsContained(t *testing.T) {
	before := telemetry.ReadStats().Incidents()
	sink := &memory{}
	db := sql.OpenDB(driverwrap.Config{Sinks: []telemetry.Sink{sink}}.Wrap(&fakeConnector{calls: &calls{}, conn: func(c *calls) driver.Conn {
		return &hostileConn{modernConn{minimalConn: minimalConn{c, contextStmt}}}
	}}))
	c, err := db.Conn(t.Context())
	require.NoError(t, err)
	require.NoError(t, c.Raw(func(raw any) error { // below database/sql, which calls methods of errors, too
		_, err := raw.(driver.ExecerContext).ExecContext(t.Context(), "fail", nil)
		require.True(t, err == hostile{})
		result, err := raw.(driver.ExecerContext).ExecContext(t.Context(), "x", nil)
		require.True(t, err == nil && result != nil)
		rows, err := raw.(driver.QueryerContext).QueryContext(t.Context(), "x", nil)
		require.NoError(t, err)
		require.True(t, rows.Next(make([]driver.Value, 1)) == nil)
		require.True(t, rows.Next(make([]driver.Value, 1)) == hostile{})
		require.True(t, rows.Close() == hostile{})
		return nil
	}))
	require.NoError(t, c.Close())
	require.NoError(t, db.Close())
	require.Positive(t, telemetry.ReadStats().Incidents()-before)
	var outcomes []telemetry.Outcome
	for _, s := range sink.statements {
		outcomes = append(outcomes, s.Outcome)
	}
	require.Equal(t, []telemetry.Outcome{telemetry.OutcomeFailed, telemetry.OutcomeCompleted, telemetry.OutcomeFailed}, outcomes)
}

func TestTheLogLevelAttachesALogSink(t *testing.T) {
	var out bytes.Buffer
	old := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&out, nil)))
	t.Cleanup(func() { slog.SetDefault(old) })
	for level, lines := range map[string]int{"off": 0, "warn": 1, "info": 4} {
		out.Reset()
		db := sql.OpenDB(driverwrap.Config{Settings: telemetry.Settings{LogLevel: level}}.Wrap(&fakeConnector{calls: &calls{}, conn: fakeConns["modern"]}))
		_, err := db.Exec("x")
		require.NoError(t, err)
		_, err = db.Exec("broken")
		require.Error(t, err)
		require.NoError(t, db.Close())
		require.Equal(t, lines, strings.Count(out.String(), "msg=\"databricks "), "%s: %s", level, out.String())
	}
}

// signingConn tells no id of its statement. While its rows are read, an authenticator runs another statement.
type signingConn struct{ modernConn }

func (c *signingConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	rows, err := c.modernConn.QueryContext(ctx, query, args)
	return &signingRows{rows, ctx}, err
}

type signingRows struct {
	driver.Rows
	ctx context.Context
}

func (r *signingRows) Next(dest []driver.Value) error {
	driverctx.NewContextWithQueryId(r.ctx, "another's")
	return r.Rows.Next(dest)
}

func TestAStatementWithoutAnIDDoesNotGetThatOfAnother(t *testing.T) {
	sink := &memory{}
	db := sql.OpenDB(driverwrap.Config{Sinks: []telemetry.Sink{sink}}.Wrap(&fakeConnector{calls: &calls{}, conn: func(c *calls) driver.Conn {
		return &signingConn{modernConn{minimalConn: minimalConn{c, contextStmt}}}
	}}))
	queryAll(t, db, "x")
	require.NoError(t, db.Close())
	require.Len(t, sink.statements, 1)
	require.Empty(t, sink.statements[0].StatementID)
}
