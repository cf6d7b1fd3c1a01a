package driverwrap

import (
	"context"

	"github.com/databricks/databricks-sql-go/driverctx"
)

// callContext is the caller's context plus what one call needs on its way down: the slot of
// the hooks, the trace of the wire and the id callbacks of the native driver. It is one
// allocation with its statement, where a chain of context.WithValue would be five.
type callContext struct {
	context.Context
	statement                *statement
	onStatementID, onSession driverctx.IdCallbackFunc // nil: the caller's own, if any
}

func (c *callContext) Value(key any) any {
	switch key {
	case slotKey{}:
		return &c.statement.slot
	case driverctx.QueryIdCallbackKey:
		if c.onStatementID != nil {
			return c.onStatementID
		}
	case driverctx.ConnIdCallbackKey:
		if c.onSession != nil {
			return c.onSession
		}
	}
	if trace := c.statement.trace; trace != nil {
		if v := trace.Value(key); v != nil {
			return v
		}
	}
	return c.Context.Value(key)
}

// callBack calls the caller's own id callback, after ours.
func (c *callContext) callBack(key any, id string) {
	if chained, _ := c.Context.Value(key).(driverctx.IdCallbackFunc); chained != nil {
		chained(id)
	}
}
