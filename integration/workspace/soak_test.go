package workspace_test

import (
	"context"
	"flag"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/integration/internal/eventually"
	"github.com/seed-01322ee7/databricks-telemetry/integration/internal/wire"
	"github.com/seed-01322ee7/databricks-telemetry/integration/workspace"
)

var soak = flag.Duration("soak", 0, "keep the workspace of TestSoak busy for so long and look at its memory; 0: one round, and count what is held")

// soakOptions have lifetimes so short that many pass in a soak of minutes.
func soakOptions() workspace.Options {
	return workspace.Options{
		CloudFetchThreshold: 64 << 10, FileRows: 1000, LinksPerPage: 3, PageRows: 2000, ResultCache: true,
		SessionTimeout: 10 * time.Second, OperationTimeout: 10 * time.Second, ClosedFileLifetime: 5 * time.Second,
		LinkLifetime: 20 * time.Second, ResultMemory: 64 << 20, Keep: 1000,
		ExecutionTime: func(sql string) time.Duration {
			if sql == slow {
				return time.Hour
			}
			return 0
		},
	}
}

const slow = "SELECT 'slow'"

// customers are things that clients do, of which the server must keep nothing.
var customers = map[string]func(c *client, s *wire.SessionHandle){
	"reads everything and leaves": func(c *client, s *wire.SessionHandle) {
		op, links, more := c.large(s)
		for more {
			page := c.fetch(op)
			links = append(links, page.Results.ResultLinks...)
			more = *page.HasMoreRows
		}
		c.closeOperation(op)
		c.follow(links...)
		c.closeSession(s)
	},
	"cancels an export": func(c *client, s *wire.SessionHandle) {
		op, links, _ := c.large(s)
		c.follow(links[:1]...)
		c.cancel(op)
		c.closeOperation(op)
		c.closeSession(s)
	},
	"closes an export early": func(c *client, s *wire.SessionHandle) {
		op, _, _ := c.large(s)
		c.closeOperation(op)
		c.closeSession(s)
	},
	"cancels a slow statement": func(c *client, s *wire.SessionHandle) {
		c.cancel(call[wire.ExecuteStatementResp](c, "ExecuteStatement", statement(s, slow, noDirectResults)).OperationHandle)
		c.closeSession(s)
	},
	"vanishes with files open": func(c *client, s *wire.SessionHandle) { c.large(s) },
	"vanishes with pages left": func(c *client, s *wire.SessionHandle) { c.execute(s, "SELECT id FROM range(5000)") },
	"vanishes with its statement": func(c *client, s *wire.SessionHandle) {
		call[wire.ExecuteStatementResp](c, "ExecuteStatement", statement(s, slow, noDirectResults, func(r *wire.ExecuteStatementReq) { r.QueryTimeout = 1 }))
	},
	"fails": func(c *client, s *wire.SessionHandle) {
		c.execute(s, "SELECT * FROM nowhere")
		c.execute(s, "SELEC")
		c.closeSession(s)
	},
	"logs in and reports": func(c *client, s *wire.SessionHandle) {
		form := []byte("grant_type=client_credentials&client_id=" + c.ws.ClientID() + "&client_secret=" + c.ws.ClientSecret())
		c.do(http.MethodPost, c.ws.URL()+"/oidc/v1/token", form, nil)
		c.telemetry("/telemetry-ext", frame(document(uuid.NewString(), `{}`), "not a document"))
		c.history("include_metrics", "true")
		c.closeSession(s)
	},
	"changes data": func(c *client, s *wire.SessionHandle) {
		c.execute(s, "CREATE OR REPLACE TABLE t_"+guidSuffix(s)+" (a INT)")
		c.execute(s, "INSERT INTO t_"+guidSuffix(s)+" VALUES (1)")
		c.execute(s, "DROP TABLE t_"+guidSuffix(s))
		c.closeSession(s)
	},
}

func guidSuffix(s *wire.SessionHandle) string { return guid(s)[:8] }

