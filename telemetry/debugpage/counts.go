package debugpage

import (
	"sync"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/internal/breakdown"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// Counts are kept for intervals of ten seconds, in a ring that covers an hour. Older intervals are
// overwritten, so memory does not depend on the load.
const (
	intervalLength = 10 * time.Second
	intervals      = int64(time.Hour / intervalLength)
)

// timeline numbers intervals by the monotonic clock, so that the last hour is still the last hour after
// a step of the wall clock.
type timeline struct {
	origin time.Time // when interval 0 began: at a whole minute of the wall clock, an hour before counting
}

func newTimeline(now time.Time) timeline {
	return timeline{now.Add(now.Truncate(time.Minute).Sub(now) - time.Hour)}
}

// interval returns the number of the interval that a time is in.
func (l timeline) interval(t time.Time) int64 {
	return int64(max(0, t.Sub(l.origin)) / intervalLength)
}

const perMinute = int64(time.Minute / intervalLength)

// firstInterval returns the first interval of a period of the given length that ends in the interval
// last. A period longer than the shortest one begins at a whole minute, because older counts are kept by
// the minute.
func firstInterval(last int64, length time.Duration) int64 {
	first := last - int64(length/intervalLength) + 1
	if length > time.Duration(fineIntervals)*intervalLength {
		first = (first + perMinute - 1) / perMinute * perMinute
	}
	return first
}

// counts sums up the statements and connections of the process by when they ended, and the time of
// statements by when it passed.
type counts struct {
	timeline
	since time.Time // when counting began

	mu   sync.Mutex                  // guards all below
	ring [intervals]stretch[counted] // by number modulo intervals; an entry with an older number is outdated
	ever window
}

func (c *counts) addStatement(now time.Time, r *telemetry.Statement) {
	t, bucket := tallyOf(r), bucketOf(r.Total)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ever.tally.add(&t)
	c.ever.took[bucket]++
	if !r.Internal {
		c.ever.finished = now
	}
	c.spread(now, r.Started, r.Total, &t.times)
	t.times = telemetry.Split{} // spread has already added them
	i := c.at(c.interval(now))
	i.tally.add(&t)
	i.took[bucket]++
}

// spread adds the time of a statement to the intervals in which it passed. A record does not say
// when each part passed, so every interval gets its share of all parts. c.mu is held.
func (c *counts) spread(now, started time.Time, total time.Duration, times *telemetry.Split) {
	end := min(now.Sub(c.origin), started.Sub(c.origin)+total)
	begin := end - total
	current := c.interval(now)
	for n := max(current-intervals+1, int64(max(0, begin)/intervalLength)); n <= current; n++ {
		from := time.Duration(n) * intervalLength
		if from >= end {
			return
		}
		i := c.at(n)
		addShare(&i.times, times, overlap(begin, end, from, from+intervalLength), total)
	}
}

// overlap returns the length of the time that two periods have in common.
func overlap(begin, end, from, to time.Duration) time.Duration {
	return max(0, min(end, to)-max(begin, from))
}

// addShare adds a share of times: that of stretch in whole.
func addShare(to, times *telemetry.Split, stretch, whole time.Duration) {
	if stretch <= 0 { // also where whole is 0
		return
	}
	for p, d := range times {
		if stretch < whole {
			d = time.Duration(float64(d) * float64(stretch) / float64(whole))
		}
		to[p] += d
	}
}

func (c *counts) addSession(now time.Time, r *telemetry.SessionOpened) {
	t := tally{opened: 1}
	switch {
	case r.Failed():
		t = tally{failedOpens: 1}
	case r.Latency >= slowPart:
		t.slowOpens, t.openTime, t.slowestOpen = 1, r.Latency, r.Latency
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at(c.interval(now)).tally.add(&t)
	c.ever.tally.add(&t)
}

// at returns the counts of an interval of the last hour, empty if the entry was from an earlier hour. c.mu
// is held.
func (c *counts) at(n int64) *counted {
	i := &c.ring[n%intervals]
	if i.from != n {
		*i = stretch[counted]{from: n}
	}
	return &i.sum
}

// allTime is longer than any process runs.
const allTime = time.Duration(1 << 62)

// over sums up the intervals of the period that ends now; a length of 0 means all time. It includes
// the time of running statements.
func (c *counts) over(now time.Time, length time.Duration, running ...*telemetry.Statement) window {
	c.mu.Lock()
	defer c.mu.Unlock()
	if length == 0 {
		w := c.ever
		w.length = max(time.Second, now.Sub(c.since))
		addRunning(&w.times, allTime, 0, running...)
		return w
	}
	last := c.interval(now)
	first := firstInterval(last, length)
	ago := now.Sub(c.origin) - time.Duration(first)*intervalLength // how long ago the first interval began
	w := window{length: max(time.Second, min(ago, now.Sub(c.since))), finished: c.ever.finished}
	for i := range c.ring {
		if s := &c.ring[i]; s.from >= first && s.from <= last+1 {
			w.add(&s.sum)
		}
	}
	addRunning(&w.times, ago, 0, running...)
	return w
}

// addRunning adds the time of running statements between two times, given as how long ago they were.
func addRunning(to *telemetry.Split, from, until time.Duration, running ...*telemetry.Statement) {
	for _, s := range running {
		times := breakdown.SplitOf(s)
		addShare(to, &times, overlap(-s.Total, 0, -from, -until), s.Total)
	}
}

// columnCounts are the counts of one column of the chart.
type columnCounts struct {
	began  time.Time
	late   time.Duration // how long after the column's beginning counting began
	length time.Duration // shorter for the last column, which has not ended, and for the column in which counting began
	tally
}

const columnsShown = 60

// columns divides the time since counting began, at most the last hour, into minutes, or into ten
// seconds each in the first ten minutes. The oldest column comes first. Times of columns are computed
// from the present wall clock, even if it was stepped meanwhile.
func (c *counts) columns(now time.Time, running ...*telemetry.Statement) []columnCounts {
	c.mu.Lock()
	defer c.mu.Unlock()
	width := intervalLength
	if now.Sub(c.since) > (columnsShown-1)*intervalLength {
		width = time.Minute
	}
	per := int64(width / intervalLength)
	current := c.interval(now) / per
	n := min(columnsShown, current-c.interval(c.since)/per+1)
	ago := now.Sub(c.origin.Add(time.Duration(current) * width)) // how long ago the last column began
	began := now.Add(-ago).Round(time.Second)
	all := make([]columnCounts, n)
	for i := range all {
		back := time.Duration(n-1-int64(i)) * width
		all[i].began, all[i].length = began.Add(-back), width
		addRunning(&all[i].times, ago+back, ago+back-width, running...)
	}
	all[n-1].length = ago
	if before := c.since.Sub(c.origin.Add(time.Duration(current-n+1) * width)); before > 0 { // counting began in the first one
		all[0].late, all[0].length = before, all[0].length-before
	}
	all[n-1].length = max(time.Millisecond, all[n-1].length)
	for i := range c.ring {
		if at := c.ring[i].from/per - current + n - 1; at >= 0 && at < n {
			all[at].add(&c.ring[i].sum.tally)
		}
	}
	return all
}
