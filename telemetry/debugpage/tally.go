package debugpage

import (
	"cmp"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/internal/breakdown"
	"github.com/seed-01322ee7/databricks-telemetry/internal/buckets"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// tally has the counts of a period.
type tally struct {
	statements, failed, canceled, retries, rows, opened, failedOpens int64

	slowOpens   int64         // of opened: those that took slowPart or longer
	openTime    time.Duration // of slowOpens
	slowestOpen time.Duration // of slowOpens

	slowest time.Duration   // of the statements that ended
	example string          // key of the slowest statement, or of the latest of several; kept only by shape
	times   telemetry.Split // of all statements, in this period
}

func (t *tally) add(other *tally) {
	t.statements += other.statements
	t.failed += other.failed
	t.canceled += other.canceled
	t.retries += other.retries
	t.rows += other.rows
	t.opened += other.opened
	t.failedOpens += other.failedOpens
	t.slowOpens += other.slowOpens
	t.openTime += other.openTime
	t.slowestOpen = max(t.slowestOpen, other.slowestOpen)
	if other.slowest >= t.slowest {
		t.slowest, t.example = other.slowest, cmp.Or(other.example, t.example)
	}
	for p, d := range other.times {
		t.times[p] += d
	}
}

// tallyOf returns what is counted for a statement when it has ended.
func tallyOf(s *telemetry.Statement) tally {
	t := tally{statements: 1, retries: retriesOf(s), rows: rowsOf(s).Or(0), slowest: s.Total, times: breakdown.SplitOf(s)}
	if s.Failed() {
		t.failed = 1
	}
	if s.Outcome == telemetry.OutcomeCanceled {
		t.canceled = 1
	}
	return t
}

// latencies is the scale in which latencies are counted. Bucket 0 counts those up to 100 µs, the last one
// all above two days.
var latencies = buckets.Scale{First: 100 * time.Microsecond, PerDoubling: 4}

const latencyBuckets = 125

// bucketOf returns the bucket that counts a latency.
func bucketOf(d time.Duration) int { return min(latencyBuckets-1, latencies.Of(d)) }

// counted is a tally with a distribution of statement latencies.
type counted struct {
	tally
	took [latencyBuckets]uint32 // by bucketOf the statement's total
}

func (c *counted) add(other *counted) {
	c.tally.add(&other.tally)
	for i, n := range other.took {
		c.took[i] += n
	}
}

// retriesOf returns the number of repeated requests of a statement.
func retriesOf(r *telemetry.Statement) (n int64) {
	for i := range r.RPCs {
		n += r.RPCs[i].Retries
	}
	if c := r.CloudFetch; c != nil {
		n += c.Retries
	}
	return n
}

// window sums up a period.
type window struct {
	length   time.Duration // at most the time since counting began
	finished time.Time     // when the latest statement of the application ended, ever; not the driver's own pings
	tally
	took [latencyBuckets]int64 // as in counted, but wide enough for any number of statements
}

func (w *window) add(c *counted) {
	w.tally.add(&c.tally)
	for i, n := range c.took {
		w.took[i] += int64(n)
	}
}

// perSecond returns the average rate of n events in the window.
func (w *window) perSecond(n int64) rate { return rate(float64(n) / w.length.Seconds()) }

// quantile returns the latency that a share q of the statements did not exceed. It returns 0 without
// statements.
func (w *window) quantile(q float64) time.Duration {
	return latencies.Quantile(q, w.took[:latencyBuckets-1], w.statements, w.slowest) // the last bucket has no end
}
