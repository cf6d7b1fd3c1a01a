package driverwrap

import (
	"context"

	"github.com/databricks/databricks-sql-go/driverctx"
)

// callContext is the caller's context plus what one call needs: room for the native answer, the trace
// of the wire and the id callbacks of the native driver. It is allocated together with its statement;
// a chain of context.WithValue would take five allocations.
type callContext struct {
	context.Context
	statement     *statement
	onStatementID driverctx.IdCallbackFunc
	onSessionID   driverctx.IdCallbackFunc // nil: the caller's own, if any
}

func (c *callContext) Value(key any) any {
	switch key {
	case answerKey{}:
		return &c.statement.answer
	case driverctx.QueryIdCallbackKey:
		return c.onStatementID
	case driverctx.ConnIdCallbackKey:
		if c.onSessionID != nil {
			return c.onSessionID
		}
	}
	if v := c.statement.trace.Value(key); v != nil {
		return v
	}
	return c.Context.Value(key)
}

// setStatementID is called by the driver more than once, sometimes with "". After the call has returned, which has
// told the id, it may be called with the statement's own id again, or with the id of a statement that an authenticator
// runs within the context of a request.
func (s *statement) setStatementID(id string) {
	if id != "" {
		s.mu.Lock()
		if s.executed.IsZero() {
			s.record.StatementID = id
		}
		s.mu.Unlock()
	}
	s.ctx.callCaller(driverctx.QueryIdCallbackKey, id)
}

func (s *statement) setSessionID(id string) {
	s.session.setID(id)
	s.ctx.callCaller(driverctx.ConnIdCallbackKey, id)
}

// callCaller calls the caller's own id callback.
func (c *callContext) callCaller(key any, id string) {
	if callback, _ := c.Context.Value(key).(driverctx.IdCallbackFunc); callback != nil {
		callback(id)
	}
}
