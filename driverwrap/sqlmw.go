package driverwrap

import (
	"context"
	"database/sql/driver"
	"errors"

	"github.com/ngrok/sqlmw"
)

// Everything that exists because of sqlmw is in this file. sqlmw runs what a connection executes, and
// adapts connections without context support as database/sql does. It returns results and rows of its
// own, which hide the optional interfaces of the native ones, so an interceptor takes the native ones
// out underneath. Calls of prepared statements, whose optional interfaces sqlmw hides, too, and all
// other calls, to which it adds nothing, go to the native objects directly.

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

// ExecContext runs a statement that returns no rows, and returns the native result.
func (c interceptedConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	var into answer
	return c.execInto(context.WithValue(ctx, answerKey{}, &into), &into, query, args)
}

// execInto is ExecContext for a context that already has into under answerKey, as the context of a
// measured statement does. It saves two allocations.
func (c interceptedConn) execInto(ctx context.Context, into *answer, query string, args []driver.NamedValue) (driver.Result, error) {
	_, err := c.conn.(driver.ExecerContext).ExecContext(ctx, query, args)
	result := into.result
	into.result = nil // the statement must not keep the result alive
	return result, hideTaken(err)
}

// QueryContext runs a statement and returns the native rows.
func (c interceptedConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	var into answer
	return c.queryInto(context.WithValue(ctx, answerKey{}, &into), &into, query, args)
}

// queryInto is to QueryContext as execInto is to ExecContext.
func (c interceptedConn) queryInto(ctx context.Context, into *answer, query string, args []driver.NamedValue) (driver.Rows, error) {
	_, err := c.conn.(driver.QueryerContext).QueryContext(ctx, query, args)
	rows := into.rows
	into.rows = nil // the statement must not keep the rows alive
	return rows, hideTaken(err)
}

// answer is where the interceptor puts what the native connection returned from one call. Only the
// goroutine of the call uses it.
type answer struct {
	result driver.Result
	rows   driver.Rows
}

type answerKey struct{}

// interceptor takes out the native results and rows, and changes nothing.
type interceptor struct{ sqlmw.NullInterceptor }

var _ sqlmw.Interceptor = interceptor{}

func (i interceptor) ConnExecContext(ctx context.Context, c driver.ExecerContext, query string, args []driver.NamedValue) (driver.Result, error) {
	result, err := i.NullInterceptor.ConnExecContext(ctx, c, query, args)
	ctx.Value(answerKey{}).(*answer).result = result
	return nil, orTaken(err)
}

func (i interceptor) ConnQueryContext(ctx context.Context, c driver.QueryerContext, query string, args []driver.NamedValue) (context.Context, driver.Rows, error) {
	ctx, rows, err := i.NullInterceptor.ConnQueryContext(ctx, c, query, args)
	ctx.Value(answerKey{}).(*answer).rows = rows
	return ctx, nil, orTaken(err)
}

// errTaken keeps sqlmw from wrapping the result or rows that were taken out, which may be nil.
var errTaken = errors.New("the result or the rows were taken out")

func orTaken(err error) error {
	if err == nil {
		return errTaken
	}
	return err
}

// hideTaken undoes orTaken.
func hideTaken(err error) error {
	if err == errTaken {
		return nil
	}
	return err
}

// singleConnDriver is a driver for one existing connection. It exists because sqlmw wraps drivers.
type singleConnDriver struct{ conn driver.Conn }

func (d singleConnDriver) Open(string) (driver.Conn, error) { return d.conn, nil }
