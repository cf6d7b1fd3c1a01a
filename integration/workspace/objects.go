package workspace

import (
	"slices"
	"sync"
	"time"
)

// objectStore holds the links that were issued, and through them the result files that
// outlive their operation.
type objectStore struct {
	key      []byte
	lifetime time.Duration // see Options.ClosedFileLifetime

	mu    sync.Mutex
	links map[string]*link    // by path; guarded by mu
	sets  map[string]*linkSet // by statement id; guarded by mu
}

// linkSet is the links of one statement.
type linkSet struct {
	session string
	links   map[string]*link // by path
	done    map[string]bool  // paths whose object has been transferred whole
	used    time.Time        // the last request for one of them, or when the operation was closed
	closed  bool             // the operation is closed
}

func newObjectStore(o Options) *objectStore {
	return &objectStore{
		key: randomBytes(32), lifetime: o.ClosedFileLifetime,
		links: map[string]*link{}, sets: map[string]*linkSet{},
	}
}

func (s *objectStore) add(k *link) {
	s.mu.Lock()
	defer s.mu.Unlock()
	set := s.sets[k.operation]
	if set == nil {
		set = &linkSet{session: k.session, links: map[string]*link{}, done: map[string]bool{}}
		s.sets[k.operation] = set
	}
	set.used = time.Now()
	set.links[k.path] = k
	s.links[k.path] = k
}

// use returns the link of a request, or nil if there is none, and notes that it was used.
func (s *objectStore) use(path string) *link {
	s.mu.Lock()
	defer s.mu.Unlock()
	k := s.links[path]
	if k != nil {
		s.sets[k.operation].used = time.Now()
	}
	return k
}

// transferred notes that an object has been read or written completely.
func (s *objectStore) transferred(k *link) {
	s.mu.Lock()
	defer s.mu.Unlock()
	set := s.sets[k.operation]
	if set == nil || set.links[k.path] == nil {
		return
	}
	set.done[k.path] = true
	if set.closed {
		s.drop(k)
	}
}

// close marks the links of a statement as closed. With linger, those that the client has not
// followed yet stay.
func (s *objectStore) close(operation string, linger bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	set := s.sets[operation]
	if set == nil {
		return
	}
	set.closed, set.used = true, time.Now()
	for path, k := range set.links {
		if !linger || set.done[path] {
			s.drop(k)
		}
	}
}

// dropSession forgets the links of a session.
func (s *objectStore) dropSession(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, set := range s.sets {
		if set.session != id {
			continue
		}
		for _, k := range set.links {
			s.drop(k)
		}
	}
}

// sweep removes links that expired some time ago, and links of closed operations that clients no
// longer follow.
func (s *objectStore) sweep(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, set := range s.sets {
		left := set.closed && now.Sub(set.used) > s.lifetime
		for _, k := range set.links {
			if left || now.Sub(k.expires) > s.lifetime {
				s.drop(k)
			}
		}
	}
}

// trim removes links of closed operations, the least recently followed first, until the files of
// the others occupy at most limit bytes.
func (s *objectStore) trim(limit int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var closed []*linkSet
	var total int64
	for _, set := range s.sets {
		if set.closed {
			closed = append(closed, set)
			total += set.bytes()
		}
	}
	slices.SortFunc(closed, func(a, b *linkSet) int { return a.used.Compare(b.used) })
	for _, set := range closed {
		if total <= limit {
			return
		}
		total -= set.bytes()
		for _, k := range set.links {
			s.drop(k)
		}
	}
}

func (set *linkSet) bytes() (n int64) {
	for _, k := range set.links {
		if k.file != nil {
			n += int64(len(k.file.body))
		}
	}
	return n
}

// drop forgets one link. s.mu is held.
func (s *objectStore) drop(k *link) {
	delete(s.links, k.path)
	set := s.sets[k.operation]
	delete(set.links, k.path)
	delete(set.done, k.path)
	if len(set.links) == 0 {
		delete(s.sets, k.operation)
	}
}
