package driverwrap_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/driverwrap"
	"github.com/seed-01322ee7/databricks-telemetry/internal/settings"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// tracer notes its calls. Its spans have its name as their id.
type tracer struct {
	memory
	name    string
	notes   *notes
	refuses bool // follows nothing
	panics  bool // at every call
	idle    bool // follows no calls now
}

type notes struct {
	mu    sync.Mutex
	lines []string
}

func (n *notes) add(format string, args ...any) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.lines = append(n.lines, fmt.Sprintf(format, args...))
}

type tracerKey string

func (t *tracer) Tracing() bool { return !t.idle }

func (t *tracer) StatementStarting(ctx context.Context, s telemetry.StatementStart) (context.Context, telemetry.StatementSpan) {
	t.notes.add("%s starts %s %s%v%v", t.name, s.Kind, s.Query, s.Internal, s.Prepared)
	if t.panics {
		panic("tracer")
	}
	ctx = context.WithValue(ctx, tracerKey(t.name), true)
	if t.refuses {
		return ctx, nil
	}
	return ctx, &span{t}
}

func (t *tracer) SessionStarting(ctx context.Context, s telemetry.SessionStart) (context.Context, telemetry.SessionSpan) {
	t.notes.add("%s opens", t.name)
	if t.panics {
		panic("tracer")
	}
	return ctx, &span{t}
}

type span struct{ of *tracer }

func (s *span) Context() (traceID [16]byte, spanID [8]byte) {
	copy(traceID[:], s.of.name)
	copy(spanID[:], s.of.name)
	return traceID, spanID
}

func (s *span) StatementExecuted(r *telemetry.Statement) {
	s.of.notes.add("%s ends %s %s", s.of.name, r.Outcome, r.Execute)
}

func (s *span) SessionStarted(r *telemetry.SessionOpened) {
	s.of.notes.add("%s opened %v", s.of.name, r.Failed())
}

// contextConn notes which tracers' contexts reach it.
type contextConn struct {
	modernConn
	notes *notes
}

func (c *contextConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	c.notes.add("driver runs, outer %v, inner %v", ctx.Value(tracerKey("outer")) != nil, ctx.Value(tracerKey("inner")) != nil)
	return c.modernConn.QueryContext(ctx, query, args)
}

func contextDB(cfg driverwrap.Config, n *notes) *sql.DB {
	return sql.OpenDB(cfg.Wrap(&fakeConnector{calls: &calls{}, conn: func(c *calls) driver.Conn {
		return &contextConn{modernConn{minimalConn: minimalConn{c, contextStmt}}, n}
	}}))
}

func queryAll(t *testing.T, db *sql.DB, query string) {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), query)
	if err != nil {
		return
	}
	for rows.Next() {
	}
	require.NoError(t, rows.Close())
}

func TestTracersFollowACallAroundTheDriver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &notes{}
		outer, inner := &tracer{name: "outer", notes: n}, &tracer{name: "inner", notes: n}
		db := contextDB(driverwrap.Config{Sinks: []telemetry.Sink{outer, inner}}, n)
		queryAll(t, db, "x")
		queryAll(t, db, "broken")
		require.NoError(t, db.Close())
		require.Equal(t, []string{
			"outer opens", "inner opens", "inner opened false", "outer opened false",
			"outer starts QUERY falsefalse", "inner starts QUERY falsefalse",
			"driver runs, outer true, inner true",
			"inner ends running 0s", "outer ends running 0s",
			"outer starts QUERY falsefalse", "inner starts QUERY falsefalse",
			"driver runs, outer true, inner true",
			"inner ends failed 0s", "outer ends failed 0s",
		}, n.lines)
		require.Len(t, outer.statements, 2)
		require.Equal(t, "outer", string(outer.statements[0].TraceID[:5]), "the record bears the ids of the outermost span")
		require.Equal(t, "outer", string(outer.statements[0].SpanID[:5]))
	})
}

