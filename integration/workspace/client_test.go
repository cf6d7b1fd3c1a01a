package workspace_test

import (
	"bytes"
	"io"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/integration/internal/wire"
	"github.com/seed-01322ee7/databricks-telemetry/integration/workspace"
)

// start starts a workspace that waits for statements before it answers, however busy the machine
// is, unless the options say otherwise.
func start(t testing.TB, opts workspace.Options) *workspace.Workspace {
	t.Helper()
	if opts.DirectResultWait == 0 {
		opts.DirectResultWait = time.Hour
	}
	return workspace.New(t, opts)
}

// client is a minimal client of the protocol, for requests that the real driver never makes.
type client struct {
	t     testing.TB
	ws    *workspace.Workspace
	http  *http.Client
	token string
	path  string // of the warehouse
	seq   atomic.Int32
}

func newClient(t testing.TB, ws *workspace.Workspace) *client {
	transport := ws.Transport()
	t.Cleanup(transport.CloseIdleConnections)
	return &client{t: t, ws: ws, http: &http.Client{Transport: transport}, token: ws.Token(), path: ws.HTTPPath()}
}

func (c *client) do(method, url string, body []byte, header http.Header) (*http.Response, []byte) {
	c.t.Helper()
	req, err := http.NewRequestWithContext(c.t.Context(), method, url, bytes.NewReader(body))
	require.NoError(c.t, err)
	for k, v := range header {
		req.Header[k] = v
	}
	resp, err := c.http.Do(req)
	require.NoError(c.t, err)
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	require.NoError(c.t, err)
	return resp, answer
}

func (c *client) bearer() http.Header {
	return http.Header{"Authorization": {"Bearer " + c.token}}
}

func (c *client) post(message []byte) (*http.Response, []byte) {
	c.t.Helper()
	return c.do(http.MethodPost, c.ws.URL()+c.path, message, c.bearer())
}

// call makes one RPC that must be answered by a reply.
func call[Resp, Req any](c *client, method string, req *Req) *Resp {
	c.t.Helper()
	resp, body := c.post(wire.AppendCall(nil, method, c.seq.Add(1), req))
	require.Equal(c.t, http.StatusOK, resp.StatusCode, "%s", body)
	h, rest, err := wire.ReadHeader(body)
	require.NoError(c.t, err)
	require.Equal(c.t, wire.Reply, h.Type, "%q", rest)
	result, err := wire.Result[Resp](rest)
	require.NoError(c.t, err)
	return result
}

func (c *client) open() *wire.SessionHandle {
	c.t.Helper()
	resp := call[wire.OpenSessionResp](c, "OpenSession", &wire.OpenSessionReq{})
	require.Equal(c.t, wire.StatusSuccess, resp.Status.StatusCode)
	return resp.SessionHandle
}

// execute runs a statement as a modern client would and returns the answer.
func (c *client) execute(s *wire.SessionHandle, sql string, change ...func(*wire.ExecuteStatementReq)) *wire.ExecuteStatementResp {
	c.t.Helper()
	yes := true
	req := &wire.ExecuteStatementReq{
		SessionHandle: s, Statement: sql, RunAsync: true, CanReadArrowResult: &yes,
		GetDirectResults:    &wire.GetDirectResults{MaxRows: 1000},
		UseArrowNativeTypes: &wire.ArrowTypes{TimestampAsArrow: &yes},
	}
	for _, f := range change {
		f(req)
	}
	return call[wire.ExecuteStatementResp](c, "ExecuteStatement", req)
}

func (c *client) status(op *wire.OperationHandle) *wire.GetOperationStatusResp {
	c.t.Helper()
	return call[wire.GetOperationStatusResp](c, "GetOperationStatus", &wire.GetOperationStatusReq{OperationHandle: op})
}

func (c *client) fetch(op *wire.OperationHandle, change ...func(*wire.FetchResultsReq)) *wire.FetchResultsResp {
	c.t.Helper()
	req := &wire.FetchResultsReq{OperationHandle: op, MaxRows: 1000}
	for _, f := range change {
		f(req)
	}
	return call[wire.FetchResultsResp](c, "FetchResults", req)
}

func (c *client) closeOperation(op *wire.OperationHandle) *wire.CloseOperationResp {
	c.t.Helper()
	return call[wire.CloseOperationResp](c, "CloseOperation", &wire.CloseOperationReq{OperationHandle: op})
}
