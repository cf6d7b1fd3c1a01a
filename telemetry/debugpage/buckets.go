package debugpage

import (
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/internal/buckets"
)

// latencies is the scale in which latencies are counted. Bucket 0 counts those up to 100 µs, the last one
// all above two days.
var latencies = buckets.Scale{First: 100 * time.Microsecond, PerDoubling: 4}

// latencyBuckets is the number of buckets.
const latencyBuckets = 125

// bucketOf returns the bucket that counts a latency.
func bucketOf(d time.Duration) int { return min(latencyBuckets-1, latencies.Of(d)) }

// quantile returns the latency that a share q of the statements did not exceed. It returns 0 without
// statements.
func (w *window) quantile(q float64) time.Duration {
	return latencies.Quantile(q, w.took[:latencyBuckets-1], w.statements, w.slowest) // the last bucket has no end
}