func TestTheTextOfAStatementIsKeptOnlyWhenAskedFor(t *testing.T) {
	for keep, want := range map[bool]string{false: "", true: "x"} {
		n := &notes{}
		sink := &tracer{name: "outer", notes: n}
		db := contextDB(driverwrap.Config{Settings: telemetry.Settings{QueryText: keep}, Sinks: []telemetry.Sink{sink}}, n)
		queryAll(t, db, "x")
		stmt, err := db.Prepare("x")
		require.NoError(t, err)
		_, err = stmt.Exec()
		require.NoError(t, err)
		require.NoError(t, stmt.Close())
		require.NoError(t, db.Close())
		require.Len(t, sink.statements, 2)
		for _, s := range sink.statements {
			require.Equal(t, want, s.Query)
			require.Equal(t, telemetry.ShapeOf("x"), s.Shape)
		}
		require.Contains(t, n.lines, "outer starts QUERY "+want+"falsefalse")
	}
}

// startsOnly is a tracer that notes the starts of statements.
type startsOnly struct {
	tracer
	starts []telemetry.StatementStart
}

func (s *startsOnly) StatementStarting(ctx context.Context, start telemetry.StatementStart) (context.Context, telemetry.StatementSpan) {
	s.starts = append(s.starts, start)
	return ctx, nil
}

func TestATracerLearnsTheSessionOnceItIsKnown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sink := &startsOnly{tracer: tracer{notes: &notes{}}}
		db := slowDB(driverwrap.Config{Sinks: []telemetry.Sink{sink}})
		queryAll(t, db, "x")
		queryAll(t, db, "x")
		require.NoError(t, db.Close())
		require.Len(t, sink.starts, 2)
		require.Empty(t, sink.starts[0].SessionID, "behind Wrap, the first statement tells")
		require.Equal(t, "session-1", sink.starts[1].SessionID)
	})
}

// spanOnly is a tracer that wants no records.
type spanOnly struct{ tracer }

func (*spanOnly) Recording() bool { return false }

func TestATracerWithoutASpanStillPassesItsContextOn(t *testing.T) {
	n := &notes{}
	sink := &spanOnly{tracer{name: "outer", notes: n, refuses: true}}
	db := contextDB(driverwrap.Config{Sinks: []telemetry.Sink{sink}}, n)
	queryAll(t, db, "x")
	require.NoError(t, db.Close())
	require.Contains(t, n.lines, "driver runs, outer true, inner false")
	require.Empty(t, sink.statements)
}

func TestASpanIsEndedEvenWithoutASinkForRecords(t *testing.T) {
	n := &notes{}
	sink := &spanOnly{tracer{name: "outer", notes: n}}
	db := contextDB(driverwrap.Config{Sinks: []telemetry.Sink{sink}}, n)
	queryAll(t, db, "broken")
	require.NoError(t, db.Close())
	require.Contains(t, n.lines[len(n.lines)-1], "outer ends failed")
	require.Empty(t, sink.statements)
}

func TestATracerThatIsIdleIsNotAsked(t *testing.T) {
	n := &notes{}
	sink := &tracer{name: "outer", notes: n, idle: true}
	db := contextDB(driverwrap.Config{Sinks: []telemetry.Sink{sink}}, n)
	queryAll(t, db, "x")
	require.NoError(t, db.Close())
	require.Equal(t, []string{"driver runs, outer false, inner false"}, n.lines)
	require.Len(t, sink.statements, 1, "it receives the record all the same")
}

// The clock of a bubble stands still: a tracer must not have to guess from a duration whether a call was declined.
func TestATracerIsToldThatTheDriverDeclinedACall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &notes{}
		sink := &tracer{name: "outer", notes: n}
		db := sql.OpenDB(driverwrap.Config{Sinks: []telemetry.Sink{sink}}.Wrap(&fakeConnector{calls: &calls{}, conn: fakeConns["skipping"]}))
		queryAll(t, db, "x")
		_, err := db.ExecContext(t.Context(), "x")
		require.NoError(t, err)
		require.NoError(t, db.Close())
		require.Equal(t, []string{
			"outer opens", "outer opened false",
			"outer starts QUERY falsefalse", "outer ends  0s", "outer starts QUERY falsetrue", "outer ends running 0s",
			"outer starts UPDATE falsefalse", "outer ends  0s", "outer starts UPDATE falsetrue", "outer ends running 0s",
		}, n.lines)
	})
}

