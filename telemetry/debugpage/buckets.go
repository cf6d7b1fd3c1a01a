package debugpage

import (
	"math"
	"time"
)

// Latencies are counted in buckets. Each bucket ends at 2^(1/4) times the end of the previous one, so a
// percentile is off by at most 9 %. The first bucket has all latencies up to 100 µs, the last all above
// two days.
const (
	buckets     = 125
	perDoubling = 4
	firstBucket = 100 * time.Microsecond
)

// bucketOf returns the bucket that counts a latency.
func bucketOf(d time.Duration) int {
	if d <= firstBucket {
		return 0
	}
	return min(buckets-1, int(math.Ceil(perDoubling*math.Log2(float64(d)/float64(firstBucket)))))
}

// bucketEnd returns the longest latency counted in a bucket.
func bucketEnd(i int) time.Duration {
	return time.Duration(float64(firstBucket) * math.Exp2(float64(i)/perDoubling))
}

// quantile returns the latency that a share q of the statements did not exceed, with the precision of
// the buckets, but never more than the slowest latency, which is known exactly. It returns 0 without
// statements.
func (w *window) quantile(q float64) time.Duration {
	rank := int64(math.Ceil(q * float64(w.statements)))
	if rank == w.statements {
		return w.slowest
	}
	for i, n := range w.took {
		if rank -= n; rank <= 0 && n > 0 {
			if i == buckets-1 {
				return w.slowest // the last bucket has no end
			}
			// The middle of the bucket, on the logarithmic scale of the buckets.
			return min(w.slowest, time.Duration(float64(bucketEnd(i))*math.Exp2(-0.5/perDoubling)))
		}
	}
	return 0
}
