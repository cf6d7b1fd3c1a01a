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
// It has the optional interfaces whose absence database/sql treats no differently than the
// answer given here for a native conn without them. The three whose presence alone makes a
// difference are added by shape.
type conn struct {
	raw       driver.Conn // the native one
	middle    driver.Conn // sqlmw's, around raw
	connector *connector
	contexts  bool // raw takes contexts wherever it runs something
	opened    time.Time
	reused    int64               // times the pool handed it out again
	session   *cloudfetch.Session // nil where the wire is not read

	sessionID atomic.Pointer[string]
	closed    atomic.Bool

	mu         sync.Mutex
	open       []*statement // not finished yet: rarely more than one
	lease      *lease       // nil while rows hold it
	statements int64
	lost       bool // the application has let go of its open rows: nothing closes it any more
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

// fullConn is the shape of the Databricks conn; the rest is for other drivers.
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

func newConn(c *connector, raw, middle driver.Conn) *conn {
	return &conn{raw: raw, middle: middle, contexts: speaksContexts(raw), connector: c}
}

// begins notes when the connection was ready and what traces its session.
func (c *conn) begins(at time.Time, session *cloudfetch.Session) {
	defer contain.Process.Recover(contain.Statement)
	c.connector.conns.add(c)
	c.opened, c.session = at, session
	if session != nil {
		if id := session.ID(); id != "" {
			c.sessionID.Store(&id)
		}
	}
}

// shaped returns the conn in the shape of its native one.
func (c *conn) shaped() driver.Conn {
	native, checks := c.raw.(driver.NamedValueChecker)
	e, q, ch := execer{c}, queryer{c}, checker{native}

	const exec, query, check = 1, 2, 4
	shape := 0
	if canExec(c.raw) {
		shape |= exec
	}
	if canQuery(c.raw) {
		shape |= query
	}
	if checks {
		shape |= check
	}
	switch shape {
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

func canExec(raw driver.Conn) bool {
	switch raw.(type) {
	case driver.ExecerContext, driver.Execer: //nolint:staticcheck // drivers from before contexts exist
		return true
	}
	return false
}

func canQuery(raw driver.Conn) bool {
	switch raw.(type) {
	case driver.QueryerContext, driver.Queryer: //nolint:staticcheck // drivers from before contexts exist
		return true
	}
	return false
}

func speaksContexts(raw driver.Conn) bool {
	_, execs := raw.(driver.ExecerContext)
	_, queries := raw.(driver.QueryerContext)
	return execs == canExec(raw) && queries == canQuery(raw)
}

// Raw returns the native connection. What is done with it is not measured.
func (c *conn) Raw() driver.Conn { return c.raw }

// ExecContext runs a statement that returns no rows.
func (e execer) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	c := e.on
	ctx, st := c.begin(ctx, call{kind: telemetry.KindUpdate, query: query})
	if st == nil {
		return c.direct().(driver.ExecerContext).ExecContext(ctx, query, args)
	}
	result, err := c.middle.(driver.ExecerContext).ExecContext(&st.ctx, query, args)
	st.execEnded(result, err)
	return result, err
}

// QueryContext runs a statement that returns rows. They have the optional interfaces of
// the native ones, Arrow access included.
func (q queryer) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	c := q.on
	ctx, st := c.begin(ctx, call{kind: telemetry.KindQuery, query: query})
	if st == nil {
		return c.direct().(driver.QueryerContext).QueryContext(ctx, query, args)
	}
	_, err := c.middle.(driver.QueryerContext).QueryContext(&st.ctx, query, args)
	return st.rowsOf(err)
}

// direct is who runs what nobody records: the native conn, unless it needs sqlmw to speak
// contexts for it.
func (c *conn) direct() driver.Conn {
	if c.contexts {
		return c.raw
	}
	return c.middle
}

// Prepare prepares a statement. There is no hook for it, so the native conn is asked.
func (c *conn) Prepare(query string) (driver.Stmt, error) {
	raw, err := c.raw.Prepare(query)
	if err != nil {
		return nil, err
	}
	return newStmt(c, query, raw, unhooked{raw}), nil
}

// PrepareContext prepares a statement. Preparing makes no record; running the statement does.
func (c *conn) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	if _, ok := c.raw.(driver.ConnPrepareContext); !ok {
		return c.prepareWithout(ctx, query)
	}
	var s slot
	middle, err := c.middle.(driver.ConnPrepareContext).PrepareContext(context.WithValue(ctx, slotKey{}, &s), query)
	if err != nil {
		return nil, err
	}
	return newStmt(c, query, s.stmt, middle), nil
}

