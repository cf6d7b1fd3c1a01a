package main

import (
	"math"
	"time"
)

// histogram counts durations in buckets that grow by 2 %. Quantiles are therefore right within
// 1 %, and a microsecond to a month fits into 1,500 buckets. Count, sum, minimum and maximum are
// exact.
type histogram struct {
	n        int64
	sum      time.Duration
	min, max time.Duration
	buckets  []int64 // up to the last one in use
}

const growth = 1.02

func (h *histogram) add(d time.Duration) {
	d = max(0, d)
	if h.n == 0 {
		h.min, h.max = d, d
	}
	h.n++
	h.sum += d
	h.min, h.max = min(h.min, d), max(h.max, d)
	i := bucket(d)
	if i >= len(h.buckets) {
		h.buckets = append(h.buckets, make([]int64, i+1-len(h.buckets))...)
	}
	h.buckets[i]++
}

// quantile returns the duration that a share q, 0 to 1, of the durations does not exceed; 0
// without durations.
func (h *histogram) quantile(q float64) time.Duration {
	rank := max(1, int64(math.Ceil(q*float64(h.n))))
	if rank >= h.n {
		return h.max
	}
	for i, n := range h.buckets {
		if rank -= n; rank <= 0 {
			middle := math.Pow(growth, float64(i)) * 2 / (1 + growth) // relative to both ends
			return min(max(time.Duration(middle*float64(time.Microsecond)), h.min), h.max)
		}
	}
	return h.max
}

// bucket is the index of the bucket of d. Bucket 0 is for less than a microsecond; bucket i
// ends at growth^i microseconds.
func bucket(d time.Duration) int {
	if d < time.Microsecond {
		return 0
	}
	return 1 + int(math.Log(float64(d)/float64(time.Microsecond))/math.Log(growth))
}
