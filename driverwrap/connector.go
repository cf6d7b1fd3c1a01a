package driverwrap

import (
	"context"
	"database/sql/driver"
	"io"
	"sync"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/cloudfetch"
	"github.com/seed-01322ee7/databricks-telemetry/internal/contain"
	"github.com/seed-01322ee7/databricks-telemetry/internal/export"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// connector opens measured connections. Apart from the list of them it is immutable after
// construction.
type connector struct {
	id        int64  // counts the connectors of the process
	openedVia string // "sql.Open", "NewConnector" or "Wrap"
	created   time.Time
	conns     conns
	inForce   []telemetry.SettingInForce

	inner         driver.Connector // the native one
	middle        driver.Connector // inner, with the hooks in place
	driver        driver.Driver    // door 1's; nil: the native one
	settings      telemetry.Settings
	fanouts       []*telemetry.Fanout
	misconfigured error // what Wrap could not report

	wire   *cloudfetch.Transport // nil behind Wrap
	report *export.Handle        // to Databricks; nil when off, and behind Wrap
	ending sync.Once             // closes report
	to     export.Connection     // where to; the zero value behind Wrap
	server string                // host:port; empty when unknown
	native telemetry.DriverConfig
}

var (
	_ driver.Connector = (*connector)(nil)
	_ io.Closer        = (*connector)(nil)
)

// recording reports whether anybody listens.
func (c *connector) recording() bool {
	if c.report.Recording() {
		return true
	}
	for _, f := range c.fanouts {
		if f.Recording() {
			return true
		}
	}
	return false
}

// Connect opens a connection. The error is the native one, the same value.
func (c *connector) Connect(ctx context.Context) (driver.Conn, error) {
	if c.misconfigured != nil {
		return nil, c.misconfigured
	}
	c.conns.opening.Add(1)
	defer c.connectAttempted()
	c.eachUnfinished((*statement).abandonLost)
	var spans []telemetry.SessionSpan
	if c.tracing() {
		ctx, spans = startSpans(ctx, c, telemetry.SessionStart{Server: c.server}, telemetry.Tracer.SessionStarting)
	}
	session := c.watchSession(spans)
	if session != nil {
		ctx = cloudfetch.NewSessionContext(ctx, session)
	}
	start := time.Now()
	var s slot
	middle, err := c.middle.Connect(context.WithValue(ctx, slotKey{}, &s))
	end := time.Now()
	c.opened(start, end, session, spans, err)
	if err != nil {
		return nil, err
	}
	conn := newConn(c, s.conn, middle)
	conn.begins(end, session)
	return conn.shaped(), nil
}

// watchSession returns a trace for a new session, nil where the wire is not read or nobody
// listens.
func (c *connector) watchSession(spans []telemetry.SessionSpan) (s *cloudfetch.Session) {
	defer contain.Process.Recover(contain.Statement)
	if c.wire == nil || spans == nil && !c.recording() {
		return nil
	}
	return cloudfetch.NewSession()
}

// opened records how opening a session went.
func (c *connector) opened(start, end time.Time, session *cloudfetch.Session, spans []telemetry.SessionSpan, err error) {
	defer contain.Process.Recover(contain.Statement)
	if spans == nil && !c.recording() {
		return
	}
	r := &telemetry.SessionOpened{
		Connector: c.id,
		Started:   start,
		Server:    c.server,
		Latency:   end.Sub(start),
		Failure:   c.failureOf(err, session.Fault),
		Driver:    c.native,
	}
	if session != nil {
		fillOpened(r, session)
	}
	endSpans(spans, r, telemetry.SessionSpan.SessionStarted)
	c.report.SessionOpened(r)
	for _, f := range c.fanouts {
		f.SessionOpened(r)
	}
}

func (c *connector) sessionClosed(r *telemetry.SessionClosed) {
	c.report.SessionClosed(r)
	for _, f := range c.fanouts {
		f.SessionClosed(r)
	}
}

func (c *connector) statementFinished(r *telemetry.Statement) {
	c.report.StatementFinished(r)
	for _, f := range c.fanouts {
		f.Statement(r)
	}
}

// Driver returns what sql.DB.Driver reports: the wrapped driver behind a DSN, the native
// one behind a connector.
func (c *connector) Driver() driver.Driver {
	if c.driver != nil {
		return c.driver
	}
	return c.inner.Driver()
}

// Close is called by sql.DB.Close. It closes the native connector, where that can be
// closed, and gives the report to Databricks and the sinks Settings.CloseTimeout for what is
// waiting for them. The error is the native one.
//
// Connections that are in use live on, and so do their statements: they end, and are recorded,
// as always. The report to Databricks is closed with the last of them.
func (c *connector) Close() error {
	c.conns.closed.Store(true)
	c.eachUnfinished((*statement).watch)
	var err error
	if closer, ok := c.inner.(io.Closer); ok {
		err = closer.Close()
	}
	ctx, cancel := context.WithTimeout(context.Background(), c.settings.CloseTimeout)
	defer cancel()
	var reported sync.WaitGroup
	reported.Go(func() {
		if c.conns.over() {
			c.end(ctx)
		} else {
			_ = c.report.Flush(ctx) // what could not be sent goes on waiting
		}
	})
	for _, f := range c.fanouts {
		_ = f.FlushConnector(ctx, c.id) // what is not delivered in time stays queued, and is counted there
	}
	reported.Wait()
	return err
}

// end closes the report to Databricks, once. What could not be sent in time is counted there.
func (c *connector) end(ctx context.Context) {
	c.ending.Do(func() {
		connectors.leave(c.id)
		_ = c.report.Close(ctx)
	})
}

// connectionEnded ends a connector that was closed before its last connection. It does not
// wait for that: it is called by what closes a connection.
func (c *connector) connectionEnded() {
	if !c.conns.over() {
		return
	}
	if c.report == nil {
		c.end(context.Background())
		return
	}
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), c.settings.CloseTimeout)
		defer cancel()
		c.end(ctx)
	}()
}

func (c *connector) connectAttempted() {
	c.conns.opening.Add(-1)
	c.connectionEnded()
}
