package driverwrap

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/cloudfetch"
	"github.com/seed-01322ee7/databricks-telemetry/internal/contain"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// conn is a measured connection. database/sql uses it from one goroutine at a time; what
// rows and callbacks of other goroutines touch is atomic or under mu.
//
// conn has the optional interfaces whose absence database/sql treats like the answer given
// here for a native connection without them. The three whose presence alone makes a difference
// are added by embedding.
type conn struct {
	connector        *connector
	native           driver.Conn
	intercepted      interceptedConn // native, behind sqlmw
	supportsContexts bool            // native takes contexts wherever it runs something
	opened           time.Time
	reused           int64               // times the pool used the connection again
	session          *cloudfetch.Session // nil where the wire is not read

	sessionID atomic.Pointer[string]
	closed    atomic.Bool
	lease     atomic.Pointer[lease] // nil while rows hold it

	mu         sync.Mutex
	unfinished []*statement // rarely more than one
	statements int64        // begun so far
	abandoned  bool         // the application has dropped the open rows: nothing closes the connection any more
}

var (
	_ driver.Conn               = (*conn)(nil)
	_ driver.ConnPrepareContext = (*conn)(nil)
	_ driver.ConnBeginTx        = (*conn)(nil)
	_ driver.Pinger             = (*conn)(nil)
	_ driver.SessionResetter    = (*conn)(nil)
	_ driver.Validator          = (*conn)(nil)

	_ driver.ExecerContext     = (*fullConn)(nil)
	_ driver.QueryerContext    = (*fullConn)(nil)
	_ driver.NamedValueChecker = (*fullConn)(nil)
)

// newConn puts a measured connection around a native one that was ready at a time.
func newConn(c *connector, native driver.Conn, at time.Time, session *cloudfetch.Session) *conn {
	conn := &conn{connector: c, native: native, intercepted: intercept(native), supportsContexts: supportsContexts(native), opened: at, session: session}
	defer contain.Process.Recover(contain.Statement)
	c.conns.add(conn)
	if session != nil {
		if id := session.ID(); id != "" {
			conn.sessionID.Store(&id)
		}
	}
	return conn
}

// likeNative returns the connection with the optional interfaces of its native one.
func (c *conn) likeNative() driver.Conn {
	native, checks := c.native.(driver.NamedValueChecker)
	e, q, ch := execer{c}, queryer{c}, checker{native}

	const exec, query, check = 1, 2, 4
	has := 0
	if canExec(c.native) {
		has |= exec
	}
	if canQuery(c.native) {
		has |= query
	}
	if checks {
		has |= check
	}
	switch has {
	case exec | query | check:
		return &fullConn{c, e, q, ch}
	case exec | query:
		return &execQueryConn{c, e, q}
	case exec | check:
		return &execCheckConn{c, e, ch}
	case query | check:
		return &queryCheckConn{c, q, ch}
	case exec:
		return &execConn{c, e}
	case query:
		return &queryConn{c, q}
	case check:
		return &checkConn{c, ch}
	}
	return c
}

// The sets of optional interfaces. A Databricks connection is a fullConn; the others are for
// other drivers.
type (
	fullConn struct {
		*conn
		execer
		queryer
		checker
	}
	execQueryConn struct {
		*conn
		execer
		queryer
	}
	execCheckConn struct {
		*conn
		execer
		checker
	}
	queryCheckConn struct {
		*conn
		queryer
		checker
	}
	execConn struct {
		*conn
		execer
	}
	queryConn struct {
		*conn
		queryer
	}
	checkConn struct {
		*conn
		checker
	}

	execer  struct{ on *conn }
	queryer struct{ on *conn }
	checker struct{ driver.NamedValueChecker } // converts dbsql.Parameter
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

// Raw returns the native connection. What is done with it is not measured.
func (c *conn) Raw() driver.Conn { return c.native }

// ExecContext runs a statement that returns no rows.
func (e execer) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	c := e.on
	ctx, st := beginStatement(ctx, c, call{kind: telemetry.KindUpdate, query: query})
	if st == nil {
		return c.unmeasured().(driver.ExecerContext).ExecContext(ctx, query, args)
	}
	result, err := c.intercepted.ExecContext(&st.ctx, query, args)
	st.execEnded(result, err)
	return result, err
}

// QueryContext runs a statement that returns rows. They have the optional interfaces of
// the native ones, Arrow access included.
func (q queryer) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	c := q.on
	ctx, st := beginStatement(ctx, c, call{kind: telemetry.KindQuery, query: query})
	if st == nil {
		return c.unmeasured().(driver.QueryerContext).QueryContext(ctx, query, args)
	}
	rows, err := c.intercepted.queryInto(&st.ctx, &st.rows, query, args)
	return wrapRows(st, rows, err)
}

