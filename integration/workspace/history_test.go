package workspace_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/integration/internal/eventually"
	"github.com/seed-01322ee7/databricks-telemetry/integration/internal/wire"
	"github.com/seed-01322ee7/databricks-telemetry/integration/workspace"
)

const historyURL = "/api/2.0/sql/history/queries"

type historyAnswer struct {
	Res           []workspace.HistoryEntry `json:"res"`
	NextPageToken string                   `json:"next_page_token"`
	HasNextPage   bool                     `json:"has_next_page"`
}

// history asks the query history; parameters come in pairs.
func (c *client) history(params ...string) (int, historyAnswer) {
	c.t.Helper()
	q := url.Values{}
	for i := 0; i < len(params); i += 2 {
		q.Add(params[i], params[i+1])
	}
	resp, body := c.do(http.MethodGet, c.ws.URL()+historyURL+"?"+q.Encode(), nil, c.bearer())
	var a historyAnswer
	if resp.StatusCode == http.StatusOK {
		require.NoError(c.t, json.Unmarshal(body, &a))
	}
	return resp.StatusCode, a
}

// entry is the history of one statement, with its metrics.
func (c *client) entry(id string) workspace.HistoryEntry {
	c.t.Helper()
	status, a := c.history("filter_by.statement_ids", id, "include_metrics", "true")
	require.Equal(c.t, http.StatusOK, status)
	require.Len(c.t, a.Res, 1)
	return a.Res[0]
}

func TestHistoryTellsTheTruthAboutAStatement(t *testing.T) {
	const compiles, executes = 10 * time.Millisecond, 20 * time.Millisecond
	ws := start(t, workspace.Options{
		Warehouses: []workspace.Warehouse{{ID: "w"}}, PageRows: 2, ResultCache: true,
		CompilationTime: func(string) time.Duration { return compiles },
		ExecutionTime:   func(string) time.Duration { return executes },
	})
	c := newClient(t, ws)
	s := c.open()
	resp := c.execute(s, "SELECT id FROM range(3)")
	c.fetch(resp.OperationHandle)
	f := ws.Statements()[0]
	e := c.entry(f.ID)
	assert.Equal(t, f.ID, e.QueryID)
	assert.Equal(t, "FINISHED", e.Status)
	assert.Equal(t, "w", e.WarehouseID)
	assert.Equal(t, "SELECT", e.StatementType)
	assert.Equal(t, "SELECT id FROM range(3)", e.QueryText)
	assert.EqualValues(t, 3, e.RowsProduced)
	assert.True(t, e.IsFinal)
	assert.Equal(t, f.Received.UnixMilli(), e.QueryStartTimeMS)
	assert.Equal(t, f.Completed.UnixMilli(), e.ExecutionEndTimeMS)
	assert.Equal(t, f.Pages[1].At.UnixMilli(), e.QueryEndTimeMS, "it ends with the last page")
	assert.Equal(t, f.Pages[1].At.Sub(f.Received).Milliseconds(), e.Duration)
	m := e.Metrics
	assert.GreaterOrEqual(t, m.CompilationTimeMS, compiles.Milliseconds())
	assert.GreaterOrEqual(t, m.ExecutionTimeMS, executes.Milliseconds())
	assert.Equal(t, f.Pages[1].At.Sub(f.Completed).Milliseconds(), m.ResultFetchTimeMS)
	assert.Equal(t, e.Duration, m.TotalTimeMS)
	assert.EqualValues(t, 3, m.RowsProducedCount)
	assert.Equal(t, f.Pages[0].Bytes+f.Pages[1].Bytes, m.NetworkSentBytes)
	assert.False(t, m.ResultFromCache)
	assert.Zero(t, m.ProvisioningQueueStart)
	assert.Zero(t, m.OverloadingQueueStart)
	assert.Equal(t, f.Compiling.UnixMilli(), m.QueryCompilationStart)

	c.execute(s, "SELECT id FROM range(3)")
	assert.True(t, c.entry(ws.Statements()[1].ID).Metrics.ResultFromCache)
}

func TestHistoryTellsWhereAStatementWaits(t *testing.T) {
	ws := start(t, workspace.Options{Warehouses: []workspace.Warehouse{{ID: "w", Stopped: true, StartTime: -1, Capacity: 1}}})
	c := newClient(t, ws)
	s := c.open()
	call[wire.ExecuteStatementResp](c, "ExecuteStatement", statement(s, "SELECT sleep(600)", noDirectResults))
	eventually.True(t, func() bool { return !ws.Statements()[0].ComputeQueued.IsZero() })
	e := c.entry(ws.Statements()[0].ID)
	assert.Equal(t, "QUEUED", e.Status)
	assert.False(t, e.IsFinal)
	assert.Zero(t, e.QueryEndTimeMS)
	assert.NotZero(t, e.Metrics.ProvisioningQueueStart)
	assert.Zero(t, e.Metrics.QueryCompilationStart, "it still waits")
	ws.StartWarehouse("w")
	f := reaches(t, ws, 0, "RUNNING")
	e = c.entry(f.ID)
	assert.Equal(t, "RUNNING", e.Status)
	assert.Equal(t, f.ComputeQueued.UnixMilli(), e.Metrics.ProvisioningQueueStart)
	assert.Equal(t, f.Compiling.UnixMilli(), e.Metrics.QueryCompilationStart)

	second := call[wire.ExecuteStatementResp](c, "ExecuteStatement", statement(s, "SELECT 2", noDirectResults)).OperationHandle
	eventually.True(t, func() bool { return !ws.Statements()[1].CapacityQueued.IsZero() })
	assert.NotZero(t, c.entry(ws.Statements()[1].ID).Metrics.OverloadingQueueStart)
	c.cancel(second)
	assert.Equal(t, "CANCELED", c.entry(ws.Statements()[1].ID).Status)
}

