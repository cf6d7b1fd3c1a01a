package buckets

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestADurationIsWithinItsBucket(t *testing.T) {
	for _, s := range []Scale{{100 * time.Microsecond, 4}, {time.Nanosecond, 35}} {
		require.Zero(t, s.Of(-time.Second))
		require.Zero(t, s.Of(s.First))
		random := rand.New(rand.NewPCG(1, 2))
		for range 10_000 {
			d := s.First + time.Duration(math.Exp(random.Float64()*40))
			i := s.Of(d)
			require.LessOrEqual(t, d, s.End(i)+1, "%v", d) // an end is rounded down
			require.Greater(t, d, s.End(i-1)-1, "%v", d)
		}
	}
}

func TestAQuantileIsOffByHalfABucketAtMost(t *testing.T) {
	for _, c := range []struct {
		of      Scale
		percent float64
	}{{Scale{100 * time.Microsecond, 4}, 9.1}, {Scale{time.Nanosecond, 35}, 1}} {
		var counts [5000]int64
		var all []time.Duration
		random := rand.New(rand.NewPCG(3, 4))
		for range 20_000 {
			d := c.of.First + time.Duration(random.ExpFloat64()*random.ExpFloat64()*float64(time.Second))
			counts[c.of.Of(d)]++
			all = append(all, d)
		}
		slices.Sort(all)
		longest := all[len(all)-1]
		for _, q := range []float64{.001, .25, .5, .9, .95, .99, .9999} {
			exact := all[int(math.Ceil(q*float64(len(all))))-1]
			require.InEpsilon(t, exact, c.of.Quantile(q, counts[:], int64(len(all)), longest), c.percent/100, q)
		}
		require.Equal(t, longest, c.of.Quantile(1, counts[:], int64(len(all)), longest))
	}
}

func TestAQuantileAtTheEdges(t *testing.T) {
	s := Scale{time.Second, 1}
	require.Zero(t, s.Quantile(.5, nil, 0, 0))
	require.Equal(t, 700*time.Millisecond, s.Quantile(.5, []int64{3}, 3, 700*time.Millisecond), "no more than the longest")
	require.Equal(t, time.Hour, s.Quantile(.5, []int64{1, 0, 0}, 4, time.Hour), "what has no bucket counts as the longest")
}
