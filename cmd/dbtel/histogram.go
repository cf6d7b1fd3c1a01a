package main

import (
	"math"
	"time"
)

// histogram remembers how often durations occurred, in buckets that grow by 2 %. A quantile
// is therefore right within 1 %, and a microsecond to a month fits into 1,500 buckets, however
// many durations there were. Count, sum, least and most are exact.
type histogram struct {
	n           int64
	sum         time.Duration
	least, most time.Duration
	buckets     []int64 // as many as were needed
}

const growth = 1.02

func (h *histogram) add(d time.Duration) {
	d = max(0, d)
	if h.n == 0 {
		h.least, h.most = d, d
	}
	h.n++
	h.sum += d
	h.least, h.most = min(h.least, d), max(h.most, d)
	i := bucket(d)
	if i >= len(h.buckets) {
		h.buckets = append(h.buckets, make([]int64, i+1-len(h.buckets))...)
	}
	h.buckets[i]++
}

// bucket 0 is for less than a microsecond; bucket i ends at growth^i microseconds.
func bucket(d time.Duration) int {
	if d < time.Microsecond {
		return 0
	}
	return 1 + int(math.Log(float64(d)/float64(time.Microsecond))/math.Log(growth))
}

// quantile returns the duration that a share of q, 0 to 1, do not exceed; 0 when there are
// none.
func (h *histogram) quantile(q float64) time.Duration {
	rank := max(1, int64(math.Ceil(q*float64(h.n))))
	if rank >= h.n {
		return h.most
	}
	for i, n := range h.buckets {
		if rank -= n; rank <= 0 {
			middle := math.Pow(growth, float64(i)) * 2 / (1 + growth) // as far from both ends, relatively
			return min(max(time.Duration(middle*float64(time.Microsecond)), h.least), h.most)
		}
	}
	return h.most
}
