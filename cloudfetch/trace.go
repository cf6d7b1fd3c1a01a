package cloudfetch

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Trace collects what the transport sees of one statement. Make one per
// statement, put it into the context of the call that runs it, read it with
// Facts, and end it with Finish. The zero value is an empty trace; it must not be copied. All
// methods are safe for concurrent use.
type Trace struct {
	// Set once under mu (done) or the registry's lock (evicted), read by anyone.
	done, evicted atomic.Bool

	mu     sync.Mutex // guards all below
	calls  calls
	facts  Facts     // without what snapshot adds
	reg    *registry // where it is registered, once facts.StatementID is known; nil before
	direct [1]Page   // room for the first page: most results have one
	files  *files    // nil before a link was handed out

	// Guarded by the registry's lock: its place there, and its registered files, newest first.
	place      place[ID, *Trace]
	newest     *file
	registered int
}

// NewTrace returns an empty trace.
func NewTrace() *Trace { return &Trace{} }

type traceKey struct{}

// NewContext returns a context that carries t. The statement that is executed
// with it, or with a context derived from it, is t's statement; of several
// traces in a context the innermost counts.
func NewContext(ctx context.Context, t *Trace) context.Context {
	return context.WithValue(ctx, traceKey{}, t)
}

// Value answers what FromContext asks a context for, and nothing else: a context type of the
// caller's own can carry t without another one around it.
func (t *Trace) Value(key any) any {
	if key == (traceKey{}) {
		return t
	}
	return nil
}

// FromContext returns the innermost trace in ctx, or nil.
func FromContext(ctx context.Context) *Trace {
	t, _ := ctx.Value(traceKey{}).(*Trace)
	return t
}

// Facts returns what is known by now. Files and calls under way are reported as
// such.
func (t *Trace) Facts() Facts {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.snapshot()
}

// Finish ends the trace and returns the final facts: files not yet downloaded
// are abandoned. The transport forgets the statement and its links; whatever
// still comes passes unseen. Further calls return the same facts.
func (t *Trace) Finish() Facts {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.done.Load() {
		t.done.Store(true)
		if t.reg != nil {
			t.reg.dropStatement(t.facts.StatementID, t)
		}
	}
	return t.snapshot()
}

// NextPart returns the number of the first row, counted from 0, that lies beyond
// row and begins a new page or file: reading it is when a driver that reads in
// order waits. Where what follows row has not arrived yet, that is the number of
// rows delivered so far. It reports false when that cannot be known.
func (t *Trace) NextPart(row int64) (next int64, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.facts.PageCount > len(t.facts.Pages) || t.evicted.Load() || t.facts.Gaps != 0 {
		return 0, false
	}
	file := 0
	for _, p := range t.facts.Pages {
		if !p.Rows.Known {
			return 0, false
		}
		if p.Links == 0 {
			if next += p.Rows.V; next > row {
				return next, true
			}
			continue
		}
		for range p.Links {
			if t.files == nil || file == len(t.files.first) {
				return 0, false
			}
			if next += t.files.first[file].facts.Rows; next > row {
				return next, true
			}
			file++
		}
	}
	return next, next > row
}

// snapshot copies the facts. After Finish nothing changes any more, so what is long is shared.
func (t *Trace) snapshot() Facts {
	f := t.facts
	f.calls = &t.calls.first
	if !t.done.Load() {
		f.calls = f.calls.clone()
		f.Polls, f.Pages = slices.Clone(f.Polls), slices.Clone(f.Pages)
	}
	if t.evicted.Load() {
		f.Gaps |= GapEvicted
	}
	if t.files != nil {
		f.Files = t.files.snapshot(t.done.Load())
		if f.Files.Unknown > 0 {
			f.Gaps |= GapFiles
		}
	}
	return f
}

// begin implements owner.
func (t *Trace) begin(m Method, req *message, out int64, redirect bool, now time.Time) (uint32, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.done.Load() {
		return 0, false
	}
	if m == ExecuteStatement && !t.mayExecute() {
		t.facts.Gaps |= GapOthers
		return 0, false
	}
	attempt := t.calls.begin(m, req, out, redirect, now)
	switch m {
	case ExecuteStatement:
		if req.has.has(sessionGUID) {
			t.facts.SessionID = req.session
		}
		t.facts.Asked = known(Asked{
			Async:         req.bool(askAsync).V,
			DirectResults: req.has.has(askDirect),
			DirectRows:    req.int(askDirectRows).V,
			Arrow:         req.bool(askArrow).V,
			Download:      req.bool(askDownload).V,
			LZ4:           req.bool(askLZ4).V,
		})
	case GetOperationStatus:
		if n := len(t.facts.Polls); t.calls.rpc(m).Count > n && n < MaxPolls {
			t.facts.Polls = append(t.facts.Polls, Span{Start: now})
		}
	}
	return attempt, true
}

// mayExecute reports whether an ExecuteStatement can be this trace's: the first,
// or one after those before it failed without giving a statement.
func (t *Trace) mayExecute() bool {
	stands := t.calls.latest(ExecuteStatement).stands
	return t.reg == nil && stands != running
}

