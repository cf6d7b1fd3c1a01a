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
	resp := &wire.ExecuteStatementResp{Status: success(), OperationHandle: o.handle()}
	direct := req.GetDirectResults
	if w.opts.NoDirectResults || w.opts.ProtocolVersion < wire.ProtocolSparkV1 {
		direct = nil
	}
	switch {
	case !req.RunAsync:
		x.wait(o, -1)
	case direct != nil:
		x.wait(o, max(w.opts.DirectResultWait, 0))
	}
	if direct != nil {
		resp.DirectResults = w.directResults(o, direct)
	}
	return resp, nil
}

// wait returns when the statement is done, when the time is up (negative: never), or when
// the client has gone. A statement outlives the client that started it.
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
	d := &wire.DirectResults{OperationStatus: o.status()}
	rs := o.finished()
	if rs == nil {
		return d
	}
	p := w.nextPage(o, rs, pageRequest{rows: want.MaxRows, bytes: deref(want.MaxBytes), direct: true})
	d.ResultSetMetadata = rs.metadata()
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
		OperationID:   &wire.HandleIdentifier{GUID: o.guid, Secret: o.secret},
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

// status is the answer to GetOperationStatus.
func (o *operation) status() *wire.GetOperationStatusResp {
	o.mu.Lock()
	defer o.mu.Unlock()
	state, hasResults := o.state, o.result != nil
	resp := &wire.GetOperationStatusResp{
		Status: success(), OperationState: &state, HasResultSet: &hasResults,
		OperationStarted: millis(o.started), OperationCompleted: millis(o.completed),
	}
	if o.message != "" {
		sqlState, message := o.sqlState, o.message
		resp.SQLState, resp.ErrorMessage, resp.DisplayMessage = &sqlState, &message, &message
	}
	if o.updated >= 0 {
		updated := o.updated
		resp.NumModifiedRows = &updated
	}
	return resp
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
	return o.status(), nil
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
	o.mu.Unlock()
	o.cancel(errCanceled)
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

func invalidHandle(h *wire.OperationHandle) *wire.Status {
	var id *wire.HandleIdentifier
	if h != nil {
		id = h.OperationID
	}
	return failure(wire.StatusInvalidHandle, "", "Invalid OperationHandle: OperationHandle ["+guidText(id)+"]")
}