func TestHistoryOfStatementsThatFail(t *testing.T) {
	ws := start(t, workspace.Options{})
	c := newClient(t, ws)
	c.execute(c.open(), "-- a comment\n( SELECT * FROM nowhere )")
	e := c.entry(ws.Statements()[0].ID)
	assert.Equal(t, "FAILED", e.Status)
	assert.Contains(t, e.ErrorMessage, "TABLE_OR_VIEW_NOT_FOUND")
	assert.Equal(t, "SELECT", e.StatementType)
}

func TestHistoryIsFilteredAndPaged(t *testing.T) {
	ws := start(t, workspace.Options{Warehouses: []workspace.Warehouse{{ID: "a"}, {ID: "b"}}})
	c := newClient(t, ws)
	for _, path := range []string{"/sql/1.0/warehouses/a", "/sql/1.0/warehouses/b"} {
		c.path = path
		s := c.open()
		for range 3 {
			c.execute(s, "SELECT 1")
		}
		c.execute(s, "SELEC")
	}
	ids := func(params ...string) (list []string) {
		status, a := c.history(params...)
		require.Equal(t, http.StatusOK, status)
		for _, e := range a.Res {
			assert.Nil(t, e.Metrics, "unless they are asked for")
			list = append(list, e.QueryID)
		}
		return list
	}
	all := ws.Statements()
	assert.Len(t, ids(), 8)
	assert.Equal(t, all[7].ID, ids()[0], "the newest first")
	assert.Equal(t, []string{all[4].ID, all[1].ID}, ids("filter_by.statement_ids", all[1].ID, "filter_by.statement_ids", all[4].ID))
	assert.Len(t, ids("filter_by.warehouse_ids", "b"), 4)
	assert.Equal(t, []string{all[7].ID, all[3].ID}, ids("filter_by.statuses", "FAILED"))
	assert.Empty(t, ids("filter_by.statement_ids", "none"))

	_, first := c.history("max_results", "5")
	require.True(t, first.HasNextPage)
	require.Len(t, first.Res, 5)
	_, second := c.history("max_results", "5", "page_token", first.NextPageToken)
	assert.False(t, second.HasNextPage)
	assert.Empty(t, second.NextPageToken)
	require.Len(t, second.Res, 3)
	assert.Equal(t, all[0].ID, second.Res[2].QueryID)

	for _, bad := range []string{"0", "1001", "-1", "many"} {
		status, _ := c.history("max_results", bad)
		assert.Equal(t, http.StatusBadRequest, status, bad)
	}
	status, _ := c.history("page_token", "x")
	assert.Equal(t, http.StatusBadRequest, status)
	resp, _ := c.do(http.MethodPost, ws.URL()+historyURL, nil, c.bearer())
	assert.Equal(t, http.StatusMethodNotAllowed, resp.StatusCode)
}

func TestHistoryIsFinalLateIfWanted(t *testing.T) {
	ws := start(t, workspace.Options{HistoryDelay: time.Hour})
	c := newClient(t, ws)
	c.execute(c.open(), "SELECT 1")
	e := c.entry(ws.Statements()[0].ID)
	assert.Equal(t, "FINISHED", e.Status)
	assert.False(t, e.IsFinal)
	assert.Zero(t, e.Metrics.NetworkSentBytes, "times come first")
}

func TestHistoryCanSayWhatDidNotHappen(t *testing.T) {
	ws := start(t, workspace.Options{History: func(f workspace.StatementFacts, e *workspace.HistoryEntry) {
		if strings.Contains(f.SQL, "orders") {
			e.Metrics.ReadBytes, e.Metrics.PrunedFilesCount = 1<<30, 7
			e.Metrics.ProvisioningQueueStart = e.QueryStartTimeMS
		}
	}})
	c := newClient(t, ws)
	s := c.open()
	c.execute(s, "SELECT 'orders'")
	c.execute(s, "SELECT 1")
	m := c.entry(ws.Statements()[0].ID).Metrics
	assert.EqualValues(t, 1<<30, m.ReadBytes)
	assert.EqualValues(t, 7, m.PrunedFilesCount)
	assert.NotZero(t, m.ProvisioningQueueStart)
	assert.Zero(t, c.entry(ws.Statements()[1].ID).Metrics.ReadBytes)
}

func TestHistorySuffersFaultsAndNeedsACredential(t *testing.T) {
	ws := start(t, workspace.Options{})
	c := newClient(t, ws)
	f := ws.Inject(workspace.Fault{On: workspace.Endpoint(historyURL), First: 1, Do: workspace.Status(403)})
	status, _ := c.history()
	assert.Equal(t, http.StatusForbidden, status)
	assert.Equal(t, 1, f.Hits())
	status, a := c.history()
	assert.Equal(t, http.StatusOK, status)
	assert.NotNil(t, a.Res, "an empty list, not null")
	c.token = "wrong"
	status, _ = c.history()
	assert.Equal(t, http.StatusUnauthorized, status)
}

func TestHistoryReachesBackAsFarAsTheFacts(t *testing.T) {
	ws := start(t, workspace.Options{Keep: 2})
	c := newClient(t, ws)
	s := c.open()
	for range 5 {
		c.execute(s, "SELECT 1")
	}
	_, a := c.history()
	assert.Len(t, a.Res, 2)
}
