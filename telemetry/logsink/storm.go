package logsink

import (
	"sync"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/internal/contain"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// storms limits lines that say the same: the first is written, and then one per interval that says
// how many were left out. The zero value is ready.
type storms struct {
	mu      sync.Mutex
	leftOut map[kind]int // lines in the current interval of each active kind; guarded by mu
}

// kind is what lines that say the same have in common.
type kind struct {
	message, server, category, sqlState, status, bound, shape string

	bubble string // of testing/synctest: its timers may never fire
}

// fail adds what a failure has in common with others.
func (k *kind) fail(f *telemetry.Failure) {
	k.category, k.sqlState = string(f.Category), f.SQLState
}

// interval is how long a kind of line stays silent after one was written.
const interval = 10 * time.Second

// maxStorms bounds the kinds that are limited at once. Lines of further kinds are all written.
const maxStorms = 256

// admits reports whether the line is to be written. When it was not, summary is called at the end
// of each interval, on a goroutine of its own, with the number of lines that were left out of it.
func (s *storms) admits(k kind, summary func(leftOut int)) bool {
	k.bubble = contain.BubbleAt(time.Now())
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, active := s.leftOut[k]; active {
		s.leftOut[k]++
		return false
	}
	if len(s.leftOut) < maxStorms {
		if s.leftOut == nil {
			s.leftOut = map[kind]int{}
		}
		s.leftOut[k] = 0
		time.AfterFunc(interval, func() { s.end(k, summary) })
	}
	return true
}

// end ends an interval. Where lines were left out, another one begins once the summary is written: a
// handler that hangs holds one goroutine of each kind, however long the storm.
func (s *storms) end(k kind, summary func(leftOut int)) {
	if n := s.take(k); n > 0 {
		defer time.AfterFunc(interval, func() { s.end(k, summary) }) // even if the handler calls runtime.Goexit
		summary(n)
	}
}

// take returns how many lines were left out, and begins to count anew; without any, the kind is not
// active any more.
func (s *storms) take(k kind) (leftOut int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	leftOut = s.leftOut[k]
	if leftOut == 0 {
		delete(s.leftOut, k)
	} else {
		s.leftOut[k] = 0
	}
	return leftOut
}
