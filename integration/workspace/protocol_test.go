package workspace_test

import (
	"bytes"
	"context"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/integration/internal/eventually"
	"github.com/seed-01322ee7/databricks-telemetry/integration/internal/wire"
	"github.com/seed-01322ee7/databricks-telemetry/integration/workspace"
)

func TestDirectResultsCloseTheOperationWhenEverythingFits(t *testing.T) {
	ws := workspace.New(t, workspace.Options{})
	c := newClient(t, ws)
	resp := c.execute(c.open(), "SELECT 1")
	d := resp.DirectResults
	require.NotNil(t, d)
	assert.Equal(t, wire.StateFinished, *d.OperationStatus.OperationState)
	assert.False(t, *d.ResultSet.HasMoreRows)
	require.Len(t, d.ResultSet.Results.ArrowBatches, 1)
	require.NotNil(t, d.CloseOperation)
	assertGone(t, c.status(resp.OperationHandle).Status)
	assertGone(t, c.closeOperation(resp.OperationHandle).Status)

	f := ws.Statements()[0]
	assert.Equal(t, workspace.ClosedDirectly, f.ClosedBy)
	assert.Equal(t, workspace.InlineArrow, f.Format)
	assert.EqualValues(t, 1, f.Rows)
	assert.Equal(t, map[string]int{"ExecuteStatement": 1, "GetOperationStatus": 1, "CloseOperation": 1}, f.Attempts)
	assert.Zero(t, f.Polls, "a status that could not be answered")
}

func TestPagingFollowsMaxRowsForwardAndBack(t *testing.T) {
	ws := workspace.New(t, workspace.Options{BatchRows: 300})
	c := newClient(t, ws)
	resp := c.execute(c.open(), "SELECT id FROM range(2500)")
	first := resp.DirectResults.ResultSet
	require.Nil(t, resp.DirectResults.CloseOperation)
	assert.True(t, *first.HasMoreRows)
	assert.Len(t, first.Results.ArrowBatches, 4, "1000 rows in batches of 300")

	second := c.fetch(resp.OperationHandle)
	assert.EqualValues(t, 1000, second.Results.StartRowOffset)
	third := c.fetch(resp.OperationHandle)
	assert.EqualValues(t, 2000, third.Results.StartRowOffset)
	assert.False(t, *third.HasMoreRows)
	end := c.fetch(resp.OperationHandle)
	assert.EqualValues(t, 2500, end.Results.StartRowOffset)
	assert.NotNil(t, end.Results.ArrowBatches)
	assert.Empty(t, end.Results.ArrowBatches)

	prior := func(r *wire.FetchResultsReq) { r.Orientation = wire.FetchPrior }
	assert.EqualValues(t, 2000, c.fetch(resp.OperationHandle, prior).Results.StartRowOffset)
	assert.EqualValues(t, 1000, c.fetch(resp.OperationHandle, prior).Results.StartRowOffset)
	assert.EqualValues(t, 2000, c.fetch(resp.OperationHandle).Results.StartRowOffset)

	assert.Equal(t, wire.StatusSuccess, c.closeOperation(resp.OperationHandle).Status.StatusCode)
	assertGone(t, c.fetch(resp.OperationHandle).Status)
}

func TestPageBytesLimitPages(t *testing.T) {
	ws := workspace.New(t, workspace.Options{PageBytes: 800})
	c := newClient(t, ws)
	resp := c.execute(c.open(), "SELECT id FROM range(250)")
	var rows int64
	for _, b := range resp.DirectResults.ResultSet.Results.ArrowBatches {
		rows += b.RowCount
	}
	assert.EqualValues(t, 100, rows, "eight bytes per BIGINT")
}

func TestWithoutDirectResultsTheClientPollsAndFetches(t *testing.T) {
	ws := workspace.New(t, workspace.Options{NoDirectResults: true})
	c := newClient(t, ws)
	resp := c.execute(c.open(), "SELECT 1")
	require.Nil(t, resp.DirectResults)
	eventually.True(t, func() bool {
		return *c.status(resp.OperationHandle).OperationState == wire.StateFinished
	})
	meta := call[wire.GetResultSetMetadataResp](c, "GetResultSetMetadata",
		&wire.GetResultSetMetadataReq{OperationHandle: resp.OperationHandle})
	assert.Equal(t, wire.FormatArrow, *meta.ResultFormat)
	assert.NotEmpty(t, meta.ArrowSchema)
	yes := true
	page := c.fetch(resp.OperationHandle, func(r *wire.FetchResultsReq) { r.IncludeResultSetMetadata = &yes })
	assert.Len(t, page.Results.ArrowBatches, 1)
	assert.NotNil(t, page.ResultSetMetadata)
}

