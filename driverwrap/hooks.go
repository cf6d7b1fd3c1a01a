package driverwrap

import (
	"context"
	"database/sql/driver"
	"errors"

	"github.com/ngrok/sqlmw"
)

// slot is where the hooks leave the native object that a call produced. The layer above
// needs it for everything sqlmw hides: optional interfaces, Arrow, Raw. It travels in the
// context of one call and is used by the goroutine of that call only.
type slot struct {
	conn driver.Conn
	stmt driver.Stmt
	rows driver.Rows
}

type slotKey struct{}

func slotFrom(ctx context.Context) *slot {
	if ctx == nil { // sqlmw has no context for some calls
		return nil
	}
	s, _ := ctx.Value(slotKey{}).(*slot)
	return s
}

// errNothing stands in for a native (nil, nil), which sqlmw would dereference.
var errNothing = errors.New("the driver returned neither rows nor an error")

// asNative undoes errNothing.
func asNative(err error) error {
	if err == errNothing {
		return nil
	}
	return err
}

// hooks is the sqlmw interceptor: it fills the slot and changes nothing.
type hooks struct{ sqlmw.NullInterceptor }

var _ sqlmw.Interceptor = hooks{}

func (h hooks) ConnectorConnect(ctx context.Context, c driver.Connector) (driver.Conn, error) {
	conn, err := h.NullInterceptor.ConnectorConnect(ctx, c)
	if s := slotFrom(ctx); s != nil {
		s.conn = conn
	}
	return conn, err
}

func (h hooks) ConnPrepareContext(ctx context.Context, c driver.ConnPrepareContext, query string) (context.Context, driver.Stmt, error) {
	ctx, stmt, err := h.NullInterceptor.ConnPrepareContext(ctx, c, query)
	if s := slotFrom(ctx); s != nil {
		s.stmt = stmt
	}
	return ctx, stmt, err
}

func (h hooks) ConnQueryContext(ctx context.Context, c driver.QueryerContext, query string, args []driver.NamedValue) (context.Context, driver.Rows, error) {
	return leaveRows(h.NullInterceptor.ConnQueryContext(ctx, c, query, args))
}

func (h hooks) StmtQueryContext(ctx context.Context, s driver.StmtQueryContext, query string, args []driver.NamedValue) (context.Context, driver.Rows, error) {
	return leaveRows(h.NullInterceptor.StmtQueryContext(ctx, s, query, args))
}

func leaveRows(ctx context.Context, rows driver.Rows, err error) (context.Context, driver.Rows, error) {
	if rows == nil && err == nil {
		return ctx, nil, errNothing
	}
	if s := slotFrom(ctx); s != nil {
		s.rows = rows
	}
	return ctx, rows, err
}

// sole is a driver with a single connector, which is the only shape sqlmw wraps whole.
type sole struct{ driver.Connector }

var _ driver.DriverContext = sole{}

func (d sole) Open(string) (driver.Conn, error) { return d.Connect(context.Background()) }

func (d sole) OpenConnector(string) (driver.Connector, error) { return d.Connector, nil }

// intercept returns the connector with the hooks in place.
func intercept(inner driver.Connector) driver.Connector {
	c, _ := sqlmw.Driver(sole{inner}, hooks{}).(driver.DriverContext).OpenConnector("") // sole never fails
	return c
}
