package debugpage

import (
	"slices"
	"sync"
	"time"
)

// groups adds up something by key, by when it happened in the last hour, and in all. The latest 5 min are kept
// by interval, as counts has them, so that all that a page says of them is about the same stretch of time.
// What is older is kept by minute. Stretches in which nothing happened take no memory. The number of groups is
// bounded: a new one takes the place of the one that was counted least recently.
type groups[K comparable, T any] struct {
	timeline
	most  int              // groups
	merge func(to, one *T) // adds one sum to another

	mu  sync.Mutex
	all map[K]*group[T] // guarded by mu
}

type group[T any] struct {
	name      string    // for people
	last      time.Time // when it was last counted
	example   string    // key of the latest statement
	ever      T
	stretches []stretch[T] // oldest first
}

type stretch[T any] struct {
	from int64 // its first interval
	sum  T
}

// fineIntervals is how many of the latest intervals are kept apart: those of the shortest period.
const fineIntervals = int64(5 * time.Minute / intervalLength)

// count applies something to the sum of the current interval, and to that of all, of a group. g.mu is held.
func (g *groups[K, T]) count(now time.Time, key K, apply func(*T)) *group[T] {
	of, interval := g.at(key), g.interval(now)
	of.last = now
	apply(&of.ever)
	if n := len(of.stretches); n == 0 || of.stretches[n-1].from != interval {
		of.shorten(interval, g.merge)
		if n == cap(of.stretches) {
			of.stretches = slices.Grow(of.stretches, 8) // append would double them, and a sum is large
		}
		of.stretches = append(of.stretches, stretch[T]{from: interval})
	}
	apply(&of.stretches[len(of.stretches)-1].sum)
	return of
}

// at returns the group of a key. g.mu is held.
func (g *groups[K, T]) at(key K) *group[T] {
	of := g.all[key]
	if of != nil {
		return of
	}
	if g.all == nil {
		g.all = map[K]*group[T]{}
	}
	if len(g.all) >= g.most {
		var oldest K
		for k, other := range g.all {
			if first := g.all[oldest]; first == nil || other.last.Before(first.last) {
				oldest = k
			}
		}
		delete(g.all, oldest)
	}
	of = &group[T]{}
	g.all[key] = of
	return of
}

// shorten makes minutes of the intervals that are no longer among the latest, and drops what is older than
// an hour.
func (g *group[T]) shorten(latest int64, merge func(to, one *T)) {
	kept := g.stretches[:0]
	for _, x := range g.stretches {
		n := len(kept)
		switch {
		case x.from <= latest-intervals:
		case n > 0 && x.from <= latest-fineIntervals && minuteOf(kept[n-1].from) == minuteOf(x.from):
			merge(&kept[n-1].sum, &x.sum)
		default:
			kept = append(kept, x)
		}
	}
	clear(g.stretches[len(kept):])
	g.stretches = kept
}

// over adds up the stretch of time of a length that ends now; a length of 0 is all of the time. g.mu is held.
func (g *groups[K, T]) over(now time.Time, length time.Duration, of *group[T]) (sum T) {
	if length == 0 {
		return of.ever
	}
	first := firstInterval(g.interval(now), length)
	for i := range of.stretches {
		if x := &of.stretches[i]; x.from >= first {
			g.merge(&sum, &x.sum)
		}
	}
	return sum
}
