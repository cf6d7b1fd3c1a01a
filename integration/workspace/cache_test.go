package workspace_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/integration/internal/eventually"
	"github.com/seed-01322ee7/databricks-telemetry/integration/internal/wire"
	"github.com/seed-01322ee7/databricks-telemetry/integration/workspace"
)

func (c *client) lookup(s *wire.SessionHandle, sql string) int32 {
	c.t.Helper()
	resp := c.execute(s, sql)
	require.NotNil(c.t, resp.DirectResults, "%v", resp.Status)
	return *resp.DirectResults.ResultSetMetadata.CacheLookupResult
}

func TestWhatChangesByItselfIsNotCached(t *testing.T) {
	ws := start(t, workspace.Options{ResultCache: true})
	c := newClient(t, ws)
	s := c.open()
	for _, sql := range []string{"SELECT uuid()", "SELECT rand()", "SELECT now()", "SELECT id FROM range(2) WHERE current_date() > DATE '2000-01-01'", "SELECT unix_timestamp()"} {
		assert.Equal(t, wire.CacheIneligible, c.lookup(s, sql), sql)
		assert.Equal(t, wire.CacheIneligible, c.lookup(s, sql), sql)
	}
	for _, sql := range []string{"SELECT 1", "SELECT unix_timestamp(TIMESTAMP '2024-01-01')"} {
		assert.Equal(t, wire.CacheMiss, c.lookup(s, sql), sql)
		assert.Equal(t, wire.CacheLocalHit, c.lookup(s, sql), sql)
	}
	there := call[wire.OpenSessionResp](c, "OpenSession", &wire.OpenSessionReq{Configuration: map[string]string{"timezone": "Asia/Tokyo"}}).SessionHandle
	assert.Equal(t, wire.CacheMiss, c.lookup(there, "SELECT 1"), "another time zone, where the same text may mean another time")
}

func TestWhatWasReadBeforeAChangeIsNotCached(t *testing.T) {
	ws := start(t, workspace.Options{ResultCache: true})
	require.NoError(t, ws.Exec(t.Context(), "CREATE TABLE t AS SELECT 1 AS x"))
	c := newClient(t, ws)
	reader, writer := c.open(), c.open()
	const slow = "SELECT 1 AS x WHERE sleep(0.3) = 0"
	done := make(chan int32, 1)
	go func() { done <- c.lookup(reader, slow) }()
	eventually.True(t, func() bool { return len(ws.Statements()) == 1 && ws.Statements()[0].State == "RUNNING" })
	c.execute(writer, "INSERT INTO t VALUES (2)")
	assert.Equal(t, wire.CacheMiss, <-done)
	assert.Equal(t, wire.CacheMiss, c.lookup(reader, slow), "the change came while it ran")
}
