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
)

// stateCanceledSQL is what a canceled statement reports.
const stateCanceledSQL = "HY008"

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

	mu       sync.Mutex
	state    wire.OperationState
	sqlState string
	message  string
	updated  int64 // rows changed; -1 when the statement changes none
	times    statementTimes
	used     time.Time // the last request that named the operation
	result   resultSet // nil unless finished
	cursor   cursor

	truncated bool // the result, by the client's ResultRowLimit
}

// statementTimes are the times of StatementFacts that come from running the statement, not from
// requests.
type statementTimes struct {
	computeQueued, capacityQueued, compiling, started, completed time.Time
}

// start creates an operation and runs it in the background.
func (x *exchange) start(s *session, req *wire.ExecuteStatementReq) (*operation, error) {
	w := x.ws
	id := uuid.New()
	ctx, cancel := context.WithCancelCause(w.ctx)
	o := &operation{
		id: id.String(), guid: id[:], secret: randomBytes(16), session: s, req: req,
		cancel: cancel, done: make(chan struct{}), state: wire.StatePending, updated: -1, used: time.Now(),
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

// run takes the statement through its warehouse and leaves the operation in its final state.
func (w *Workspace) run(ctx context.Context, o *operation) {
	defer o.cancel(nil)
	defer close(o.done)
	leave, err := o.session.warehouse.admit(ctx, func(forCompute bool) {
		o.at(func(t *statementTimes, now time.Time) {
			if forCompute {
				t.computeQueued = now
			} else {
				t.capacityQueued = now
			}
		})
		w.ledger.operationChanged(o)
	})
	if err != nil {
		w.finish(o, nil, err, context.Cause(ctx))
		return
	}
	defer leave()
	ctx, stop := w.withTimeout(ctx, o)
	defer stop()
	rs, err := w.execute(ctx, o)
	w.finish(o, rs, err, context.Cause(ctx))
}

// at records the time of something that happens to the statement.
func (o *operation) at(note func(t *statementTimes, now time.Time)) {
	o.mu.Lock()
	defer o.mu.Unlock()
	note(&o.times, time.Now())
}

func (w *Workspace) execute(ctx context.Context, o *operation) (resultSet, error) {
	o.mu.Lock()
	if o.state == wire.StatePending {
		o.state = wire.StateRunning
	}
	o.times.compiling = time.Now()
	o.mu.Unlock()
	w.ledger.operationChanged(o)
	if err := spend(ctx, w.opts.CompilationTime, o); err != nil {
		return nil, err
	}
	o.at(func(t *statementTimes, now time.Time) { t.started = now })
	w.ledger.operationChanged(o)
	if err := spend(ctx, w.opts.ExecutionTime, o); err != nil {
		return nil, err
	}
	if rs, ok := w.stagingOperation(o); ok {
		return rs.resultSet, rs.err
	}
	result, hit, err := w.query(ctx, o)
	if err != nil {
		return nil, err
	}
	rs, err := w.newResultSet(o, result, hit)
	if err != nil {
		return nil, err
	}
	o.mu.Lock()
	o.updated = result.Updated
	o.truncated = rs.rows() < int64(result.Rows)
	o.mu.Unlock()
	return rs, nil
}

// spend waits for as long as an option specifies for the statement.
func spend(ctx context.Context, option func(sql string) time.Duration, o *operation) error {
	if option == nil {
		return ctx.Err()
	}
	return sleep(ctx, option(o.req.Statement))
}

func (w *Workspace) finish(o *operation, rs resultSet, err, cause error) {
	o.mu.Lock()
	o.times.completed = time.Now()
	o.used = o.times.completed
	switch {
	case o.state == wire.StateCanceled:
		// CancelOperation has already set the outcome.
	case err == nil:
		o.state, o.result = wire.StateFinished, rs
	case errors.Is(cause, errTimedOut):
		o.state, o.sqlState, o.message = wire.StateTimedOut, stateTimedOutSQL, messageTimedOut
	case cause != nil:
		o.state, o.sqlState, o.message = wire.StateCanceled, stateCanceledSQL, "Statement was canceled: "+cause.Error()
	default:
		o.state = wire.StateError
		o.sqlState, o.message = describe(err)
	}
	kept := o.result != nil
	o.mu.Unlock()
	w.ledger.operationChanged(o)
	if kept {
		w.makeRoom(o)
	}
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
	o := w.sessions.operations[string(h.OperationID.GUID)]
	w.sessions.mu.Unlock()
	if o == nil || subtle.ConstantTimeCompare(o.secret, h.OperationID.Secret) != 1 {
		return nil
	}
	o.session.use()
	o.mu.Lock()
	o.used = time.Now()
	o.mu.Unlock()
	return o
}

// release removes a closed operation and its result. Files that the client has yet to download stay
// for a while: it may close an operation as soon as it has the last link.
func (w *Workspace) release(o *operation, how ClosedBy) {
	linger := o.complete() && (how == ClosedByClient || how == ClosedDirectly)
	o.cancel(errClosed)
	o.session.mu.Lock()
	delete(o.session.operations, string(o.guid))
	o.session.mu.Unlock()
	w.sessions.mu.Lock()
	delete(w.sessions.operations, string(o.guid))
	w.sessions.mu.Unlock()
	w.objects.close(o.id, linger)
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
