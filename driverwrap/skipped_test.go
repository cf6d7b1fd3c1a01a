package driverwrap_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/driverwrap"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// skippingStmt declines to run, for which database/sql has no other way.
type skippingStmt struct{ minimalStmt }

func (*skippingStmt) Exec([]driver.Value) (driver.Result, error) { return nil, driver.ErrSkip }

// skippingPingConn declines to ping, and its statements to run.
type skippingPingConn struct{ minimalConn }

func (*skippingPingConn) Ping(context.Context) error { return driver.ErrSkip }

func TestACallThatIsSkippedHasFailedIfThereIsNoOtherWay(t *testing.T) {
	for name, call := range map[string]func(*sql.DB) error{
		"prepared": func(db *sql.DB) error { _, err := db.Exec("x"); return err },
		"ping":     (*sql.DB).Ping,
	} {
		t.Run(name, func(t *testing.T) {
			sink := &memory{}
			db := sql.OpenDB(driverwrap.Config{Sinks: []telemetry.Sink{sink}}.Wrap(&fakeConnector{calls: &calls{}, conn: func(c *calls) driver.Conn {
				return &skippingPingConn{minimalConn{c, func(c *calls, q string) driver.Stmt { return &skippingStmt{minimalStmt{c, q, -1}} }}}
			}}))
			require.Equal(t, driver.ErrSkip, call(db))
			require.NoError(t, db.Close())
			require.Len(t, sink.statements, 1)
			require.Equal(t, telemetry.OutcomeFailed, sink.statements[0].Outcome)
			require.EqualValues(t, 1, sink.closed[0].Statements)
		})
	}
}