func TestSlowStatementIsReportedRunningUntilItIsDone(t *testing.T) {
	release := make(chan struct{})
	ws := workspace.New(t, workspace.Options{
		DirectResultWait: -1,
		ExecutionTime: func(string) time.Duration {
			<-release
			return 0
		},
	})
	c := newClient(t, ws)
	resp := c.execute(c.open(), "SELECT 1")
	assert.NotEqual(t, wire.StateFinished, *resp.DirectResults.OperationStatus.OperationState)
	assert.Nil(t, resp.DirectResults.ResultSet)
	status := c.fetch(resp.OperationHandle).Status
	assert.Equal(t, wire.StatusError, status.StatusCode, "nothing to fetch yet")
	close(release)
	eventually.True(t, func() bool {
		return *c.status(resp.OperationHandle).OperationState == wire.StateFinished
	})
	assert.Positive(t, ws.Statements()[0].Polls)
}

func TestServerTimesAreSentWhereTheOptionAsksForThem(t *testing.T) {
	for _, on := range []bool{false, true} {
		ws := workspace.New(t, workspace.Options{ServerTimes: on, PageRows: 1})
		c := newClient(t, ws)
		resp := c.execute(c.open(), "SELECT id FROM range(2)")
		for _, s := range []*wire.GetOperationStatusResp{resp.DirectResults.OperationStatus, c.status(resp.OperationHandle)} {
			assert.Equal(t, on, s.OperationStarted != nil)
			assert.Equal(t, on, s.OperationCompleted != nil)
			if on {
				assert.LessOrEqual(t, *s.OperationStarted, *s.OperationCompleted)
				assert.Equal(t, ws.Statements()[0].Completed.UnixMilli(), *s.OperationCompleted)
			}
		}
	}
}

func TestStatementThatFailsAtOnceHasNoHandle(t *testing.T) {
	ws := workspace.New(t, workspace.Options{})
	c := newClient(t, ws)
	resp := c.execute(c.open(), "SELECT * FROM nowhere")
	assert.Nil(t, resp.OperationHandle)
	assert.Nil(t, resp.DirectResults)
	assert.Equal(t, wire.StatusError, resp.Status.StatusCode)
	assert.Equal(t, "42P01", *resp.Status.SQLState)
	f := ws.Statements()[0]
	assert.NotEmpty(t, f.ID)
	assert.Equal(t, "ERROR", f.State)
	assert.Equal(t, workspace.ClosedDirectly, f.ClosedBy)

	ws = workspace.New(t, workspace.Options{FailuresByHandle: true})
	c = newClient(t, ws)
	resp = c.execute(c.open(), "SELECT * FROM nowhere")
	assert.Equal(t, wire.StatusSuccess, resp.Status.StatusCode)
	assert.Equal(t, wire.StateError, *resp.DirectResults.OperationStatus.OperationState)
	assert.Equal(t, "42P01", *resp.DirectResults.OperationStatus.SQLState)
	assert.Equal(t, wire.StatusSuccess, c.closeOperation(resp.OperationHandle).Status.StatusCode)
}

// assertGone checks the answer for an operation that does not exist or no longer exists.
func assertGone(t *testing.T, s *wire.Status) {
	t.Helper()
	assert.Equal(t, wire.StatusError, s.StatusCode)
	assert.Equal(t, "08000", *s.SQLState)
	assert.Contains(t, *s.ErrorMessage, "Invalid OperationHandle")
}

func TestStatementsTheEngineDoesNotKnowMayBeRewritten(t *testing.T) {
	ws := workspace.New(t, workspace.Options{Rewrite: func(sql string) string {
		return strings.ReplaceAll(sql, "array(1, 2)", "'[1,2]'")
	}})
	c := newClient(t, ws)
	resp := c.execute(c.open(), "SELECT array(1, 2) AS a")
	require.NotNil(t, resp.DirectResults.ResultSet, resp.DirectResults.OperationStatus.DisplayMessage)
	assert.Equal(t, "a", resp.DirectResults.ResultSetMetadata.Schema.Columns[0].ColumnName)
	assert.Equal(t, "SELECT array(1, 2) AS a", ws.Statements()[0].SQL)
}

