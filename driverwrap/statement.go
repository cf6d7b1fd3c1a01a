package driverwrap

import (
	"context"
	"database/sql/driver"
	"sync"
	"sync/atomic"
	"time"
	"weak"

	"github.com/seed-01322ee7/databricks-telemetry/cloudfetch"
	"github.com/seed-01322ee7/databricks-telemetry/internal/contain"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// statement measures one statement from the call that starts it until it is finished:
//
//	beginStatement ── execEnded ──────────────────────────────── finish
//	               └─ queryEnded ── reading (statement_read.go) ── rowsClosed ── finish
//	                                                            └─ abandon ───── finish
//
// The goroutine of the call begins the statement and ends the call, the goroutine that reads rows
// counts them, and another one may close the rows. Callbacks with ids may come at any time. The
// fields that they share are atomic or guarded by mu. While mu is held, no code of other packages
// runs that may block or call back.
type statement struct {
	session *session
	ctx     callContext
	answer  answer                    // of the native connection, while the call runs
	spans   []telemetry.StatementSpan // of the tracers; mostly none
	trace   cloudfetch.Trace          // what passes over the wire and what the application does

	rowsRead atomic.Int64

	mu          sync.Mutex
	record      *record   // passed on when finished, and not changed after that
	executed    time.Time // end of the call
	first       time.Time // first row read
	last        time.Time // rows exhausted, or reading failed
	readFailure *telemetry.Failure
	reading     context.Context     // of an Arrow reader; nil without one
	contextDone bool                // a context was done when the call, or reading, failed
	query       string              // the text of the SQL, until the statement is finished
	lease       weak.Pointer[lease] // of the open rows; refers to nothing once the application has dropped them
	finished    bool
	hasRows     bool // the call returned rows
	readsArrow  bool // some rows are read through an Arrow reader
	arrowEnded  bool // an Arrow reader has no more
	skips       bool // an Arrow reader began after rows had been read one by one
	uncounted   bool // some rows are read as Arrow streams, which are not decoded
}

// call is what the application asked for.
type call struct {
	kind               telemetry.Kind
	internal, prepared bool
	query              string
}

// beginStatement starts measuring a statement. The call continues with the returned context. The
// statement is nil when no sink, tracer or report needs it. Without a tracer, the span around the
// statement is the caller's.
func beginStatement(ctx context.Context, on *session, asked call) (within context.Context, s *statement) {
	within = ctx
	defer contain.Process.Recover(contain.Statement)
	on.noteTags(asked.query)
	recording, tracing := on.recording(), on.tracing()
	if unrecorded := &on.connector.unrecorded; unrecorded.Load() == recording {
		unrecorded.Store(!recording)
	}
	if !recording && !tracing && !on.settings.TraceTags {
		return ctx, nil
	}
	start := telemetry.StatementStart{
		Server: on.server, SessionID: on.sessionID(),
		WarehouseID: on.warehouseID, InitialCatalog: on.catalog, InitialSchema: on.schema, Attributes: telemetry.AttributesFromContext(ctx),
		Kind: asked.kind, Internal: asked.internal, Prepared: asked.prepared,
	}
	if on.settings.QueryText {
		start.Query = asked.query
	}
	var (
		spans   []telemetry.StatementSpan
		traceID [16]byte
		spanID  [8]byte
	)
	if tracing {
		within, spans = startSpans(ctx, on.fanouts, start, telemetry.Tracer.StatementStarting)
		traceID, spanID = spanContext(spans)
	}
	if traceID == [16]byte{} {
		traceID, spanID = callersSpan(ctx)
	}
	within = on.tagTrace(within, traceID, spanID)
	if spans == nil && !recording {
		return within, nil
	}
	st := &statement{session: on, spans: spans, query: asked.query}
	st.ctx = callContext{Context: within, statement: st, onStatementID: st.setStatementID}
	if start.SessionID == "" {
		st.ctx.onSessionID = st.setSessionID
	}
	st.record = &record{PendingStatement: telemetry.PendingStatement{Statement: telemetry.Statement{
		Connector: on.connectorID, Server: start.Server, TraceID: traceID, SpanID: spanID,
		WarehouseID: start.WarehouseID, InitialCatalog: start.InitialCatalog, InitialSchema: start.InitialSchema, Attributes: start.Attributes,
		Kind: start.Kind, Internal: start.Internal, Prepared: start.Prepared, Query: start.Query,
	}}}
	addContext(within, &st.record.Statement)
	st.record.Started = time.Now()
	st.trace.Transport = on.connector.wire
	st.trace.Start(st.record.Started, on.connector.wire != nil)
	on.add(st)
	return within, st
}

// runExec runs a call that returns no rows, and finishes the statement, even if the call panics or
// ends its goroutine.
func (s *statement) runExec(call func(context.Context) (driver.Result, error)) (result driver.Result, err error) {
	err = errNotReturned
	defer func() { s.execEnded(result, err) }()
	result, err = call(&s.ctx)
	return result, err
}

// runQuery runs a call that returns rows, and wraps them. If there are no rows, the statement is
// finished, even if the call panics or ends its goroutine.
func (s *statement) runQuery(call func(context.Context) (driver.Rows, error)) (rows driver.Rows, err error) {
	err = errNotReturned
	defer func() { rows, err = wrapRows(s, rows, err) }()
	rows, err = call(&s.ctx)
	return rows, err
}

// execEnded finishes a statement that has no rows.
func (s *statement) execEnded(result driver.Result, err error) {
	defer contain.Process.Recover(contain.Statement)
	now := time.Now()
	if !s.callEnded(now, err) {
		return
	}
	defer func() { // even if a tracer ends the goroutine
		affected := affectedRows(result, err)
		s.mu.Lock()
		s.record.RowsAffected = affected
		s.mu.Unlock()
		s.finish(now, telemetry.OutcomeCompleted)
	}()
	s.endSpans(now, telemetry.OutcomeRunning)
}

// affectedRows asks the result, which is user-supplied code.
func affectedRows(result driver.Result, err error) (affected telemetry.Maybe[int64]) {
	defer contain.Process.Recover(contain.Statement)
	if err != nil || result == nil {
		return
	}
	if n, err := result.RowsAffected(); err == nil {
		affected = telemetry.Known(n)
	}
	return
}

// queryEnded notes the end of a call that returns rows. If there are none, the statement is finished,
// with or without an error.
func (s *statement) queryEnded(hasRows bool, err error) {
	defer contain.Process.Recover(contain.Statement)
	now := time.Now()
	if !s.callEnded(now, err) {
		return
	}
	outcome := telemetry.OutcomeCompleted
	if hasRows {
		outcome = telemetry.OutcomeAbandoned // if a tracer ends the goroutine, the application never gets them
	}
	defer func() {
		if outcome != "" {
			s.finish(now, outcome)
		}
	}()
	s.endSpans(now, telemetry.OutcomeRunning)
	if !hasRows {
		return
	}
	outcome = ""
	s.trace.CallReturned(now)
	s.mu.Lock()
	s.hasRows = true
	s.mu.Unlock()
}

// callEnded notes the end of the call. It reports false for a statement that was not executed: the driver
// returned driver.ErrSkip, and database/sql prepares the statement instead. From a prepared statement or from
// Ping, ErrSkip is an error like any other.
func (s *statement) callEnded(now time.Time, err error) bool {
	if err == driver.ErrSkip && !s.record.Prepared && !s.record.Internal {
		s.drop(now)
		return false
	}
	done := ifDone(&s.ctx)
	failure, contextDone := s.session.failureOf(err, done, s.trace.Fault), s.endedByContext(done, err)
	s.mu.Lock()
	s.executed = now
	s.record.Execute = now.Sub(s.record.Started)
	s.record.Failure = failure
	s.contextDone = contextDone
	s.mu.Unlock()
	return true
}

// drop ends a statement without a record.
func (s *statement) drop(now time.Time) {
	s.endSpans(now, "")
	s.trace.Finish(nil, now)
	s.mu.Lock()
	s.finished = true
	s.mu.Unlock()
	s.session.drop(s)
}

// endSpans tells the tracers that the call has returned. outcome is that of a call that has not failed.
func (s *statement) endSpans(now time.Time, outcome telemetry.Outcome) {
	if s.spans != nil {
		r, _ := s.soFar(now)
		if r.Failure == nil {
			r.Outcome = outcome
		}
		endSpans(s.spans, r, telemetry.StatementSpan.StatementExecuted)
	}
}

// hasOpenRows reports whether the call returned rows that are not closed.
func (s *statement) hasOpenRows() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.hasRows && !s.finished
}

