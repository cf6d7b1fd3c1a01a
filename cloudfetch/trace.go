package cloudfetch

import (
	"sync/atomic"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// Bounds on the list of calls. Calls beyond them count in the sums. The latest call is always listed.
const (
	maxPolls   = 64  // status calls of a statement that are listed
	maxPages   = 256 // pages of a statement that are listed
	maxOthers  = 16  // other calls of one method that are listed
	maxRetried = 16  // repeated attempts of a call or file that are listed
)

// Trace collects what the transport sees of one statement. Make one per statement, put it
// into the context of the call that runs the statement, read it with Fill, and end it with
// Finish. A Trace must not be copied. All methods but Start are safe for concurrent use.
type Trace struct {
	// Transport carries the calls of the statement. Calls through another Transport do not belong to the
	// statement. nil means any Transport. The field must not change once the trace is in a context.
	Transport *Transport

	started time.Time // immutable once the trace is in a context

	evicted atomic.Bool // set once under the registry's lock

	callState
	timing

	// Guarded by mu.
	id      guid      // TOperationHandle 1.1; zero unknown
	session guid      // TExecuteStatementReq 1.1.1; zero unknown
	reg     *registry // where the statement is registered, once id is known; nil before
	calls   []call
	first   [1]call          // room for the first call
	failing method           // the first call that runs, polls or fetches and has no answer that the driver can use
	files   *files           // nil until a link arrives
	result  telemetry.Result // without evidence and counts
	pages   int64            // pages that arrived, listed or not
	rows    int64            // in the pages whose number of rows is known

	state           string                         // TGetOperationStatusResp 2, last reported; empty unknown
	sqlState        string                         // TGetOperationStatusResp 3, otherwise TStatus 3: the last one that was not empty
	serverStarted   int64                          // TGetOperationStatusResp 7, milliseconds of the server's clock; 0 unknown
	serverTime      telemetry.Maybe[time.Duration] // from then to operationCompleted
	unseen          time.Duration                  // as telemetry.Polling.Unseen
	moreRows        telemetry.Maybe[bool]          // TFetchResultsResp 2 hasMoreRows of the latest page
	volume          bool                           // TGetResultSetMetadataResp 1287 isStagingOperation
	secondStatement bool                           // another statement ran with this trace; it is not observed

	// Guarded by the registry's lock: the trace's node there, and its registered files, newest first.
	node       node[guid, *Trace]
	newest     *file
	registered int
}

// call is one call of the list, and whether its answer had a page.
type call struct {
	telemetry.Call
	page    bool
	request guid
}

// Start prepares a Trace for a statement that starts at the given time, from which the times in its record count.
// It must be called before a context carries t. wire is false if no Transport carries the statement's requests;
// what the statement waits for in the driver is unknown then.
func (t *Trace) Start(at time.Time, wire bool) { t.started, t.unread = at, !wire }

type traceKey struct{}

// Value returns t for the key that the transport looks up in a context, and nil for any other key. A context
// type of the caller calls Value to carry t. t observes the statement that is executed with such a context or
// with one derived from it. If a context has several traces, the innermost counts.
func (t *Trace) Value(key any) any {
	if key == (traceKey{}) {
		return t
	}
	return nil
}

// Fill adds to a record what is known so far. Files and calls that have not ended are reported as
// such. Fill appends to the lists of r, and allocates only what they have no room for.
func (t *Trace) Fill(r *telemetry.Statement, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.done.Load() {
		t.advance(t.since(now))
	}
	t.fill(r)
}

// Finish ends the trace and fills r, if it is not nil, for the last time: files that are not
// downloaded are abandoned. The transport drops the statement and its links, and later messages pass
// unobserved. A later Fill gives the same result.
func (t *Trace) Finish(r *telemetry.Statement, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.done.Load() {
		t.advance(t.since(now))
		t.settle(ended)
		t.activity = ended
		t.done.Store(true)
		if t.reg != nil {
			t.reg.dropStatement(t)
		}
	}
	if r != nil {
		t.fill(r)
	}
}

// MoreRows reports whether there are rows beyond the latest page, as the server said in that page's
// answer; unknown if it did not say.
func (t *Trace) MoreRows() telemetry.Maybe[bool] {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.moreRows
}

// whole reports whether everything of the statement was observed and decoded. Otherwise its counts
// may be too low, and are unknown.
func (t *Trace) whole() bool {
	return !t.unread && !t.undecoded && !t.secondStatement && !t.evicted.Load()
}

func (t *Trace) since(at time.Time) time.Duration { return max(0, at.Sub(t.started)) }

// begin implements owner.
func (t *Trace) begin(req *message, out int64, redirect bool, at time.Time) (attempt uint32, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.done.Load() {
		return 0, false
	}
	if req.method == executeStatement {
		if !t.mayExecute() {
			t.secondStatement = true
			return 0, false
		}
		if req.has.has(sessionGUID) {
			t.session = req.session
		}
	}
	s, now := t.methods.add(req.method), t.since(at)
	t.advance(now)
	last := telemetry.Attempt{End: s.end, Status: s.rpc.LastStatus}
	request := s.request
	attempt, next := s.begin(req, out, redirect, now)
	switch next {
	case sameAttempt:
		if s.listed > 0 {
			t.calls[s.listed-1].forget() // forgets the answer with the redirect
		}
		t.continueAttempt(s.method)
		return attempt, true
	case firstAttempt:
		s.listed = t.list(s)
		t.beforeCall(s)
	case repeatedAttempt:
		if s.listed > 0 {
			last.RequestID = request.String()
			t.calls[s.listed-1].repeat(last, now)
		}
	}
	t.beginAttempt(s.method, next == repeatedAttempt)
	return attempt, true
}

// headers implements owner.
func (t *Trace) headers(x *exchange, h head, at time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.addHead(x, h) {
		return
	}
	now := t.since(at)
	t.advance(now)
	s := t.methods.add(x.method)
	if s.listed > 0 {
		c := &t.calls[s.listed-1]
		c.FirstByte, c.Status, c.request = telemetry.Known(now), h.code, h.request
	}
	if !t.waited && (x.method != getOperationStatus || !t.works()) { // the server may delay the answer while it works
		x.registry.roundTrip.add(x.method, h.code, now-s.attempted)
	}
	t.beginAnswer(x.method, x.registry.roundTrip.shortest())
}

// mayExecute reports whether an ExecuteStatement can belong to this trace: it is the first, or all
// earlier ones failed without starting a statement.
func (t *Trace) mayExecute() bool {
	return t.reg == nil && t.methods.find(executeStatement).state != running
}

// list adds a call that begins to the list and returns its position there, from 1, or 0 if nothing is listed
// because ExecuteStatement was not seen. Beyond the bound of its method, the call replaces an earlier one, see
// unlist.
func (t *Trace) list(s *methodStats) int {
	bound := int64(maxOthers)
	switch s.method {
	case executeStatement:
		t.calls = t.first[:0] // an earlier one failed without starting a statement
	case getOperationStatus:
		bound = maxPolls
	case fetchResults:
		if bound = maxPages; len(t.calls) > 0 && t.calls[0].page {
			bound--
		}
	}
	number := int64(0)
	if s.method != executeStatement {
		if len(t.calls) == 0 {
			return 0
		}
		if s.rpc.Calls > bound {
			t.unlist(s.rpc.Method)
			number = s.rpc.Calls
		}
	}
	t.calls = append(t.calls, call{Call: telemetry.Call{Method: s.rpc.Method, Start: s.start, Latest: s.start, Attempts: 1, Number: number}})
	return len(t.calls)
}

// unlist removes from the list the latest call of a method that was not repeated, because a verdict is about
// the statuses of repeated calls. If all calls were repeated, unlist removes the first one.
func (t *Trace) unlist(method string) {
	at := -1
	for i := len(t.calls) - 1; i >= 0; i-- {
		if c := &t.calls[i]; c.Method == method {
			if at = i; c.Attempts == 1 {
				break
			}
		}
	}
	if at < 0 {
		return
	}
	for i, n := 0, int64(0); i < len(t.calls); i++ {
		if c := &t.calls[i]; c.Method == method {
			if n++; i > at && c.Number == 0 {
				c.Number = n // no earlier call was missing until now
			}
		}
	}
	t.calls = append(t.calls[:at], t.calls[at+1:]...)
	for s := &t.methods.first; s != nil; s = s.next {
		if s.listed > at+1 {
			s.listed--
		}
	}
}

// repeat notes that the latest attempt of the call failed and another one begins.
func (c *call) repeat(failed telemetry.Attempt, now time.Duration) {
	failed.Start, c.Latest = c.Latest, now
	if c.Attempts++; len(c.Retried) < maxRetried {
		c.Retried = append(c.Retried, failed)
	}
	c.forget()
}

// forget removes what is known about the answer to the latest attempt, because there will be another
// answer.
func (c *call) forget() {
	c.FirstByte, c.End, c.Status, c.Failed, c.request = telemetry.Maybe[time.Duration]{}, telemetry.Maybe[time.Duration]{}, 0, false, guid{}
}

// adopt ties a statement to the trace in its context if the answer to ExecuteStatement was not
// decoded. It reports whether it did.
func (t *Trace) adopt(id guid, reg *registry) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.done.Load() || t.reg != nil || !t.undecoded {
		return false
	}
	return t.tie(id, reg)
}

