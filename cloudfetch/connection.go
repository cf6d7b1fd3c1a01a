package cloudfetch

import (
	"context"
	"net"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/internal/contain"
)

// A call that waits for a network connection waits neither for the server nor for a page. The transport of NewBase
// reports the connections that it opens to the statement in the call's context. Any other transport is asked with
// net/http/httptrace, and so is that of NewBase when more calls are under way than it opens connections. Asking needs
// a copy of the request. Every call is asked about: the connection of the previous one may be closed at any time, as
// by an HTTP/2 server that drains.

// dialFunc is net.Dialer.DialContext.
type dialFunc func(ctx context.Context, network, address string) (net.Conn, error)

// observed dials, and tells the statement whose call caused the dialing when the connection is
// opened.
func (dial dialFunc) observed(ctx context.Context, network, address string) (net.Conn, error) {
	t := callerOf(ctx).trace
	if t == nil {
		return dial(ctx, network, address)
	}
	c := new(openingConn)
	c.begin(t)
	var err error
	if c.Conn, err = dial(ctx, network, address); err != nil {
		c.end()
		return nil, err
	}
	return c, nil
}

// openingConn is a connection that a call waits for until net/http has finished the handshakes with a
// proxy and, for TLS, with the server. Both handshakes begin with a write. A connection that needs
// neither is read from at once, even if the request has meanwhile used another connection.
type openingConn struct {
	net.Conn
	connectionWait
	agreeing atomic.Bool
}

// Read implements net.Conn.
func (c *openingConn) Read(p []byte) (int, error) {
	if !c.agreeing.Load() {
		c.end()
	}
	return c.Conn.Read(p)
}

// Write implements net.Conn.
func (c *openingConn) Write(p []byte) (int, error) {
	if c.waits() {
		if isAgreed(p) {
			c.end()
		} else {
			c.agreeing.Store(true)
		}
	}
	return c.Conn.Write(p)
}

// Close implements net.Conn.
func (c *openingConn) Close() error {
	c.end()
	return c.Conn.Close()
}

// Types of TLS records (RFC 8446, 5.1). A record has a header of five bytes that ends with the
// record's length.
const (
	changeCipherSpec = 20
	handshake        = 22
	applicationData  = 23
)

// isAgreed reports whether the handshakes are over once p is written: p is the client's last flight
// of a TLS handshake, or a request in plain text. A request to a proxy over TLS counts as a request,
// too.
func isAgreed(p []byte) bool {
	if len(p) > 0 && 'A' <= p[0] && p[0] <= 'Z' {
		return p[0] != 'C' // CONNECT
	}
	for len(p) > 5 {
		size := 5 + int(p[3])<<8 + int(p[4])
		switch {
		case p[0] == applicationData, p[0] == changeCipherSpec && len(p) > size: // alone, it precedes a second hello
			return true
		case p[0] != handshake, len(p) < size:
			return false
		}
		p = p[size:]
	}
	return false
}

// asking returns a copy of a request whose transport tells t when it waits for a connection.
func (t *Trace) asking(req *http.Request) *http.Request {
	var w struct {
		connectionWait
		httptrace.ClientTrace
		asked atomic.Int32 // a transport over several others may ask each of them
	}
	w.GetConn = func(string) { w.asked.Add(1); w.begin(t) }
	w.GotConn = func(c httptrace.GotConnInfo) {
		if c.WasIdle && w.asked.Load() == 1 {
			t.foundIdle(w.request.Load())
		}
		w.end()
	}
	return req.WithContext(httptrace.WithClientTrace(req.Context(), &w.ClientTrace))
}

// connectionWait is the wait of a call for a network connection. It is safe for concurrent use.
type connectionWait struct {
	request atomic.Int32
	trace   atomic.Pointer[Trace] // nil when no call waits, because a connection outlives the statement
}

func (w *connectionWait) begin(t *Trace) {
	w.end()
	w.request.Store(t.connect())
	w.trace.Store(t)
}

func (w *connectionWait) waits() bool { return w.trace.Load() != nil }

func (w *connectionWait) end() {
	if !w.waits() {
		return // as for all but the first reads and writes of a connection
	}
	if t := w.trace.Swap(nil); t != nil {
		t.connected(w.request.Load())
	}
}

// connect notes that a network connection is being opened for the latest request of a call, and
// returns the number of that request. The request waits for the connection until its answer begins,
// at the latest: net/http may send the request over another connection and continue, or even begin,
// to open this one.
func (t *Trace) connect() (request int32) {
	return t.updateConnecting(func() {
		if !t.answerBegan {
			t.connecting++
			t.waited = true
		}
	})
}

// connected notes that the connection for a request is open or has failed.
func (t *Trace) connected(request int32) {
	t.updateConnecting(func() {
		if request == t.latest && t.connecting > 0 {
			t.connecting--
		}
	})
}

// foundIdle notes that a request took an idle connection, without a wait: its answer shows the round trip.
func (t *Trace) foundIdle(request int32) {
	t.updateConnecting(func() {
		if request == t.latest {
			t.waited = false
		}
	})
}

func (t *Trace) updateConnecting(update func()) (request int32) {
	defer contain.Process.Recover(contain.Wire)
	now := t.since(time.Now())
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.done.Load() {
		t.advance(now)
		update()
	}
	return t.latest
}
