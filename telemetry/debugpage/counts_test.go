package debugpage

import (
	"testing"
	"testing/synctest"
	"time"

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
