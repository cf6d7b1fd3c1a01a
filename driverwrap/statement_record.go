package driverwrap

import (
	"errors"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/internal/contain"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// record is what a statement passes on, with room for lists of one call. Most statements need only
// one, because the server closes them with its answer.
type record struct {
	telemetry.PendingStatement
	rpc  [1]telemetry.RPC
	call [1]telemetry.Call
}

// soFar returns the record as it is now, and the text of the SQL. The record is nil when the
// statement is finished.
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

// fillTimings adds the times, the row count and the session id that the application's calls show. mu
// is held.
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

// cancellationCategories are the categories of errors that the end of the caller's context causes.
var cancellationCategories = map[telemetry.Category]bool{
	telemetry.CategoryCanceled:          true,
	telemetry.CategoryTimeout:           true,
	telemetry.CategoryStatementCanceled: true,
}

// setUnreported records failures of calls whose errors the driver drops: of the call that closes the statement on
// the server, after an Exec or after the last page, and of the call that cancels the statement.
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

// setVolume sets the operation of a volume statement. The trace must have filled the record before.
func setVolume(r *telemetry.Statement, query string) {
	if r.Kind == telemetry.KindVolume {
		r.Volume = volumeOperation(query)
	}
}

// readAll reports whether the application had read every row when it closed the rows without asking
// for their end, as QueryRow does. more is what the server said about further rows.
func readAll(r *telemetry.Statement, more telemetry.Maybe[bool]) bool {
	read, counted := r.RowsRead.Get()
	delivered, known := r.Result.Rows.Get()
	return counted && known && read == delivered && !more.Or(true)
}

// addStreamedRows sets RowsRead for Arrow streams that were read to their end: all rows that arrived.
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
