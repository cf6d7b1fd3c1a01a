package main

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestQuantilesAreRightWithinOnePercent(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var h histogram
	var all []time.Duration
	for range 20_000 {
		d := time.Duration(random.ExpFloat64()*random.ExpFloat64()*float64(time.Second)) + time.Microsecond
		h.add(d)
		all = append(all, d)
	}
	slices.Sort(all)
	for _, q := range []float64{.001, .25, .5, .9, .95, .99, .9999} {
		exact := all[int(q*float64(len(all)))-1]
		require.InEpsilon(t, exact, h.quantile(q), .01, q)
	}
	require.Equal(t, all[len(all)-1], h.quantile(1))
	require.LessOrEqual(t, len(h.buckets), 1800)
}

func TestQuantilesStayWithinMinimumAndMaximum(t *testing.T) {
	var h histogram
	require.Zero(t, h.quantile(.5))
	h.add(-time.Second)
	require.Zero(t, h.quantile(.99))
	h = histogram{}
	h.add(1234567 * time.Nanosecond)
	require.Equal(t, 1234567*time.Nanosecond, h.quantile(.5))
	h.add(30 * 24 * time.Hour)
	require.Equal(t, 30*24*time.Hour, h.quantile(.95))
	require.LessOrEqual(t, len(h.buckets), 1800)
}

func TestAQuantileOfNothingIsNothing(t *testing.T) {
	var h histogram
	h.add(0)
	h.add(0)
	h.add(10 * time.Millisecond)
	require.Zero(t, h.quantile(.5))
}
