package workspace

import (
	"context"
	"crypto/subtle"
	"errors"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/seed-01322ee7/databricks-telemetry/integration/internal/engine"
	"github.com/seed-01322ee7/databricks-telemetry/integration/internal/wire"
)

// Why a statement's context ended.
var (
	errCanceled      = errors.New("canceled by the client")
	errSessionClosed = errors.New("session closed")
	errClosed        = errors.New("operation closed")
	errClosing       = errors.New("workspace is closing")
	errTimedOut      = errors.New("query timeout")
)

// What a canceled and a timed out statement report.
const (
	stateCanceledSQL = "HY008"
	stateTimedOutSQL = "57KD0"
)

// operation is one statement from ExecuteStatement to CloseOperation. Its identity and
// request never change; the rest is guarded by mu.
type operation struct {
	id      string
	guid    []byte
	secret  []byte
	session *session
	req     *wire.ExecuteStatementReq
	cancel  context.CancelCauseFunc
	done    chan struct{} // closed when the statement has reached its final state

	mu        sync.Mutex
	state     wire.OperationState
	sqlState  string
	message   string
	updated   int64 // rows changed; -1 when the statement changes none
	started   time.Time
	completed time.Time
	result    resultSet // nil unless finished
	cursor    cursor
}

// start creates an operation and runs it in the background.
func (x *exchange) start(s *session, req *wire.ExecuteStatementReq) (*operation, error) {
	w := x.ws
	id := uuid.New()
	ctx, cancel := context.WithCancelCause(w.ctx)
	o := &operation{
		id: id.String(), guid: id[:], secret: randomBytes(16), session: s, req: req,
		cancel: cancel, done: make(chan struct{}), state: wire.StatePending, updated: -1,
	}
	s.mu.Lock()
	if s.dead {
		s.mu.Unlock()
		cancel(errSessionClosed)
		return nil, invalidSession(req.SessionHandle.SessionID)
	}
	s.operations[string(o.guid)] = o
	s.mu.Unlock()

	w.sessions.mu.Lock()
	w.sessions.operations[string(o.guid)] = o
	w.sessions.mu.Unlock()

	w.ledger.statementStarted(x, o)
	if !w.spawn(func() { w.run(ctx, o) }) {
		w.finish(o, nil, errClosing, errClosing)
		close(o.done)
	}
	return o, nil
}

// run executes the statement and leaves the operation in its final state.
func (w *Workspace) run(ctx context.Context, o *operation) {
	defer o.cancel(nil)
	defer close(o.done)
	if seconds := o.req.QueryTimeout; seconds > 0 {
		var stop context.CancelFunc
		ctx, stop = context.WithTimeoutCause(ctx, time.Duration(seconds)*time.Second, errTimedOut)
		defer stop()
	}
	o.mu.Lock()
	if o.state == wire.StatePending {
		o.state = wire.StateRunning
	}
	o.started = time.Now()
	o.mu.Unlock()
	w.ledger.operationChanged(o)

	rs, err := w.execute(ctx, o)
	w.finish(o, rs, err, context.Cause(ctx))
}

func (w *Workspace) execute(ctx context.Context, o *operation) (resultSet, error) {
	if f := w.opts.ExecutionTime; f != nil {
		if err := sleep(ctx, f(o.req.Statement)); err != nil {
			return nil, err
		}
	}
	if rs, ok := w.stagingOperation(o); ok {
		return rs.resultSet, rs.err
	}
	result, hit, err := w.query(ctx, o)
	if err != nil {
		return nil, err
	}
	o.mu.Lock()
	o.updated = result.Updated
	o.mu.Unlock()
	return w.newResultSet(o, result, hit)
}

func (w *Workspace) finish(o *operation, rs resultSet, err, cause error) {
	o.mu.Lock()
	if o.started.IsZero() {
		o.started = time.Now()
	}
	o.completed = time.Now()
	switch {
	case o.state == wire.StateCanceled:
		// CancelOperation has decided already.
	case err == nil:
		o.state, o.result = wire.StateFinished, rs
	case errors.Is(cause, errTimedOut):
		o.state, o.sqlState = wire.StateTimedOut, stateTimedOutSQL
		o.message = "[STATEMENT_TIMEOUT] Statement timed out. The statement was canceled because it reached its time limit. SQLSTATE: " + stateTimedOutSQL
	case cause != nil:
		o.state, o.sqlState, o.message = wire.StateCanceled, stateCanceledSQL, "Statement was canceled: "+cause.Error()
	default:
		o.state = wire.StateError
		o.sqlState, o.message = describe(err)
	}
	o.mu.Unlock()
	w.ledger.operationChanged(o)
}

// describe gives the SQLSTATE and the text of an error of the engine.
func describe(err error) (sqlState, message string) {
	if e := (*engine.Error)(nil); errors.As(err, &e) {
		return e.SQLState, e.Error()
	}
	return "XX000", err.Error()
}

// operation finds an operation by its handle.
func (w *Workspace) operation(h *wire.OperationHandle) *operation {
	if h == nil || h.OperationID == nil {
		return nil
	}
	w.sessions.mu.Lock()
	defer w.sessions.mu.Unlock()
	o := w.sessions.operations[string(h.OperationID.GUID)]
	if o == nil || subtle.ConstantTimeCompare(o.secret, h.OperationID.Secret) != 1 {
		return nil
	}
	return o
}

// release forgets a closed operation. Files it has handed out links to stay: a client may
// close the operation while it still downloads.
func (w *Workspace) release(o *operation, how ClosedBy) {
	o.cancel(errClosed)
	o.session.mu.Lock()
	delete(o.session.operations, string(o.guid))
	o.session.mu.Unlock()
	w.sessions.mu.Lock()
	delete(w.sessions.operations, string(o.guid))
	w.sessions.mu.Unlock()
	w.ledger.operationClosed(o, how)
}

func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
