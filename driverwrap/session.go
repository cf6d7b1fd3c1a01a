package driverwrap

import (
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/cloudfetch"
	"github.com/seed-01322ee7/databricks-telemetry/internal/contain"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// sessions are the open sessions of a connector.
type sessions struct {
	closed  atomic.Bool  // the connector is closed; sessions that are in use live on
	opening atomic.Int64 // sessions that are being opened
	ended   atomic.Int64 // when an attempt to open one last ended, or began with no other under way: nanoseconds since the connector was made

	mu  sync.Mutex
	all map[*session]struct{} // guarded by mu
}

func (l *sessions) add(s *session) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.all == nil {
		l.all = map[*session]struct{}{}
	}
	l.all[s] = struct{}{}
}

func (l *sessions) remove(s *session) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.all, s)
}

func (l *sessions) list() []*session {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Collect(maps.Keys(l.all))
}

// unfinished returns the statements of all sessions that are not finished.
func (l *sessions) unfinished() (all []*statement) {
	for _, s := range l.list() {
		all = append(all, s.unfinishedStatements()...)
	}
	return all
}

// over reports whether the connector is closed and none of its sessions will have anything to
// record.
func (l *sessions) over() bool {
	if !l.closed.Load() || l.opening.Load() > 0 {
		return false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for s := range l.all {
		if !s.isAbandoned() {
			return false
		}
	}
	return true
}

// progressed notes that an attempt to open a session has ended, or begins with no other under way. created is when
// the connector was made.
func (l *sessions) progressed(created time.Time) { l.ended.Store(int64(time.Since(created))) }

// session is what a connection, its statements and their rows share. Fields that are neither
// atomic nor under mu are immutable.
type session struct {
	*recorder
	connector *connector
	opened    time.Time
	trace     *cloudfetch.Session // nil where the wire is not read

	catalog, schema string      // in which the session began; empty while unknown
	tagsSet         atomic.Bool // a statement has changed the session's query tags

	id     atomic.Pointer[string] // nil until known
	closed atomic.Bool
	lease  spareLease

	mu         sync.Mutex
	unfinished []*statement  // rarely more than one
	one        [1]*statement // room for unfinished
	statements int64         // begun so far
	dropped    int64         // statements whose open rows the application has dropped
	abandoned  bool          // the application has dropped open rows: nothing closes the session any more
}

// newSession returns a session of a connector that was opened at the given time.
func newSession(of *connector, at time.Time, trace *cloudfetch.Session) *session {
	s := &session{recorder: &of.recorder, connector: of, opened: at, trace: trace}
	s.unfinished = s.one[:0]
	defer contain.Process.Recover(contain.Statement)
	of.sessions.add(s)
	if trace != nil {
		s.setID(trace.ID())
		s.catalog, s.schema = trace.Namespace()
	}
	return s
}

// setID sets the id, once. The first id is the session's own. A later one belongs to a statement that an
// authenticator runs within the context of a request, and is ignored.
func (s *session) setID(id string) {
	if id != "" {
		s.id.CompareAndSwap(nil, &id)
	}
}

// sessionID returns the id, empty while it is unknown.
func (s *session) sessionID() string {
	if id := s.id.Load(); id != nil {
		return *id
	}
	return ""
}

// close finishes the statements whose rows are open, and records that the session was closed. Closing
// took from start until now. reused counts how often the pool used the connection again.
func (s *session) close(start time.Time, reused int64, err error) {
	defer contain.Process.Recover(contain.Statement)
	latency, failure := time.Since(start), s.failureOf(err, nil, s.trace.Fault)
	if s.closed.Swap(true) {
		return
	}
	defer s.connector.endIfOver()
	defer s.connector.sessions.remove(s)
	// A call that is still running ends its statement when it returns.
	open := slices.DeleteFunc(s.unfinishedStatements(), func(st *statement) bool { return !st.hasOpenRows() })
	s.mu.Lock()
	r := &telemetry.SessionClosed{
		Connector:  s.connectorID,
		Started:    start,
		Server:     s.server,
		Latency:    latency,
		Lifetime:   start.Sub(s.opened),
		Statements: s.statements,
		Reused:     reused,
		Abandoned:  int64(len(open)) + s.dropped,
		Failure:    failure,
	}
	s.mu.Unlock()

	for _, st := range open {
		st.finish(time.Now(), telemetry.OutcomeAbandoned)
	}
	r.SessionID = s.sessionID()
	if s.trace != nil {
		s.trace.Finish()
		s.trace.FillClosed(r)
	}
	s.sessionClosed(r)
}

// outlived reports whether the session or its connector is closed. Rows that the application drops
// after that are not found when a session is opened.
func (s *session) outlived() bool { return s.closed.Load() || s.connector.sessions.closed.Load() }

// add lists a statement until it is finished, so that closing the session can finish it.
func (s *session) add(st *statement) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unfinished = append(s.unfinished, st)
	s.statements++
	s.abandoned = false
}

func (s *session) remove(st *statement) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unfinished = slices.DeleteFunc(s.unfinished, func(other *statement) bool { return other == st })
}

// drop removes a statement that did not run.
func (s *session) drop(st *statement) {
	s.remove(st)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.statements--
}

func (s *session) unfinishedStatements() []*statement {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.unfinished)
}

// abandon notes that the application has dropped rows of the session. If no other statement of the
// session is unfinished, the session counts as unused until another statement begins.
func (s *session) abandon() {
	s.mu.Lock()
	s.dropped++
	s.abandoned = len(s.unfinished) == 0
	s.mu.Unlock()
	s.connector.endIfOver()
}

func (s *session) isAbandoned() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.abandoned
}
