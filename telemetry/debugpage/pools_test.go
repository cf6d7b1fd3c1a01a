package debugpage

import (
	"database/sql"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

func TestPoolsAreSampledOnceASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reads := 0
		p := &pools{}
		list := func() []telemetry.Pool {
			return []telemetry.Pool{
				{Name: "a", ID: 1, Stats: func() (sql.DBStats, bool) { reads++; return sql.DBStats{}, true }},
				{Name: "a", ID: 2, Stats: func() (sql.DBStats, bool) { return sql.DBStats{InUse: 2}, true }},
			}
		}
		for range 100 {
			p.sample(time.Now(), list)
			time.Sleep(100 * time.Millisecond)
		}
		require.Equal(t, 10, reads)
		views := p.views()
		require.Len(t, views, 2)
		require.Equal(t, "a (2)", views[1].Name, "two pools of the same name get different names")
		require.EqualValues(t, 2, views[1].InUse)
		for range 3 * time.Hour / time.Second {
			p.sample(time.Now(), list)
			time.Sleep(time.Second)
		}
		require.Len(t, p.all[0].fine, fineKept)
		require.Len(t, p.all[0].coarse, coarseKept)
		p.sample(time.Now(), func() []telemetry.Pool { return nil })
		require.Empty(t, p.views(), "a pool that was unregistered is dropped")
	})
}

// A pool whose counters are those of other waits is not the one that a name stood for before.
func TestPoolsOfOneNameAreToldApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		answers := true
		first := telemetry.Pool{Name: "a", ID: 1, Stats: func() (sql.DBStats, bool) { return sql.DBStats{WaitCount: 1}, answers }}
		second := telemetry.Pool{Name: "a", ID: 2, Stats: func() (sql.DBStats, bool) {
			return sql.DBStats{MaxOpenConnections: 2, WaitCount: 1000, WaitDuration: time.Hour}, true
		}}
		p := &pools{}
		step := func(list ...telemetry.Pool) []poolView {
			time.Sleep(time.Second)
			p.sample(time.Now(), func() []telemetry.Pool { return list })
			for _, v := range p.views() {
				require.Empty(t, v.Verdict, "nothing has waited in the meantime")
			}
			return p.views()
		}
		step(first, second)
		answers = false
		require.Equal(t, "a (2)", step(first, second)[0].Name)
		answers = true
		step(first, second)
		require.Equal(t, "a", step(second)[0].Name)
		require.EqualValues(t, 4*time.Second, step(second)[0].Since, "as long as it is sampled")
	})
}

// orders returns a list of one pool, which has the statistics at stats.
func orders(stats *sql.DBStats) func() []telemetry.Pool {
	return func() []telemetry.Pool {
		return []telemetry.Pool{{Name: "orders", Stats: func() (sql.DBStats, bool) { return *stats, true }}}
	}
}

func TestQueueingNamesPoolsThatHadWaitersAtThatTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stats := sql.DBStats{MaxOpenConnections: 2}
		p, list, begin := &pools{}, orders(&stats), time.Now()
		p.sample(begin, list)
		time.Sleep(10 * time.Second)
		p.sample(time.Now(), list)
		quiet := begin.Add(5 * time.Second)
		time.Sleep(10 * time.Second)
		stats.WaitCount, stats.WaitDuration = 4, time.Second
		p.sample(time.Now(), list)
		require.Empty(t, p.queueing(quiet))
		require.Equal(t, []string{"Within 10 s around the start of this statement, 4 calls waited for a connection of pool orders; the waits that ended took 1.0 s in all."},
			p.queueing(begin.Add(15*time.Second)))
		require.Empty(t, p.queueing(begin.Add(-time.Hour)))
		require.Empty(t, p.queueing(begin.Add(time.Hour)), "there is no sample after that time")
		require.Contains(t, p.views()[0].Verdict, "pool-bound: 4 calls waited for a connection of pool orders, which may open 2; the waits that ended took 1.0 s in all")

		time.Sleep(10 * time.Second)
		stats.WaitCount = 6 // these still wait
		p.sample(time.Now(), list)
		require.Equal(t, []string{"Within 10 s around the start of this statement, 2 calls waited for a connection of pool orders, and none of them got one."},
			p.queueing(begin.Add(25*time.Second)))

		time.Sleep(10 * time.Second)
		stats.WaitCount = 7
		p.sample(time.Now(), list)
		require.Equal(t, []string{"Within 10 s around the start of this statement, 1 call waited for a connection of pool orders, and did not get one."},
			p.queueing(begin.Add(35*time.Second)))
	})
}

