package workspace

import (
	"maps"
	"sync"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/integration/internal/wire"
)

// ledger records the facts. Everything in it is guarded by mu. It locks operation.mu before mu,
// never after.
type ledger struct {
	keep int // see Options.Keep

	mu         sync.Mutex
	arrivals   int // requests so far
	requests   kept[*Request]
	sessions   kept[*SessionFacts]
	sessionIDs map[string]*SessionFacts
	statements kept[*statementRecord]
	byID       map[string]*statementRecord
	unstarted  map[callKey]*statementRecord // ExecuteStatement calls that no attempt has completed
}

// statementRecord is the live version of StatementFacts.
type statementRecord struct {
	StatementFacts
	key  callKey          // of its ExecuteStatement
	last map[string]int32 // sequence number of the last call, per method
}

// callKey identifies an RPC: clients number the calls of a connection, a session
// belongs to one connection, and a retry repeats the number.
type callKey struct {
	session, operation, method string
	seq                        int32
}

func newLedger(keep int) *ledger {
	l := &ledger{keep: keep}
	l.clear()
	return l
}

// clear removes everything except the number of requests. l.mu is held, or l is new.
func (l *ledger) clear() {
	l.sessionIDs = map[string]*SessionFacts{}
	l.byID = map[string]*statementRecord{}
	l.unstarted = map[callKey]*statementRecord{}
	l.requests = kept[*Request]{limit: l.keep}
	l.sessions = kept[*SessionFacts]{limit: l.keep, dropped: func(s *SessionFacts) { delete(l.sessionIDs, s.ID) }}
	l.statements = kept[*statementRecord]{limit: l.keep, dropped: func(s *statementRecord) {
		delete(l.byID, s.ID)
		if l.unstarted[s.key] == s {
			delete(l.unstarted, s.key)
		}
	}}
}

// update runs f with the ledger locked.
func (l *ledger) update(f func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f()
}

func (l *ledger) open(r *Request) {
	l.update(func() {
		l.arrivals++
		r.ID = l.arrivals
		l.requests.add(r)
	})
}

