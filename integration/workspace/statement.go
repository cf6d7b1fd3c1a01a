package workspace

import (
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/integration/internal/wire"
)

// executeStatement starts a statement, waits for it as long as direct results allow, and
// answers with as much of the result as fits.
func executeStatement(x *exchange, req *wire.ExecuteStatementReq) (*wire.ExecuteStatementResp, error) {
	w := x.ws
	s, err := w.session(req.SessionHandle)
	if err != nil {
		return nil, err
	}
	o, err := x.start(s, req)
	if err != nil {
		return nil, err
	}
	direct := req.GetDirectResults
	if w.opts.NoDirectResults || w.opts.ProtocolVersion < wire.ProtocolSparkV1 {
		direct = nil
	}
	waited := true
	switch {
	case !req.RunAsync:
		x.wait(o, -1)
	case direct != nil:
		x.wait(o, max(w.opts.DirectResultWait, 0))
	default:
		waited = false
	}
	if failed := o.failed(); failed != nil && waited && !w.opts.FailuresByHandle {
		// Without a handle the client has nothing to close.
		w.release(o, ClosedDirectly)
		return &wire.ExecuteStatementResp{Status: failed}, nil
	}
	resp := &wire.ExecuteStatementResp{Status: success(), OperationHandle: o.handle()}
	if direct != nil {
		resp.DirectResults = w.directResults(o, direct)
	}
	return resp, nil
}

// wait returns when the statement is done, when the time is up (negative: never), or when the
// client has disconnected. A statement outlives the client that started it.
func (x *exchange) wait(o *operation, limit time.Duration) {
	var timeout <-chan time.Time
	if limit >= 0 {
		t := time.NewTimer(limit)
		defer t.Stop()
		timeout = t.C
	}
	select {
	case <-o.done:
	case <-timeout:
	case <-x.r.Context().Done():
	}
}

func (w *Workspace) directResults(o *operation, want *wire.GetDirectResults) *wire.DirectResults {
	status, rs := w.status(o)
	repeatable := o.idempotency()
	status.IdempotencyType = &repeatable
	d := &wire.DirectResults{OperationStatus: status}
	if rs == nil {
		return d
	}
	p := w.nextPage(o, rs, pageRequest{rows: want.MaxRows, bytes: deref(want.MaxBytes), direct: true})
	d.ResultSetMetadata = o.metadata(rs)
	d.ResultSet = &wire.FetchResultsResp{Status: success(), HasMoreRows: &p.more, Results: p.rowSet}
	if rs.closesWhenRead() && !p.more {
		// Nothing is left to ask for, so the server closes the operation itself.
		d.CloseOperation = &wire.CloseOperationResp{Status: success()}
		w.release(o, ClosedDirectly)
	}
	return d
}

func (o *operation) handle() *wire.OperationHandle {
	return &wire.OperationHandle{
		OperationID:   handleIdentifier(o.guid, o.secret),
		OperationType: wire.OperationTypeExecute,
		HasResultSet:  true,
	}
}

// finished returns the result set, or nil while there is none.
func (o *operation) finished() resultSet {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.result
}

// failed is the status of a statement that has failed; nil for any other.
func (o *operation) failed() *wire.Status {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.state != wire.StateError {
		return nil
	}
	return failure(o.sqlState, o.message)
}

// idempotency says whether running the statement again changes nothing more than running it once.
func (o *operation) idempotency() int32 {
	o.mu.Lock()
	defer o.mu.Unlock()
	switch {
	case o.updated >= 0:
		return wire.NonIdempotent
	case o.result != nil:
		return wire.Idempotent
	}
	return wire.IdempotencyUnknown
}

// status returns the answer to GetOperationStatus and the result as of the same moment, nil while
// there is none. A statement that ends in between must not be reported as running with a result.
func (w *Workspace) status(o *operation) (*wire.GetOperationStatusResp, resultSet) {
	o.mu.Lock()
	defer o.mu.Unlock()
	state := o.state
	resp := &wire.GetOperationStatusResp{Status: success(), OperationState: &state}
	if w.opts.ServerTimes {
		started := o.times.started
		if started.IsZero() {
			started = o.times.completed // it ended in a queue
		}
		resp.OperationStarted, resp.OperationCompleted = millis(started), millis(o.times.completed)
	}
	if o.message != "" {
		sqlState, message, code := o.sqlState, o.message, int32(0)
		resp.SQLState, resp.ErrorCode, resp.ErrorMessage, resp.DisplayMessage = &sqlState, &code, &message, &message
	}
	if o.updated >= 0 && o.result != nil {
		updated := o.updated
		resp.NumModifiedRows = &updated
	}
	return resp, o.result
}

func millis(t time.Time) *int64 {
	if t.IsZero() {
		return nil
	}
	ms := t.UnixMilli()
	return &ms
}

func getOperationStatus(x *exchange, req *wire.GetOperationStatusReq) (*wire.GetOperationStatusResp, error) {
	o := x.ws.operation(req.OperationHandle)
	if o == nil {
		return &wire.GetOperationStatusResp{Status: invalidHandle(req.OperationHandle)}, nil
	}
	x.ws.ledger.polled(o)
	status, _ := x.ws.status(o)
	return status, nil
}

func cancelOperation(x *exchange, req *wire.CancelOperationReq) (*wire.CancelOperationResp, error) {
	o := x.ws.operation(req.OperationHandle)
	if o == nil {
		return &wire.CancelOperationResp{Status: invalidHandle(req.OperationHandle)}, nil
	}
	o.mu.Lock()
	if o.state == wire.StatePending || o.state == wire.StateRunning {
		o.state, o.sqlState, o.message = wire.StateCanceled, stateCanceledSQL, "Statement was canceled"
	}
	o.result = nil // a client that cancels reads no more
	o.mu.Unlock()
	o.cancel(errCanceled)
	x.ws.objects.close(o.id, false)
	x.ws.ledger.canceled(o)
	return &wire.CancelOperationResp{Status: success()}, nil
}

func closeOperation(x *exchange, req *wire.CloseOperationReq) (*wire.CloseOperationResp, error) {
	o := x.ws.operation(req.OperationHandle)
	if o == nil {
		return &wire.CloseOperationResp{Status: invalidHandle(req.OperationHandle)}, nil
	}
	x.ws.release(o, ClosedByClient)
	return &wire.CloseOperationResp{Status: success()}, nil
}

// invalidHandle answers for an operation that does not exist or no longer exists.
func invalidHandle(h *wire.OperationHandle) *wire.Status {
	var id *wire.HandleIdentifier
	if h != nil {
		id = h.OperationID
	}
	return failure("08000", "Invalid OperationHandle: OperationHandle [opType=EXECUTE_STATEMENT, getHandleIdentifier()="+guidText(id)+"]")
}
