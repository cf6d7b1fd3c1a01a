package driverwrap

import (
	"sync/atomic"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/internal/contain"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// firstRow notes that the application is about to receive its first row.
func (s *statement) firstRow(now time.Time) {
	defer contain.Process.Recover(contain.Statement)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.first.IsZero() {
		s.first = now
	}
}

// nextBoundary is the row that begins the next page or file after the first read rows, as far
// as the wire shows it; -1 where that is unknown.
func (s *statement) nextBoundary(read int64) (row int64) {
	row = -1
	defer contain.Process.Recover(contain.Statement)
	if s.trace != nil {
		if next, ok := s.trace.NextBoundary(read - 1); ok {
			return next
		}
	}
	s.waited.unknown.Store(true)
	return
}

// beginArrow notes that rows are read through an Arrow reader, and whether they are counted.
func (s *statement) beginArrow(counted bool) {
	defer contain.Process.Recover(contain.Statement)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.readsArrow = true
	s.uncounted = s.uncounted || !counted
}

// endArrow notes that an Arrow reader has no more. The driver says so of a page that failed,
// too: what the wire shows decides when the statement is finished.
func (s *statement) endArrow(now time.Time) {
	s.readEnded(now, nil)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.arrowEnded = true
}

// readEnded notes the end of reading: the rows are exhausted (nil) or reading failed. The
// statement is finished when the rows are closed.
func (s *statement) readEnded(now time.Time, err error) {
	defer contain.Process.Recover(contain.Statement)
	failure := s.session.failureOf(err, s.trace.Fault)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.last.IsZero() {
		s.last, s.readFailure = now, failure
	}
}

// inferResult notes, before the rows are closed, what they know about their result.
func (s *statement) inferResult(from *inference) {
	defer contain.Process.Recover(contain.Statement)
	if from == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.finished && s.record.Result.Evidence == "" {
		s.record.Result = from.result(!s.readsArrow && s.rowsRead.Load() > 0)
	}
}

// waiting sums the time the reader spent in calls that began a new page or file. The reading
// goroutine writes it, the goroutine that finishes the statement reads it.
type waiting struct {
	sum     atomic.Int64 // nanoseconds
	unknown atomic.Bool  // not every such call was timed
}

func (w *waiting) add(d time.Duration) { w.sum.Add(int64(d)) }

func (w *waiting) total() telemetry.Maybe[time.Duration] {
	if w.unknown.Load() {
		return telemetry.Maybe[time.Duration]{}
	}
	return telemetry.Known(time.Duration(w.sum.Load()))
}
