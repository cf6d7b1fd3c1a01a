package workspace_test

import (
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/integration/internal/wire"
	"github.com/seed-01322ee7/databricks-telemetry/integration/workspace"
)

func TestRequestsAreLoggedWithWhatTheyWereAbout(t *testing.T) {
	ws := workspace.New(t, workspace.Options{CaptureBodies: true, CaptureResponses: true})
	c := newClient(t, ws)
	c.execute(c.open(), "SELECT 'findme'", func(r *wire.ExecuteStatementReq) {
		r.ConfOverlay = map[string]string{"query_tags": "a:b"}
	})
	all := ws.Requests()
	require.Len(t, all, 2)
	r := all[1]
	assert.Equal(t, 2, r.ID)
	assert.Equal(t, "ExecuteStatement", r.Thrift)
	assert.EqualValues(t, 2, r.Seq)
	assert.Equal(t, ws.Sessions()[0].ID, r.SessionID)
	assert.Equal(t, ws.Statements()[0].ID, r.StatementID)
	assert.Contains(t, string(r.Body), "findme")
	assert.Contains(t, string(r.Response), "findme")
	assert.True(t, r.Done)
	assert.Equal(t, http.StatusOK, r.Status)
	assert.EqualValues(t, len(r.Response), r.ResponseBytes)
	assert.Positive(t, r.Duration)
	assert.Equal(t, map[string]string{"query_tags": "a:b"}, ws.Statements()[0].Overlay)

	assert.Len(t, ws.Requests(workspace.Method("OpenSession"), workspace.Endpoint(ws.HTTPPath())), 1)
	assert.Empty(t, ws.Requests(workspace.Method("OpenSession"), workspace.Storage()))
	ws.Forget()
	assert.Empty(t, ws.Requests())
	assert.Empty(t, ws.Statements())
	c.open()
	assert.Equal(t, 3, ws.Requests()[0].ID)
}

func TestFactsAreCopies(t *testing.T) {
	ws := workspace.New(t, workspace.Options{CloudFetchThreshold: 1})
	c := newClient(t, ws)
	resp := c.execute(c.open(), "SELECT id FROM range(100)", download)
	c.do(http.MethodGet, resp.DirectResults.ResultSet.Results.ResultLinks[0].FileLink, nil, nil)
	f := ws.Statements()[0]
	f.Attempts["x"] = 1
	f.Pages[0].Rows = -1
	f.Links[0].Downloads[0].Bytes = -1
	again, ok := ws.Statement(f.ID)
	require.True(t, ok)
	assert.NotContains(t, again.Attempts, "x")
	assert.Positive(t, again.Pages[0].Rows)
	assert.Positive(t, again.Links[0].Downloads[0].Bytes)
	_, ok = ws.Statement("none")
	assert.False(t, ok)
}

// TestManyClientsAtOnce is for the race detector: every kind of request runs while every kind of fact
// is read.
func TestManyClientsAtOnce(t *testing.T) {
	ws := workspace.New(t, workspace.Options{CloudFetchThreshold: 1, FileRows: 20, ResultCache: true})
	require.NoError(t, ws.Exec(t.Context(), "CREATE TABLE shared (n INT)"))
	ws.Inject(workspace.Fault{Share: 0.1, On: workspace.Method("GetOperationStatus"), Do: workspace.Latency(time.Millisecond)})
	ws.Inject(workspace.Fault{Share: 0.2, On: workspace.ResultDownloads(), Do: workspace.Status(503)})
	var group sync.WaitGroup
	for i := range 8 {
		c := newClient(t, ws)
		group.Go(func() {
			s := c.open()
			for k := range 5 {
				c.execute(s, fmt.Sprintf("INSERT INTO shared VALUES (%d)", i))
				resp := c.execute(s, fmt.Sprintf("SELECT id FROM range(%d)", 50+k), download)
				for _, link := range resp.DirectResults.ResultSet.Results.ResultLinks {
					c.do(http.MethodGet, link.FileLink, nil, nil)
				}
				c.status(resp.OperationHandle)
				c.closeOperation(resp.OperationHandle)
				c.telemetry("/telemetry-ext", frame(document(uuid.NewString(), `{}`)))
				_, _, _ = ws.Statements(), ws.Requests(), ws.Telemetry()
			}
			if i%2 == 0 {
				ws.ExpireSession(guid(s))
			}
		})
	}
	group.Wait()
	c := newClient(t, ws)
	n := c.execute(c.open(), "SELECT count(*) FROM shared", func(r *wire.ExecuteStatementReq) { r.CanReadArrowResult = nil })
	assert.Equal(t, []int64{40}, n.DirectResults.ResultSet.Results.Columns[0].I64.Values)
	assert.Len(t, ws.Statements(), 81)
	assert.Len(t, ws.Telemetry(), 40)
}

func guid(s *wire.SessionHandle) string {
	id, _ := uuid.FromBytes(s.SessionID.GUID)
	return id.String()
}

func TestWorkspacesAreIndependent(t *testing.T) {
	a := workspace.New(t, workspace.Options{})
	b := workspace.New(t, workspace.Options{})
	require.NoError(t, a.Exec(t.Context(), "CREATE TABLE only_here (n INT)"))
	require.Error(t, b.Exec(t.Context(), "SELECT * FROM only_here"))
	c := newClient(t, a)
	s := c.open()
	other := newClient(t, b)
	resp, _ := other.post(wire.AppendCall(nil, "CloseSession", 1, &wire.CloseSessionReq{SessionHandle: s}))
	assert.Equal(t, http.StatusBadRequest, resp.StatusCode)
	c.token = b.Token()
	resp, _ = c.post(nil)
	assert.NotEqual(t, http.StatusOK, resp.StatusCode)
}

func TestColumnsOfThriftValuesMarkNulls(t *testing.T) {
	ws := workspace.New(t, workspace.Options{})
	c := newClient(t, ws)
	resp := c.execute(c.open(), "SELECT CASE WHEN id % 3 = 1 THEN NULL ELSE id END AS n FROM range(10)",
		func(r *wire.ExecuteStatementReq) { r.CanReadArrowResult = nil })
	column := resp.DirectResults.ResultSet.Results.Columns[0].I64
	assert.Len(t, column.Values, 10)
	assert.Equal(t, []byte{0b1001_0010, 0}, column.Nulls, "rows 1, 4 and 7")
}
