package driverwrap_test

import (
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

func TestAPreparedStatementThatIsSkippedHasFailed(t *testing.T) {
	sink := &memory{}
	db := sql.OpenDB(driverwrap.Config{Sinks: []telemetry.Sink{sink}}.Wrap(&fakeConnector{calls: &calls{}, conn: func(c *calls) driver.Conn {
		return &minimalConn{c, func(c *calls, q string) driver.Stmt { return &skippingStmt{minimalStmt{c, q, -1}} }}
	}}))
	_, err := db.Exec("x")
	require.Equal(t, driver.ErrSkip, err)
	require.NoError(t, db.Close())
	require.Len(t, sink.statements, 1)
	require.Equal(t, telemetry.OutcomeFailed, sink.statements[0].Outcome)
	require.EqualValues(t, 1, sink.closed[0].Statements)
}
