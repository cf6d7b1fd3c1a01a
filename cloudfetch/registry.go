package cloudfetch

import (
	"sync"
	"sync/atomic"
)

// roster is a bounded map in order of arrival: adding to a full one drops the
// oldest. Whoever is in it brings the memory for it. It is not safe for concurrent use.
type roster[K comparable, V any] struct {
	m           map[K]*place[K, V]
	first, last *place[K, V]
	bound       int
}

type place[K comparable, V any] struct {
	key        K
	val        V
	prev, next *place[K, V]
}

func (r *roster[K, V]) get(key K) (v V, ok bool) {
	if p := r.m[key]; p != nil {
		return p.val, true
	}
	return v, false
}

// add puts a key that is not present into a place that is not taken, and returns what had to
// go for it.
func (r *roster[K, V]) add(key K, v V, p *place[K, V]) (old V, dropped bool) {
	if r.m == nil {
		r.m = make(map[K]*place[K, V])
	}
	if len(r.m) >= r.bound && r.first != nil {
		old, dropped = r.first.val, true
		r.remove(r.first.key)
	}
	*p = place[K, V]{key: key, val: v, prev: r.last}
	if r.last != nil {
		r.last.next = p
	} else {
		r.first = p
	}
	r.last = p
	r.m[key] = p
	return old, dropped
}

func (r *roster[K, V]) remove(key K) {
	p := r.m[key]
	if p == nil {
		return
	}
	delete(r.m, key)
	if p.prev != nil {
		p.prev.next = p.next
	} else {
		r.first = p.next
	}
	if p.next != nil {
		p.next.prev = p.prev
	} else {
		r.last = p.prev
	}
	*p = place[K, V]{} // it keeps nobody alive
}

// registry ties what passes the transport to the traces: operation and session
// identifiers, and links. Lock order: a trace's lock before the registry's;
// nothing is called while the registry's lock is held.
type registry struct {
	// busy counts what is registered, so that a transport without traces can
	// let everything pass without looking. Written under mu.
	busy, linked atomic.Int64
	counts       *Counters

	mu         sync.Mutex // guards all below, and the fields of file it names
	statements roster[ID, *Trace]
	sessions   roster[ID, *Session]
	links      map[linkKey]*file
}

func newRegistry(statements int, counts *Counters) *registry {
	r := &registry{counts: counts, links: make(map[linkKey]*file)}
	r.statements.bound = statements
	r.sessions.bound = 4 * statements
	return r
}

// addStatement registers a statement. It reports false when the identifier
// belongs to another trace.
func (r *registry) addStatement(id ID, t *Trace) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if other, taken := r.statements.get(id); taken {
		return other == t
	}
	if evicted, full := r.statements.add(id, t, &t.place); full {
		r.counts.evicted.Add(1)
		evicted.evicted.Store(true)
		for evicted.newest != nil {
			evicted.newest.lose()
			r.forget(evicted.newest)
		}
	}
	r.count()
	return true
}

func (r *registry) statement(id ID) *Trace {
	r.mu.Lock()
	defer r.mu.Unlock()
	t, _ := r.statements.get(id)
	return t
}

// dropStatement forgets a statement and its links.
func (r *registry) dropStatement(id ID, t *Trace) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if owner, ok := r.statements.get(id); ok && owner == t {
		r.statements.remove(id)
	}
	for t.newest != nil {
		r.forget(t.newest)
	}
	r.count()
}

func (r *registry) addSession(id ID, s *Session) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, taken := r.sessions.get(id); taken {
		return
	}
	r.sessions.add(id, s, &s.place)
	r.count()
}

func (r *registry) session(id ID) *Session {
	r.mu.Lock()
	defer r.mu.Unlock()
	s, _ := r.sessions.get(id)
	return s
}

func (r *registry) dropSession(id ID, s *Session) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if owner, ok := r.sessions.get(id); ok && owner == s {
		r.sessions.remove(id)
	}
	r.count()
}

// addLinks registers the files of a page. A link that is already registered,
// whoever's it is, is marked on both sides: a request for it could be for
// either.
func (r *registry) addLinks(files []file) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range files {
		f := &files[i]
		if f.lost.Load() {
			continue
		}
		t := f.trace
		if t.evicted.Load() || t.registered >= maxLinks {
			f.lose()
			continue
		}
		if other := r.links[f.key]; other != nil {
			other.lose()
			f.lose()
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

// link finds the file of a link; nil when it is not registered or not certain.
func (r *registry) link(key linkKey) *file {
	r.mu.Lock()
	defer r.mu.Unlock()
	f := r.links[key]
	if f == nil || f.lost.Load() {
		return nil
	}
	return f
}

// dropLink forgets one file.
func (r *registry) dropLink(f *file) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.forget(f)
	r.count()
}

func (r *registry) forget(f *file) {
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
	r.busy.Store(int64(len(r.statements.m) + len(r.sessions.m)))
}