func TestCancelEndsAStatement(t *testing.T) {
	ws := workspace.New(t, workspace.Options{DirectResultWait: -1, ExecutionTime: func(string) time.Duration { return time.Hour }})
	c := newClient(t, ws)
	s := c.open()
	resp := c.execute(s, "SELECT 1")
	cancel := call[wire.CancelOperationResp](c, "CancelOperation", &wire.CancelOperationReq{OperationHandle: resp.OperationHandle})
	assert.Equal(t, wire.StatusSuccess, cancel.Status.StatusCode)
	assert.Equal(t, wire.StateCanceled, *c.status(resp.OperationHandle).OperationState)
	f := ws.Statements()[0]
	assert.True(t, f.Canceled)
	assert.Equal(t, "CANCELED", f.State)
}

func TestQueryTimeoutEndsAStatement(t *testing.T) {
	ws := workspace.New(t, workspace.Options{ExecutionTime: func(string) time.Duration { return time.Hour }})
	c := newClient(t, ws)
	resp := c.execute(c.open(), "SELECT 1", func(r *wire.ExecuteStatementReq) { r.QueryTimeout = 1 })
	s := resp.DirectResults.OperationStatus
	assert.Equal(t, wire.StateTimedOut, *s.OperationState)
	assert.Equal(t, "57KD0", *s.SQLState)
}

func TestStatementLeftBehindDoesNotHoldUpItsSession(t *testing.T) {
	ws := workspace.New(t, workspace.Options{DirectResultWait: time.Hour})
	c := newClient(t, ws)
	s := c.open()
	ctx, expire := eventually.Expiring(t.Context())
	body := wire.AppendCall(nil, "ExecuteStatement", 9, &wire.ExecuteStatementReq{
		SessionHandle: s, Statement: "SELECT sleep(6000)", RunAsync: true, GetDirectResults: &wire.GetDirectResults{},
	})
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, ws.URL()+ws.HTTPPath(), bytes.NewReader(body))
	require.NoError(t, err)
	req.Header = c.bearer()
	failed := make(chan error, 1)
	go func() {
		_, err := c.http.Do(req)
		failed <- err
	}()
	eventually.True(t, func() bool { return len(ws.Statements()) == 1 && ws.Statements()[0].State == "RUNNING" })
	expire()
	require.ErrorIs(t, <-failed, context.DeadlineExceeded)
	c.execute(s, "SELECT 1")
	assert.Equal(t, "RUNNING", ws.Statements()[0].State, "it outlives the client that started it")
	call[wire.CloseSessionResp](c, "CloseSession", &wire.CloseSessionReq{SessionHandle: s})
	eventually.True(t, func() bool { return ws.Statements()[0].State == "CANCELED" })
}

func TestUnknownMethodGetsAThriftException(t *testing.T) {
	ws := workspace.New(t, workspace.Options{})
	c := newClient(t, ws)
	resp, body := c.post(wire.AppendCall(nil, "GetCatalogs", 3, &wire.CloseSessionReq{}))
	assert.Equal(t, http.StatusOK, resp.StatusCode)
	h, rest, err := wire.ReadHeader(body)
	require.NoError(t, err)
	assert.Equal(t, wire.Header{Type: wire.Exception, Method: "GetCatalogs", Seq: 3}, h)
	assert.Contains(t, string(rest), "Invalid method name")
}

func TestStartFailsCleanlyWhenAPortIsTaken(t *testing.T) {
	ws := workspace.New(t, workspace.Options{})
	_, err := workspace.Start(workspace.Options{Port: ws.Port()})
	require.Error(t, err)
	_, err = workspace.Start(workspace.Options{StoragePort: ws.Port()})
	require.Error(t, err)
}

