package debugpage

import (
	"slices"
	"time"
)

// series adds up something by when it happened in the last hour, and in all. The last minutes are kept by
// interval, so that each page has the same last 5 min, and those before them by minute. Stretches in which
// nothing happened take no memory.
type series[T any] struct {
	ever      T
	stretches []stretch[T] // oldest first
}

type stretch[T any] struct {
	from int64 // its first interval
	sum  T
}

// fineIntervals is how many of the latest intervals are kept apart: those of the shortest period.
const fineIntervals = int64(5 * time.Minute / intervalLength)

// count applies something to the sum of an interval and to that of all; merge adds one sum to another.
func (s *series[T]) count(interval int64, apply func(*T), merge func(to, one *T)) {
	apply(&s.ever)
	if n := len(s.stretches); n == 0 || s.stretches[n-1].from != interval {
		s.shorten(interval, merge)
		if n == cap(s.stretches) {
			s.stretches = slices.Grow(s.stretches, 8) // append would double them, and a sum is large
		}
		s.stretches = append(s.stretches, stretch[T]{from: interval})
	}
	apply(&s.stretches[len(s.stretches)-1].sum)
}

// shorten makes minutes of the intervals that are no longer among the latest, and drops what is older than
// an hour.
func (s *series[T]) shorten(latest int64, merge func(to, one *T)) {
	kept := s.stretches[:0]
	for _, x := range s.stretches {
		n := len(kept)
		switch {
		case x.from <= latest-intervals:
		case n > 0 && x.from <= latest-fineIntervals && minuteOf(kept[n-1].from) == minuteOf(x.from):
			merge(&kept[n-1].sum, &x.sum)
		default:
			kept = append(kept, x)
		}
	}
	clear(s.stretches[len(kept):])
	s.stretches = kept
}

// over adds up the stretch of time of a length that ends in an interval, which is one of them; a length of 0
// is all of the time.
func (s *series[T]) over(interval int64, length time.Duration, merge func(to, one *T)) (sum T) {
	if length == 0 {
		return s.ever
	}
	first := firstInterval(interval, length)
	for i := range s.stretches {
		if x := &s.stretches[i]; x.from >= first {
			merge(&sum, &x.sum)
		}
	}
	return sum
}

// groups is a bounded number of series by key. A new group takes the place of the one that was
// counted least recently.
type groups[K comparable, T any] struct {
	most int // groups
	all  map[K]*group[T]
}

type group[T any] struct {
	series[T]
	name    string    // for people
	last    time.Time // when it was last counted
	example string    // key of the latest statement
}

// at returns the group of a key, to be counted now.
func (g *groups[K, T]) at(key K, now time.Time) *group[T] {
	if g.all == nil {
		g.all = map[K]*group[T]{}
	}
	of, ok := g.all[key]
	if !ok {
		if len(g.all) >= g.most {
			var oldest K
			at := now
			for k, other := range g.all {
				if !other.last.After(at) {
					oldest, at = k, other.last
				}
			}
			delete(g.all, oldest)
		}
		of = &group[T]{}
		g.all[key] = of
	}
	of.last = now
	return of
}
