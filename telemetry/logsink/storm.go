package logsink

import (
	"sync"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/internal/contain"
)

// storms limits lines that say the same: the first is written, and then one per interval that says
// how many were left out. The zero value is ready to use.
type storms struct {
	mu     sync.Mutex
	active map[kind]leftOut // of the current interval of each kind; guarded by mu
}

// leftOut counts the lines that were left out since a time.
type leftOut struct {
	lines int
	since time.Time
}

// kind is what lines that say the same have in common.
type kind struct {
	message, server, category, sqlState, status, bound, shape string

	bubble string // of testing/synctest, whose timers may never fire
}

// interval is how long a kind of line stays silent after one was written.
const interval = 10 * time.Second

// maxStorms bounds the kinds that are limited at the same time. All lines of further kinds are
// written.
const maxStorms = 256

// admits reports whether the line is to be written. If lines were left out, summary is called at the end of the
// interval, on a separate goroutine, with their number and the time within which they came.
func (s *storms) admits(k kind, summary func(lines int, within time.Duration)) bool {
	now := time.Now()
	k.bubble = contain.BubbleAt(now)
	s.mu.Lock()
	defer s.mu.Unlock()
	if l, active := s.active[k]; active {
		l.lines++
		s.active[k] = l
		return false
	}
	if len(s.active) < maxStorms {
		if s.active == nil {
			s.active = map[kind]leftOut{}
		}
		s.active[k] = leftOut{since: now}
		time.AfterFunc(interval, func() { s.end(k, summary) })
	}
	return true
}

// end ends an interval. If lines were left out, the next interval begins once the summary is written, so
// that a handler that hangs holds only one goroutine for each kind. Lines that are left out while it hangs
// count in the next summary. If there were none, the kind is no longer active.
func (s *storms) end(k kind, summary func(lines int, within time.Duration)) {
	s.mu.Lock()
	l, now := s.active[k], time.Now()
	if l.lines > 0 {
		s.active[k] = leftOut{since: now}
	} else {
		delete(s.active, k)
	}
	s.mu.Unlock()
	if l.lines > 0 {
		defer time.AfterFunc(interval, func() { s.end(k, summary) }) // even if the handler calls runtime.Goexit
		summary(l.lines, now.Sub(l.since))
	}
}
