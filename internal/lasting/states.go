// Package lasting keeps what was learned about a host for later connectors: an application that opens and
// closes a pool for each of its jobs should not have to find out each time that the host does not answer.
package lasting

import "time"

// State is what was learned about one host.
type State interface {
	// Stale reports whether there is nothing left to remember.
	Stale(now time.Time) bool
}

// States has states by key. A state is kept while it has users, and after that until it is stale or there
// are too many states. The owner of a States holds a lock while it calls its methods. The zero value is
// ready to use.
type States[S State] struct {
	all    map[any]*entry[S]
	unused int
}

type entry[S State] struct {
	state S
	users int
}

const maxUnused = 256

// Acquire adds a user to the state of a comparable key and returns that state. If the key has no
// state, create makes one.
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

// Release removes a user.
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

// evict removes unused states that are stale, and then other unused states while there are more than maxUnused.
// It looks at all states, but so seldom that Release takes little time on average.
func (s *States[S]) evict() {
	now := time.Now()
	for key, e := range s.all {
		if e.users == 0 && e.state.Stale(now) {
			s.forget(key)
		}
	}
	for key, e := range s.all {
		if e.users == 0 && s.unused > maxUnused {
			s.forget(key)
		}
	}
}
