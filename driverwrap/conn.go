package driverwrap

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// conn is a measured connection. database/sql uses it from one goroutine at a time.
//
// database/sql treats most missing optional interfaces like a particular answer. conn always has these
// interfaces, and gives that answer for a native connection without them. Two interfaces matter by their
// mere presence, and are added by embedding. Validator and SessionResetter matter when both are present,
// see tx.
type conn struct {
	native           driver.Conn
	intercepted      interceptedConn // native, behind sqlmw
	supportsContexts bool            // native takes contexts wherever it runs something
	session          *session
	reused           int64 // times the pool used the connection again
	discarded        bool  // the pool must not keep it, see tx
}

var (
	_ driver.Conn               = (*conn)(nil)
	_ driver.ConnPrepareContext = (*conn)(nil)
	_ driver.ConnBeginTx        = (*conn)(nil)
	_ driver.Pinger             = (*conn)(nil)
	_ driver.SessionResetter    = (*conn)(nil)
	_ driver.Validator          = (*conn)(nil)
	_ driver.NamedValueChecker  = (*conn)(nil)

	_ driver.ExecerContext  = (*execQueryConn)(nil)
	_ driver.QueryerContext = (*execQueryConn)(nil)
)

// newConn returns a measured connection with the optional interfaces of the native one.
func newConn(native driver.Conn, session *session) driver.Conn {
	c := &conn{native: native, intercepted: intercept(native), supportsContexts: supportsContexts(native), session: session}
	switch execs, queries := canExec(native), canQuery(native); {
	case execs && queries:
		return &execQueryConn{c, execConn{c}, queryConn{c}}
	case execs:
		return &execConn{c}
	case queries:
		return &queryConn{c}
	}
	return c
}

// The sets of optional interfaces. A Databricks connection is an execQueryConn; the others are for
// other drivers. The type with both embeds conn once more, because its methods would be ambiguous
// otherwise.
type (
	execQueryConn struct {
		*conn
		execConn
		queryConn
	}
	execConn  struct{ *conn }
	queryConn struct{ *conn }
)

func canExec(native driver.Conn) bool {
	switch native.(type) {
	case driver.ExecerContext, driver.Execer: //nolint:staticcheck // drivers from before contexts exist
		return true
	}
	return false
}

func canQuery(native driver.Conn) bool {
	switch native.(type) {
	case driver.QueryerContext, driver.Queryer: //nolint:staticcheck // drivers from before contexts exist
		return true
	}
	return false
}

func supportsContexts(native driver.Conn) bool {
	_, execs := native.(driver.ExecerContext)
	_, queries := native.(driver.QueryerContext)
	return execs == canExec(native) && queries == canQuery(native)
}

// Raw returns the native connection. Calls made on it directly are not measured.
func (c *conn) Raw() driver.Conn { return c.native }

// ExecContext runs a statement that returns no rows.
func (c execConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	ctx, st := beginStatement(ctx, c.session, call{kind: telemetry.KindUpdate, query: query})
	if st == nil {
		return c.unmeasured().(driver.ExecerContext).ExecContext(ctx, query, args)
	}
	return st.runExec(func(ctx context.Context) (driver.Result, error) {
		return c.intercepted.execInto(ctx, &st.answer, query, args)
	})
}

// QueryContext runs a statement that returns rows. The rows have the optional interfaces of
// the native ones, Arrow access included.
func (c queryConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	ctx, st := beginStatement(ctx, c.session, call{kind: telemetry.KindQuery, query: query})
	if st == nil {
		return c.unmeasured().(driver.QueryerContext).QueryContext(ctx, query, args)
	}
	return st.runQuery(func(ctx context.Context) (driver.Rows, error) {
		return c.intercepted.queryInto(ctx, &st.answer, query, args)
	})
}

// unmeasured returns the connection that runs calls that are not recorded: the native one or, if that
// does not support contexts, sqlmw's.
func (c *conn) unmeasured() any {
	if c.supportsContexts {
		return c.native
	}
	return c.intercepted
}

// CheckNamedValue converts a parameter, such as a dbsql.Parameter. For a native connection without this
// method it returns driver.ErrSkip, and database/sql converts the parameter itself.
func (c *conn) CheckNamedValue(v *driver.NamedValue) error {
	if native, ok := c.native.(driver.NamedValueChecker); ok {
		return native.CheckNamedValue(v)
	}
	return driver.ErrSkip
}

