package debugpage

import (
	"cmp"
	"slices"
	"sync"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// Counts are kept per interval of ten seconds, in a ring that covers an hour: older intervals
// are overwritten, so that memory does not depend on how much happens.
const (
	intervalLength = 10 * time.Second
	intervals      = int(time.Hour / intervalLength)
	maxCategories  = 32 // error categories counted apart
)

// counts adds up the statements that ended and the connections that were opened, by when. Intervals
// are numbered along the monotonic clock: after a step of the wall clock the last hour is still the
// last hour.
type counts struct {
	mu         sync.Mutex
	origin     time.Time            // when interval 0 began, at a whole minute of the wall clock; guarded by mu
	since      time.Time            // when the first record arrived; guarded by mu
	ring       [intervals]interval  // guarded by mu
	categories []telemetry.Category // the categories that interval.errors counts; guarded by mu
}

type interval struct {
	number int64 // tells whether the entry of the ring is of this hour
	tally
	errors [maxCategories]int64
	took   [buckets]int32 // by bucketOf the statement's total
}

// tally is what is counted in a stretch of time.
type tally struct {
	statements, failed, opened, failedOpens int64

	total time.Duration // of the statements
	times telemetry.Split
}

func (t *tally) add(other *tally) {
	t.statements += other.statements
	t.failed += other.failed
	t.opened += other.opened
	t.failedOpens += other.failedOpens
	t.total += other.total
	for i, d := range other.times {
		t.times[i] += d
	}
}

func (c *counts) addStatement(now time.Time, r *telemetry.Statement) {
	t := tally{statements: 1, total: r.Total, times: timesOf(r)}
	if r.Failed() {
		t.failed = 1
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.interval(now)
	s.add(&t)
	s.took[bucketOf(r.Total)]++
	if r.Failed() {
		s.errors[c.categoryIndex(r.Failure.Category)]++
	}
}

func (c *counts) addSession(now time.Time, r *telemetry.SessionOpened) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.interval(now)
	if r.Failed() {
		s.failedOpens++
	} else {
		s.opened++
	}
}

// interval returns the interval of a moment, emptied of what was counted an hour ago.
func (c *counts) interval(now time.Time) *interval {
	if c.since.IsZero() {
		c.since = now
	}
	n := c.intervalNumber(now)
	s := &c.ring[n%int64(intervals)]
	if s.number != n {
		*s = interval{number: n}
	}
	return s
}

// intervalNumber is the number of the interval of a moment. c.mu is held.
func (c *counts) intervalNumber(t time.Time) int64 {
	if c.origin.IsZero() {
		c.origin = t.Add(t.Truncate(time.Minute).Sub(t))
	}
	return int64(max(0, t.Sub(c.origin)) / intervalLength)
}

// categoryIndex is the index of a category in interval.errors. There are few categories; should
// there be too many, the last index counts all further ones.
func (c *counts) categoryIndex(name telemetry.Category) int {
	if i := slices.Index(c.categories, name); i >= 0 {
		return i
	}
	if len(c.categories) == maxCategories-1 {
		name = telemetry.CategoryOther
	}
	if len(c.categories) < maxCategories {
		c.categories = append(c.categories, name)
	}
	return len(c.categories) - 1
}

// window is what was counted in a stretch of time.
type window struct {
	length time.Duration // at most the time since the first record of the process
	tally
	errors []categoryCount // most frequent first
	took   [buckets]int64
}

type categoryCount struct {
	Category telemetry.Category `json:"category"`
	Count    count              `json:"count"`
}

// over adds up the intervals of the stretch of time that ends now.
func (c *counts) over(now time.Time, length time.Duration) window {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := int64(length / intervalLength)
	first := c.intervalNumber(now) - n + 1
	begin := c.origin.Add(time.Duration(first) * intervalLength)
	if begin.Before(c.since) {
		begin = c.since
	}
	w := window{length: max(time.Second, now.Sub(begin))}
	var errors [maxCategories]int64
	for i := range c.ring {
		s := &c.ring[i]
		if s.number < first || s.number > first+n {
			continue
		}
		w.add(&s.tally)
		for i, n := range s.errors {
			errors[i] += n
		}
		for i, n := range s.took {
			w.took[i] += int64(n)
		}
	}
	for i, name := range c.categories {
		if errors[i] > 0 {
			w.errors = append(w.errors, categoryCount{name, count(errors[i])})
		}
	}
	slices.SortFunc(w.errors, func(a, b categoryCount) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Category, b.Category))
	})
	return w
}

// minute is what was counted in one of the last sixty minutes.
type minute struct {
	began time.Time
	tally
}

// minutes returns the last sixty minutes, oldest first. The last one has not ended. They are named
// by the wall clock as it is now, whatever it showed then.
func (c *counts) minutes(now time.Time) []minute {
	c.mu.Lock()
	defer c.mu.Unlock()
	const perMinute = int64(time.Minute / intervalLength)
	current := c.intervalNumber(now) / perMinute
	began := now.Add(-now.Sub(c.origin.Add(time.Duration(current) * time.Minute))).Round(time.Second)
	all := make([]minute, 60)
	for i := range all {
		all[i].began = began.Add(time.Duration(i-59) * time.Minute)
	}
	for i := range c.ring {
		s := &c.ring[i]
		at := s.number/perMinute - current + 59
		if at < 0 || at > 59 {
			continue
		}
		all[at].add(&s.tally)
	}
	return all
}

// perSecond is the average rate of n events in the window.
func (w *window) perSecond(n int64) rate { return rate(float64(n) / w.length.Seconds()) }
