package driverwrap_test

import (
	"context"
	"database/sql/driver"
	"fmt"
	"io"
	"reflect"
	"sync"
)

// The fakes below are drivers with different sets of interfaces. Each logs every call it
// receives, so that a program run on the bare fake and on the wrapped one can be compared
// call by call.

type calls struct {
	mu    sync.Mutex
	log   []string
	noted func(call string) // may panic; nil for nothing
}

func (c *calls) note(format string, args ...any) {
	call := fmt.Sprintf(format, args...)
	c.mu.Lock()
	c.log = append(c.log, call)
	c.mu.Unlock()
	if c.noted != nil {
		c.noted(call)
	}
}

func (c *calls) taken() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]string(nil), c.log...)
}

// fakeConnector makes connections of one kind.
type fakeConnector struct {
	*calls
	conn func(*calls) driver.Conn
	fail error
}

func (c *fakeConnector) Connect(context.Context) (driver.Conn, error) {
	c.note("Connect")
	if c.fail != nil {
		return nil, c.fail
	}
	return c.conn(c.calls), nil
}

func (c *fakeConnector) Driver() driver.Driver { return fakeDriver{} }

type closingConnector struct{ fakeConnector }

func (c *closingConnector) Close() error {
	c.note("connector Close")
	return errClosed
}

type fakeDriver struct{}

func (fakeDriver) Open(string) (driver.Conn, error) { return nil, io.ErrClosedPipe }

var (
	errBroken = fmt.Errorf("broken")
	errClosed = fmt.Errorf("closed badly")
)

// minimalConn has what driver.Conn asks for and no more.
type minimalConn struct {
	*calls
	stmt func(*calls, string) driver.Stmt
}

func (c *minimalConn) Prepare(query string) (driver.Stmt, error) {
	c.note("Prepare %s", query)
	if query == "broken" {
		return nil, errBroken
	}
	return c.stmt(c.calls, query), nil
}
func (c *minimalConn) Close() error              { c.note("conn Close"); return nil }
func (c *minimalConn) Begin() (driver.Tx, error) { c.note("Begin"); return fakeTx{c.calls}, nil }

type fakeTx struct{ *calls }

func (t fakeTx) Commit() error   { t.note("Commit"); return nil }
func (t fakeTx) Rollback() error { t.note("Rollback"); return errBroken }

// legacyConn executes directly, but does not support contexts.
type legacyConn struct{ minimalConn }

func (c *legacyConn) Exec(query string, args []driver.Value) (driver.Result, error) {
	c.note("Exec %s %v", query, args)
	return answerExec(query)
}

func (c *legacyConn) Query(query string, args []driver.Value) (driver.Rows, error) {
	c.note("Query %s %v", query, args)
	return answerQuery(c.calls, query)
}

// execOnlyConn can Exec directly but has to prepare a query.
type execOnlyConn struct{ minimalConn }

func (c *execOnlyConn) ExecContext(_ context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	c.note("ExecContext %s %v", query, args)
	return answerExec(query)
}

// queryOnlyConn can Query directly but has to prepare an Exec.
type queryOnlyConn struct{ minimalConn }

func (c *queryOnlyConn) QueryContext(_ context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	c.note("QueryContext %s %v", query, args)
	return answerQuery(c.calls, query)
}

// legacyExecConn and legacyQueryConn support contexts for one of the two.
type (
	legacyExecConn struct {
		queryOnlyConn
		legacy legacyConn
	}
	legacyQueryConn struct {
		execOnlyConn
		legacy legacyConn
	}
)

func (c *legacyExecConn) Exec(query string, args []driver.Value) (driver.Result, error) {
	return c.legacy.Exec(query, args)
}

func (c *legacyQueryConn) Query(query string, args []driver.Value) (driver.Rows, error) {
	return c.legacy.Query(query, args)
}

// skippingConn has the methods and declines to use them.
type skippingConn struct{ minimalConn }

func (c *skippingConn) ExecContext(context.Context, string, []driver.NamedValue) (driver.Result, error) {
	c.note("ExecContext skipped")
	return nil, driver.ErrSkip
}

func (c *skippingConn) QueryContext(context.Context, string, []driver.NamedValue) (driver.Rows, error) {
	c.note("QueryContext skipped")
	return nil, driver.ErrSkip
}

// modernConn has every optional interface.
type modernConn struct {
	minimalConn
	invalid bool
}

func (c *modernConn) ExecContext(_ context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	c.note("ExecContext %s %v", query, args)
	return answerExec(query)
}

func (c *modernConn) QueryContext(_ context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	c.note("QueryContext %s %v", query, args)
	return answerQuery(c.calls, query)
}

func (c *modernConn) PrepareContext(_ context.Context, query string) (driver.Stmt, error) {
	c.note("PrepareContext %s", query)
	return c.stmt(c.calls, query), nil
}

func (c *modernConn) BeginTx(_ context.Context, opts driver.TxOptions) (driver.Tx, error) {
	c.note("BeginTx %v", opts)
	return fakeTx{c.calls}, nil
}

