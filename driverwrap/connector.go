package driverwrap

import (
	"context"
	"database/sql/driver"
	"io"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/cloudfetch"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// connector opens measured connections. It is immutable after construction.
type connector struct {
	inner         driver.Connector // the native one
	middle        driver.Connector // inner, with the hooks in place
	driver        driver.Driver    // door 1's; nil: the native one
	settings      telemetry.Settings
	fanouts       []*telemetry.Fanout
	misconfigured error // what Wrap could not report

	wire   *cloudfetch.Transport // nil behind Wrap
	server string                // host:port; empty when unknown
	native telemetry.DriverConfig
}

var (
	_ driver.Connector = (*connector)(nil)
	_ io.Closer        = (*connector)(nil)
)

// recording reports whether anybody listens.
func (c *connector) recording() bool {
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
	session := c.traceSession()
	if session != nil {
		ctx = cloudfetch.NewSessionContext(ctx, session)
	}
	start := time.Now()
	var s slot
	middle, err := c.middle.Connect(context.WithValue(ctx, slotKey{}, &s))
	end := time.Now()
	c.opened(start, end, session, err)
	if err != nil {
		return nil, err
	}
	conn := newConn(c, s.conn, middle)
	conn.begins(end, session)
	return conn.shaped(), nil
}

// traceSession returns a trace for a new session, nil where the wire is not read or nobody
// listens.
func (c *connector) traceSession() (s *cloudfetch.Session) {
	defer contain()
	if c.wire == nil || !c.recording() {
		return nil
	}
	return cloudfetch.NewSession()
}

// opened records how opening a session went. A session that failed is traced no further.
func (c *connector) opened(start, end time.Time, session *cloudfetch.Session, err error) {
	defer contain()
	if !c.recording() {
		return
	}
	r := &telemetry.SessionOpened{
		Started: start,
		Server:  c.server,
		Latency: end.Sub(start),
		Failure: telemetry.FailureOf(err),
		Driver:  c.native,
	}
	if session != nil {
		facts := session.Facts()
		if err != nil {
			facts = session.Finish()
		}
		sessionOpenedFacts(r, facts)
	}
	for _, f := range c.fanouts {
		f.SessionOpened(r)
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
// closed, and gives the sinks Settings.CloseTimeout to receive what is waiting for them.
// The error is the native one.
func (c *connector) Close() error {
	var err error
	if closer, ok := c.inner.(io.Closer); ok {
		err = closer.Close()
	}
	ctx, cancel := context.WithTimeout(context.Background(), c.settings.CloseTimeout)
	defer cancel()
	for _, f := range c.fanouts {
		_ = f.Flush(ctx) // what is not delivered in time stays queued, and is counted there
	}
	return err
}
