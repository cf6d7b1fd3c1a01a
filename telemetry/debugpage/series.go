package debugpage

import (
	"slices"
	"time"
)

const seriesMinutes = 60

// series adds up something by the minute of the last hour, and in all. Minutes in which nothing
// happened take no memory.
type series[T any] struct {
	ever    T
	minutes []minuteOf[T] // oldest first
}

type minuteOf[T any] struct {
	number int64
	sum    T
}

// count applies add to the sum of a minute and to that of all.
func (s *series[T]) count(minute int64, add func(*T)) {
	add(&s.ever)
	if n := len(s.minutes); n == 0 || s.minutes[n-1].number != minute {
		if old := slices.IndexFunc(s.minutes, func(m minuteOf[T]) bool { return m.number > minute-seriesMinutes }); old != 0 {
			if old < 0 {
				old = n
			}
			s.minutes = slices.Delete(s.minutes, 0, old)
		}
		s.minutes = append(s.minutes, minuteOf[T]{number: minute})
	}
	add(&s.minutes[len(s.minutes)-1].sum)
}

// over adds up the minutes of the stretch that ends in a minute, which is one of them; a length of 0 is
// all of the time.
func (s *series[T]) over(minute int64, length time.Duration, add func(to, one *T)) (sum T) {
	if length == 0 {
		return s.ever
	}
	for i := range s.minutes {
		if m := &s.minutes[i]; m.number > minute-int64(length/time.Minute) {
			add(&sum, &m.sum)
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
	name         string        // for people
	last         time.Time     // when it was last counted
	example      string        // key of a statement
	exampleTotal time.Duration // of that statement
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