// Another tracer's calls are not followed by one that is idle, as an OpenTelemetry sink that was closed is.
func TestATracerThatIsIdleIsNotAskedForTheSakeOfAnother(t *testing.T) {
	n := &notes{}
	idle, active := &tracer{name: "idle", notes: n, idle: true}, &tracer{name: "active", notes: n}
	db := contextDB(driverwrap.Config{Sinks: []telemetry.Sink{idle, active}}, n)
	queryAll(t, db, "x")
	require.NoError(t, db.Close())
	require.Contains(t, n.lines, "active starts QUERY falsefalse")
	for _, line := range n.lines {
		require.NotContains(t, line, "idle")
	}
}

func TestATracerThatPanicsCostsOnlyItsOwnSpans(t *testing.T) {
	n := &notes{}
	broken, inner := &tracer{name: "outer", notes: n, panics: true}, &tracer{name: "inner", notes: n}
	before := telemetry.ReadStats().Incidents()
	db := contextDB(driverwrap.Config{Sinks: []telemetry.Sink{broken, inner}}, n)
	queryAll(t, db, "x")
	require.NoError(t, db.Close())
	require.Contains(t, n.lines, "driver runs, outer false, inner true")
	require.Len(t, inner.statements, 1)
	require.Equal(t, "inner", string(inner.statements[0].TraceID[:5]))
	require.EqualValues(t, 2, telemetry.ReadStats().Incidents()-before, "one for the session, one for the statement")
}

// brokenSpan is a tracer whose spans panic when they are asked for their ids.
type brokenSpan struct{ tracer }

func (b *brokenSpan) StatementStarting(ctx context.Context, _ telemetry.StatementStart) (context.Context, telemetry.StatementSpan) {
	return ctx, panickingSpan{}
}

type panickingSpan struct{}

func (panickingSpan) Context() ([16]byte, [8]byte)           { panic("span") }
func (panickingSpan) StatementExecuted(*telemetry.Statement) {}

func TestASpanThatPanicsCostsNoOtherItsIDs(t *testing.T) {
	n := &notes{}
	broken, inner := &brokenSpan{tracer{name: "outer", notes: n}}, &tracer{name: "inner", notes: n}
	db := contextDB(driverwrap.Config{Sinks: []telemetry.Sink{broken, inner}}, n)
	queryAll(t, db, "x")
	require.NoError(t, db.Close())
	require.Len(t, inner.statements, 1)
	require.Equal(t, "inner", string(inner.statements[0].TraceID[:5]))
}

// exiting is a tracer and sink that ends the application's goroutine.
type exiting struct{ memory }

func (*exiting) Recording() bool { runtime.Goexit(); return true }

// A Goexit on the application's goroutine cannot be contained, but it can be named.
func TestAGoexitOnTheApplicationsGoroutineIsCounted(t *testing.T) {
	db := contextDB(driverwrap.Config{Sinks: []telemetry.Sink{&exiting{}}}, &notes{})
	goexits := func() (n int64) {
		for _, c := range telemetry.ReadStats().Contained {
			n += c.Goexits
		}
		return n
	}
	before := goexits()
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = db.Exec("x")
	}()
	<-done
	require.Equal(t, before+1, goexits())
}

func TestARunningStatementCanBeLookedAt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var process telemetry.Process
		db := slowDB(driverwrap.Config{Sinks: []telemetry.Sink{&memory{}}}.In(&process))
		c := process.Connectors()[0]
		require.Empty(t, c.Running())

		done := make(chan *sql.Rows)
		go func() {
			rows, _ := db.Query("x")
			done <- rows
		}()
		time.Sleep(time.Second)
		synctest.Wait()
		running := c.Running()
		require.Len(t, running, 1)
		require.Equal(t, telemetry.OutcomeRunning, running[0].Outcome)
		require.Equal(t, time.Second, running[0].Total)
		require.Equal(t, telemetry.ShapeOf("x"), running[0].Shape)
		require.Empty(t, running[0].Query)
		require.Zero(t, running[0].Execute)

		rows := <-done
		require.True(t, rows.Next())
		time.Sleep(time.Second)
		running = c.Running()
		require.Equal(t, 6*time.Second, running[0].Total)
		require.Equal(t, 3*time.Second, running[0].Execute)
		require.Equal(t, telemetry.Known(2*time.Second), running[0].FirstRow)
		require.Equal(t, telemetry.Known(time.Second), running[0].Consume)
		require.Equal(t, telemetry.Known[int64](1), running[0].RowsRead)
		require.Equal(t, "statement-1", running[0].StatementID)
		require.Equal(t, 1, c.Info().Sessions)

		require.NoError(t, rows.Close())
		require.Empty(t, c.Running())
		require.NoError(t, db.Close())
		require.Zero(t, c.Info().Sessions)
		require.Empty(t, process.Connectors(), "a closed connector is not listed")
	})
}