func TestNonsenseIsRefusedAndTheWorkspaceLivesOn(t *testing.T) {
	ws := workspace.New(t, workspace.Options{})
	c := newClient(t, ws)
	for _, body := range []string{"", "GET / HTTP/1.1", "\x80\x01\x00\x01\x7f\xff\xff\xff", "\x80\x01\x00\x02\x00\x00\x00\x00\x00\x00\x00\x00\x00"} {
		resp, _ := c.post([]byte(body))
		assert.Equal(t, http.StatusBadRequest, resp.StatusCode, "%q", body)
		assert.NotEmpty(t, resp.Header.Get("X-Thriftserver-Error-Message"))
	}
	resp, _ := c.do(http.MethodGet, ws.URL()+"/nothing/here", nil, c.bearer())
	assert.Equal(t, http.StatusNotFound, resp.StatusCode)
	resp, _ = c.do(http.MethodGet, ws.URL()+ws.HTTPPath(), nil, c.bearer())
	assert.Equal(t, http.StatusBadRequest, resp.StatusCode)
	c.execute(c.open(), "SELECT 1")
}

func TestEveryAnswerNamesTheWorkspaceAndItself(t *testing.T) {
	ws := workspace.New(t, workspace.Options{WorkspaceID: 4711})
	c := newClient(t, ws)
	for _, path := range []string{ws.HTTPPath(), "/telemetry-ext", "/nothing", "/api/2.0/connector-service/feature-flags/GOLANG/1"} {
		resp, _ := c.do(http.MethodPost, ws.URL()+path, nil, c.bearer())
		assert.Equal(t, strconv.Itoa(4711), resp.Header.Get("x-databricks-org-id"), path)
		all := ws.Requests()
		assert.Equal(t, all[len(all)-1].RequestID, resp.Header.Get("x-request-id"), path)
		assert.NoError(t, uuid.Validate(resp.Header.Get("x-request-id")))
	}
}

func TestDeadSessionIsRefusedWithTheTextClientsLookFor(t *testing.T) {
	ws := workspace.New(t, workspace.Options{})
	c := newClient(t, ws)
	s := c.open()
	op := c.execute(s, "SELECT id FROM range(5000)").OperationHandle
	require.True(t, ws.ExpireSession(ws.Sessions()[0].ID))
	require.False(t, ws.ExpireSession(ws.Sessions()[0].ID), "once only")

	for _, m := range [][]byte{
		wire.AppendCall(nil, "ExecuteStatement", 8, &wire.ExecuteStatementReq{SessionHandle: s, Statement: "SELECT 1"}),
		wire.AppendCall(nil, "CloseSession", 9, &wire.CloseSessionReq{SessionHandle: s}),
	} {
		resp, _ := c.post(m)
		assert.Equal(t, http.StatusBadRequest, resp.StatusCode)
		assert.Contains(t, resp.Header.Get("X-Databricks-Reason-Phrase"), "Invalid SessionHandle")
	}
	assertGone(t, c.fetch(op).Status)
	facts := ws.Sessions()[0]
	assert.True(t, facts.Expired)
	assert.Equal(t, 1, facts.CloseAttempts)
	assert.Equal(t, workspace.ClosedWithSession, ws.Statements()[0].ClosedBy)
}

func TestHandleWithTheWrongSecretOpensNothing(t *testing.T) {
	ws := workspace.New(t, workspace.Options{})
	c := newClient(t, ws)
	s := c.open()
	op := c.execute(s, "SELECT id FROM range(5000)").OperationHandle
	op.OperationID.Secret[0]++
	assertGone(t, c.status(op).Status)
	s.SessionID.Secret = nil
	resp, _ := c.post(wire.AppendCall(nil, "CloseSession", 9, &wire.CloseSessionReq{SessionHandle: s}))
	assert.Equal(t, http.StatusBadRequest, resp.StatusCode)
}

func TestCloseEndsEverythingThatRuns(t *testing.T) {
	ws, err := workspace.Start(workspace.Options{
		DirectResultWait: -1, ExecutionTime: func(string) time.Duration { return time.Hour },
	})
	require.NoError(t, err)
	c := newClient(t, ws)
	for range 3 {
		c.execute(c.open(), "SELECT 1")
	}
	require.NoError(t, ws.Close())
	require.NoError(t, ws.Close())
	_, err = c.http.Get(ws.URL() + "/")
	assert.Error(t, err, "the port is closed")
	for _, f := range ws.Statements() {
		assert.Equal(t, workspace.ClosedWithSession, f.ClosedBy)
	}
}
