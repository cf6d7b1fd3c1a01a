package cloudfetch

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// Session collects what the transport sees of the opening and closing of one session. Put one into
// the context of one call of the connector's Connect. The zero value has seen nothing. All methods
// are safe for concurrent use.
type Session struct {
	Transport *Transport // as in Trace

	callState // without times, because the records of a session have none

	// Guarded by mu.
	id       guid
	catalog  string // TOpenSessionResp 1284.1; empty unknown
	schema   string // TOpenSessionResp 1284.2; empty unknown
	sqlState string
	reg      *registry // where the session is registered, once id is known; nil before

	evicted atomic.Bool // set once under the registry's lock

	node node[guid, *Session] // guarded by the registry's lock
}

type sessionKey struct{}

// NewSessionContext returns a context that carries s. s observes the session that is opened with it.
// The session's CloseSession, which runs without the context, is recognized by the session's
// identifier.
func NewSessionContext(ctx context.Context, s *Session) context.Context {
	return context.WithValue(ctx, sessionKey{}, s)
}

// ID returns the server's session id; empty while unknown.
func (s *Session) ID() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.id.String()
}

// Namespace returns the catalog and the schema that the server says the session began in; empty
// while unknown, and for names of more than 255 bytes.
func (s *Session) Namespace() (catalog, schema string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.catalog, s.schema
}

// FillOpened adds to a record what was observed when the session was opened. The record must have its
// Latency.
func (s *Session) FillOpened(r *telemetry.SessionOpened) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r.SessionID, r.WorkspaceID = s.id.String(), s.workspace
	opening := s.methods.find(openSession)
	r.Retries, r.RequestID = opening.shown(r.Latency)
	r.FailedStatus = opening.failedStatus()
	if r.Failed() && (opening.refused || opening.state == undecoded) {
		r.FailedStatus = 0 // the answer that it failed with came whole: what was repeated before is not why
	}
}

// FillClosed adds to a record what was observed when the session was closed. The record must have its
// Latency.
func (s *Session) FillClosed(r *telemetry.SessionClosed) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r.Retries, r.RequestID = s.methods.find(closeSession).shown(r.Latency)
}

// shown returns what the record of a session has about the call that opened or closed the session.
func (s *methodStats) shown(took time.Duration) (retries telemetry.Maybe[int64], requestID string) {
	if s.unanswered() || s.rpc.Retries > 0 || took >= slowCall {
		requestID = s.request.String()
	}
	return telemetry.Known(s.rpc.Retries), requestID
}

// Fault returns what the server answered when the session was closed, or, before that, when it was
// opened. A nil session has the zero Fault.
func (s *Session) Fault() Fault {
	if s == nil {
		return Fault{}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	last := s.methods.find(closeSession)
	if last.state == notCalled {
		last = s.methods.find(openSession)
	}
	f := last.fault(s.sqlState)
	f.Observed = !s.evicted.Load()
	return f
}

// Finish ends the observation. The transport drops the session, and later messages pass unobserved.
func (s *Session) Finish() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.done.Swap(true) && s.reg != nil {
		s.reg.dropSession(s)
	}
}

// begin implements owner.
func (s *Session) begin(req *message, out int64, redirect bool, _ time.Time) (attempt uint32, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.done.Load() || req.method == openSession && s.reg != nil {
		return 0, false
	}
	attempt, _ = s.methods.add(req.method).begin(req, out, redirect, 0)
	return attempt, true
}

// headers implements owner.
func (s *Session) headers(x *exchange, h head, _ time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.addHead(x, h)
}

// end implements owner.
func (s *Session) end(x *exchange, state attemptState, broke error, _ time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	last := s.methods.add(x.method)
	if s.done.Load() || !last.finish(x.attempt, state, broke, 0) || state != answered {
		return
	}
	m := &x.reader.msg
	last.refused = m.refused()
	if state := m.sqlState.String(); m.has.has(statusSQLState) && state != "" {
		s.sqlState = state
	}
	if m.has.has(sessionGUID) && s.reg == nil {
		s.id, s.reg = m.session, x.registry
		s.catalog, s.schema = m.catalog, m.schema
		s.reg.addSession(m.session, s)
	}
}
