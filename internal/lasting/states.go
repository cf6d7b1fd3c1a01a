// Package lasting keeps what was learned about a host for connectors that come back: an application that
// opens and closes a pool for each of its jobs must not learn anew each time that the host does not answer.
package lasting

import "time"

// State is what was learned.
type State interface {
	// Stale reports whether there is nothing left to remember.
	Stale(now time.Time) bool
}

// States has states by key. A state lasts as long as it has users, and after them until it is stale or there
// are too many. The owner of States holds a lock while it calls them. The zero value is ready.
type States[S State] struct {
	all    map[any]*entry[S]
	unused int
}

type entry[S State] struct {
	state S
	users int
}

const maxUnused = 256

// Acquire returns the state of a comparable key, a new one if it has none, for one more user.
func (s *States[S]) Acquire(key any, create func() S) S {
	if s.all == nil {
		s.all = map[any]*entry[S]{}
	}
	e := s.all[key]
	switch {
	case e == nil:
		e = &entry[S]{state: create()}
		s.all[key] = e
	case e.users == 0:
		s.unused--
	}
	e.users++
	return e.state
}

// Release ends a use.
func (s *States[S]) Release(key any) {
	e := s.all[key]
	if e.users--; e.users > 0 {
		return
	}
	if s.unused++; e.state.Stale(time.Now()) {
		s.forget(key)
	}
	if s.unused > 2*maxUnused {
		s.evict()
	}
}

func (s *States[S]) forget(key any) {
	delete(s.all, key)
	s.unused--
}

// Len is the number of states.
func (s *States[S]) Len() int { return len(s.all) }

// evict removes unused states that are stale, and then others as far as there are more than maxUnused. It looks
// at all states, but so rarely that Release takes little time on average.
func (s *States[S]) evict() {
	now := time.Now()
	for _, fits := range []func(*entry[S]) bool{
		func(e *entry[S]) bool { return e.state.Stale(now) },
		func(*entry[S]) bool { return s.unused > maxUnused },
	} {
		for key, e := range s.all {
			if e.users == 0 && fits(e) {
				s.forget(key)
			}
		}
	}
}