// adopt ties a statement to the trace in its context when the ExecuteStatement
// was not understood. It reports whether the trace had none.
func (t *Trace) adopt(id ID, reg *registry) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.done.Load() || t.reg != nil || !t.facts.Gaps.Has(GapMessages) {
		return false
	}
	return t.tie(id, reg)
}

func (t *Trace) tie(id ID, reg *registry) bool {
	if t.reg != nil {
		return t.facts.StatementID == id
	}
	if !reg.addStatement(id, t) {
		return false
	}
	t.facts.StatementID, t.reg = id, reg
	return true
}

// unread notes a request that was not understood.
func (t *Trace) unread() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.done.Load() {
		t.facts.Gaps |= GapMessages
	}
}

// headers implements owner.
func (t *Trace) headers(m Method, attempt uint32, code int, workspace string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.done.Load() || t.calls.latest(m).attempt != attempt {
		return
	}
	t.calls.rpc(m).LastStatus = code
	if workspace != "" {
		t.facts.WorkspaceID = workspace
	}
}

// received implements owner.
func (t *Trace) received(m Method, n int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.done.Load() {
		t.calls.rpc(m).BytesIn += n
	}
}

// end implements owner.
func (t *Trace) end(x *exchange, s standing, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.done.Load() || !t.calls.end(x.method, x.attempt, s, now) {
		return
	}
	if n := t.calls.rpc(x.method).Count; x.method == GetOperationStatus && n <= len(t.facts.Polls) {
		t.facts.Polls[n-1] = t.calls.latest(x.method).span
	}
	switch s {
	case answered:
		t.learn(x, now)
	case misread:
		t.facts.Gaps |= GapMessages
	}
}

// learn takes over what a complete answer says.
func (t *Trace) learn(x *exchange, now time.Time) {
	m := &x.reader.msg
	if m.refused() {
		t.calls.rpc(x.method).Errors++
	}
	t.learnState(x.method, m)
	if x.method == ExecuteStatement {
		if m.has.has(operationGUID) {
			if !t.tie(m.operation, x.registry) {
				t.facts.Gaps |= GapMessages
				return
			}
		}
		if m.typ == replyMessage {
			t.facts.DirectResults = known(m.has.has(directResults))
			t.facts.ServerClosed = known(m.has.has(directClose))
		}
	}
	if m.refused() {
		return
	}
	t.learnMetadata(m)
	if m.has.has(rowSet) {
		t.learnPage(x, m, now)
	}
}

func (t *Trace) learnState(method Method, m *message) {
	f := &t.facts
	if s := m.int(operationState); s.Known {
		f.State = ServerState(oneBased(int32(s.V), len(stateNames)))
	}
	state := ""
	switch {
	case m.has.has(operationSQLState):
		state = m.operationSQLState.String()
	case m.has.has(statusSQLState):
		state = m.sqlState.String()
	}
	// A cancel or close that comes too late says nothing of the statement.
	if state != "" && method != CancelOperation && method != CloseOperation {
		f.SQLState = state
	}
	for _, s := range [...]slot{operationErrorCode, statusErrorCode} {
		if c := m.int(s); c.Known && method != CancelOperation && method != CloseOperation {
			f.ErrorCode = known(int32(c.V))
			break
		}
	}
	if v := m.int(operationStarted); v.Known && v.V > 0 {
		f.ServerStarted = time.UnixMilli(v.V)
	}
	if v := m.int(operationCompleted); v.Known && v.V > 0 {
		f.ServerCompleted = time.UnixMilli(v.V)
	}
	learnValue(&f.ModifiedRows, m.int(modifiedRows))
	learnValue(&f.HasResultSet, m.bool(handleResultSet))
}

func (t *Trace) learnMetadata(m *message) {
	f := &t.facts
	if v := m.int(resultFormat); v.Known {
		f.Format = ResultFormat(oneBased(int32(v.V), len(formatNames)))
	}
	if v := m.int(cacheLookup); v.Known {
		f.Cache = CacheResult(oneBased(int32(v.V), len(cacheNames)))
	}
	learnValue(&f.Compressed, m.bool(lz4Compressed))
	learnValue(&f.UncompressedBytes, m.int(uncompressedBytes))
	learnValue(&f.CompressedBytes, m.int(compressedBytes))
	learnValue(&f.Staging, m.bool(stagingOperation))
	if v := m.int(schemaColumns); v.Known {
		f.Columns = known(int(v.V))
	}
}

func learnValue[T any](to *Value[T], v Value[T]) {
	if v.Known {
		*to = v
	}
}

func (t *Trace) learnPage(x *exchange, m *message, now time.Time) {
	f := &t.facts
	page := Page{
		Fetch:      t.calls.latest(x.method).span,
		Direct:     x.method == ExecuteStatement,
		Rows:       m.pageRows(),
		Offset:     m.int(rowSetOffset),
		Batches:    m.batches,
		BatchBytes: m.batchBytes,
		Links:      m.links,
	}
	if page.Rows.Known {
		f.RowsDelivered += page.Rows.V
	} else {
		f.Gaps |= GapMessages
	}
	f.MoreRows = m.bool(hasMoreRows)
	t.handOut(x.reader.handedOut, now)
	if f.Pages == nil {
		f.Pages = t.direct[:0]
	}
	if f.PageCount++; f.PageCount <= MaxPages {
		f.Pages = append(f.Pages, page)
	}
}
