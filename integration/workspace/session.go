package workspace

import (
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/seed-01322ee7/databricks-telemetry/integration/internal/wire"
)

// session is one open session. Its identity never changes.
type session struct {
	id     string
	guid   []byte
	secret []byte
	conf   map[string]string
	sql    sqlSession

	warehouse *warehouse

	// namespace is the catalog, schema and time zone in which the session began. Sessions with the
	// same namespace share cached results; a session stops sharing when it has run a statement that
	// may change what it sees.
	namespace string
	altered   atomic.Bool

	mu         sync.Mutex
	dead       bool                  // closed or expired; guarded by mu
	operations map[string]*operation // guarded by mu
	used       time.Time             // the last request that named the session; guarded by mu
}

func (s *session) use() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.used = time.Now()
}

// sessionTable finds sessions and operations by their handles.
type sessionTable struct {
	mu         sync.Mutex
	sessions   map[string]*session   // by GUID bytes; guarded by mu
	operations map[string]*operation // by GUID bytes; guarded by mu
	closed     bool                  // guarded by mu
}

func newSessionTable() *sessionTable {
	return &sessionTable{sessions: map[string]*session{}, operations: map[string]*operation{}}
}

func openSession(x *exchange, req *wire.OpenSessionReq) (*wire.OpenSessionResp, error) {
	w := x.ws
	catalog, schema := "", ""
	if ns := req.InitialNamespace; ns != nil {
		catalog, schema = deref(ns.CatalogName), deref(ns.SchemaName)
	}
	sql, err := w.db.NewSession(catalog, schema, maps.Clone(req.Configuration))
	if err != nil {
		state, message := describe(err)
		return &wire.OpenSessionResp{
			Status: failure(state, message), ServerProtocolVersion: w.opts.ProtocolVersion,
		}, nil
	}
	catalog, schema = sql.Namespace()
	id := uuid.New()
	s := &session{
		id: id.String(), guid: id[:], secret: randomBytes(16), sql: sql, warehouse: x.warehouse,
		conf: maps.Clone(req.Configuration), namespace: catalog + "\x00" + schema + "\x00" + zoneSetting(req.Configuration),
		operations: map[string]*operation{}, used: time.Now(),
	}
	if !w.sessions.add(s) {
		_ = sql.Close()
		return nil, errClosing
	}
	w.ledger.sessionOpened(x, SessionFacts{
		ID: s.id, Conf: maps.Clone(s.conf), Catalog: catalog, Schema: schema, WarehouseID: s.warehouse.ID,
		UserAgent: x.r.UserAgent(), ClientProtocol: deref(req.ClientProtocolI64), Opened: time.Now(),
	})
	multiple, version := true, w.opts.ProtocolVersion
	return &wire.OpenSessionResp{
		Status:                 success(),
		ServerProtocolVersion:  version,
		SessionHandle:          &wire.SessionHandle{SessionID: handleIdentifier(s.guid, s.secret), ServerProtocolVersion: &version},
		Configuration:          map[string]string{},
		InitialNamespace:       &wire.Namespace{CatalogName: &catalog, SchemaName: &schema},
		CanUseMultipleCatalogs: &multiple,
	}, nil
}

// handleIdentifier is how the service writes the id of a session or of an operation.
func handleIdentifier(guid, secret []byte) *wire.HandleIdentifier {
	var version int16
	return &wire.HandleIdentifier{GUID: guid, Secret: secret, ExecutionVersion: &version}
}

func closeSession(x *exchange, req *wire.CloseSessionReq) (*wire.CloseSessionResp, error) {
	s, err := x.ws.session(req.SessionHandle)
	if err != nil {
		return nil, err
	}
	x.ws.endSession(s, false)
	return &wire.CloseSessionResp{Status: success()}, nil
}

// invalidSession refuses a dead or unknown session at the gateway, with the text that makes
// clients throw the connection away.
func invalidSession(id *wire.HandleIdentifier) error {
	return &httpError{http.StatusBadRequest, "BAD_REQUEST",
		fmt.Sprintf("Invalid SessionHandle: SessionHandle [%s]", guidText(id))}
}

// session finds a live session.
func (w *Workspace) session(h *wire.SessionHandle) (*session, error) {
	var id *wire.HandleIdentifier
	if h != nil {
		id = h.SessionID
	}
	w.sessions.mu.Lock()
	defer w.sessions.mu.Unlock()
	if id != nil {
		s := w.sessions.sessions[string(id.GUID)]
		if s != nil && subtle.ConstantTimeCompare(s.secret, id.Secret) == 1 {
			s.use()
			return s, nil
		}
	}
	return nil, invalidSession(id)
}

func (t *sessionTable) add(s *session) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return false
	}
	t.sessions[string(s.guid)] = s
	return true
}

// ExpireSession ends a session without its client's knowledge, as an idle timeout or a restarted
// warehouse does. It reports whether the session was open.
func (w *Workspace) ExpireSession(id string) bool {
	for _, s := range w.sessions.all() {
		if s.id == id {
			w.endSession(s, true)
			return true
		}
	}
	return false
}

// all lists the open sessions.
func (t *sessionTable) all() []*session {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Collect(maps.Values(t.sessions))
}

// endSession closes a session with everything in it.
func (w *Workspace) endSession(s *session, expired bool) {
	s.mu.Lock()
	wasDead := s.dead
	s.dead = true
	ops := s.operations
	s.operations = map[string]*operation{}
	s.mu.Unlock()
	if wasDead {
		return
	}
	w.sessions.mu.Lock()
	delete(w.sessions.sessions, string(s.guid))
	for _, o := range ops {
		delete(w.sessions.operations, string(o.guid))
	}
	w.sessions.mu.Unlock()
	for _, o := range ops {
		o.cancel(errSessionClosed)
		w.ledger.operationClosed(o, ClosedWithSession)
	}
	w.objects.dropSession(s.id)
	w.ledger.sessionClosed(s.id, expired)
	_ = s.sql.Close() // it has no error to report
}

// closeAll ends every session and refuses new ones.
func (t *sessionTable) closeAll(w *Workspace) {
	t.mu.Lock()
	t.closed = true
	t.mu.Unlock()
	for _, s := range t.all() {
		w.endSession(s, true)
	}
}

func guidText(h *wire.HandleIdentifier) string {
	if h == nil {
		return ""
	}
	if id, err := uuid.FromBytes(h.GUID); err == nil {
		return id.String()
	}
	return hex.EncodeToString(h.GUID)
}

func deref[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}

// zoneSetting is the time zone a session begins with, as its client named it.
func zoneSetting(configuration map[string]string) string {
	for k, v := range configuration {
		if strings.EqualFold(k, "timezone") {
			return v
		}
	}
	return ""
}
