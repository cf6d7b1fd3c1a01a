package driverwrap

import (
	"context"
	"database/sql/driver"
	"errors"

	"github.com/ngrok/sqlmw"
)

// Everything that exists because of sqlmw is in this file. sqlmw runs what a connection
// executes, and adapts connections without context support as database/sql does. It returns
// rows of its own, which hide the optional interfaces of the native ones, so an interceptor
// takes the native rows out underneath. sqlmw hides optional interfaces of prepared statements, too,
// and has nothing to add to the other calls: all these go to the native objects directly.

// interceptedConn is a native connection behind sqlmw.
type interceptedConn struct{ conn driver.Conn } // sqlmw's

var (
	_ driver.ExecerContext  = interceptedConn{}
	_ driver.QueryerContext = interceptedConn{}
)

// intercept puts sqlmw around a connection.
func intercept(native driver.Conn) interceptedConn {
	conn, _ := sqlmw.Driver(singleConnDriver{native}, interceptor{}).Open("") // never fails
	return interceptedConn{conn}
}

// ExecContext runs a statement that returns no rows.
func (c interceptedConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	return c.conn.(driver.ExecerContext).ExecContext(ctx, query, args)
}

// QueryContext runs a statement and returns the native rows.
func (c interceptedConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	var into nativeRows
	return c.queryInto(context.WithValue(ctx, nativeRowsKey{}, &into), &into, query, args)
}

// queryInto is QueryContext for a context that already has into under nativeRowsKey, as that of a
// measured statement has. It saves two allocations.
func (c interceptedConn) queryInto(ctx context.Context, into *nativeRows, query string, args []driver.NamedValue) (driver.Rows, error) {
	_, err := c.conn.(driver.QueryerContext).QueryContext(ctx, query, args)
	rows := into.rows
	into.rows = nil // only the application keeps rows alive
	return rows, hideNilRows(err)
}

// nativeRows is where the interceptor puts the native rows of one call. Only the goroutine of
// the call uses it.
type nativeRows struct{ rows driver.Rows }

type nativeRowsKey struct{}

// interceptor takes the native rows out and changes nothing.
type interceptor struct{ sqlmw.NullInterceptor }

var _ sqlmw.Interceptor = interceptor{}

func (i interceptor) ConnQueryContext(ctx context.Context, c driver.QueryerContext, query string, args []driver.NamedValue) (context.Context, driver.Rows, error) {
	ctx, rows, err := i.NullInterceptor.ConnQueryContext(ctx, c, query, args)
	if rows == nil && err == nil {
		return ctx, nil, errNilRows
	}
	if into, ok := ctx.Value(nativeRowsKey{}).(*nativeRows); ok {
		into.rows = rows
	}
	return ctx, rows, err
}

// errNilRows replaces a native (nil, nil), which sqlmw would dereference.
var errNilRows = errors.New("the driver returned neither rows nor an error")

// hideNilRows undoes errNilRows.
func hideNilRows(err error) error {
	if err == errNilRows {
		return nil
	}
	return err
}

// singleConnDriver is a driver for one connection, which exists already: sqlmw wraps drivers.
type singleConnDriver struct{ conn driver.Conn }

func (d singleConnDriver) Open(string) (driver.Conn, error) { return d.conn, nil }