// identify records which session and operation a Thrift call names, and counts the attempt.
func (l *ledger) identify(x *exchange) {
	key := callKey{method: x.call.Method, seq: x.call.Seq}
	if x.method != nil {
		s, o := x.method.names(x.req)
		if s != nil {
			key.session = guidText(s.SessionID)
		}
		if o != nil {
			key.operation = guidText(o.OperationID)
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	r := x.record
	r.Thrift, r.Seq, r.SessionID, r.StatementID = key.method, key.seq, key.session, key.operation
	switch req := x.req.(type) {
	case *wire.ExecuteStatementReq:
		s := l.unstarted[key]
		if s == nil {
			s = newStatementRecord(key, req, r.Received)
			l.unstarted[key] = s
			l.statements.add(s)
		}
		s.attempt(key)
	case *wire.CloseSessionReq:
		if s := l.sessionIDs[key.session]; s != nil {
			s.CloseAttempts++
		}
	default:
		if s := l.byID[key.operation]; s != nil {
			r.SessionID = s.SessionID
			s.attempt(key)
		}
	}
}

func newStatementRecord(key callKey, req *wire.ExecuteStatementReq, at time.Time) *statementRecord {
	return &statementRecord{
		StatementFacts: StatementFacts{
			SessionID: key.session, SQL: req.Statement, Received: at,
			Overlay: maps.Clone(req.ConfOverlay), Parameters: len(req.Parameters),
			UpdatedRows: -1, CacheResult: cacheName(wire.CacheIneligible),
			Attempts: map[string]int{}, Calls: map[string]int{},
		},
		key: key, last: map[string]int32{},
	}
}

func (s *statementRecord) attempt(key callKey) {
	s.Attempts[key.method]++
	// A client makes one call of a method at a time, and a retry repeats its number.
	if last, seen := s.last[key.method]; !seen || last != key.seq {
		s.last[key.method] = key.seq
		s.Calls[key.method]++
	}
}

func (l *ledger) sessionOpened(x *exchange, facts SessionFacts) {
	l.update(func() {
		x.record.SessionID = facts.ID
		facts.OpenRequestID = x.record.ID
		l.sessions.add(&facts)
		l.sessionIDs[facts.ID] = &facts
	})
}

func (l *ledger) sessionClosed(id string, expired bool) {
	l.update(func() {
		if s := l.sessionIDs[id]; s != nil && s.Closed.IsZero() {
			s.Closed, s.Expired = time.Now(), expired
		}
	})
}

// statementStarted gives an ExecuteStatement call the id of its operation.
func (l *ledger) statementStarted(x *exchange, o *operation) {
	key := callKey{session: o.session.id, method: x.call.Method, seq: x.call.Seq}
	l.update(func() {
		s := l.unstarted[key]
		if s == nil {
			s = newStatementRecord(key, o.req, x.record.Received)
			l.statements.add(s)
		}
		delete(l.unstarted, key)
		s.ID, s.State, s.WarehouseID = o.id, stateName(wire.StatePending), o.session.warehouse.ID
		l.byID[o.id] = s
		x.record.StatementID = o.id
	})
}

// statement updates the facts of an operation.
func (l *ledger) statement(o *operation, f func(*statementRecord)) {
	l.update(func() {
		if s := l.byID[o.id]; s != nil {
			f(s)
		}
	})
}

func (l *ledger) operationChanged(o *operation) {
	o.mu.Lock()
	state, sqlState, message, updated := o.state, o.sqlState, o.message, o.updated
	t, rs := o.times, o.result
	o.mu.Unlock()
	l.statement(o, func(s *statementRecord) {
		s.State, s.SQLState, s.Message, s.UpdatedRows = stateName(state), sqlState, message, updated
		s.ComputeQueued, s.CapacityQueued, s.Compiling = t.computeQueued, t.capacityQueued, t.compiling
		s.Started, s.Completed = t.started, t.completed
		if rs == nil {
			return
		}
		m := rs.metadata()
		s.Rows = rs.rows()
		s.Format = formatName(deref(m.ResultFormat))
		s.LZ4 = deref(m.LZ4Compressed)
		s.Staging = deref(m.IsStagingOperation)
		s.CacheResult = cacheName(deref(m.CacheLookupResult))
	})
}

func (l *ledger) polled(o *operation) {
	l.statement(o, func(s *statementRecord) { s.Polls++ })
}

func (l *ledger) canceled(o *operation) {
	l.statement(o, func(s *statementRecord) { s.Canceled = true })
	l.operationChanged(o)
}

func (l *ledger) operationClosed(o *operation, how ClosedBy) {
	l.statement(o, func(s *statementRecord) {
		if s.ClosedBy == StillOpen {
			s.ClosedBy, s.Closed = how, time.Now()
		}
	})
}

func (l *ledger) pageAnswered(o *operation, p page, direct bool) {
	l.statement(o, func(s *statementRecord) {
		s.Pages = append(s.Pages, PageFacts{
			Direct: direct, Rows: p.rows, Bytes: p.bytes, Links: len(p.links), More: p.more, At: time.Now(),
		})
		s.RowsSent += p.rows
		for _, k := range p.links {
			k.index = len(s.Links)
			s.Links = append(s.Links, LinkFacts{
				Path: k.path, StartRow: k.file.startRow, Rows: k.file.rows, Bytes: int64(len(k.file.body)),
			})
		}
	})
}

// linkIssued records a presigned URL that is not part of a page: that of a volume file.
func (l *ledger) linkIssued(o *operation, k *link) {
	l.statement(o, func(s *statementRecord) {
		k.index = len(s.Links)
		s.Links = append(s.Links, LinkFacts{Path: k.path})
	})
}

// downloaded records one attempt to read a file.
func (l *ledger) downloaded(k *link, d Download) {
	l.update(func() {
		if s := l.byID[k.operation]; s != nil && k.index < len(s.Links) {
			f := &s.Links[k.index]
			f.Downloads = append(f.Downloads, d)
		}
	})
}

func stateName(s wire.OperationState) string {
	switch s {
	case wire.StatePending:
		return "PENDING"
	case wire.StateRunning:
		return "RUNNING"
	case wire.StateFinished:
		return "FINISHED"
	case wire.StateCanceled:
		return "CANCELED"
	case wire.StateError:
		return "ERROR"
	case wire.StateTimedOut:
		return "TIMEDOUT"
	}
	return ""
}

func formatName(f wire.ResultFormat) ResultFormat {
	switch f {
	case wire.FormatColumn:
		return ColumnarInline
	case wire.FormatURL:
		return ExternalLinks
	}
	return InlineArrow
}

func cacheName(c int32) string {
	switch c {
	case wire.CacheLocalHit, wire.CacheRemoteHit:
		return "HIT"
	case wire.CacheMiss:
		return "MISS"
	}
	return "INELIGIBLE"
}
