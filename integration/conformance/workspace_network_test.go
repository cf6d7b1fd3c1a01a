package conformance

import (
	"context"
	"database/sql"
	"net/http"
	"testing"
	"time"

	dbsql "github.com/databricks/databricks-sql-go"
	dbsqlerr "github.com/databricks/databricks-sql-go/errors"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/integration/internal/eventually"
	"github.com/seed-01322ee7/databricks-telemetry/integration/workspace"
)

func TestWorkspaceWrongToken(t *testing.T) {
	ws := workspace.New(t, workspace.Options{})
	db := connectWorkspace(t, ws, dbsql.WithAccessToken("wrong"))
	err := db.Ping()
	require.ErrorIs(t, err, dbsqlerr.RequestError)
	assert.ErrorContains(t, err, "Credential was not sent")
	assert.Empty(t, ws.Sessions())
	assert.Equal(t, http.StatusUnauthorized, ws.Requests()[0].Status)
}

func TestWorkspaceUnknownCatalogFailsTheConnection(t *testing.T) {
	ws := workspace.New(t, workspace.Options{})
	err := connectWorkspace(t, ws, dbsql.WithInitialNamespace("atlantis", "default")).Ping()
	require.ErrorContains(t, err, "atlantis")
	assert.Empty(t, ws.Sessions())
}

func TestWorkspaceTLSAndHTTP2(t *testing.T) {
	ws := workspace.New(t, workspace.Options{TLS: true, CloudFetchThreshold: 1, FileRows: 5000})
	transport := ws.Transport()
	t.Cleanup(transport.CloseIdleConnections)
	db := connectWorkspace(t, ws, dbsql.WithTransport(transport))
	requireSequence(t, db, sequence(100_000), 100_000)
	for _, r := range ws.Requests() {
		assert.Equal(t, "HTTP/2.0", r.Proto, r.Path)
	}
	untrusting := connectWorkspace(t, ws, dbsql.WithRetries(-1, 0, 0))
	require.Error(t, untrusting.Ping())
}

// TestWorkspaceOAuthMachineToMachine gives the workspace a Databricks host name, because the driver
// requests tokens only from Databricks hosts, and with the default transport.
func TestWorkspaceOAuthMachineToMachine(t *testing.T) {
	const host = "simulated.cloud.databricks.com"
	ws := workspace.New(t, workspace.Options{TLS: true, Hostname: host})
	transport := ws.Transport()
	before := http.DefaultTransport
	http.DefaultTransport = transport
	t.Cleanup(func() {
		http.DefaultTransport = before
		transport.CloseIdleConnections()
	})
	connector, err := dbsql.NewConnector(
		dbsql.WithServerHostname(host), dbsql.WithPort(443), dbsql.WithHTTPPath(ws.HTTPPath()),
		dbsql.WithTransport(transport), dbsql.WithClientCredentials(ws.ClientID(), ws.ClientSecret()))
	require.NoError(t, err)
	db := sql.OpenDB(connector)
	defer db.Close()
	assert.EqualValues(t, 3, count(t, db, "SELECT id FROM range(3)"))
	assert.Equal(t, 1, ws.Count(workspace.Endpoint("/oidc/v1/token")))
}

func TestWorkspaceUnavailableServiceIsTriedAgain(t *testing.T) {
	ws := workspace.New(t, workspace.Options{NoDirectResults: true})
	for _, m := range []string{"OpenSession", "ExecuteStatement", "GetOperationStatus", "FetchResults", "CloseOperation"} {
		ws.Inject(workspace.Fault{On: workspace.Method(m), First: 2, Do: workspace.Status(503)})
	}
	db := connectWorkspace(t, ws, quickly)
	assert.EqualValues(t, 3, count(t, db, "SELECT id FROM range(3)"))
	f := ws.Statements()[0]
	for _, m := range []string{"ExecuteStatement", "FetchResults", "CloseOperation"} {
		assert.Equal(t, 3, f.Attempts[m], m)
		assert.Equal(t, 1, f.Calls[m], m)
	}
	assert.Equal(t, f.Calls["GetOperationStatus"]+2, f.Attempts["GetOperationStatus"])
	require.Len(t, ws.Statements(), 1)
}

