package cloudfetch

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// Session collects what the transport sees of one session: how it was opened
// and closed. Put one into the context given to one call of the connector's Connect. All
// methods are safe for concurrent use.
type Session struct {
	done atomic.Bool // set under mu

	mu    sync.Mutex // guards all below
	calls calls
	facts SessionFacts
	reg   *registry // where it is registered, once facts.SessionID is known; nil before

	place place[ID, *Session] // guarded by the registry's lock
}

// NewSession returns an empty session trace.
func NewSession() *Session { return &Session{} }

type sessionKey struct{}

// NewSessionContext returns a context that carries s. The session that is opened
// with it is s's session; its CloseSession, which runs without the context, is
// recognised by its identifier.
func NewSessionContext(ctx context.Context, s *Session) context.Context {
	return context.WithValue(ctx, sessionKey{}, s)
}

// SessionFromContext returns the innermost session in ctx, or nil.
func SessionFromContext(ctx context.Context) *Session {
	s, _ := ctx.Value(sessionKey{}).(*Session)
	return s
}

// Facts returns what is known by now.
func (s *Session) Facts() SessionFacts {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.facts
	f.OpenRPC, f.CloseRPC = s.calls.latest(OpenSession).rpc, s.calls.latest(CloseSession).rpc
	f.Open, f.Close = s.calls.latest(OpenSession).span, s.calls.latest(CloseSession).span
	return f
}

// Finish ends the trace and returns the final facts. The transport forgets the
// session.
func (s *Session) Finish() SessionFacts {
	s.mu.Lock()
	if !s.done.Swap(true) && s.reg != nil {
		s.reg.dropSession(s.facts.SessionID, s)
	}
	s.mu.Unlock()
	return s.Facts()
}

// begin implements owner.
func (s *Session) begin(m Method, req *message, out int64, redirect bool, now time.Time) (uint32, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.done.Load() || m == OpenSession && s.reg != nil {
		return 0, false
	}
	return s.calls.begin(m, req, out, redirect, now), true
}

// headers implements owner.
func (s *Session) headers(m Method, attempt uint32, code int, workspace string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.done.Load() || s.calls.latest(m).attempt != attempt {
		return
	}
	s.calls.rpc(m).LastStatus = code
	if workspace != "" {
		s.facts.WorkspaceID = workspace
	}
}

// received implements owner.
func (s *Session) received(m Method, n int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.done.Load() {
		s.calls.rpc(m).BytesIn += n
	}
}

// end implements owner.
func (s *Session) end(x *exchange, stands standing, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.done.Load() || !s.calls.end(x.method, x.attempt, stands, now) {
		return
	}
	if stands == misread {
		s.facts.Gaps |= GapMessages
	}
	if stands != answered {
		return
	}
	m := &x.reader.msg
	if m.refused() {
		s.calls.rpc(x.method).Errors++
	}
	if state := m.sqlState.String(); m.has.has(statusSQLState) && state != "" {
		s.facts.SQLState = state
	}
	if x.method != OpenSession {
		return
	}
	if v := m.int(protocolVersion); v.Known {
		s.facts.Protocol = known(int32(v.V))
	}
	if m.has.has(sessionGUID) && s.reg == nil {
		s.facts.SessionID, s.reg = m.session, x.registry
		s.reg.addSession(m.session, s)
	}
}