// large runs a statement whose result goes through object storage. No two of the statements are the
// same.
func (c *client) large(s *wire.SessionHandle) (*wire.OperationHandle, []*wire.ResultLink, bool) {
	c.t.Helper()
	resp := c.execute(s, "SELECT id, '"+uuid.NewString()+"' AS u FROM range(8000)", download)
	set := resp.DirectResults.ResultSet
	require.NotEmpty(c.t, set.Results.ResultLinks)
	return resp.OperationHandle, set.Results.ResultLinks, *set.HasMoreRows
}

func (c *client) closeSession(s *wire.SessionHandle) {
	c.t.Helper()
	call[wire.CloseSessionResp](c, "CloseSession", &wire.CloseSessionReq{SessionHandle: s})
}

// TestSoak lets clients read, cancel, fail and vanish, and checks that nothing of them is held once
// every lifetime has passed. The flag -soak sets how long they run.
func TestSoak(t *testing.T) {
	ws := start(t, soakOptions())
	for name, visit := range customers {
		t.Run(name, func(t *testing.T) {
			c := newClient(t, ws)
			visit(c, c.open())
		})
	}
	if *soak > 0 {
		soakFor(t, ws, *soak)
	}
	eventually.True(t, func() bool { // the statement whose client vanished has a timeout
		ws.Sweep(time.Now().Add(time.Hour))
		return ws.Held() == workspace.Held{}
	})
	assert.Equal(t, 1, ws.Tokens())
}

// soakFor compares the memory at rest after a tenth of the time with that at its end: what is
// held in between depends on how busy the machine is.
func soakFor(t *testing.T, ws *workspace.Workspace, d time.Duration) {
	visitFor(t, ws, d/10)
	before := atRest(ws)
	visitFor(t, ws, d-d/10)
	after := atRest(ws)
	t.Logf("heap at rest after %v: %.1f MiB, after %v: %.1f MiB", d/10, mib(before), d, mib(after))
	assert.LessOrEqual(t, mib(after), 1.25*mib(before)+4)
}

// atRest is the heap that is left when every lifetime has passed.
func atRest(ws *workspace.Workspace) uint64 {
	ws.Sweep(time.Now().Add(time.Hour))
	return heap()
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func mib(bytes uint64) float64 { return float64(bytes) / (1 << 20) }

// visitFor runs clients against a workspace for a duration and reports its memory meanwhile.
func visitFor(t *testing.T, ws *workspace.Workspace, d time.Duration) {
	ctx, stop := context.WithTimeout(t.Context(), d)
	defer stop()
	visits := slices.Collect(maps.Values(customers))
	var group sync.WaitGroup
	for i := range 4 {
		group.Go(func() {
			random := rand.New(rand.NewPCG(uint64(i), 0))
			c := newClient(t, ws)
			for ctx.Err() == nil {
				visits[random.IntN(len(visits))](c, c.open())
			}
			c.http.CloseIdleConnections()
		})
	}
	tick := time.NewTicker(max(d/30, time.Second))
	defer tick.Stop()
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-tick.C:
			t.Logf("heap %.1f MiB, %d requests so far, held: %+v", mib(heap()), lastRequest(ws), ws.Held())
		}
	}
	group.Wait()
}

// lastRequest is the number of requests so far.
func lastRequest(ws *workspace.Workspace) int {
	all := ws.Requests()
	return all[len(all)-1].ID
}

// TestClientsThatBreakOffLeaveNothing is the same for connections: a client that disconnects in the
// middle of a download leaves no handler and no file.
func TestClientsThatBreakOffLeaveNothing(t *testing.T) {
	ws := start(t, soakOptions())
	c := newClient(t, ws)
	s := c.open()
	for range 5 {
		op, links, _ := c.large(s)
		ctx, leave := context.WithCancel(t.Context())
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, links[0].FileLink, nil)
		require.NoError(t, err)
		resp, err := c.http.Do(req)
		require.NoError(t, err)
		_, err = io.ReadFull(resp.Body, make([]byte, 1))
		require.NoError(t, err)
		leave()
		require.NoError(t, resp.Body.Close())
		c.closeOperation(op)
	}
	assert.Equal(t, workspace.Held{Sessions: 1}, ws.Held())
	eventually.True(t, func() bool {
		return len(ws.Requests(func(r workspace.Request) bool { return !r.Done })) == 0
	})
}
