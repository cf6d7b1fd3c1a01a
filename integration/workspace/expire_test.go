package workspace_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/integration/internal/wire"
	"github.com/seed-01322ee7/databricks-telemetry/integration/workspace"
)

// files are options that put every result into files of ten rows, two links to a page.
func files() workspace.Options {
	return workspace.Options{CloudFetchThreshold: 1, FileRows: 10, LinksPerPage: 2}
}

// follow downloads files and returns the statuses.
func (c *client) follow(links ...*wire.ResultLink) (statuses []int) {
	c.t.Helper()
	for _, k := range links {
		resp, _ := c.do(http.MethodGet, k.FileLink, nil, nil)
		statuses = append(statuses, resp.StatusCode)
	}
	return statuses
}

func (c *client) cancel(op *wire.OperationHandle) {
	c.t.Helper()
	resp := call[wire.CancelOperationResp](c, "CancelOperation", &wire.CancelOperationReq{OperationHandle: op})
	require.Equal(c.t, wire.StatusSuccess, resp.Status.StatusCode)
}

func TestFilesGoWhenTheirOperationIsClosedAndTheyHaveBeenRead(t *testing.T) {
	ws := start(t, files())
	c := newClient(t, ws)
	resp := c.execute(c.open(), "SELECT id FROM range(20)", download)
	links := resp.DirectResults.ResultSet.Results.ResultLinks
	require.Len(t, links, 2)
	assert.Equal(t, []int{200, 200}, c.follow(links[0], links[0]), "an open operation keeps them")
	c.closeOperation(resp.OperationHandle)
	assert.Equal(t, 1, ws.Held().Links, "the last may still be wanted: the native driver closes first")
	assert.Equal(t, []int{200, 404}, c.follow(links[1], links[1]))
	assert.Zero(t, ws.Held().Links)
	assert.Zero(t, ws.Held().FileBytes)
}

func TestFilesOfAnOperationGoAtOnceThatIsNotReadToItsEnd(t *testing.T) {
	for name, end := range map[string]func(*client, *wire.SessionHandle, *wire.OperationHandle){
		"closed":   func(c *client, _ *wire.SessionHandle, op *wire.OperationHandle) { c.closeOperation(op) },
		"canceled": func(c *client, _ *wire.SessionHandle, op *wire.OperationHandle) { c.cancel(op) },
		"its session closed": func(c *client, s *wire.SessionHandle, _ *wire.OperationHandle) {
			call[wire.CloseSessionResp](c, "CloseSession", &wire.CloseSessionReq{SessionHandle: s})
		},
		"its session expired": func(c *client, s *wire.SessionHandle, _ *wire.OperationHandle) { c.ws.ExpireSession(guid(s)) },
	} {
		t.Run(name, func(t *testing.T) {
			ws := start(t, files())
			c := newClient(t, ws)
			s := c.open()
			resp := c.execute(s, "SELECT id FROM range(100)", download)
			require.Positive(t, ws.Held().ResultBytes)
			end(c, s, resp.OperationHandle)
			held := ws.Held()
			assert.Zero(t, held.Links)
			assert.Zero(t, held.FileBytes)
			assert.Zero(t, held.ResultBytes)
			assert.Equal(t, []int{404}, c.follow(resp.DirectResults.ResultSet.Results.ResultLinks[0]))
		})
	}
}

func TestUnreadFilesGoWithTime(t *testing.T) {
	opts := files()
	opts.ClosedFileLifetime = time.Minute
	ws := start(t, opts)
	c := newClient(t, ws)
	resp := c.execute(c.open(), "SELECT id FROM range(20)", download)
	closed := time.Now()
	c.closeOperation(resp.OperationHandle)
	ws.Sweep(closed.Add(50 * time.Second))
	assert.Equal(t, 2, ws.Held().Links)
	ws.Sweep(time.Now().Add(61 * time.Second))
	assert.Zero(t, ws.Held().Links)
}

func TestExpiredLinksGoAndNewOnesCanBeAskedFor(t *testing.T) {
	opts := files()
	opts.LinkLifetime = 10 * time.Minute
	ws := start(t, opts)
	c := newClient(t, ws)
	resp := c.execute(c.open(), "SELECT id FROM range(100)", download)
	require.Equal(t, 2, ws.Held().Links)
	ws.Sweep(time.Now().Add(9 * time.Minute))
	assert.Equal(t, 2, ws.Held().Links)
	ws.Sweep(time.Now().Add(12 * time.Minute))
	assert.Zero(t, ws.Held().Links)
	first := int64(0)
	again := c.fetch(resp.OperationHandle, func(r *wire.FetchResultsReq) { r.StartRowOffset = &first })
	assert.Equal(t, []int{200}, c.follow(again.Results.ResultLinks[0]))
}