func TestWorkspaceExecuteIsNotRepeatedAfterAServerError(t *testing.T) {
	ws := workspace.New(t, workspace.Options{})
	db := connectWorkspace(t, ws)
	require.NoError(t, db.Ping())
	ws.Inject(workspace.Fault{On: workspace.Method("ExecuteStatement"), Do: workspace.Status(500)})
	_, err := db.Query("SELECT 2")
	require.Error(t, err)
	f := ws.Statements()[1]
	assert.Empty(t, f.ID)
	assert.Equal(t, 1, f.Attempts["ExecuteStatement"])
}

func TestWorkspaceBrokenAnswersAreErrors(t *testing.T) {
	for _, do := range []workspace.Action{workspace.Reset(), workspace.HalfBody(), workspace.DropResponse(), workspace.Garbage(), workspace.RedirectToLogin()} {
		t.Run(do.String(), func(t *testing.T) {
			ws := workspace.New(t, workspace.Options{})
			db := connectWorkspace(t, ws)
			require.NoError(t, db.Ping())
			ws.Inject(workspace.Fault{On: workspace.Method("ExecuteStatement"), Do: do})
			_, err := db.Query("SELECT id FROM range(1000)")
			require.Error(t, err)
		})
	}
}

func TestWorkspaceHangEndsWithTheCallersDeadline(t *testing.T) {
	ws := workspace.New(t, workspace.Options{})
	db := connectWorkspace(t, ws)
	require.NoError(t, db.Ping())
	f := ws.Inject(workspace.Fault{On: workspace.Method("ExecuteStatement"), Do: workspace.Hang()})
	ctx, expire := eventually.Expiring(t.Context())
	failed := make(chan error, 1)
	go func() {
		_, err := db.QueryContext(ctx, "SELECT 1")
		failed <- err
	}()
	eventually.True(t, func() bool { return f.Hits() == 1 })
	expire()
	require.ErrorIs(t, <-failed, context.DeadlineExceeded)
	assert.Equal(t, 1, f.Hits())
}

func TestWorkspaceDownloadsAreTriedAgain(t *testing.T) {
	for _, do := range []workspace.Action{workspace.Status(503), workspace.Reset(), workspace.HalfBody()} {
		t.Run(do.String(), func(t *testing.T) {
			ws := workspace.New(t, workspace.Options{CloudFetchThreshold: 1, FileRows: 1000})
			ws.Inject(workspace.Fault{On: workspace.ResultDownloads(), First: 3, Do: do})
			requireSequence(t, connectWorkspace(t, ws), "SELECT id FROM range(5000)", 5000)
			attempts, completed := 0, 0
			for _, k := range ws.Statements()[0].Links {
				for _, d := range k.Downloads {
					attempts++
					if d.Completed {
						completed++
					}
				}
			}
			assert.Equal(t, 8, attempts)
			assert.Equal(t, 5, completed)
		})
	}
}

func TestWorkspaceForbiddenLinkIsFinal(t *testing.T) {
	ws := workspace.New(t, workspace.Options{CloudFetchThreshold: 1})
	ws.Inject(workspace.Fault{On: workspace.ResultDownloads(), Do: workspace.Status(403)})
	rows, err := connectWorkspace(t, ws).Query("SELECT id FROM range(100)")
	require.NoError(t, err)
	defer rows.Close()
	require.False(t, rows.Next())
	require.ErrorContains(t, rows.Err(), "403")
	assert.Len(t, ws.Statements()[0].Links[0].Downloads, 1)
}