func (c *modernConn) Ping(context.Context) error { c.note("Ping"); return errBroken }
func (c *modernConn) ResetSession(context.Context) error {
	c.note("ResetSession")
	return nil
}
func (c *modernConn) IsValid() bool { c.note("IsValid"); return !c.invalid }
func (c *modernConn) CheckNamedValue(nv *driver.NamedValue) error {
	c.note("conn CheckNamedValue %T", nv.Value)
	if s, ok := nv.Value.(shout); ok {
		nv.Value = string(s) + "!"
		return nil
	}
	if _, ok := nv.Value.(dropMe); ok {
		return driver.ErrRemoveArgument
	}
	return driver.ErrSkip
}

// shout and dropMe are parameters only some drivers understand.
type (
	shout  string
	dropMe struct{}
)

// Statements.

type minimalStmt struct {
	*calls
	query string
	n     int
}

func (s *minimalStmt) Close() error  { s.note("stmt Close"); return nil }
func (s *minimalStmt) NumInput() int { return s.n }
func (s *minimalStmt) Exec(args []driver.Value) (driver.Result, error) {
	s.note("stmt Exec %s %v", s.query, args)
	return answerExec(s.query)
}
func (s *minimalStmt) Query(args []driver.Value) (driver.Rows, error) {
	s.note("stmt Query %s %v", s.query, args)
	return answerQuery(s.calls, s.query)
}

type modernStmt struct{ minimalStmt }

func (s *modernStmt) ExecContext(_ context.Context, args []driver.NamedValue) (driver.Result, error) {
	s.note("stmt ExecContext %s %v", s.query, args)
	return answerExec(s.query)
}
func (s *modernStmt) QueryContext(_ context.Context, args []driver.NamedValue) (driver.Rows, error) {
	s.note("stmt QueryContext %s %v", s.query, args)
	return answerQuery(s.calls, s.query)
}

type convertingStmt struct{ minimalStmt }

func (s *convertingStmt) ColumnConverter(i int) driver.ValueConverter {
	s.note("ColumnConverter %d", i)
	return driver.String
}

type checkingStmt struct{ modernStmt }

func (s *checkingStmt) CheckNamedValue(nv *driver.NamedValue) error {
	s.note("stmt CheckNamedValue %T", nv.Value)
	nv.Value = fmt.Sprintf("checked %T", nv.Value)
	return nil
}

// bothStmt leaves the parameters of all calls to its converter.
type bothStmt struct{ modernStmt }

func (s *bothStmt) CheckNamedValue(nv *driver.NamedValue) error {
	s.note("stmt CheckNamedValue %T", nv.Value)
	return driver.ErrSkip
}

func (s *bothStmt) ColumnConverter(i int) driver.ValueConverter {
	s.note("ColumnConverter %d", i)
	return driver.String
}

// Answers, by the text of the statement.

func answerExec(query string) (driver.Result, error) {
	switch query {
	case "broken":
		return nil, errBroken
	case "bad connection":
		return nil, driver.ErrBadConn
	case "countless":
		return driver.ResultNoRows, nil
	}
	return driver.RowsAffected(7), nil
}

func answerQuery(c *calls, query string) (driver.Rows, error) {
	switch query {
	case "broken":
		return nil, errBroken
	case "bad connection":
		return nil, driver.ErrBadConn
	case "typed":
		return &typedRows{plainRows{calls: c, left: 2}}, nil
	case "many sets":
		return &manySets{plainRows{calls: c, left: 1}, 1}, nil
	case "breaks off":
		return &plainRows{calls: c, left: 1, then: errBroken}, nil
	case "closes badly":
		return &plainRows{calls: c, left: 1, closing: errClosed}, nil
	}
	return &plainRows{calls: c, left: 3}, nil
}

type plainRows struct {
	*calls
	left    int
	then    error // after the last row; nil is io.EOF
	closing error
}

func (r *plainRows) Columns() []string { return []string{"n"} }
func (r *plainRows) Close() error      { r.note("rows Close"); return r.closing }
func (r *plainRows) Next(dest []driver.Value) error {
	if r.left == 0 {
		if r.then != nil {
			return r.then
		}
		return io.EOF
	}
	dest[0] = int64(r.left)
	r.left--
	return nil
}

type typedRows struct{ plainRows }

func (*typedRows) ColumnTypeScanType(int) reflect.Type               { return reflect.TypeFor[int64]() }
func (*typedRows) ColumnTypeDatabaseTypeName(int) string             { return "BIGINT" }
func (*typedRows) ColumnTypeNullable(int) (bool, bool)               { return true, true }
func (*typedRows) ColumnTypeLength(int) (int64, bool)                { return 12, true }
func (*typedRows) ColumnTypePrecisionScale(int) (int64, int64, bool) { return 10, 2, true }

type manySets struct {
	plainRows
	sets int
}

func (r *manySets) HasNextResultSet() bool { return r.sets > 0 }
func (r *manySets) NextResultSet() error {
	if r.sets == 0 {
		return io.EOF
	}
	r.sets--
	r.left = 2
	return nil
}
