package debugpage

import (
	"testing"
	"testing/synctest"
	"time"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

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

func TestMinutesCountStatementsByTheirEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &counts{}
		c.addStatement(time.Now(), downloaded())
		time.Sleep(time.Minute)
		c.addStatement(time.Now(), failed())
		minutes := c.minutes(time.Now())
		require.Len(t, minutes, 60)
		require.EqualValues(t, 1, minutes[58].statements)
		require.EqualValues(t, 1, minutes[59].failed)
		require.Equal(t, ms(4200), minutes[58].times.Total())
	})
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
		c := &counts{}
		first := time.Now()
		c.addStatement(first, quick(10))
		second := stepped(t, first.Add(30*time.Second), by)
		c.addStatement(second, quick(10))

		for _, length := range []time.Duration{time.Minute, time.Hour} {
			w := c.over(second, length)
			require.EqualValues(t, 2, w.statements, "%v after a step by %v", length, by)
			require.Equal(t, 30*time.Second, w.length)
		}
		minutes := c.minutes(second)
		require.EqualValues(t, 2, minutes[59].statements+minutes[58].statements)
		last := minutes[59].began.Round(0)
		require.False(t, last.After(second.Round(0).Add(time.Second)), "the minutes are those of the clock as it is now: %v, %v", last, second)
		require.True(t, last.Add(time.Minute+time.Second).After(second.Round(0)))
		for i := 1; i < len(minutes); i++ {
			require.Equal(t, time.Minute, minutes[i].began.Sub(minutes[i-1].began))
		}

		require.EqualValues(t, 1, func() int64 { w := c.over(second.Add(time.Hour-15*time.Second), time.Hour); return w.statements }(), "an hour later the first is over")
	}
}

func TestMinutesAreThoseOfTheClock(t *testing.T) {
	c := &counts{}
	now := time.Now()
	c.addStatement(now, quick(10))
	for _, at := range []time.Time{now, now.Add(59 * time.Second), now.Add(5 * time.Hour)} {
		require.Equal(t, at.Round(0).Truncate(time.Minute), c.minutes(at)[59].began)
	}
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
