package workspace_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/integration/internal/eventually"
	"github.com/seed-01322ee7/databricks-telemetry/integration/internal/wire"
	"github.com/seed-01322ee7/databricks-telemetry/integration/workspace"
)

// try makes a request and returns its status, or 0 when the connection broke.
func try(t *testing.T, c *client, ctx context.Context, method, url string) int {
	req, err := http.NewRequestWithContext(ctx, method, url, nil)
	require.NoError(t, err)
	req.Header = c.bearer()
	resp, err := c.http.Do(req)
	if err != nil {
		return 0
	}
	defer resp.Body.Close()
	if _, err := io.ReadAll(resp.Body); err != nil {
		return 0
	}
	return resp.StatusCode
}

const flagURL = "/api/2.0/connector-service/feature-flags/GOLANG/1.0"

func TestFaultConditionsNarrowEachOther(t *testing.T) {
	ws := workspace.New(t, workspace.Options{})
	c := newClient(t, ws)
	statuses := func(n int) (list []int) {
		for range n {
			list = append(list, try(t, c, t.Context(), http.MethodGet, ws.URL()+flagURL))
		}
		return list
	}
	f := ws.Inject(workspace.Fault{
		On: workspace.Endpoint("/api/2.0/"), Skip: 1, First: 2, Do: workspace.Status(503),
	})
	assert.Equal(t, []int{200, 503, 503, 200}, statuses(4))
	assert.Equal(t, 2, f.Hits())
	f.Remove()
	f.Remove()

	other := ws.Inject(workspace.Fault{On: workspace.Method("ExecuteStatement"), Do: workspace.Status(500)})
	assert.Equal(t, []int{200}, statuses(1))
	assert.Zero(t, other.Hits())

	past := ws.Inject(workspace.Fault{For: time.Nanosecond, Do: workspace.Status(500)})
	assert.Equal(t, []int{200}, statuses(1))
	assert.Zero(t, past.Hits())
}

func TestShareIsRepeatable(t *testing.T) {
	run := func() (list []int) {
		ws := workspace.New(t, workspace.Options{Seed: 7})
		c := newClient(t, ws)
		f := ws.Inject(workspace.Fault{Share: 0.5, Do: workspace.Status(500)})
		for range 40 {
			list = append(list, try(t, c, t.Context(), http.MethodGet, ws.URL()+flagURL))
		}
		assert.Greater(t, f.Hits(), 5)
		assert.Less(t, f.Hits(), 35)
		return list
	}
	assert.Equal(t, run(), run())
}

func TestActions(t *testing.T) {
	for name, tls := range map[string]bool{"HTTP/1.1": false, "HTTP/2.0": true} {
		t.Run(name, func(t *testing.T) {
			ws := workspace.New(t, workspace.Options{TLS: tls})
			c := newClient(t, ws)
			for _, broken := range []workspace.Action{workspace.Reset(), workspace.HalfBody(), workspace.DropResponse()} {
				f := ws.Inject(workspace.Fault{Do: broken})
				assert.Zero(t, try(t, c, t.Context(), http.MethodGet, ws.URL()+flagURL), broken)
				assert.NotZero(t, f.Hits())
				f.Remove()
				last := ws.Requests()[len(ws.Requests())-1]
				eventually.True(t, func() bool {
					last = ws.Requests()[last.ID-1]
					return last.Done
				})
				assert.True(t, last.Aborted, broken)
				assert.Contains(t, last.Faults, broken.String())
				assert.Equal(t, name, last.Proto)
			}
			f := ws.Inject(workspace.Fault{Do: workspace.Garbage()})
			assert.Equal(t, 200, try(t, c, t.Context(), http.MethodGet, ws.URL()+flagURL))
			f.Remove()

			f = ws.Inject(workspace.Fault{On: workspace.Endpoint("/api"), Do: workspace.RedirectToLogin()})
			assert.Equal(t, 200, try(t, c, t.Context(), http.MethodGet, ws.URL()+flagURL), "a client that follows believes it")
			f.Remove()

			f = ws.Inject(workspace.Fault{Do: workspace.Hang()})
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
			assert.Zero(t, try(t, c, ctx, http.MethodGet, ws.URL()+flagURL))
			cancel()
			f.Remove()

			ws.Inject(workspace.Fault{Do: workspace.Latency(30 * time.Millisecond)})
			ws.Inject(workspace.Fault{Do: workspace.StatusRetryAfter(429, 3*time.Second)})
			start := time.Now()
			resp, _ := c.do(http.MethodGet, ws.URL()+flagURL, nil, c.bearer())
			assert.Equal(t, 429, resp.StatusCode, "faults compose")
			assert.Equal(t, "3", resp.Header.Get("Retry-After"))
			assert.NotEmpty(t, resp.Header.Get("X-Databricks-Reason-Phrase"))
			assert.GreaterOrEqual(t, time.Since(start), 30*time.Millisecond)
		})
	}
}