func (t *Trace) tie(id guid, reg *registry) bool {
	if t.reg != nil {
		return t.id == id
	}
	if !reg.addStatement(id, t) {
		return false
	}
	t.id, t.reg = id, reg
	return true
}

// end implements owner.
func (t *Trace) end(x *exchange, state attemptState, broke error, at time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.done.Load() {
		return
	}
	s, now := t.methods.add(x.method), t.since(at)
	t.advance(now)
	if !s.finish(x.attempt, state, broke, now) {
		return
	}
	t.endAttempt(s, state)
	switch state {
	case answered:
		t.update(s, x, now)
	case undecoded:
		t.undecoded = t.undecoded || s.method != closeOperation && s.method != cancelOperation // no count comes from these
	}
	if s.listed > 0 {
		c := &t.calls[s.listed-1]
		c.End, c.Failed = telemetry.Known(now), s.unanswered()
	}
	t.updateFailing(s)
}

// update takes the facts from a complete answer.
func (t *Trace) update(s *methodStats, x *exchange, now time.Duration) {
	m := &x.reader.msg
	t.updateState(s.method, m, now)
	if s.method == executeStatement {
		if m.has.has(operationGUID) && !t.tie(m.operation, x.registry) {
			t.undecoded = true
			return
		}
		if m.typ == replyMessage {
			t.result.Direct = telemetry.Known(m.has.has(rowSet) && !m.refused())
		}
	}
	if s.refused, s.sqlState = m.refused(), m.sqlState; s.refused {
		return
	}
	t.updateResult(m)
	if m.has.has(rowSet) {
		t.addPage(s, m, x.reader.links, now)
	}
}