// unmeasured runs what is not recorded: the native connection, unless it needs sqlmw for
// contexts.
func (c *conn) unmeasured() any {
	if c.supportsContexts {
		return c.native
	}
	return c.intercepted
}

// Prepare prepares a statement. Preparing makes no record; running the statement does.
func (c *conn) Prepare(query string) (driver.Stmt, error) {
	native, err := c.native.Prepare(query)
	if err != nil {
		return nil, err
	}
	return newStmt(c, query, native), nil
}

// PrepareContext prepares a statement as Prepare does. For a connection without context
// support it does what database/sql does.
func (c *conn) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	if p, ok := c.native.(driver.ConnPrepareContext); ok {
		native, err := p.PrepareContext(ctx, query)
		if err != nil {
			return nil, err
		}
		return newStmt(c, query, native), nil
	}
	stmt, err := c.Prepare(query)
	if err == nil && ctx.Err() != nil {
		_ = stmt.Close()
		return nil, ctx.Err()
	}
	return stmt, err
}

// Begin starts a transaction.
func (c *conn) Begin() (driver.Tx, error) {
	return c.native.Begin() //nolint:staticcheck // part of driver.Conn
}

// BeginTx starts a transaction. For a connection without context support it does what
// database/sql does.
func (c *conn) BeginTx(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
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
	ctx, st := beginStatement(ctx, c, call{kind: telemetry.KindQuery, internal: true})
	if st == nil {
		return native.Ping(ctx)
	}
	err := native.Ping(&st.ctx)
	st.execEnded(nil, err)
	return err
}

// ResetSession is called by the pool before it uses the connection again.
func (c *conn) ResetSession(ctx context.Context) error {
	c.reused++
	if r, ok := c.native.(driver.SessionResetter); ok {
		return r.ResetSession(ctx)
	}
	return nil
}

// IsValid reports whether the pool may keep the connection.
func (c *conn) IsValid() bool {
	if v, ok := c.native.(driver.Validator); ok {
		return v.IsValid()
	}
	return true
}

// Close closes the session. It does not wait for telemetry.
func (c *conn) Close() error {
	start := time.Now()
	err := c.native.Close()
	c.sessionEnded(start, err)
	return err
}

func (c *conn) sessionEnded(start time.Time, err error) {
	defer contain.Process.Recover(contain.Statement)
	latency, failure := time.Since(start), c.connector.failureOf(err)
	if c.closed.Swap(true) {
		return
	}
	defer c.connector.connectionEnded()
	defer c.connector.conns.remove(c)
	// A call that is still running will return, and ends its statement then.
	open := slices.DeleteFunc(c.unfinishedStatements(), func(s *statement) bool { return !s.hasOpenRows() })
	c.mu.Lock()
	r := &telemetry.SessionClosed{
		Connector:  c.connector.id,
		Started:    start,
		Server:     c.connector.server,
		Latency:    latency,
		Lifetime:   start.Sub(c.opened),
		Statements: c.statements,
		Reused:     c.reused,
		Abandoned:  int64(len(open)),
		Failure:    failure,
	}
	c.mu.Unlock()

	for _, st := range open {
		st.finish(time.Now(), telemetry.OutcomeAbandoned)
	}
	if id := c.sessionID.Load(); id != nil {
		r.SessionID = *id
	}
	if c.session != nil {
		c.session.Finish()
		c.session.FillClosed(r)
		refine(r.Failure, c.session.Fault())
	}
	c.connector.sessionClosed(r)
}

// addStatement keeps a statement until it is finished, so that closing the connection can
// finish it.
func (c *conn) addStatement(s *statement) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.closed.Load() {
		c.unfinished = append(c.unfinished, s)
	}
	c.statements++
	c.abandoned = false
}

func (c *conn) removeStatement(s *statement) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if i := slices.Index(c.unfinished, s); i >= 0 {
		c.unfinished = slices.Delete(c.unfinished, i, i+1)
	}
}

func (c *conn) unfinishedStatements() []*statement {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.unfinished)
}

// markAbandoned notes that the application has dropped rows of the connection and reads no
// others: the connection is not expected to be used, until a statement begins after all.
func (c *conn) markAbandoned() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.abandoned = len(c.unfinished) == 0
}

func (c *conn) isAbandoned() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.abandoned
}
