package main

import (
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/internal/buckets"
)

// histogram counts durations in buckets that grow by 2 %, so quantiles are right within 1 %, and
// 1,800 buckets cover a nanosecond to a month. Count, sum, minimum and maximum are exact.
type histogram struct {
	n        int64
	sum      time.Duration
	min, max time.Duration
	buckets  []int64 // up to the last one in use
}

var scale = buckets.Scale{First: time.Nanosecond, PerDoubling: 35}

// spread is what JSON and tables show of a histogram. Times are in ms.
type spread struct {
	Total millis `json:"total_ms"`
	P50   millis `json:"p50_ms"`
	P90   millis `json:"p90_ms"`
	P95   millis `json:"p95_ms"`
	P99   millis `json:"p99_ms"`
	Max   millis `json:"max_ms"`

	times histogram
}

func (s *spread) finish() {
	h := &s.times
	s.Total, s.Max = millis(h.sum), millis(h.max)
	s.P50, s.P90, s.P95, s.P99 = millis(h.quantile(.5)), millis(h.quantile(.9)), millis(h.quantile(.95)), millis(h.quantile(.99))
}

// spreadColumns are the columns of the cells of a spread.
var spreadColumns = []column{
	{title: "P50", right: true}, {title: "P90", right: true, rank: 5}, {title: "P95", right: true}, {title: "P99", right: true, rank: 4},
	{title: "MAX", right: true, rank: 2}, {title: "TOTAL", right: true},
}

func (s *spread) cells() []cell {
	return []cell{duration(s.P50), duration(s.P90), duration(s.P95), duration(s.P99), duration(s.Max), duration(s.Total)}
}

func (h *histogram) add(d time.Duration) {
	d = max(0, d)
	if h.n == 0 {
		h.min, h.max = d, d
	}
	h.n++
	h.sum += d
	h.min, h.max = min(h.min, d), max(h.max, d)
	i := scale.Of(d)
	if i >= len(h.buckets) {
		h.buckets = append(h.buckets, make([]int64, i+1-len(h.buckets))...)
	}
	h.buckets[i]++
}

// quantile returns the duration that a share q, 0 to 1, of the durations does not exceed, or 0
// without durations.
func (h *histogram) quantile(q float64) time.Duration {
	return max(h.min, scale.Quantile(q, h.buckets, h.n, h.max))
}
