package debugpage

import (
	"database/sql"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry/explain"
)

// largeStatement is a record with full lists and a long query.
func largeStatement(n int) *telemetry.Statement {
	s := downloaded()
	s.StatementID, s.Total = fmt.Sprint("large ", n), time.Duration(n)*time.Millisecond
	s.Query = strings.Repeat("SELECT 'ä' ", 50_000)
	s.CloudFetch.Files = make([]telemetry.File, 256)
	s.Calls = make([]telemetry.Call, 512)
	s.Outcome, s.Failure = telemetry.OutcomeFailed, &telemetry.Failure{Message: strings.Repeat("m", 2000)}
	return s
}

func TestMemoryIsBoundedWhateverTheRecords(t *testing.T) {
	m := newMemory(telemetry.Default.Pools)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for n := range 1500 {
		m.StatementFinished(largeStatement(n))
		m.SessionOpened(&telemetry.SessionOpened{Failure: &telemetry.Failure{Category: telemetry.Category(fmt.Sprint(n))}})
	}
	for _, f := range []*boundedRecords{&m.recent, &m.slowest, &m.failed} {
		require.LessOrEqual(t, f.bytes, f.maxBytes)
		require.LessOrEqual(t, len(f.records), f.maxRecords)
		sum := 0
		for _, s := range f.records {
			sum += bytesOf(s)
		}
		require.Equal(t, sum, f.bytes)
	}
	require.Len(t, m.failedOpens, failedOpensKept)
	require.LessOrEqual(t, len(m.counts.categories), maxCategories)
	runtime.GC()
	runtime.ReadMemStats(&after)
	require.Less(t, int64(after.HeapAlloc)-int64(before.HeapAlloc), int64(10<<20))
	runtime.KeepAlive(m)
}

func TestLongQueryIsTruncatedInACopy(t *testing.T) {
	s, failure := largeStatement(1), failed()
	short := withShortQuery(s)
	require.Same(t, failure, withShortQuery(failure), "a record with a short query is kept itself")
	require.Len(t, s.Query, 600_000)
	require.Less(t, len(short.Query), queryKept+10)
	require.True(t, utf8.ValidString(short.Query))
	require.True(t, strings.HasSuffix(short.Query, " …"))
}

func TestSlowAndFailedStatementsAreKeptLonger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(telemetry.Default.Pools)
		m.StatementFinished(downloaded())
		m.StatementFinished(failed())
		for n := range 1000 {
			m.StatementFinished(quick(n % 100))
		}
		k := m.snapshot(time.Now())
		require.Equal(t, downloaded().StatementID, k.slowest[0].StatementID)
		require.Equal(t, failed().StatementID, k.failed[0].StatementID)
		require.Len(t, k.slowest, slowestKept)
		require.LessOrEqual(t, len(k.all), recentKept+slowestKept+failedKept)

		time.Sleep(2 * time.Hour)
		m.StatementFinished(quick(3))
		k = m.snapshot(time.Now())
		require.Len(t, k.slowest, 1, "an hour later, slow statements no longer count")
		require.Equal(t, ms(3), k.slowest[0].Total)
	})
}

func TestRatesCoverTheirWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &counts{}
		for range 120 { // two minutes, five a second
			for range 5 {
				c.addStatement(time.Now(), quick(10))
			}
			c.addStatement(time.Now(), failed())
			time.Sleep(time.Second)
		}
		w := c.over(time.Now(), time.Minute)
		require.InDelta(t, 6, float64(w.perSecond(w.statements)), 0.5)
		require.InDelta(t, 1, float64(w.perSecond(w.failed)), 0.1)
		w = c.over(time.Now(), time.Hour)
		require.EqualValues(t, 720, w.statements)
		require.InDelta(t, 6, float64(w.perSecond(w.statements)), 0.1, "rates of a young process cover its age only")
		require.Equal(t, []categoryCount{{telemetry.CategorySyntax, 120}}, w.errors)

		time.Sleep(30 * time.Minute)
		fiveMinutes, hour := c.over(time.Now(), 5*time.Minute), c.over(time.Now(), time.Hour)
		require.Zero(t, fiveMinutes.statements)
		require.EqualValues(t, 720, hour.statements)
		time.Sleep(time.Hour)
		c.addStatement(time.Now(), quick(1))
		hour = c.over(time.Now(), time.Hour)
		require.EqualValues(t, 1, hour.statements, "counts older than an hour are dropped")
		require.Empty(t, hour.errors)
	})
}