func TestHangEndsWhenTheWorkspaceCloses(t *testing.T) {
	ws, err := workspace.Start(workspace.Options{})
	require.NoError(t, err)
	c := newClient(t, ws)
	f := ws.Inject(workspace.Fault{Do: workspace.Hang()})
	done := make(chan int, 1)
	go func() { done <- try(t, c, t.Context(), http.MethodGet, ws.URL()+flagURL) }()
	eventually.True(t, func() bool { return f.Hits() == 1 })
	require.NoError(t, ws.Close())
	assert.Zero(t, <-done)
}

func TestLostResponseHasBeenCarriedOut(t *testing.T) {
	ws := workspace.New(t, workspace.Options{})
	c := newClient(t, ws)
	s := c.open()
	ws.Inject(workspace.Fault{On: workspace.Method("ExecuteStatement"), First: 1, Do: workspace.DropResponse()})
	message := wire.AppendCall(nil, "ExecuteStatement", 99, &wire.ExecuteStatementReq{SessionHandle: s, Statement: "SELECT 1"})
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, ws.URL()+ws.HTTPPath(), bytes.NewReader(message))
	require.NoError(t, err)
	req.Header = c.bearer()
	_, err = c.http.Do(req)
	require.Error(t, err)
	require.Len(t, ws.Statements(), 1)
	assert.Equal(t, "FINISHED", ws.Statements()[0].State, "the statement ran all the same")
}

func TestFactsCountAttemptsThatFaultsAnswered(t *testing.T) {
	ws := workspace.New(t, workspace.Options{})
	c := newClient(t, ws)
	s := c.open()
	f := ws.Inject(workspace.Fault{On: workspace.Method("ExecuteStatement"), First: 2, Do: workspace.Status(503)})
	message := wire.AppendCall(nil, "ExecuteStatement", 50, &wire.ExecuteStatementReq{SessionHandle: s, Statement: "SELECT 1"})
	for _, want := range []int{503, 503, 200} {
		resp, _ := c.post(message)
		assert.Equal(t, want, resp.StatusCode)
	}
	assert.Equal(t, 2, f.Hits())
	require.Len(t, ws.Statements(), 1, "three attempts of one call are one statement")
	facts := ws.Statements()[0]
	assert.NotEmpty(t, facts.ID)
	assert.Equal(t, 3, facts.Attempts["ExecuteStatement"])
	assert.Equal(t, 1, facts.Calls["ExecuteStatement"])

	ws.Inject(workspace.Fault{On: workspace.Method("ExecuteStatement"), Do: workspace.Status(503)})
	c.post(wire.AppendCall(nil, "ExecuteStatement", 51, &wire.ExecuteStatementReq{SessionHandle: s, Statement: "SELECT 2"}))
	never := ws.Statements()[1]
	assert.Empty(t, never.ID)
	assert.Equal(t, "SELECT 2", never.SQL)
	assert.Equal(t, 1, never.Attempts["ExecuteStatement"])
	assert.Equal(t, 4, ws.Count(workspace.Method("ExecuteStatement")))
}

func TestFaultsReachTheObjectStorage(t *testing.T) {
	ws := workspace.New(t, workspace.Options{CloudFetchThreshold: 1})
	c := newClient(t, ws)
	link := c.execute(c.open(), "SELECT id FROM range(1000)", download).DirectResults.ResultSet.Results.ResultLinks[0]
	ws.Inject(workspace.Fault{On: workspace.ResultDownloads(), First: 1, Do: workspace.Status(503)})
	ws.Inject(workspace.Fault{On: workspace.Storage(), First: 1, Skip: 0, Do: workspace.HalfBody()})
	assert.Equal(t, 503, try(t, c, t.Context(), http.MethodGet, link.FileLink))
	try(t, c, t.Context(), http.MethodGet, link.FileLink)
	assert.Equal(t, 200, try(t, c, t.Context(), http.MethodGet, link.FileLink))
	eventually.True(t, func() bool { return len(ws.Statements()[0].Links[0].Downloads) == 3 })
	d := ws.Statements()[0].Links[0].Downloads
	assert.Equal(t, []bool{false, false, true}, []bool{d[0].Completed, d[1].Completed, d[2].Completed})
}

func TestDroppedConnectionsLeaveSessionsAlive(t *testing.T) {
	ws := workspace.New(t, workspace.Options{})
	c := newClient(t, ws)
	s := c.open()
	ws.DropConnections()
	eventually.True(t, func() bool { // the pool takes some time to notice
		resp, err := c.http.Get(ws.URL() + flagURL)
		if err != nil {
			return false
		}
		return resp.Body.Close() == nil
	})
	c.execute(s, "SELECT 1")
}
