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

// rowlessConn and rowlessLegacyConn return neither rows nor an error.
type (
	rowlessConn       struct{ modernConn }
	rowlessLegacyConn struct{ legacyConn }
)

func (*rowlessConn) QueryContext(context.Context, string, []driver.NamedValue) (driver.Rows, error) {
	return nil, nil
}

func (*rowlessLegacyConn) Query(string, []driver.Value) (driver.Rows, error) { return nil, nil }

func TestNeitherRowsNorAnErrorIsReturnedAsByTheBareDriver(t *testing.T) {
	for name, conn := range map[string]func(*calls) driver.Conn{
		"modern": func(c *calls) driver.Conn { return &rowlessConn{modernConn{minimalConn: minimalConn{c, contextStmt}}} },
		"legacy": func(c *calls) driver.Conn { return &rowlessLegacyConn{legacyConn{minimalConn{c, plainStmt}}} },
	} {
		sink := &memory{}
		for how, sinks := range map[string][]telemetry.Sink{"measured": {sink}, "unmeasured": nil} {
			t.Run(name+"/"+how, func(t *testing.T) {
				db := sql.OpenDB(driverwrap.Config{Sinks: sinks}.Wrap(&fakeConnector{calls: &calls{}, conn: conn}))
				c, err := db.Conn(t.Context())
				require.NoError(t, err)
				require.NoError(t, c.Raw(func(raw any) error {
					rows, err := raw.(driver.QueryerContext).QueryContext(t.Context(), "x", nil)
					require.Nil(t, rows)
					return err
				}))
				require.NoError(t, c.Close())
				require.NoError(t, db.Close())
			})
		}
		require.Len(t, sink.statements, 1)
		require.Equal(t, telemetry.OutcomeCompleted, sink.statements[0].Outcome)
	}
}

// failedRowsConn returns rows and an error, as the Databricks driver does for rows that it cannot read.
type failedRowsConn struct{ modernConn }

func (c *failedRowsConn) QueryContext(context.Context, string, []driver.NamedValue) (driver.Rows, error) {
	return &plainRows{calls: c.calls, left: 1}, errBroken
}

func TestAQueryThatReturnsRowsAndAnErrorHasFailed(t *testing.T) {
	var process telemetry.Process
	sink := &memory{}
	db := sql.OpenDB(driverwrap.Config{Sinks: []telemetry.Sink{sink}}.In(&process).Wrap(&fakeConnector{calls: &calls{}, conn: func(c *calls) driver.Conn {
		return &failedRowsConn{modernConn{minimalConn: minimalConn{c, contextStmt}}}
	}}))
	_, err := db.Query("x") //nolint:sqlclosecheck // there are none
	require.Equal(t, errBroken, err)
	require.Empty(t, process.Connectors()[0].Running(), "the application has no rows to close")
	require.NoError(t, db.Close())
	require.Len(t, sink.statements, 1)
	require.Equal(t, telemetry.OutcomeFailed, sink.statements[0].Outcome)
	require.Zero(t, sink.closed[0].Abandoned)
}
