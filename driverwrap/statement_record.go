package driverwrap

import (
	"errors"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/internal/contain"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// record is what a statement passes on, with room for the lists of a statement that needed one call.
// Most need no more, because the server closes them with its answer.
type record struct {
	telemetry.PendingStatement
	rpc  [1]telemetry.RPC
	call [1]telemetry.Call
}

// soFar returns the record as it is now, and the text of the SQL; nil when the statement is finished.
func (s *statement) soFar(now time.Time) (*telemetry.Statement, string) {
	s.mu.Lock()
	if s.finished {
		s.mu.Unlock()
		return nil, ""
	}
	r := s.record.Statement
	query := s.query
	s.fillTimings(&r, now)
	s.mu.Unlock()
	r.Outcome = telemetry.OutcomeRunning
	s.setOutcome(&r)
	s.trace.Fill(&r, now)
	setVolume(&r, query)
	return &r, query
}

// fillTimings adds what the application's calls show: times, rows and session. mu is held.
func (s *statement) fillTimings(r *telemetry.Statement, now time.Time) {
	if !s.first.IsZero() {
		last := s.last
		if last.IsZero() {
			last = now
		}
		r.FirstRow = telemetry.Known(s.first.Sub(s.executed))
		r.Consume = telemetry.Known(max(0, last.Sub(s.first)))
	}
	if s.hasRows && !s.uncounted {
		r.RowsRead = telemetry.Known(s.rowsRead.Load())
	}
	r.SessionID = s.session.sessionID()
}

// setOutcome sets the outcome of a record with a failure.
func (s *statement) setOutcome(r *telemetry.Statement) {
	if r.Failure == nil {
		return
	}
	r.Outcome = telemetry.OutcomeFailed
	if cancellationCategories[r.Failure.Category] && s.contextDone {
		r.Outcome = telemetry.OutcomeCanceled
	}
}

// cancellationCategories are those of errors that follow from the caller's context being done.
var cancellationCategories = map[telemetry.Category]bool{
	telemetry.CategoryCanceled:          true,
	telemetry.CategoryTimeout:           true,
	telemetry.CategoryStatementCanceled: true,
}

// setUnreported notes that the call that closes the statement on the server failed where no error of the driver's
// says so: it drops that of an Exec, and that of the call that follows the last page. It also drops that of the
// call that cancels the statement.
func (s *statement) setUnreported(r *telemetry.Statement) {
	defer contain.Process.Recover(contain.Statement)
	if r.CloseFailure == nil && s.trace.CloseFault().CallFailed {
		r.CloseFailure = s.session.failureOf(errUnreported, nil, s.trace.CloseFault)
	}
	if s.trace.CancelFault().CallFailed {
		r.CancelError = s.session.failureOf(errUnreported, nil, s.trace.CancelFault).Category
	}
}

// errUnreported stands for the error of a call that the driver does not report.
var errUnreported = errors.New("the statement was not closed or canceled")

// setVolume sets the operation in a record that the trace has filled, of a statement about a volume.
func setVolume(r *telemetry.Statement, query string) {
	if r.Kind == telemetry.KindVolume {
		r.Volume = volumeOperation(query)
	}
}

// readAll reports whether the application had read every row when it closed the rows before their
// end was seen, as QueryRow does. more is what the server said of further rows.
func readAll(r *telemetry.Statement, more telemetry.Maybe[bool]) bool {
	read, counted := r.RowsRead.Get()
	delivered, known := r.Result.Rows.Get()
	return counted && known && read == delivered && !more.Or(true)
}

// addStreamedRows adds the number of rows of Arrow streams that were read to their end: all that
// arrived.
func addStreamedRows(r *telemetry.Statement) {
	_, counted := r.RowsRead.Get()
	_, began := r.FirstRow.Get()
	if counted || !began || r.Outcome != telemetry.OutcomeCompleted {
		return
	}
	if n, known := r.Result.Rows.Get(); known {
		r.RowsRead, r.RowsEvidence = telemetry.Known(n), telemetry.EvidenceWire
	}
}
