package conformance

import (
	"database/sql"
	"testing"

	dbsql "github.com/databricks/databricks-sql-go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/integration/internal/eventually"
	"github.com/seed-01322ee7/databricks-telemetry/integration/workspace"
)

// TestWorkspaceNativeTelemetryIsKeptAndMarked lets the driver's own telemetry arrive. It posts to port 443
// of the host whatever the port of the connection, so the workspace has a host name that its transport
// connects to it on every port.
func TestWorkspaceNativeTelemetryIsKeptAndMarked(t *testing.T) {
	const host = "telemetry.cloud.databricks.com"
	ws := workspace.New(t, workspace.Options{TLS: true, Hostname: host, TelemetryFlag: workspace.FlagOn})
	transport := ws.Transport()
	t.Cleanup(transport.CloseIdleConnections)
	connector, err := dbsql.NewConnector(
		dbsql.WithServerHostname(host), dbsql.WithPort(443), dbsql.WithHTTPPath(ws.HTTPPath()),
		dbsql.WithAccessToken(ws.Token()), dbsql.WithTransport(transport))
	require.NoError(t, err)
	db := sql.OpenDB(connector)
	assert.EqualValues(t, 3, count(t, db, "SELECT id FROM range(3)"))
	require.NoError(t, db.Close())

	id := ws.Statements()[0].ID
	eventually.True(t, func() bool {
		for _, e := range ws.Telemetry() {
			if log := e.Document.Entry.SQLDriverLog; log.StatementID == id && log.SQLOperation != nil {
				return true
			}
		}
		return false
	})
	assert.GreaterOrEqual(t, ws.FlagRequests(), 1)
	for _, e := range ws.Telemetry() {
		assert.False(t, e.Valid(), "its event ids are no UUIDs, and it names the client in fields of its own")
		assert.Contains(t, e.Problems, "context.client_context.client_type: unknown field")
		assert.Equal(t, ws.Sessions()[0].ID, e.Document.Entry.SQLDriverLog.SessionID)
	}
}

func TestWorkspaceNativeTelemetryAsksForTheFlagAndObeys(t *testing.T) {
	const host = "silent.cloud.databricks.com"
	ws := workspace.New(t, workspace.Options{TLS: true, Hostname: host, TelemetryFlag: workspace.FlagOff})
	transport := ws.Transport()
	t.Cleanup(transport.CloseIdleConnections)
	connector, err := dbsql.NewConnector(
		dbsql.WithServerHostname(host), dbsql.WithPort(443), dbsql.WithHTTPPath(ws.HTTPPath()),
		dbsql.WithAccessToken(ws.Token()), dbsql.WithTransport(transport))
	require.NoError(t, err)
	db := sql.OpenDB(connector)
	require.NoError(t, db.Ping())
	require.NoError(t, db.Close())
	assert.Equal(t, 1, ws.FlagRequests())
	assert.Zero(t, ws.Count(workspace.Endpoint("/telemetry")))
}
