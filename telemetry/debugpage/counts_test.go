package debugpage

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

func TestRatesCoverTheirWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &counts{timeline: newTimeline(time.Now()), since: time.Now()}
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
		require.EqualValues(t, 120, w.failed)

		time.Sleep(30 * time.Minute)
		fiveMinutes, hour := c.over(time.Now(), 5*time.Minute), c.over(time.Now(), time.Hour)
		require.Zero(t, fiveMinutes.statements)
		require.EqualValues(t, 720, hour.statements)
		time.Sleep(time.Hour)
		c.addStatement(time.Now(), quick(1))
		hour = c.over(time.Now(), time.Hour)
		require.EqualValues(t, 1, hour.statements, "counts older than an hour are dropped")
		require.Zero(t, hour.failed)
		ever := c.over(time.Now(), 0)
		require.EqualValues(t, 721, ever.statements)
		require.EqualValues(t, 120, ever.failed)
	})
}

func TestStatementsCountWhileTheyRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &counts{timeline: newTimeline(time.Now()), since: time.Now()}
		time.Sleep(5 * time.Minute)
		c.addStatement(time.Now(), &telemetry.Statement{Started: time.Now().Add(-ms(10)), Total: ms(10)})
		time.Sleep(15 * time.Minute)
		const connections = 4
		for range connections { // each ran for twelve minutes
			c.addStatement(time.Now(), &telemetry.Statement{Started: time.Now().Add(-12 * time.Minute), Total: 12 * time.Minute, Split: telemetry.Split{telemetry.PartServer: 12 * time.Minute}})
		}
		columns := c.columns(time.Now())
		require.Len(t, columns, 21, "the chart fits the life of the process")
		for i, column := range columns {
			at := column.atOnce(column.times.Total())
			require.LessOrEqual(t, at, connections+0.001)
			if i > 8 && i < 20 {
				require.InDelta(t, connections, at, 0.001)
			}
			if i < 8 {
				require.Less(t, at, 0.01)
			}
		}
		hour := c.over(time.Now(), time.Hour)
		require.InDelta(t, 48*time.Minute+ms(10), hour.times.Total(), float64(ms(1)))
		fiveMinutes := c.over(time.Now(), 5*time.Minute)
		require.InDelta(t, float64(connections*5*time.Minute), float64(fiveMinutes.times.Total()), float64(connections*10*time.Second))

		time.Sleep(2 * time.Minute)
		running := &telemetry.Statement{Outcome: telemetry.OutcomeRunning, Started: time.Now().Add(-90 * time.Second), Total: 90 * time.Second, Split: telemetry.Split{telemetry.PartServer: 90 * time.Second}}
		columns = c.columns(time.Now(), running)
		require.InDelta(t, 1, columns[21].atOnce(columns[21].times.Total()), 0.001, "what runs counts, too")
	})
}

func TestColumnsOfAYoungProcessAreTenSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &counts{timeline: newTimeline(time.Now()), since: time.Now()}
		time.Sleep(65 * time.Second)
		c.addStatement(time.Now(), quick(100))
		columns := c.columns(time.Now())
		require.Len(t, columns, 7)
		require.EqualValues(t, 1, columns[6].statements)
		require.Equal(t, 5*time.Second, columns[6].length)
	})
}

func TestNoPercentileIsAboveTheSlowest(t *testing.T) {
	c := &counts{timeline: newTimeline(time.Now()), since: time.Now()}
	for _, n := range []int{1, 7, 101} {
		c.addStatement(time.Now(), quick(n))
		w := c.over(time.Now(), time.Hour)
		require.Equal(t, ms(n), w.quantile(0.99), "of so few it is the slowest")
		require.LessOrEqual(t, w.quantile(0.5), w.quantile(0.99))
	}
}

// stepped is a time that the clocks show after the wall clock was stepped by whole seconds: another
// wall time, the same monotonic time. Nothing in package time makes one.
func stepped(t *testing.T, at time.Time, by time.Duration) time.Time {
	t.Helper()
	was := at
	*(*uint64)(unsafe.Pointer(&at)) += uint64(by/time.Second) << 30 // the seconds of a time with a monotonic reading
	require.Equal(t, by, at.Round(0).Sub(was.Round(0)))
	require.Zero(t, at.Sub(was))
	return at
}

