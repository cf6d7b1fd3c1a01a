package cloudfetch

import (
	"sync"
	"sync/atomic"
)

// registry finds the trace, session or file that a request belongs to, by the operation identifier,
// session identifier or link in the request. Lock order: a trace's lock before the registry's.
// Nothing is called while the registry's lock is held.
type registry struct {
	// busy and linked count what is registered, so that a transport without traces can let everything
	// pass unobserved. They are written under mu.
	busy, linked atomic.Int64
	roundTrip    roundTripTime
	underWay     atomic.Int64 // calls
	counts       *Counters

	mu         sync.Mutex // guards all below, and the fields of file it names
	statements boundedMap[guid, *Trace]
	sessions   boundedMap[guid, *Session]
	links      map[linkKey]*file
}

// Bounds on what is registered at the same time. Beyond them, the oldest entry is dropped and its counts
// become unknown.
const (
	maxStatements = 4096
	maxSessions   = 4 * maxStatements
)

func newRegistry(counts *Counters) *registry {
	r := &registry{counts: counts, links: make(map[linkKey]*file)}
	r.statements.bound, r.sessions.bound = maxStatements, maxSessions
	return r
}

// addStatement registers a statement. It reports false when the identifier
// belongs to another trace.
func (r *registry) addStatement(id guid, t *Trace) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if other := r.statements.get(id); other != nil {
		return other == t
	}
	if evicted, full := r.statements.add(id, t, &t.node); full {
		r.counts.evicted.Add(1)
		evicted.evicted.Store(true)
		for evicted.newest != nil {
			evicted.newest.markUntracked()
			r.removeLink(evicted.newest)
		}
	}
	r.count()
	return true
}

func (r *registry) statement(id guid) *Trace {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.statements.get(id)
}

// dropStatement removes a statement and its links.
func (r *registry) dropStatement(t *Trace) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.statements.remove(&t.node)
	for t.newest != nil {
		r.removeLink(t.newest)
	}
	r.count()
}

func (r *registry) addSession(id guid, s *Session) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.sessions.get(id) != nil {
		return
	}
	if evicted, full := r.sessions.add(id, s, &s.node); full {
		evicted.evicted.Store(true)
	}
	r.count()
}

func (r *registry) session(id guid) *Session {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.sessions.get(id)
}

func (r *registry) dropSession(s *Session) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sessions.remove(&s.node)
	r.count()
}

// addLinks registers the files of a page. If a link is already registered, for any statement, both
// files become untracked, because a request for the link could be for either.
func (r *registry) addLinks(files []file) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range files {
		f := &files[i]
		if f.untracked.Load() {
			continue
		}
		t := f.trace
		if t.evicted.Load() || t.registered >= maxLinks {
			f.markUntracked()
			continue
		}
		if other := r.links[f.key]; other != nil {
			other.markUntracked()
			f.markUntracked()
			continue
		}
		r.links[f.key] = f
		t.registered++
		if f.next = t.newest; f.next != nil {
			f.next.prev = f
		}
		t.newest = f
	}
	r.count()
}

// link returns the file of a link, or nil if the link is not registered or not tracked.
func (r *registry) link(key linkKey) *file {
	r.mu.Lock()
	defer r.mu.Unlock()
	f := r.links[key]
	if f == nil || f.untracked.Load() {
		return nil
	}
	return f
}

// dropLink removes one file.
func (r *registry) dropLink(f *file) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.removeLink(f)
	r.count()
}

func (r *registry) removeLink(f *file) {
	if r.links[f.key] != f {
		return
	}
	delete(r.links, f.key)
	t := f.trace
	t.registered--
	if f.prev != nil {
		f.prev.next = f.next
	} else {
		t.newest = f.next
	}
	if f.next != nil {
		f.next.prev = f.prev
	}
	f.prev, f.next = nil, nil
}

func (r *registry) count() {
	r.linked.Store(int64(len(r.links)))
	r.busy.Store(int64(len(r.statements.nodes) + len(r.sessions.nodes)))
}
