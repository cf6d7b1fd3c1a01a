package driverwrap

import (
	"context"
	"database/sql/driver"
	"sync"
	"sync/atomic"
	"time"
	"weak"

	"github.com/databricks/databricks-sql-go/driverctx"

	"github.com/seed-01322ee7/databricks-telemetry/cloudfetch"
	"github.com/seed-01322ee7/databricks-telemetry/internal/contain"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// statement measures one statement from the call that starts it until it is finished.
//
// The goroutine of the call fills the slot, the one that reads rows counts them, and rows may
// be closed by yet another. Callbacks with ids may come at any time. What they share is atomic
// or under mu; nothing that is not ours is called while mu is held.
type statement struct {
	slot   // filled by the hooks, during the call
	conn   *conn
	spans  []telemetry.StatementSpan // of the tracers; mostly none
	ctx    callContext
	trace  *cloudfetch.Trace         // nil where the wire is not read
	volume telemetry.VolumeOperation // what it does if it is about a volume at all

	rowsRead atomic.Int64
	waited   waiting

	mu          sync.Mutex
	record      *record   // handed over when finished, and not changed after that
	executed    time.Time // end of the call
	first       time.Time // first row in hand
	last        time.Time // rows exhausted, or reading failed
	readFailure *telemetry.Failure
	leased      weak.Pointer[lease] // of the rows, once the application has them: nil when it has let go of them
	finished    bool
	hasRows     bool // the call returned rows
	viaArrow    bool // some left through an Arrow reader
	arrowEnd    bool // an Arrow reader had no more
	uncounted   bool // some left as Arrow streams that nobody decoded
}

// record is what is handed over, with room for the lists of a statement that needed one call,
// as most do.
type record struct {
	telemetry.Statement
	rpc  [1]telemetry.RPC
	call [1]telemetry.Call
}

// newStatement makes a statement, and what traces it on the wire in the same piece of memory.
func newStatement(wire bool) *statement {
	if !wire {
		return &statement{}
	}
	s := &struct {
		statement
		wire cloudfetch.Trace
	}{}
	s.trace = &s.wire
	return &s.statement
}

// waiting sums the time the reader spent in calls that began a new page or file. The reading
// goroutine writes it, whoever finishes the statement reads it.
type waiting struct {
	sum  atomic.Int64 // nanoseconds
	lost atomic.Bool  // not every such call was seen
}

func (w *waiting) add(d time.Duration) { w.sum.Add(int64(d)) }
func (w *waiting) lose()               { w.lost.Store(true) }

func (w *waiting) total() telemetry.Maybe[time.Duration] {
	if w.lost.Load() {
		return telemetry.Maybe[time.Duration]{}
	}
	return telemetry.Known(time.Duration(w.sum.Load()))
}

// nextPart asks the wire for the row that begins the next page or file.
func (s *statement) nextPart(read int64) (part int64) {
	part = -1
	defer contain.Process.Recover(contain.Statement)
	if s.trace != nil {
		if next, ok := s.trace.NextBoundary(read - 1); ok {
			return next
		}
	}
	s.waited.lose()
	return
}

// call is what the application asked for.
type call struct {
	kind               telemetry.Kind
	internal, prepared bool
	query              string
}

// begin starts measuring a statement. It returns nil when nobody listens, and the context
// the call goes on with.
func (c *conn) begin(ctx context.Context, asked call) (within context.Context, s *statement) {
	within = ctx
	defer contain.Process.Recover(contain.Statement)
	recording, tracing := c.connector.recording(), c.connector.tracing()
	if !recording && !tracing {
		return ctx, nil
	}
	start := telemetry.StatementStart{Server: c.connector.server, Kind: asked.kind, Internal: asked.internal, Prepared: asked.prepared}
	if id := c.sessionID.Load(); id != nil {
		start.SessionID = *id
	}
	if c.connector.settings.QueryText {
		start.Query = asked.query
	}
	var spans []telemetry.StatementSpan
	if tracing {
		if within, spans = startSpans(ctx, c.connector, start, telemetry.Tracer.StatementStarting); spans == nil && !recording {
			return within, nil
		}
	}
	st := newStatement(c.connector.wire != nil)
	st.conn, st.spans, st.volume = c, spans, volumeOperation(asked.query)
	st.ctx = callContext{Context: within, statement: st, onStatementID: st.statementIDKnown}
	if start.SessionID == "" {
		st.ctx.onSession = st.sessionIDKnown
	}
	st.record = &record{Statement: telemetry.Statement{
		Connector: c.connector.id, Server: start.Server, Kind: start.Kind, Internal: start.Internal, Prepared: start.Prepared, Query: start.Query,
	}}
	if spans != nil {
		st.record.TraceID, st.record.SpanID = spanContext(spans)
	}
	st.record.Started = time.Now()
	if st.trace != nil {
		st.trace.Start(st.record.Started)
	}
	c.enlist(st)
	return within, st
}

// statementIDKnown is called by the driver, more than once, also with "".
func (s *statement) statementIDKnown(id string) {
	if id != "" {
		s.mu.Lock()
		if !s.finished {
			s.record.StatementID = id
		}
		s.mu.Unlock()
	}
	s.ctx.callBack(driverctx.QueryIdCallbackKey, id)
}

func (s *statement) sessionIDKnown(id string) {
	if id != "" {
		s.conn.sessionID.Store(&id)
	}
	s.ctx.callBack(driverctx.ConnIdCallbackKey, id)
}

// drop forgets a statement that never was one: the driver asked database/sql to go another
// way (driver.ErrSkip).
func (s *statement) drop() {
	defer contain.Process.Recover(contain.Statement)
	s.endSpans(time.Now())
	if s.trace != nil {
		s.trace.Finish(nil)
	}
	s.mu.Lock()
	s.finished = true
	s.mu.Unlock()
	s.conn.delist(s)
}

// execEnded finishes a statement that has no rows.
func (s *statement) execEnded(result driver.Result, err error) {
	defer contain.Process.Recover(contain.Statement)
	if err == driver.ErrSkip {
		s.drop()
		return
	}
	now := time.Now()
	s.callEnded(now, err)
	affected := affectedRows(result, err)
	s.mu.Lock()
	if !s.finished {
		s.record.RowsAffected = affected
	}
	s.mu.Unlock()
	s.finish(now, telemetry.OutcomeCompleted)
}

// affectedRows asks the result, which is somebody else's code.
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

// queryEnded notes the end of a call that returns rows. Without rows the statement is
// finished, with or without an error.
func (s *statement) queryEnded(hasRows bool, err error) {
	defer contain.Process.Recover(contain.Statement)
	if err == driver.ErrSkip {
		s.drop()
		return
	}
	now := time.Now()
	s.callEnded(now, asNative(err))
	if !hasRows {
		s.finish(now, telemetry.OutcomeCompleted)
		return
	}
	s.mu.Lock()
	s.hasRows = true
	s.mu.Unlock()
}

func (s *statement) callEnded(now time.Time, err error) {
	failure := s.conn.connector.failureOf(err, s.trace.Fault)
	s.mu.Lock()
	if !s.finished {
		s.executed = now
		s.record.Execute = now.Sub(s.record.Started)
		s.record.Failure = failure
	}
	s.mu.Unlock()
	s.endSpans(now)
}

// endSpans tells the tracers that the call has returned.
func (s *statement) endSpans(now time.Time) {
	if s.spans == nil {
		return
	}
	endSpans(s.spans, s.soFar(now), telemetry.StatementSpan.StatementExecuted)
}

// firstRow notes that the application is about to receive its first row.
func (s *statement) firstRow(now time.Time) {
	defer contain.Process.Recover(contain.Statement)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.first.IsZero() {
		s.first = now
	}
}

// readEnded notes the end of reading: the rows are exhausted (nil) or reading failed. The
// statement is finished when the rows are closed.
func (s *statement) readEnded(now time.Time, err error) {
	defer contain.Process.Recover(contain.Statement)
	failure := s.conn.connector.failureOf(err, s.trace.Fault)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.last.IsZero() {
		s.last, s.readFailure = now, failure
	}
}

// inferResult notes, once and before the rows are closed, what they know about their result.
func (s *statement) inferResult(from *inference) {
	defer contain.Process.Recover(contain.Statement)
	if from == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.finished && s.record.Result.Evidence == telemetry.EvidenceNone {
		s.record.Result = from.result(!s.viaArrow && s.rowsRead.Load() > 0)
	}
}

// closed finishes the statement: its rows were closed, which took from start until now.
func (s *statement) closed(start time.Time, err error) {
	defer contain.Process.Recover(contain.Statement)
	now := time.Now()
	given := s.conn.connector.failureOf(s.ctx.Err(), nil) // database/sql closes rows whose context is done
	closing := s.conn.connector.failureOf(err, s.trace.CloseFault)
	s.mu.Lock()
	if s.finished {
		s.mu.Unlock()
		return
	}
	outcome := telemetry.OutcomeCompleted
	if s.last.IsZero() {
		s.last, s.readFailure, outcome = start, given, telemetry.OutcomeClosedEarly
	}
	s.record.Close = telemetry.Known(now.Sub(start))
	s.record.CloseFailure = closing
	s.mu.Unlock()
	s.finish(now, outcome)
}

// gaveUp are the categories of errors that a caller's done context explains.
var gaveUp = map[telemetry.Category]bool{
	telemetry.CategoryCanceled:          true,
	telemetry.CategoryTimeout:           true,
	telemetry.CategoryStatementCanceled: true,
}

// finish completes the record and hands it over, once. It reports whether this was the call
// that did.
func (s *statement) finish(now time.Time, outcome telemetry.Outcome) bool {
	s.mu.Lock()
	if s.finished {
		s.mu.Unlock()
		return false
	}
	s.finished = true
	if s.last.IsZero() {
		s.last = now
	}
	r := &s.record.Statement
	if s.readFailure != nil {
		r.Failure = s.readFailure
	}
	s.measured(r, now)
	arrowEnd := s.arrowEnd
	s.mu.Unlock()

	r.Outcome = outcome
	s.failed(r)
	if s.trace != nil {
		r.RPCs, r.Calls = s.record.rpc[:0], s.record.call[:0]
		s.trace.Finish(r)
		s.applyWire(r)
		more := s.trace.MoreRows()
		switch {
		case r.Outcome == telemetry.OutcomeClosedEarly && readAll(r, more):
			r.Outcome = telemetry.OutcomeCompleted
		case r.Outcome == telemetry.OutcomeCompleted && arrowEnd && more.Or(false):
			r.Outcome = telemetry.OutcomeClosedEarly
		}
	}
	s.conn.delist(s)
	s.conn.connector.statementFinished(r)
	return true
}

// soFar is the record as it is now, nil when the statement is finished.
func (s *statement) soFar(now time.Time) *telemetry.Statement {
	s.mu.Lock()
	if s.finished {
		s.mu.Unlock()
		return nil
	}
	r := s.record.Statement
	s.measured(&r, now)
	s.mu.Unlock()
	r.Outcome = telemetry.OutcomeRunning
	s.failed(&r)
	if s.trace != nil {
		s.trace.Fill(&r)
		s.applyWire(&r)
	}
	return &r
}

// measured adds what the calls of the application tell. Call it with mu held.
func (s *statement) measured(r *telemetry.Statement, now time.Time) {
	r.Total = now.Sub(r.Started)
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
	if id := s.conn.sessionID.Load(); id != nil {
		r.SessionID = *id
	}
}

// failed gives a record with a failure its outcome.
func (s *statement) failed(r *telemetry.Statement) {
	if r.Failure == nil {
		return
	}
	r.Outcome = telemetry.OutcomeFailed
	if gaveUp[r.Failure.Category] && s.ctx.Err() != nil {
		r.Outcome = telemetry.OutcomeCanceled
	}
}

// applyWire completes a record that the trace has filled.
func (s *statement) applyWire(r *telemetry.Statement) {
	if r.Kind == telemetry.KindVolume {
		r.Volume = s.volume
	}
	splitReading(r, s.waited.total())
}
