package telemetry_test

import (
	"database/sql"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// The Stats method of a pool is user-supplied code: it may panic, exit or hang.
func TestAPoolThatMisbehavesIsLeftOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		end := make(chan struct{})
		for name, misbehave := range map[string]func(){
			"panics": func() { panic("no") }, "exits": runtime.Goexit, "hangs": func() { <-end },
		} {
			defer telemetry.RegisterPool("pool that "+name, poolFunc(misbehave))()
		}
		defer telemetry.RegisterPool("pool that is nil", nil)()
		var unopened *sql.DB
		defer telemetry.RegisterPool("pool that is not open", unopened)()
		require.Len(t, telemetry.Default.Pools(), 5)
		for _, p := range telemetry.Default.Pools() {
			for range 2 {
				_, ok := p.Stats()
				require.False(t, ok, p.Name)
			}
		}
		close(end)
		synctest.Wait()
	})
}

type poolFunc func()

func (f poolFunc) Stats() (s sql.DBStats) {
	f()
	return s
}

// A reader of many pools waits for those that hang all at once.
func TestPoolsThatHangAreReadAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p telemetry.Process
		wakes := make(chan struct{})
		for range 10 {
			p.RegisterPool("hangs", poolFunc(func() { <-wakes }))
		}
		p.RegisterPool("works", poolFunc(func() {}))
		start := time.Now()
		stats := telemetry.ReadPools(p.Pools())
		require.Less(t, time.Since(start), 2*time.Second, "in fake time")
		require.Len(t, stats, 11)
		for i, s := range stats {
			_, ok := s.Get()
			require.Equal(t, i == 10, ok, i)
		}
		close(wakes)
	})
}

func TestAPoolMadeByHandMayBeIncomplete(t *testing.T) {
	full := func() (sql.DBStats, bool) { return sql.DBStats{InUse: 3}, true }
	exits := func() (sql.DBStats, bool) { runtime.Goexit(); return sql.DBStats{}, true }
	stats := telemetry.ReadPools([]telemetry.Pool{{}, {Stats: exits}, {Stats: full}})
	require.Equal(t, []telemetry.Maybe[sql.DBStats]{{}, {}, telemetry.Known(sql.DBStats{InUse: 3})}, stats)
}

func TestAPoolIsListedUntilItIsRemoved(t *testing.T) {
	var p telemetry.Process
	names := func() (names []string) {
		for _, pool := range p.Pools() {
			names = append(names, pool.Name)
		}
		return names
	}
	removeOrders := p.RegisterPool("orders", poolFunc(func() {}))
	removeBills := p.RegisterPool("bills", poolFunc(func() {}))
	require.Equal(t, []string{"bills", "orders"}, names(), "sorted")
	require.NotEqual(t, p.Pools()[0].ID, p.Pools()[1].ID)
	removeOrders()
	require.Equal(t, []string{"bills"}, names())
	removeBills()
	require.Empty(t, names())
}

// A name is an attribute of metrics, and the exporter of OpenTelemetry drops all metrics for one that is not
// UTF-8.
func TestTheNameOfAPoolIsValidAndBounded(t *testing.T) {
	var p telemetry.Process
	p.RegisterPool("orders\xff", poolFunc(func() {}))
	p.RegisterPool(strings.Repeat("é", 1000), poolFunc(func() {}))
	names := []string{p.Pools()[0].Name, p.Pools()[1].Name}
	require.Equal(t, []string{"orders\uFFFD", strings.Repeat("é", 128)}, names)
}

// A test in a bubble may leave a pool registered.
func TestAPoolOfABubbleIsReadOutside(t *testing.T) {
	var p telemetry.Process
	synctest.Test(t, func(*testing.T) { p.RegisterPool("forgotten", poolFunc(func() {})) })
	require.Len(t, telemetry.ReadPools(p.Pools()), 1)
}

// The debug page, NDJSON and OpenTelemetry read the same pools, and may do so at the same time.
func TestAPoolAnswersSeveralReadersAtOnce(t *testing.T) {
	var p telemetry.Process
	p.RegisterPool("orders", poolFunc(func() {
		for range 100 { // as while database/sql holds its lock
			runtime.Gosched()
		}
	}))
	var refused atomic.Int64
	var readers sync.WaitGroup
	for range 100 {
		readers.Go(func() {
			if _, ok := p.Pools()[0].Stats(); !ok {
				refused.Add(1)
			}
		})
	}
	readers.Wait()
	require.Zero(t, refused.Load(), "the pool neither panicked nor took a second")
}
