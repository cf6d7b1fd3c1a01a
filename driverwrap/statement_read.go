package driverwrap

import (
	"context"
	"errors"
	"fmt"
	"time"

	dbsqlerr "github.com/databricks/databricks-sql-go/errors"

	"github.com/seed-01322ee7/databricks-telemetry/internal/contain"
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

// nextSetBegun notes that the driver is asked for another set of rows, so that the end of the
// previous set was not the end of reading.
func (s *statement) nextSetBegun() {
	defer contain.Process.Recover(contain.Statement)
	s.mu.Lock()
	s.last, s.readFailure = time.Time{}, nil
	s.mu.Unlock()
	s.trace.ReadBegun(-1, time.Now())
}

// batchReturned notes that a call of an Arrow reader, or for another set of rows, has returned. After the
// end of reading, such a call (closing the reader, or asking for its schema) does not begin reading
// again.
func (s *statement) batchReturned(now time.Time) {
	defer contain.Process.Recover(contain.Statement)
	s.mu.Lock()
	ended := !s.last.IsZero()
	s.mu.Unlock()
	if ended {
		s.trace.ReadEnded(now)
		return
	}
	s.trace.BatchReturned(now)
}

// schemaReturned notes that an Arrow reader returned the schema of its records, or why it has none.
// An error without a failure on the wire may only mean that there are no rows.
func (s *statement) schemaReturned(now time.Time, err error) {
	defer contain.Process.Recover(contain.Statement)
	if err != nil {
		if f := s.trace.Fault(); f.CallFailed || f.FailedFiles > 0 {
			s.readEnded(now, err)
			return
		}
	}
	s.batchReturned(now)
}

// beginArrow notes that rows are read through an Arrow reader, which has its own context, and whether
// they are counted.
func (s *statement) beginArrow(ctx context.Context, counted bool) {
	defer contain.Process.Recover(contain.Statement)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.readsArrow, s.reading = true, ctx
	s.skips = s.rowsRead.Load() > 0
	s.uncounted = s.uncounted || !counted
}

// counted returns the number of rows read so far. It returns -1 if some were not counted, or if an Arrow reader
// was begun after rows were read one by one: the driver's Arrow readers do not return the rest of the batch that
// those rows are from.
func (s *statement) counted() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.uncounted || s.skips {
		return -1
	}
	return s.rowsRead.Load()
}

// endArrow notes that an Arrow reader has reported its end. The driver also reports the end after a
// page has failed. Then the wire shows the failure, or that there are more rows, for which the driver could
// not sign in.
func (s *statement) endArrow(now time.Time) {
	defer contain.Process.Recover(contain.Statement)
	var hidden error
	if fault := s.trace.Fault(); fault.CallFailed || fault.Observed && s.trace.MoreRows().Or(false) && s.doneContext() == nil {
		hidden = errHidden
	}
	s.readEnded(now, hidden)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.arrowEnded = true
}

// errHidden stands for the error of a call, sent or not, that the driver's Arrow readers do not report.
var errHidden = fmt.Errorf("a call failed, but the Arrow reader ended as it does after the last row: %w", dbsqlerr.RequestError)

// readEnded notes the end of reading: the rows are exhausted (nil) or reading failed. The
// statement is finished when the rows are closed.
func (s *statement) readEnded(now time.Time, err error) {
	defer contain.Process.Recover(contain.Statement)
	s.trace.ReadEnded(now)
	done := s.doneContext()
	failure, contextDone := s.session.failureOf(err, done, s.trace.Fault), s.endedByContext(done, err)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.last.IsZero() {
		s.last, s.readFailure, s.contextDone = now, failure, contextDone
	}
}

// contexts returns the contexts within which rows are read: that of the call, which the driver may use for later
// pages, too, and that of an Arrow reader, or nil.
func (s *statement) contexts() [2]context.Context {
	s.mu.Lock()
	defer s.mu.Unlock()
	return [2]context.Context{&s.ctx, s.reading}
}

// doneContext returns one of the contexts that is done, or nil.
func (s *statement) doneContext() context.Context {
	for _, ctx := range s.contexts() {
		if ctx = ifDone(ctx); ctx != nil {
			return ctx
		}
	}
	return nil
}

// ifDone returns a context, which may be nil, if it is done, and otherwise nil.
func ifDone(ctx context.Context) context.Context {
	if ctx != nil && ctx.Err() != nil {
		return ctx
	}
	return nil
}

// mayClose reports whether a context, nil for none, may have closed the rows: database/sql closes rows whose context
// is done. A deadline does not close rows that are read through an Arrow reader, because the application then calls
// the driver directly, and the driver reads on.
func (s *statement) mayClose(done context.Context) bool {
	if done == nil || !errors.Is(done.Err(), context.DeadlineExceeded) {
		return done != nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.readsArrow
}

// inferResult notes what the native rows know about their result, before they are closed.
func (s *statement) inferResult(from *inference) {
	defer contain.Process.Recover(contain.Statement)
	if from == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.finished {
		s.record.Result = from.result(!s.readsArrow && s.rowsRead.Load() > 0)
	}
}
