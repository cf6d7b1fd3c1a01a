package driverwrap

import (
	"context"
	"database/sql/driver"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/cloudfetch"
	"github.com/seed-01322ee7/databricks-telemetry/internal/contain"
	"github.com/seed-01322ee7/databricks-telemetry/internal/export"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// connector opens measured connections. It is immutable after construction, apart from its sessions and
// from whether its latest statement was recorded.
type connector struct {
	recorder
	native        driver.Connector
	driver        driver.Driver         // of sql.Open; nil means the native driver
	wire          *cloudfetch.Transport // nil behind Wrap
	reportTo      *export.Connection    // the zero value behind Wrap; a pointer, which %+v of a connector does not follow to a credential
	driverConfig  telemetry.DriverConfig
	misconfigured error             // of the settings for Wrap, which returns no error itself
	ownSinks      *telemetry.Fanout // to Config.Sinks and the log; nil for none

	list      *connectorList // that of its process
	openedVia string         // "sql.Open", "NewConnector" or "Wrap"
	created   time.Time
	inForce   []telemetry.SettingInForce

	sessions    sessions
	unrecorded  atomic.Bool // the latest statement was not recorded
	closeReport sync.Once
}

var (
	_ driver.Connector = (*connector)(nil)
	_ io.Closer        = (*connector)(nil)
)

// Connect opens a connection. The error is the native one, the same value.
func (c *connector) Connect(ctx context.Context) (driver.Conn, error) {
	if c.misconfigured != nil {
		return nil, c.misconfigured
	}
	if c.sessions.opening.Load() == 0 {
		c.sessions.progressed(c.created) // no earlier attempt to open a session is under way
	}
	c.sessions.opening.Add(1)
	defer func() {
		c.sessions.progressed(c.created)
		c.sessions.opening.Add(-1)
		c.endIfOver()
	}()
	c.eachUnfinished((*statement).abandonDropped)
	var spans []telemetry.SessionSpan
	if c.tracing() {
		ctx, spans = startSpans(ctx, c.fanouts, telemetry.SessionStart{Server: c.server}, telemetry.Tracer.SessionStarting)
	}
	trace := c.traceSession(spans)
	if trace != nil {
		ctx = cloudfetch.NewSessionContext(ctx, trace)
	}
	native, end, err := c.connect(ctx, trace, spans)
	if err != nil {
		return nil, err
	}
	return newConn(native, newSession(c, end, trace)), nil
}

// connect opens a native connection and records the outcome, even if the call panics or ends its
// goroutine.
func (c *connector) connect(ctx context.Context, trace *cloudfetch.Session, spans []telemetry.SessionSpan) (native driver.Conn, end time.Time, err error) {
	start := time.Now()
	err = errNotReturned
	defer func() {
		end = time.Now()
		c.recordOpened(ctx, start, end, trace, spans, err)
	}()
	native, err = c.native.Connect(ctx)
	return native, end, err
}

// traceSession returns a trace for a new session. It returns nil if the wire is not read, or if
// neither a sink nor a tracer wants the record.
func (c *connector) traceSession(spans []telemetry.SessionSpan) (s *cloudfetch.Session) {
	defer contain.Process.Recover(contain.Statement)
	if c.wire == nil || spans == nil && !c.recording() {
		return nil
	}
	return &cloudfetch.Session{Transport: c.wire}
}

func (c *connector) recordOpened(ctx context.Context, start, end time.Time, trace *cloudfetch.Session, spans []telemetry.SessionSpan, err error) {
	defer contain.Process.Recover(contain.Statement)
	if spans == nil && !c.recording() {
		return
	}
	r := &telemetry.SessionOpened{
		Connector: c.connectorID,
		Started:   start,
		Server:    c.server,
		Latency:   end.Sub(start),
		Failure:   c.failureOf(err, ifDone(ctx), trace.Fault),
		Driver:    c.driverConfig,
	}
	if trace != nil {
		trace.FillOpened(r)
		if r.Failed() {
			trace.Finish()
		}
	}
	endSpans(spans, r, telemetry.SessionSpan.SessionStarted)
	c.sessionOpened(r)
}

// eachUnfinished calls do for each statement of the connector that is not finished.
func (c *connector) eachUnfinished(do func(*statement)) {
	defer contain.Process.Recover(contain.Statement)
	for _, st := range c.sessions.unfinished() {
		do(st)
	}
}

// Driver returns what sql.DB.Driver reports: the wrapped driver behind a DSN, the native
// one behind a connector.
func (c *connector) Driver() driver.Driver {
	if c.driver != nil {
		return c.driver
	}
	return c.native.Driver()
}

// Close is called by sql.DB.Close. It closes the native connector, if that is an io.Closer, and waits
// up to Settings.CloseTimeout until the records queued for Databricks, for the sinks and for the
// query history are delivered. The error is the native one.
//
// Connections in use stay open, and their statements end and are recorded as usual. Reporting to
// Databricks ends when the last of these connections is closed.
func (c *connector) Close() error {
	c.sessions.closed.Store(true)
	c.eachUnfinished((*statement).watchLease)
	var err error
	if closer, ok := c.native.(io.Closer); ok {
		err = closer.Close()
	}
	ctx, cancel := context.WithTimeout(context.Background(), c.settings.CloseTimeout)
	defer cancel()
	var reported sync.WaitGroup
	reported.Go(func() {
		if c.sessions.over() {
			c.end(ctx)
		} else {
			_ = c.report.Flush(ctx) // what cannot be sent in time stays queued
		}
	})
	c.flushSinks(ctx)
	reported.Wait()
	return err
}

// flushSinks waits for the sinks. Records that are not delivered in time stay queued, and are counted
// there.
func (c *connector) flushSinks(ctx context.Context) {
	for _, f := range c.fanouts {
		_ = f.FlushConnector(ctx, c.connectorID)
	}
}

// endIfOver ends a connector that was closed before its last session, once that session has ended.
// The application's goroutine that ends the session must not wait for the report.
func (c *connector) endIfOver() {
	if !c.sessions.over() {
		return
	}
	if c.report == nil && c.history == nil {
		c.end(context.Background())
		return
	}
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), c.settings.CloseTimeout)
		defer cancel()
		c.end(ctx)
	}()
}

// end closes the report to Databricks and the query history, once. Both count what could not be sent
// or answered in time.
func (c *connector) end(ctx context.Context) {
	c.closeReport.Do(func() {
		c.list.remove(c.connectorID)
		if c.history != nil {
			var asked sync.WaitGroup
			defer asked.Wait()
			asked.Go(func() {
				c.history.Close(ctx)
				c.flushSinks(ctx)
			})
		}
		_ = c.report.Close(ctx)
	})
}