func (t *Trace) updateState(from method, m *message, now time.Duration) {
	updateEnum(m, &t.state, operationState, stateNames)
	t.updateRunning(from, m, now)
	t.updateServerTime(m, now)
	if t.tidies(from) || t.describes(from) || t.failing != unknownMethod && t.failing != from {
		return
	}
	state := ""
	switch {
	case m.has.has(operationSQLState):
		state = m.operationSQLState.String()
	case m.has.has(statusSQLState):
		state = m.sqlState.String()
	}
	if state != "" {
		t.sqlState = state
	}
}

func (t *Trace) updateResult(m *message) {
	r := &t.result
	updateEnum(m, &r.Format, resultFormat, resultFormats)
	updateEnum(m, &r.Cache, cacheLookup, cacheNames)
	m.updateBool(&r.Compressed, lz4Compressed)
	m.updateInt(&r.UncompressedBytes, uncompressedBytes)
	m.updateInt(&r.CompressedBytes, compressedBytes)
	if m.has.has(stagingOperation) {
		t.volume = m.num[stagingOperation] != 0
	}
}

var resultFormats = []telemetry.ResultFormat{
	telemetry.FormatInlineArrow, telemetry.FormatColumnarInline, telemetry.FormatInlineJSON, telemetry.FormatExternalLinks,
}

func (t *Trace) addPage(s *methodStats, m *message, links []link, now time.Duration) {
	rows := m.pageRows()
	skips := t.skips(m, rows)
	switch n, ok := rows.Get(); {
	case skips:
	case ok && t.rows+n >= t.rows:
		t.rows += n
	default:
		t.undecoded = true
	}
	t.pages++
	t.pageArrived(s.method)
	if len(links) == 0 && rows.Or(0) > 0 && !skips {
		t.addSegment(segment{rows: rows.Or(0)})
	}
	t.moreRows = telemetry.Maybe[bool]{}
	m.updateBool(&t.moreRows, hasMoreRows)
	if s.listed > 0 {
		c := &t.calls[s.listed-1]
		c.page, c.Rows, c.Files = true, rows, int64(len(links))
	}
	if !skips {
		t.addLinks(links, now)
	}
}

// skips reports whether the driver skips a page. If an answer was lost on its way and the call was repeated, the
// server sends the page after the lost one, and the driver goes back, page by page, to the rows that it expects.
func (t *Trace) skips(m *message, rows telemetry.Maybe[int64]) bool {
	return !t.undecoded && m.num[rowSetStart] > t.rows && rows.Or(0) > 0
}
