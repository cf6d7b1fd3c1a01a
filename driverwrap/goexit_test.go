package driverwrap_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"io"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/driverwrap"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// exiter is a sink that ends the application's goroutine where it is called on it.
type exiter struct {
	memory
	executed, recording bool
}

func (e *exiter) Tracing() bool { return true }

func (e *exiter) Recording() bool {
	if e.recording {
		runtime.Goexit()
	}
	return true
}

func (e *exiter) StatementStarting(ctx context.Context, _ telemetry.StatementStart) (context.Context, telemetry.StatementSpan) {
	return ctx, exitingSpan{e}
}

func (e *exiter) SessionStarting(ctx context.Context, _ telemetry.SessionStart) (context.Context, telemetry.SessionSpan) {
	return ctx, nil
}

type exitingSpan struct{ of *exiter }

func (exitingSpan) Context() (traceID [16]byte, spanID [8]byte) { return }

func (s exitingSpan) StatementExecuted(*telemetry.Statement) {
	if s.of.executed {
		runtime.Goexit()
	}
}

// If a sink ends the goroutine of a call, the other sinks still receive the record, and no statement is left
// running.
func TestASinkThatEndsTheGoroutineOfACallCostsOnlyItself(t *testing.T) {
	for name, arm := range map[string]func(*exiter){
		"at the end of the call": func(e *exiter) { e.executed = true },
		"when the record is due": func(e *exiter) { e.recording = true },
	} {
		for _, call := range []string{"exec", "query"} {
			t.Run(name+", "+call, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					bad, other := &exiter{}, &memory{}
					var process telemetry.Process
					db := sql.OpenDB(driverwrap.Config{Sinks: []telemetry.Sink{bad, other}}.In(&process).Wrap(&fakeConnector{calls: &calls{}, conn: func(c *calls) driver.Conn {
						return &modernConn{minimalConn: minimalConn{calls: c}}
					}}))
					_, err := db.Exec("x")
					require.NoError(t, err)
					time.Sleep(time.Second) // the sinks have what was recorded
					synctest.Wait()
					before := len(other.statements)
					var rows *sql.Rows
					if call == "query" && name == "when the record is due" {
						rows, err = db.Query("x")
						require.NoError(t, err)
					}
					arm(bad)
					var wg sync.WaitGroup
					wg.Go(func() {
						switch {
						case rows != nil:
							_ = rows.Close()
						case call == "exec":
							_, _ = db.Exec("x")
						default:
							_, _ = db.Query("x")
						}
					})
					wg.Wait()
					bad.executed, bad.recording = false, false
					time.Sleep(time.Second) // the sinks have what was recorded
					synctest.Wait()
					if call == "query" || name == "at the end of the call" { // else Recording ends the goroutine before there is a statement
						require.Len(t, other.statements, before+1)
					}
					require.Empty(t, process.Connectors()[0].Running())
					require.NoError(t, db.Close())
				})
			})
		}
	}
}

// Nor does it cost the sinks of a Config the record of a connection that is opened or closed.
func TestASinkThatEndsTheGoroutineOfASessionCostsOnlyItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bad, other := &exiter{}, &memory{}
		var process telemetry.Process
		process.Attach(bad)
		native := &fakeConnector{calls: &calls{}, conn: func(c *calls) driver.Conn { return &modernConn{minimalConn: minimalConn{calls: c}} }}
		connector := driverwrap.Config{Sinks: []telemetry.Sink{other}}.In(&process).Wrap(native)
		conn, err := connector.Connect(t.Context())
		require.NoError(t, err)
		for _, call := range []func(){func() { _, _ = connector.Connect(t.Context()) }, func() { _ = conn.Close() }} {
			bad.recording = true
			var exits sync.WaitGroup
			exits.Go(call)
			exits.Wait()
			bad.recording = false
		}
		time.Sleep(time.Second) // the sinks have what was recorded
		synctest.Wait()
		require.Len(t, other.opened, 1, "Recording ends the second call before there is a session")
		require.Len(t, other.closed, 1)
		require.NoError(t, connector.(io.Closer).Close())
	})
}
