package debugpage

import (
	"cmp"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// Counts live in slots of ten seconds, of which there are as many as an hour has: what is
// older is overwritten, and memory does not depend on how much happens.
const (
	slotLength = 10 * time.Second
	slots      = int(time.Hour / slotLength)

	// Latencies are counted in buckets of a quarter of a doubling each, so that a percentile
	// is off by 9 % at most. The first ends at 100 µs, the last holds all above an hour.
	buckets       = 101
	perDoubling   = 4
	firstBucket   = 100 * time.Microsecond
	categoryLimit = 32 // names of errors told apart
)

// counts adds up what finished, by when it finished.
type counts struct {
	mu         sync.Mutex
	since      time.Time            // of the first record; guarded by mu
	ring       [slots]slot          // guarded by mu
	categories []telemetry.Category // places in slot.errors; guarded by mu
}

type slot struct {
	number int64 // of slotLengths since 1970; a slot of another number is empty

	statements, failed, opened, refused int64

	total  time.Duration
	times  times
	errors [categoryLimit]int64
	took   [buckets]int32
}

// at returns the slot of a moment, emptied of what was in it an hour ago.
func (c *counts) at(now time.Time) *slot {
	if c.since.IsZero() {
		c.since = now
	}
	n := slotNumber(now)
	s := &c.ring[n%int64(slots)]
	if s.number != n {
		*s = slot{number: n}
	}
	return s
}

func slotNumber(t time.Time) int64 { return t.Unix() / int64(slotLength/time.Second) }

func (c *counts) statement(now time.Time, r *telemetry.Statement) {
	times := timesOf(r)
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.at(now)
	s.statements++
	s.total += r.Total
	s.took[bucketOf(r.Total)]++
	for i, d := range times {
		s.times[i] += d
	}
	if r.Failed() {
		s.failed++
		s.errors[c.category(r.Failure.Category)]++
	}
}

func (c *counts) session(now time.Time, r *telemetry.SessionOpened) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.at(now)
	if r.Failed() {
		s.refused++
		return
	}
	s.opened++
}

// category is the place of a name in slot.errors. Names are few; the last place takes
// whatever comes when they are not.
func (c *counts) category(name telemetry.Category) int {
	if i := slices.Index(c.categories, name); i >= 0 {
		return i
	}
	if len(c.categories) == categoryLimit-1 {
		name = telemetry.CategoryOther
	}
	if len(c.categories) < categoryLimit {
		c.categories = append(c.categories, name)
	}
	return len(c.categories) - 1
}

// bucketOf is where a latency is counted.
func bucketOf(d time.Duration) int {
	if d <= firstBucket {
		return 0
	}
	return min(buckets-1, int(math.Ceil(perDoubling*math.Log2(float64(d)/float64(firstBucket)))))
}

// bucketEnd is the longest latency counted in a bucket.
func bucketEnd(i int) time.Duration {
	return time.Duration(float64(firstBucket) * math.Exp2(float64(i)/perDoubling))
}

// window is what was counted in a stretch of time.
type window struct {
	length time.Duration // since the process's first record, where that is less

	statements, failed, opened, refused int64

	total  time.Duration
	times  times
	errors []categoryCount // most frequent first
	took   [buckets]int64
}

type categoryCount struct {
	Category telemetry.Category `json:"category"`
	Count    count              `json:"count"`
}

// over adds up the slots that began in the stretch of time before now.
func (c *counts) over(now time.Time, length time.Duration) window {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := int64(length / slotLength)
	first := slotNumber(now) - n + 1
	begin := time.Unix(first*int64(slotLength/time.Second), 0)
	if begin.Before(c.since) {
		begin = c.since
	}
	w := window{length: max(time.Second, now.Sub(begin))}
	var errors [categoryLimit]int64
	for i := range c.ring {
		s := &c.ring[i]
		if s.number < first || s.number > first+n {
			continue
		}
		w.statements += s.statements
		w.failed += s.failed
		w.opened += s.opened
		w.refused += s.refused
		w.total += s.total
		for i, d := range s.times {
			w.times[i] += d
		}
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

// minute is one of the last sixty.
type minute struct {
	Began      time.Time
	Statements int64
	Failed     int64
	Total      time.Duration
	Times      times
}

// minutes returns the last sixty, the one under way last.
func (c *counts) minutes(now time.Time) []minute {
	c.mu.Lock()
	defer c.mu.Unlock()
	const perMinute = int64(time.Minute / slotLength)
	current := slotNumber(now) / perMinute
	all := make([]minute, 60)
	for i := range all {
		all[i].Began = time.Unix((current-59+int64(i))*60, 0)
	}
	for i := range c.ring {
		s := &c.ring[i]
		at := s.number/perMinute - current + 59
		if at < 0 || at > 59 {
			continue
		}
		m := &all[at]
		m.Statements += s.statements
		m.Failed += s.failed
		m.Total += s.total
		for i, d := range s.times {
			m.Times[i] += d
		}
	}
	return all
}

// perSecond is how many of n there were.
func (w *window) perSecond(n int64) rate { return rate(float64(n) / w.length.Seconds()) }

// quantile is the latency that a share q of the statements did not exceed, as far as
// buckets tell; 0 without statements.
func (w *window) quantile(q float64) time.Duration {
	rank := int64(math.Ceil(q * float64(w.statements)))
	for i, n := range w.took {
		if rank -= n; rank <= 0 && n > 0 {
			// The middle of the bucket, on the scale the buckets have.
			return time.Duration(float64(bucketEnd(i)) * math.Exp2(-0.5/perDoubling))
		}
	}
	return 0
}