func TestAStepOfTheWallClockMovesNoCounts(t *testing.T) {
	for _, by := range []time.Duration{-30 * 24 * time.Hour, -24 * time.Hour, -time.Hour, -7 * time.Second, 7 * time.Second, time.Hour, 24 * time.Hour} {
		first := time.Now()
		c := &counts{timeline: newTimeline(first), since: first}
		c.addStatement(first, quick(10))
		second := stepped(t, first.Add(30*time.Second), by)
		c.addStatement(second, quick(10))

		for _, length := range []time.Duration{time.Minute, time.Hour} {
			w := c.over(second, length)
			require.EqualValues(t, 2, w.statements, "%v after a step by %v", length, by)
			require.Equal(t, 30*time.Second, w.length)
		}
		columns := c.columns(second)
		var ended int64
		for i, column := range columns {
			ended += column.statements
			require.True(t, i == 0 || column.began.Sub(columns[i-1].began) == intervalLength)
		}
		require.EqualValues(t, 2, ended)
		last := columns[len(columns)-1].began.Round(0)
		require.False(t, last.After(second.Round(0).Add(time.Second)), "the columns are those of the clock as it is now: %v, %v", last, second)
		require.True(t, last.Add(intervalLength+time.Second).After(second.Round(0)))

		later := func(d time.Duration) int64 { w := c.over(second.Add(d), time.Hour); return w.statements }
		require.EqualValues(t, 2, later(time.Hour-2*time.Minute))
		require.Zero(t, later(time.Hour+time.Minute), "the hour is over")
	}
}

func TestColumnsAreThoseOfTheClock(t *testing.T) {
	c := &counts{timeline: newTimeline(time.Now()), since: time.Now()}
	now := time.Now()
	c.addStatement(now, quick(10))
	for _, at := range []time.Time{now.Add(99 * time.Second), now.Add(5 * time.Hour)} {
		columns := c.columns(at)
		require.Equal(t, at.Round(0).Truncate(columns[len(columns)/2].length), columns[len(columns)-1].began)
	}
}

func TestQuantilesAreWithinTheirBucket(t *testing.T) {
	c := &counts{timeline: newTimeline(time.Now()), since: time.Now()}
	now := time.Now()
	for n := 1; n <= 1000; n++ {
		c.addStatement(now, &telemetry.Statement{Started: now, Total: ms(n)})
	}
	w := c.over(now, time.Hour)
	for q, want := range map[float64]time.Duration{0.5: ms(500), 0.9: ms(900), 0.99: ms(990)} {
		require.InEpsilon(t, float64(want), float64(w.quantile(q)), 0.1)
	}
	for _, d := range []time.Duration{0, -1, 1, latencies.First, time.Hour, 100 * time.Hour} {
		require.Less(t, bucketOf(d), latencyBuckets)
		require.GreaterOrEqual(t, bucketOf(d), 0)
	}
}

func TestPercentilesOfHoursAreOffBy9Percent(t *testing.T) {
	for _, took := range []time.Duration{50 * time.Minute, 3 * time.Hour, 50 * time.Hour, 300 * time.Hour} {
		c := counts{timeline: newTimeline(time.Now()), since: time.Now()}
		for range 10 {
			c.addStatement(time.Now(), &telemetry.Statement{Total: took, Outcome: telemetry.OutcomeCompleted})
		}
		w := c.over(time.Now(), time.Hour)
		require.InEpsilon(t, took, w.quantile(0.5), 0.09)
	}
}

func TestTheChartOfAYoungProcessCoversItsAgeOnly(t *testing.T) {
	for _, age := range []time.Duration{500 * time.Millisecond, 4 * time.Second, 40 * time.Second, 20 * time.Minute} {
		synctest.Test(t, func(t *testing.T) {
			time.Sleep(time.Hour + 49*time.Second) // into a minute, and into an interval
			c := &counts{timeline: newTimeline(time.Now()), since: time.Now()}
			time.Sleep(age)
			var all []*telemetry.Statement
			for range 4 {
				all = append(all, &telemetry.Statement{Outcome: telemetry.OutcomeRunning, Started: time.Now().Add(-age), Total: age, Split: telemetry.Split{telemetry.PartServer: age}})
			}
			columns := c.columns(time.Now(), all...)
			for _, column := range columns {
				require.InDelta(t, 4, column.atOnce(column.times.Total()), 0.001, "all 4 ran all of the time")
			}
			first := chartOf(time.Now(), columns).Columns[0]
			require.WithinDuration(t, c.since, first.Began.at, 0)
			c.addStatement(time.Now(), all[0])
			require.Equal(t, age > 10*time.Minute, strings.Contains(chartOf(time.Now(), c.columns(time.Now())).Desc, "Each column is a minute"))
		})
	}
}
