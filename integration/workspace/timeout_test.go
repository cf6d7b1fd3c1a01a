package workspace_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/seed-01322ee7/databricks-telemetry/integration/internal/wire"
	"github.com/seed-01322ee7/databricks-telemetry/integration/workspace"
)

func TestStatementTimeoutsEndStatements(t *testing.T) {
	endless := func(sql string) time.Duration {
		if sql == "SELECT 1" {
			return time.Hour
		}
		return 0
	}
	for name, c := range map[string]struct {
		opts    workspace.Options
		conf    map[string]string
		before  string
		request func(*wire.ExecuteStatementReq)
	}{
		"queryTimeout of the request":  {request: func(r *wire.ExecuteStatementReq) { r.QueryTimeout = 1 }},
		"configuration of the session": {conf: map[string]string{"Statement_Timeout": "1"}},
		"SET in the session":           {before: "SET STATEMENT_TIMEOUT = 1"},
		"configuration of the statement": {
			conf:    map[string]string{"STATEMENT_TIMEOUT": "1000"},
			request: func(r *wire.ExecuteStatementReq) { r.ConfOverlay = map[string]string{"statement_timeout": "1"} },
		},
		"default of the workspace": {opts: workspace.Options{StatementTimeout: time.Millisecond}},
		"the shorter one": {
			conf:    map[string]string{"STATEMENT_TIMEOUT": "1000"},
			request: func(r *wire.ExecuteStatementReq) { r.QueryTimeout = 1 },
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.opts.ExecutionTime, c.opts.DirectResultWait = endless, time.Hour
			ws := start(t, c.opts)
			client := newClient(t, ws)
			s := call[wire.OpenSessionResp](client, "OpenSession", &wire.OpenSessionReq{Configuration: c.conf}).SessionHandle
			if c.before != "" {
				client.execute(s, c.before)
			}
			if c.request == nil {
				c.request = func(*wire.ExecuteStatementReq) {}
			}
			status := client.execute(s, "SELECT 1", c.request).DirectResults.OperationStatus
			assert.Equal(t, wire.StateTimedOut, *status.OperationState)
			assert.Equal(t, "57KD0", *status.SQLState)
			all := ws.Statements()
			assert.Equal(t, "TIMEDOUT", all[len(all)-1].State)
		})
	}
}

func TestTimeoutDoesNotCountTheQueue(t *testing.T) {
	ws := start(t, workspace.Options{
		StatementTimeout: time.Nanosecond, Warehouses: []workspace.Warehouse{{ID: "w", Stopped: true, StartTime: -1}},
	})
	c := newClient(t, ws)
	call[wire.ExecuteStatementResp](c, "ExecuteStatement", statement(c.open(), "SELECT 1", noDirectResults))
	ws.StartWarehouse("w")
	f := reaches(t, ws, 0, "TIMEDOUT")
	assert.False(t, f.Compiling.IsZero(), "it left the queue before its time was up")
}

func TestSessionsBeginWhereTheirClientsAreTold(t *testing.T) {
	ws := start(t, workspace.Options{})
	assert.NoError(t, ws.Exec(t.Context(), "CREATE CATALOG sales", "CREATE SCHEMA sales.emea"))
	c := newClient(t, ws)
	catalog, schema := "sales", "emea"
	for _, want := range []struct {
		asked           *wire.Namespace
		catalog, schema string
	}{
		{nil, "main", "default"},
		{&wire.Namespace{CatalogName: &catalog, SchemaName: &schema}, "sales", "emea"},
	} {
		got := call[wire.OpenSessionResp](c, "OpenSession", &wire.OpenSessionReq{InitialNamespace: want.asked}).InitialNamespace
		assert.Equal(t, want.catalog, *got.CatalogName)
		assert.Equal(t, want.schema, *got.SchemaName)
		sessions := ws.Sessions()
		assert.Equal(t, want.catalog, sessions[len(sessions)-1].Catalog)
	}
}