// TestWorkspaceExpiredLinkIsRefused: the expiry is in milliseconds, which the driver reads as
// seconds, so that no link ever looks expired to it.
func TestWorkspaceExpiredLinkIsRefused(t *testing.T) {
	ws := workspace.New(t, workspace.Options{CloudFetchThreshold: 1, LinkLifetime: -time.Minute})
	rows, err := connectWorkspace(t, ws).Query("SELECT id FROM range(100)")
	require.NoError(t, err)
	defer rows.Close()
	require.False(t, rows.Next())
	require.ErrorContains(t, rows.Err(), "403")
	assert.Len(t, ws.Statements()[0].Links[0].Downloads, 1)
}

func TestWorkspaceLinkHeadersAreSent(t *testing.T) {
	ws := workspace.New(t, workspace.Options{CloudFetchThreshold: 1, LinkHeaders: map[string]string{"X-Amz-Key": "k"}})
	requireSequence(t, connectWorkspace(t, ws), "SELECT id FROM range(100)", 100)
}

func TestWorkspaceExpiredSessionIsReplaced(t *testing.T) {
	ws := workspace.New(t, workspace.Options{})
	db := connectWorkspace(t, ws)
	require.NoError(t, db.Ping())
	require.True(t, ws.ExpireSession(ws.Sessions()[0].ID))
	assert.EqualValues(t, 1, count(t, db, "SELECT 1"), "database/sql opens another one")
	require.Len(t, ws.Sessions(), 2)
	assert.True(t, ws.Sessions()[0].Expired)
}

func TestWorkspaceSessionsOpenAndClose(t *testing.T) {
	ws := workspace.New(t, workspace.Options{})
	db := connectWorkspace(t, ws)
	require.NoError(t, db.Ping())
	require.NoError(t, db.Close())
	s := ws.Sessions()[0]
	assert.False(t, s.Closed.IsZero())
	assert.False(t, s.Expired)
	assert.Equal(t, 1, s.CloseAttempts)
	assert.Equal(t, 1, ws.Count(workspace.Method("OpenSession")))
}

func TestWorkspaceWarehousesAreReachedByEveryPath(t *testing.T) {
	ws := workspace.New(t, workspace.Options{WorkspaceID: 4711, Warehouses: []workspace.Warehouse{{ID: "a"}, {ID: "b"}}})
	for _, path := range []string{"/sql/1.0/warehouses/a", "/sql/1.0/endpoints/b", "/sql/protocolv1/o/4711/b"} {
		db, err := sql.Open("databricks", ws.DSNAt(path, "enableTelemetry=false"))
		require.NoError(t, err)
		assert.EqualValues(t, 3, count(t, db, "SELECT id FROM range(3)"), path)
		require.NoError(t, db.Close())
		sessions := ws.Sessions()
		assert.Equal(t, path[len(path)-1:], sessions[len(sessions)-1].WarehouseID)
	}
	db, err := sql.Open("databricks", ws.DSNAt("/sql/1.0/warehouses/c", "enableTelemetry=false"))
	require.NoError(t, err)
	defer db.Close()
	require.Error(t, db.Ping())
}

func TestWorkspaceStartsAStoppedWarehouseForItsFirstStatement(t *testing.T) {
	const starts = 30 * time.Millisecond
	ws := workspace.New(t, workspace.Options{
		DirectResultWait: -1, Warehouses: []workspace.Warehouse{{Stopped: true, StartTime: starts}},
	})
	db := connectWorkspace(t, ws, quickly)
	assert.EqualValues(t, 3, count(t, db, "SELECT id FROM range(3)"))
	assert.EqualValues(t, 3, count(t, db, "SELECT id FROM range(3)"))
	all := ws.Statements()
	assert.GreaterOrEqual(t, all[0].Compiling.Sub(all[0].ComputeQueued), starts)
	assert.Positive(t, all[0].Polls)
	assert.Zero(t, all[1].ComputeQueued)
}