// slowConnector opens a connection in the time that it receives, or fails if that is negative.
type slowConnector struct {
	idleConnector
	takes chan time.Duration
}

func (c slowConnector) Connect(context.Context) (driver.Conn, error) {
	takes := <-c.takes
	time.Sleep(takes.Abs())
	if takes < 0 {
		return nil, errors.New("refused")
	}
	return &idleConn{}, nil
}

func TestConnectionsThatAreBeingOpenedAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		takes := make(chan time.Duration, 4)
		var process telemetry.Process
		db := sql.OpenDB(driverwrap.Config{}.In(&process).Wrap(slowConnector{takes: takes}))
		c := process.Connectors()[0]
		opening := func() (int, time.Duration) {
			synctest.Wait()
			info := c.Info()
			return info.Opening, info.OpeningFor
		}
		expect := func(n int, since time.Duration) {
			t.Helper()
			gotN, got := opening()
			require.Equal(t, n, gotN)
			require.Equal(t, since, got)
		}
		time.Sleep(time.Hour)
		expect(0, 0)
		open := func(d time.Duration) {
			takes <- d
			go func() {
				if conn, err := db.Conn(t.Context()); err == nil {
					_ = conn.Close()
				}
			}()
			synctest.Wait()
		}
		open(10 * time.Second)
		time.Sleep(2 * time.Second)
		open(-3 * time.Second)
		time.Sleep(2 * time.Second)
		expect(2, 4*time.Second)
		time.Sleep(2 * time.Second)
		expect(1, time.Second) // one was refused a second ago
		time.Sleep(5 * time.Second)
		expect(0, 0)
		require.NoError(t, db.Close())
	})
}

func TestBehindWrapTheDriverReportsThoughTheWrapperIsOff(t *testing.T) {
	var process telemetry.Process
	db := sql.OpenDB(driverwrap.Config{Settings: telemetry.Settings{Enabled: telemetry.SwitchOff}}.In(&process).Wrap(idleConnector{}))
	require.Equal(t, "driver", process.Connectors()[0].Info().Reports)
	require.NoError(t, db.Close())
}

func TestAConnectorSaysWhatItIs(t *testing.T) {
	var process telemetry.Process
	config := driverwrap.Config{}.In(&process)
	db := sql.OpenDB(config.Wrap(idleConnector{}))
	c := process.Connectors()[0]
	info := c.Info()
	require.Equal(t, "Wrap", info.OpenedVia)
	require.Equal(t, "driver", info.Reports)
	require.Len(t, info.Settings, len(settings.Parameters))
	require.Nil(t, c.Documents(&telemetry.Statement{}), "nothing is reported behind Wrap")
	for _, sinks := range []int{0, 1, 0} {
		detach := func() {}
		if sinks > 0 {
			detach = process.Attach(&memory{})
		}
		_, err := db.Exec("x")
		require.NoError(t, err)
		require.Equal(t, sinks > 0, c.Info().Recording, "the latest statement")
		detach()
	}
	require.NoError(t, db.Close())

	off, err := config.OpenConnector("token:dapi0123@example.com:443/sql/1.0/warehouses/1?enableTelemetry=false")
	require.NoError(t, err)
	c = process.Connectors()[0]
	info = c.Info()
	require.Equal(t, "sql.Open", info.OpenedVia)
	require.Equal(t, "example.com:443", info.Server)
	require.Equal(t, "none", info.Reports)
	require.Equal(t, telemetry.SettingInForce{Name: "enableTelemetry", Value: "false", By: "DSN"}, info.Settings[0])
	documents := c.Documents(&telemetry.Statement{StatementID: "0123abcd-0123-4567-89ab-0123456789ab", Kind: telemetry.KindQuery})
	require.Len(t, documents, 1, "what would be sent if telemetry were on")
	require.Contains(t, documents[0], "0123abcd-0123-4567-89ab-0123456789ab")
	require.NotContains(t, documents[0], "dapi0123")
	require.NoError(t, off.(interface{ Close() error }).Close())
}
