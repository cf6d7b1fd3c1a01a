package workspace_test

import (
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/integration/internal/eventually"
	"github.com/seed-01322ee7/databricks-telemetry/integration/internal/wire"
	"github.com/seed-01322ee7/databricks-telemetry/integration/workspace"
)

func TestWarehousesAreReachedByEveryPathOfTheService(t *testing.T) {
	ws := start(t, workspace.Options{WorkspaceID: 4711, Warehouses: []workspace.Warehouse{{ID: "first"}, {ID: "second"}}})
	assert.Equal(t, []string{"first", "second"}, ws.Warehouses())
	assert.Equal(t, "/sql/1.0/warehouses/first", ws.HTTPPath())
	c := newClient(t, ws)
	for _, id := range ws.Warehouses() {
		for _, path := range []string{
			"/sql/1.0/warehouses/" + id, "/sql/1.0/endpoints/" + id,
			"/sql/protocolv1/o/0/" + id, "/sql/protocolv1/o/" + strconv.Itoa(4711) + "/" + id,
		} {
			c.path = path
			c.execute(c.open(), "SELECT 1")
			sessions, statements := ws.Sessions(), ws.Statements()
			assert.Equal(t, id, sessions[len(sessions)-1].WarehouseID, path)
			assert.Equal(t, id, statements[len(statements)-1].WarehouseID, path)
		}
	}
	for _, path := range []string{
		"/sql/1.0/warehouses/third", "/sql/1.0/warehouses/", "/sql/1.0/endpoints/first/x",
		"/sql/protocolv1/o/4712/first", "/sql/protocolv1/o/first",
	} {
		c.path = path
		resp, _ := c.post(wire.AppendCall(nil, "OpenSession", 1, &wire.OpenSessionReq{}))
		assert.Equal(t, http.StatusNotFound, resp.StatusCode, path)
	}
}

func TestWarehousesShareTheirTables(t *testing.T) {
	ws := start(t, workspace.Options{Warehouses: make([]workspace.Warehouse, 2)})
	require.NotEqual(t, ws.Warehouses()[0], ws.Warehouses()[1])
	c := newClient(t, ws)
	c.execute(c.open(), "CREATE TABLE shared (a INT)")
	c.path = "/sql/1.0/endpoints/" + ws.Warehouses()[1]
	assert.NotNil(t, c.execute(c.open(), "SELECT * FROM shared").DirectResults)
}

// reaches waits until a statement has reached a state.
func reaches(t *testing.T, ws *workspace.Workspace, i int, state string) workspace.StatementFacts {
	t.Helper()
	eventually.True(t, func() bool { return ws.Statements()[i].State == state }, state)
	return ws.Statements()[i]
}

func TestFirstStatementWaitsForAStoppedWarehouse(t *testing.T) {
	ws := start(t, workspace.Options{Warehouses: []workspace.Warehouse{{ID: "w", Stopped: true, StartTime: -1}}})
	c := newClient(t, ws)
	s := c.open()
	op := call[wire.ExecuteStatementResp](c, "ExecuteStatement", statement(s, "SELECT 1", noDirectResults)).OperationHandle
	assert.Equal(t, wire.StatePending, *c.status(op).OperationState)
	eventually.True(t, func() bool { return !ws.Statements()[0].ComputeQueued.IsZero() })
	require.True(t, ws.StartWarehouse("w"))
	f := reaches(t, ws, 0, "FINISHED")
	assert.False(t, f.Compiling.Before(f.ComputeQueued))
	assert.Zero(t, f.CapacityQueued)

	c.execute(s, "SELECT 2")
	assert.Zero(t, ws.Statements()[1].ComputeQueued, "it runs by now")

	require.True(t, ws.StopWarehouse("w"))
	assert.True(t, ws.Sessions()[0].Expired)
	op = call[wire.ExecuteStatementResp](c, "ExecuteStatement", statement(c.open(), "SELECT 3", noDirectResults)).OperationHandle
	c.cancel(op)
	assert.Equal(t, "CANCELED", ws.Statements()[2].State, "a wait can be canceled")

	assert.False(t, ws.StartWarehouse("none"))
	assert.False(t, ws.StopWarehouse("none"))
}

func TestWarehouseStartsInTheTimeItTakes(t *testing.T) {
	const starts = 20 * time.Millisecond
	for _, takes := range []time.Duration{0, starts} {
		ws := start(t, workspace.Options{Warehouses: []workspace.Warehouse{{Stopped: true, StartTime: takes}}})
		c := newClient(t, ws)
		c.execute(c.open(), "SELECT 1")
		f := ws.Statements()[0]
		assert.Equal(t, takes == 0, f.ComputeQueued.IsZero(), "no wait that ends at once")
		if takes > 0 {
			assert.GreaterOrEqual(t, f.Compiling.Sub(f.ComputeQueued), starts)
		}
	}
}

func TestStatementsBeyondTheCapacityWait(t *testing.T) {
	release := make(chan struct{})
	ws := start(t, workspace.Options{
		Warehouses: []workspace.Warehouse{{Capacity: 1}},
		ExecutionTime: func(sql string) time.Duration {
			if sql == "SELECT 'first'" {
				<-release
			}
			return 0
		},
	})
	c := newClient(t, ws)
	s := c.open()
	execute := func(sql string) *wire.OperationHandle {
		return call[wire.ExecuteStatementResp](c, "ExecuteStatement", statement(s, sql, noDirectResults)).OperationHandle
	}
	execute("SELECT 'first'")
	reaches(t, ws, 0, "RUNNING")
	execute("SELECT 'second'")
	gone := execute("SELECT 'third'")
	for i := 1; i <= 2; i++ {
		eventually.True(t, func() bool { return !ws.Statements()[i].CapacityQueued.IsZero() })
		assert.Equal(t, "PENDING", ws.Statements()[i].State)
	}
	c.cancel(gone)
	close(release)
	f := reaches(t, ws, 1, "FINISHED")
	assert.False(t, f.Compiling.Before(ws.Statements()[0].Completed), "it ran when the first had ended")
	c.execute(s, "SELECT 4") // the canceled statement takes no capacity, or this would never run
	assert.Equal(t, "FINISHED", reaches(t, ws, 3, "FINISHED").State)
}