// Samples of the last two minutes are one per second, older ones one per 30 s. Between samples that are further apart,
// as in a process that nothing happens in, it is not known when calls waited.
func TestQueueingIsKnownForAnHour(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stats := sql.DBStats{MaxOpenConnections: 2}
		p, list, begin := &pools{}, orders(&stats), time.Now()
		for range 600 {
			p.sample(time.Now(), list)
			time.Sleep(time.Second)
			stats.WaitCount++
		}
		require.Equal(t, []string{"Within 30 s around the start of this statement, 30 calls waited for a connection of pool orders, and none of them got one."},
			p.queueing(begin.Add(15*time.Second)))
		require.Equal(t, []string{"Within 1.0 s around the start of this statement, 1 call waited for a connection of pool orders, and did not get one."},
			p.queueing(begin.Add(590*time.Second+500*time.Millisecond)))
		time.Sleep(10 * time.Minute)
		p.sample(time.Now(), list)
		require.Empty(t, p.queueing(begin.Add(15*time.Minute)))
	})
}

// A pool that did not answer once still was what it was before.
func TestAPoolThatDoesNotAnswerOnceKeepsItsHistory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		answers, stats := true, sql.DBStats{MaxOpenConnections: 2}
		list := func() []telemetry.Pool {
			return []telemetry.Pool{{Name: "orders", ID: 1, Stats: func() (sql.DBStats, bool) { return stats, answers }}}
		}
		p := &pools{}
		step := func() {
			p.sample(time.Now(), list)
			time.Sleep(time.Second)
		}
		step()
		stats.WaitCount, stats.WaitDuration = 100, time.Minute
		answers = false
		step()
		answers = true
		step()
		require.NotEmpty(t, p.views()[0].Verdict, "100 calls waited a second ago")
	})
}

// A page that shows some of the pools says so: the pool that is exhausted may be another.
func TestPoolsThatAreNotShownAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture()
		for id := range int64(poolsKept + 6) {
			f.db = append(f.db, telemetry.Pool{ID: id, Name: "tenant", Stats: func() (sql.DBStats, bool) { return sql.DBStats{}, true }})
		}
		var o struct {
			Pools  []struct{ Name string }
			Others int `json:"pools_left_off"`
		}
		f.json(t, "/?format=json", &o)
		require.Len(t, o.Pools, poolsKept)
		require.Equal(t, 6, o.Others)
		require.Contains(t, f.html(t, "/"), "6 more are not shown.")
	})
}

func TestThePageSaysHowManyConnectionsAPoolHasClosed(t *testing.T) {
	stats := sql.DBStats{MaxIdleClosed: 5, MaxIdleTimeClosed: 2, MaxLifetimeClosed: 4}
	f := newFixture()
	f.db = []telemetry.Pool{{Name: "orders", Stats: func() (sql.DBStats, bool) { return stats, true }}}
	var o struct {
		Pools []struct {
			Idle int64 `json:"closed_idle"`
			Age  int64 `json:"closed_age"`
		}
	}
	f.json(t, "/?format=json", &o)
	require.EqualValues(t, 7, o.Pools[0].Idle)
	require.EqualValues(t, 4, o.Pools[0].Age)
}