// Prepare prepares a statement. Preparing is not recorded; running the statement is.
func (c *conn) Prepare(query string) (driver.Stmt, error) {
	native, err := c.native.Prepare(query)
	if err != nil {
		return nil, err
	}
	return newStmt(c.session, query, native), nil
}

// PrepareContext prepares a statement as Prepare does. For a connection without context
// support it does what database/sql does.
func (c *conn) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	if p, ok := c.native.(driver.ConnPrepareContext); ok {
		native, err := p.PrepareContext(ctx, query)
		if err != nil {
			return nil, err
		}
		return newStmt(c.session, query, native), nil
	}
	stmt, err := c.Prepare(query)
	if err == nil && ctx.Err() != nil {
		_ = stmt.Close()
		return nil, ctx.Err()
	}
	return stmt, err
}

// tx is a transaction of a native connection that is not both a Validator and a SessionResetter. When the
// context of such a transaction ends, database/sql discards the bare connection. A conn implements both
// interfaces, so database/sql would keep it: tx makes the conn invalid instead.
type tx struct {
	driver.Tx
	on  *conn
	ctx context.Context // of BeginTx
}

// Rollback rolls the transaction back. If the context of the transaction has ended, the connection is
// not used again.
func (t tx) Rollback() error {
	if t.ctx.Err() != nil {
		t.on.discarded = true
	}
	return t.Tx.Rollback()
}

// keepsConn reports whether database/sql keeps the native connection after the context of a transaction has ended.
func (c *conn) keepsConn() bool {
	_, validates := c.native.(driver.Validator)
	_, resets := c.native.(driver.SessionResetter)
	return validates && resets
}

// Begin starts a transaction.
func (c *conn) Begin() (driver.Tx, error) {
	return c.native.Begin() //nolint:staticcheck // part of driver.Conn
}

// BeginTx starts a transaction within a context.
func (c *conn) BeginTx(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
	native, err := c.beginTx(ctx, opts)
	if err != nil || native == nil || c.keepsConn() {
		return native, err
	}
	return tx{native, c, ctx}, nil
}

// beginTx starts a native transaction. For a connection without context support it does what
// database/sql does.
func (c *conn) beginTx(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
	if b, ok := c.native.(driver.ConnBeginTx); ok {
		return b.BeginTx(ctx, opts)
	}
	if opts.Isolation != driver.IsolationLevel(sql.LevelDefault) {
		return nil, errors.New("sql: driver does not support non-default isolation level")
	}
	if opts.ReadOnly {
		return nil, errors.New("sql: driver does not support read-only transactions")
	}
	tx, err := c.Begin()
	if err == nil && ctx.Err() != nil {
		_ = tx.Rollback()
		return nil, ctx.Err()
	}
	return tx, err
}

// Ping checks that the server answers. The native driver runs a statement for it, which is
// recorded as internal.
func (c *conn) Ping(ctx context.Context) error {
	native, ok := c.native.(driver.Pinger)
	if !ok {
		return nil
	}
	ctx, st := beginStatement(ctx, c.session, call{kind: telemetry.KindQuery, internal: true})
	if st == nil {
		return native.Ping(ctx)
	}
	_, err := st.runExec(func(ctx context.Context) (driver.Result, error) { return nil, native.Ping(ctx) })
	return err
}

// ResetSession is called by the pool before it uses the connection again.
func (c *conn) ResetSession(ctx context.Context) error {
	var err error
	if r, ok := c.native.(driver.SessionResetter); ok {
		err = r.ResetSession(ctx)
	}
	if !errors.Is(err, driver.ErrBadConn) { // else the pool closes it instead
		c.reused++
	}
	return err
}

// IsValid reports whether the pool may keep the connection.
func (c *conn) IsValid() bool {
	if c.discarded {
		return false
	}
	if v, ok := c.native.(driver.Validator); ok {
		return v.IsValid()
	}
	return true
}

// Close closes the session. It does not wait for telemetry.
func (c *conn) Close() (err error) {
	start := time.Now()
	err = errNotReturned
	defer func() { c.session.close(start, c.reused, err) }()
	err = c.native.Close()
	return err
}