// rowsClosed finishes a statement whose rows were closed. Closing took from start until now.
func (s *statement) rowsClosed(start time.Time, err error) {
	defer contain.Process.Recover(contain.Statement)
	now := time.Now()
	var canceled *telemetry.Failure
	done := s.doneContext()
	if s.mayClose(done) {
		canceled = s.session.failureOf(done.Err(), done, nil)
	}
	closing := s.session.failureOf(err, done, s.trace.CloseFault)
	s.mu.Lock()
	if s.finished {
		s.mu.Unlock()
		return
	}
	outcome := telemetry.OutcomeCompleted
	if s.last.IsZero() {
		s.last, s.readFailure, outcome = start, canceled, telemetry.OutcomeClosedEarly
		s.contextDone = canceled != nil
	}
	s.record.Close = telemetry.Known(now.Sub(start))
	s.record.CloseFailure = closing
	s.mu.Unlock()
	s.finish(now, outcome)
}

// finish completes the record and passes it on, and reports true, unless that was done before.
func (s *statement) finish(now time.Time, outcome telemetry.Outcome) bool {
	s.mu.Lock()
	if s.finished {
		s.mu.Unlock()
		return false
	}
	s.finished = true
	r := &s.record.Statement
	if s.readFailure != nil {
		r.Failure = s.readFailure
	}
	s.fillTimings(r, now)
	arrowEnded := s.arrowEnded
	query := s.query
	s.query = ""
	s.mu.Unlock()

	r.Outcome = outcome
	s.setOutcome(r)
	if s.session.connector.wire != nil {
		r.RPCs, r.Calls = s.record.rpc[:0], s.record.call[:0]
	}
	s.trace.Finish(r, now)
	s.setUnreported(r)
	setVolume(r, query)
	more := s.trace.MoreRows()
	switch {
	case r.Outcome == telemetry.OutcomeClosedEarly && readAll(r, more):
		r.Outcome = telemetry.OutcomeCompleted
	case r.Outcome == telemetry.OutcomeCompleted && arrowEnded && more.Or(false):
		r.Outcome = telemetry.OutcomeClosedEarly
	}
	addStreamedRows(r)
	s.session.remove(s)
	s.session.statementFinished(&s.record.PendingStatement, query)
	return true
}
