package logsink

import (
	"sync"
	"time"
)

// storms limits lines that say the same: the first is written, and then one per interval that says
// how many there were. The zero value is ready.
type storms struct {
	mu     sync.Mutex
	active map[kind]*storm // guarded by mu
}

// kind is what lines have in common that say the same.
type kind struct {
	message, category, sqlState, bound, shape string
}

// storm is what came of a kind since its last line.
type storm struct{ left int }

// interval is how long a kind of line stays silent after one was written.
const interval = 10 * time.Second

// maxStorms bounds the kinds that are limited at once. Lines of further kinds are all written.
const maxStorms = 256

// admits reports whether the line is to be written. When it was not, summary is called at the end
// of each interval, on a goroutine of its own, with the number of lines that were left out of it.
func (s *storms) admits(k kind, summary func(left int)) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if now := s.active[k]; now != nil {
		now.left++
		return false
	}
	if len(s.active) < maxStorms {
		if s.active == nil {
			s.active = map[kind]*storm{}
		}
		s.active[k] = &storm{}
		time.AfterFunc(interval, func() { s.end(k, summary) })
	}
	return true
}

// end ends an interval, and begins another where lines were left out.
func (s *storms) end(k kind, summary func(left int)) {
	s.mu.Lock()
	left := s.active[k].left
	if left == 0 {
		delete(s.active, k)
	} else {
		s.active[k].left = 0
		time.AfterFunc(interval, func() { s.end(k, summary) })
	}
	s.mu.Unlock()
	if left > 0 {
		summary(left)
	}
}