// prepareWithout does for a conn that knows no contexts what database/sql does.
func (c *conn) prepareWithout(ctx context.Context, query string) (driver.Stmt, error) {
	stmt, err := c.Prepare(query)
	if err != nil {
		return nil, err
	}
	if ctx.Err() != nil {
		_ = stmt.Close()
		return nil, ctx.Err()
	}
	return stmt, nil
}

// Begin starts a transaction.
func (c *conn) Begin() (driver.Tx, error) {
	return c.raw.Begin() //nolint:staticcheck // part of driver.Conn
}

// BeginTx starts a transaction.
func (c *conn) BeginTx(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
	if _, ok := c.raw.(driver.ConnBeginTx); !ok {
		return c.beginWithout(ctx, opts)
	}
	return c.middle.(driver.ConnBeginTx).BeginTx(ctx, opts)
}

// beginWithout does for a conn that knows no contexts what database/sql does.
func (c *conn) beginWithout(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
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

// Ping asks the server for a sign of life. The native driver runs a statement for it, which
// is recorded as internal.
func (c *conn) Ping(ctx context.Context) error {
	if _, ok := c.raw.(driver.Pinger); !ok {
		return nil
	}
	ctx, st := c.begin(ctx, call{kind: telemetry.KindQuery, internal: true})
	if st == nil {
		return c.middle.(driver.Pinger).Ping(ctx)
	}
	err := c.middle.(driver.Pinger).Ping(&st.ctx)
	st.execEnded(nil, err)
	return err
}

// ResetSession is called by the pool before it hands the connection out again.
func (c *conn) ResetSession(ctx context.Context) error {
	c.reused++
	if r, ok := c.raw.(driver.SessionResetter); ok {
		return r.ResetSession(ctx)
	}
	return nil
}

// IsValid tells the pool whether to keep the connection.
func (c *conn) IsValid() bool {
	if v, ok := c.raw.(driver.Validator); ok {
		return v.IsValid()
	}
	return true
}

// Close closes the session. It does not wait for telemetry.
func (c *conn) Close() error {
	start := time.Now()
	err := c.middle.Close()
	c.ended(start, err)
	return err
}

func (c *conn) ended(start time.Time, err error) {
	defer contain.Process.Recover(contain.Statement)
	latency, failure := time.Since(start), c.connector.failureOf(err, c.session.Fault)
	if c.closed.Swap(true) {
		return
	}
	defer c.connector.connectionEnded()
	defer c.connector.conns.remove(c)
	// A call that is still running will return, and ends its statement then.
	open := slices.DeleteFunc(c.unfinished(), func(s *statement) bool { return !s.hasOpenRows() })
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
		fillClosed(r, c.session)
	}
	c.connector.sessionClosed(r)
}

// enlist remembers a statement until it is finished, so that closing the connection can
// finish it.
func (c *conn) enlist(s *statement) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.closed.Load() {
		c.open = append(c.open, s)
	}
	c.statements++
	c.lost = false
}

func (c *conn) delist(s *statement) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if i := slices.Index(c.open, s); i >= 0 {
		c.open = slices.Delete(c.open, i, i+1)
	}
}

// unfinished returns the statements that have not ended.
func (c *conn) unfinished() []*statement {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.open)
}
