package debugpage

import (
	"slices"
	"sync"
	"time"
)

// groups keeps sums for each key: of the last hour by time, and of all time. The latest 5 min are kept by
// interval, like in counts, so that everything a page says about them is about the same period. Older sums are
// kept by the minute. Times in which nothing happened take no memory. The number of groups is bounded: a new
// group replaces the one that was counted least recently.
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

// fineIntervals is how many of the latest intervals are kept separately: those of the shortest
// period.
const fineIntervals = int64(5 * time.Minute / intervalLength)

// count applies a function to two sums of a group: of the current interval, and of all time. g.mu is held.
func (g *groups[K, T]) count(now time.Time, key K, apply func(*T)) *group[T] {
	of, interval := g.at(key), g.interval(now)
	of.last = now
	apply(&of.ever)
	if n := len(of.stretches); n == 0 || of.stretches[n-1].from != interval {
		of.shorten(interval, g.merge)
		if n == cap(of.stretches) {
			of.stretches = slices.Grow(of.stretches, 8) // append would double the capacity, and a sum is large
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

// shorten merges intervals that are no longer among the latest into minutes, and drops those older than an
// hour.
func (g *group[T]) shorten(latest int64, merge func(to, one *T)) {
	kept := g.stretches[:0]
	for _, x := range g.stretches {
		n := len(kept)
		switch {
		case x.from <= latest-intervals:
		case n > 0 && x.from <= latest-fineIntervals && kept[n-1].from/perMinute == x.from/perMinute:
			merge(&kept[n-1].sum, &x.sum)
		default:
			kept = append(kept, x)
		}
	}
	clear(g.stretches[len(kept):])
	g.stretches = kept
}

// over returns the sum of the period of the given length that ends now; a length of 0 means all time. g.mu is
// held.
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