func TestQuantilesAreWithinTheirBucket(t *testing.T) {
	c := &counts{}
	now := time.Now()
	for n := 1; n <= 1000; n++ {
		c.addStatement(now, &telemetry.Statement{Total: ms(n)})
	}
	w := c.over(now, time.Hour)
	for q, want := range map[float64]time.Duration{0.5: ms(500), 0.9: ms(900), 0.99: ms(990)} {
		require.InEpsilon(t, float64(want), float64(w.quantile(q)), 0.1)
	}
	for _, d := range []time.Duration{0, -1, 1, firstBucket, time.Hour, 100 * time.Hour} {
		require.Less(t, bucketOf(d), buckets)
		require.GreaterOrEqual(t, bucketOf(d), 0)
	}
}

func TestMinutesCountStatementsByTheirEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &counts{}
		c.addStatement(time.Now(), downloaded())
		time.Sleep(time.Minute)
		c.addStatement(time.Now(), failed())
		minutes := c.minutes(time.Now())
		require.Len(t, minutes, 60)
		require.EqualValues(t, 1, minutes[58].Statements)
		require.EqualValues(t, 1, minutes[59].Failed)
		require.Equal(t, ms(4200), minutes[58].Times.sum())
	})
}

func TestLargestPartIsThatOfTheVerdict(t *testing.T) {
	for _, s := range []*telemetry.Statement{downloaded(), failed(), quick(7), running()} {
		parts, verdict := splitOf(timesOf(s), s.Total), explain.Of(s)
		require.Equal(t, verdict.Bound, parts.Largest().Bound)
		require.EqualValues(t, verdict.Time, parts.Largest().Time)
	}
	require.Nil(t, split{}.Largest())
}

func TestEveryKindOfPartAndBarHasAColour(t *testing.T) {
	seen := map[explain.Bound]bool{}
	for _, k := range explain.PartKinds {
		require.False(t, seen[k.Bound])
		seen[k.Bound] = true
		require.Contains(t, style, ".fill."+classOf(k.Bound)+" ")
	}
	for _, k := range barKinds {
		require.Contains(t, style, ".fill."+k.class+" ")
	}
}

func TestPoolsAreSampledOnceASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reads := 0
		p := &pools{}
		list := func() []telemetry.Pool {
			return []telemetry.Pool{
				{Name: "a", Stats: func() (sql.DBStats, bool) { reads++; return sql.DBStats{}, true }},
				{Name: "a", Stats: func() (sql.DBStats, bool) { return sql.DBStats{InUse: 2}, true }},
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

func TestQueueingNamesPoolsThatHadWaitersAtThatTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stats := sql.DBStats{MaxOpenConnections: 2}
		list := func() []telemetry.Pool {
			return []telemetry.Pool{{Name: "orders", Stats: func() (sql.DBStats, bool) { return stats, true }}}
		}
		p := &pools{}
		begin := time.Now()
		p.sample(begin, list)
		time.Sleep(10 * time.Second)
		p.sample(time.Now(), list)
		quiet := begin.Add(5 * time.Second)
		time.Sleep(10 * time.Second)
		stats.WaitCount, stats.WaitDuration = 4, time.Second
		p.sample(time.Now(), list)
		require.Empty(t, p.queueing(quiet))
		require.Equal(t, []string{"Pool orders was queueing when this statement started: within the 10 s around that time, 4 calls waited for a connection, 250 ms on average."},
			p.queueing(begin.Add(15*time.Second)))
		require.Empty(t, p.queueing(begin.Add(-time.Hour)))
		require.Empty(t, p.queueing(begin.Add(time.Hour)), "there is no sample after that time")
		require.Contains(t, p.views()[0].Verdict, "pool-bound: 4 calls waited 250 ms")
	})
}

func TestBarsStayWithinThePicture(t *testing.T) {
	for _, s := range []*telemetry.Statement{downloaded(), failed(), running(), {}, {Total: 3, Execute: 2}, {Total: 100 * time.Hour, Outcome: telemetry.OutcomeRunning}} {
		w := waterfallOf(s)
		for _, l := range w.Lanes {
			for _, b := range l.Bars {
				var x, width float64
				_, err := fmt.Sscanf(b.X+" "+b.W, "%f%% %f%%", &x, &width)
				require.NoError(t, err)
				require.GreaterOrEqual(t, x, 0.0)
				require.LessOrEqual(t, x+width, 100.01)
				require.Less(t, b.Y+b.H, w.Height)
			}
		}
		require.LessOrEqual(t, len(w.Ticks), 20)
	}
}