func TestIdleOperationsAndSessionsEnd(t *testing.T) {
	ws := start(t, workspace.Options{
		PageRows: 1, SessionTimeout: time.Hour, OperationTimeout: 20 * time.Minute,
		Warehouses: []workspace.Warehouse{{}, {ID: "stopped", Stopped: true, StartTime: -1}},
	})
	c := newClient(t, ws)
	s := c.open()
	op := c.execute(s, "SELECT id FROM range(9)").OperationHandle
	c.path = "/sql/1.0/warehouses/stopped"
	waiting := c.open()
	call[wire.ExecuteStatementResp](c, "ExecuteStatement", statement(waiting, "SELECT 1", noDirectResults))
	now := time.Now()

	ws.Sweep(now.Add(19 * time.Minute))
	assert.Equal(t, 2, ws.Held().Operations)
	ws.Sweep(now.Add(21 * time.Minute))
	assert.Equal(t, 1, ws.Held().Operations, "a statement that has not ended is never idle")
	assert.Equal(t, workspace.ClosedIdle, ws.Statements()[0].ClosedBy)
	assertGone(t, c.fetch(op).Status)
	ws.Sweep(now.Add(59 * time.Minute))
	assert.Equal(t, 2, ws.Held().Sessions)
	ws.Sweep(now.Add(3 * time.Hour))
	assert.Equal(t, 1, ws.Held().Sessions, "nor is its session")
	assert.True(t, ws.Sessions()[0].Expired)

	never := start(t, workspace.Options{PageRows: 1, SessionTimeout: -1, OperationTimeout: -1})
	c = newClient(t, never)
	op = c.execute(c.open(), "SELECT id FROM range(9)").OperationHandle
	never.Sweep(now.Add(1000 * time.Hour))
	assert.Equal(t, wire.StatusSuccess, c.fetch(op).Status.StatusCode)
}

func TestResultsTakeNoMoreMemoryThanAllowed(t *testing.T) {
	const each = 8 * 1000 // a thousand BIGINTs
	for name, opts := range map[string]workspace.Options{
		"inline": {PageRows: 1, CloudFetchThreshold: -1, ResultMemory: 3 * each},
		"files":  {CloudFetchThreshold: 1, FileRows: 100, LinksPerPage: 1, ResultMemory: 5 * each},
	} {
		t.Run(name, func(t *testing.T) {
			ws := start(t, opts)
			c := newClient(t, ws)
			s := c.open()
			var last *wire.OperationHandle
			for range 20 {
				last = c.execute(s, "SELECT id FROM range(1000)", download).OperationHandle
			}
			assert.LessOrEqual(t, ws.Held().ResultBytes, opts.ResultMemory)
			assert.Equal(t, workspace.ClosedIdle, ws.Statements()[0].ClosedBy, "the one that was idle longest")
			assert.Equal(t, wire.StatusSuccess, c.fetch(last).Status.StatusCode)
			assert.Less(t, ws.Held().Operations, 20)
		})
	}
	t.Run("files of closed operations", func(t *testing.T) {
		opts := workspace.Options{CloudFetchThreshold: 1, ResultMemory: 3 * each}
		ws := start(t, opts)
		c := newClient(t, ws)
		s := c.open()
		var links []*wire.ResultLink
		for range 10 {
			resp := c.execute(s, "SELECT id FROM range(1000)", download)
			links = append(links, resp.DirectResults.ResultSet.Results.ResultLinks...)
			c.closeOperation(resp.OperationHandle)
		}
		c.execute(s, "SELECT 1")
		assert.LessOrEqual(t, ws.Held().FileBytes, opts.ResultMemory)
		assert.Equal(t, []int{404, 200}, c.follow(links[0], links[len(links)-1]))
	})
	t.Run("one that is larger by itself", func(t *testing.T) {
		ws := start(t, workspace.Options{PageRows: 500, ResultMemory: 1})
		c := newClient(t, ws)
		resp := c.execute(c.open(), "SELECT id FROM range(1000)")
		assert.Equal(t, wire.StatusSuccess, c.fetch(resp.OperationHandle).Status.StatusCode)
	})
}

func TestFactsReachBackAsFarAsTheOptionSays(t *testing.T) {
	ws := start(t, workspace.Options{Keep: 3})
	c := newClient(t, ws)
	for i := range 5 {
		c.execute(c.open(), fmt.Sprintf("SELECT %d", i))
		c.telemetry("/telemetry-ext", frame(document(uuid.NewString(), `{"unknown":1}`)))
		ws.Inject(workspace.Fault{On: workspace.Method("ExecuteStatement"), First: 1, Do: workspace.Status(503)})
		c.post(wire.AppendCall(nil, "ExecuteStatement", c.seq.Add(1), statement(c.open(), fmt.Sprintf("SELECT -%d", i))))
	}
	assert.Len(t, ws.Requests(), 3)
	assert.Equal(t, 25, ws.Requests()[2].ID, "the newest")
	assert.Len(t, ws.Sessions(), 3)
	assert.Len(t, ws.Telemetry(), 3)
	assert.Len(t, ws.TelemetryAttempts(), 3)
	assert.Len(t, ws.TelemetryErrors(), 3)
	var asked []string
	for _, f := range ws.Statements() {
		asked = append(asked, f.SQL)
	}
	assert.Equal(t, []string{"SELECT -3", "SELECT 4", "SELECT -4"}, asked)
	for _, e := range ws.Telemetry() {
		assert.Equal(t, 1, e.Attempts)
	}

	all := start(t, workspace.Options{Keep: -1})
	c = newClient(t, all)
	for range 5 {
		c.open()
	}
	assert.Len(t, all.Requests(), 5)
}

func TestTokensAreForgottenWhenTheyHaveExpired(t *testing.T) {
	ws := start(t, workspace.Options{TokenLifetime: time.Hour})
	c := newClient(t, ws)
	form := []byte("grant_type=client_credentials&client_id=" + ws.ClientID() + "&client_secret=" + ws.ClientSecret())
	for range 3 {
		c.do(http.MethodPost, ws.URL()+"/oidc/v1/token", form, nil)
	}
	require.Equal(t, 4, ws.Tokens())
	ws.Sweep(time.Now().Add(59 * time.Minute))
	assert.Equal(t, 4, ws.Tokens())
	ws.Sweep(time.Now().Add(61 * time.Minute))
	assert.Equal(t, 1, ws.Tokens(), "the personal access token does not expire")
}
