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

// A call that waits for a network connection waits neither for the server nor for a page. The
// transport of NewBase reports the connections that it opens. Any other transport is asked with
// net/http/httptrace, as is that of NewBase where more calls are under way than it opens connections.
// Asking needs a copy of the request, and is not needed for the only call under way where the one before has just left
// its connection. Beside others, any call may find none: they took it, or the transport keeps few idle ones.

// dialFunc is net.Dialer.DialContext.
type dialFunc func(ctx context.Context, network, address string) (net.Conn, error)

// observed returns a dialFunc that tells the statement, whose call is the first to need a connection,
// when it is opened.
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

// openingConn is a connection that a call waits for until net/http has agreed on it with a proxy on the
// way, and with the server on TLS. Both begin with a write. A connection that needs neither is read
// from at once, even where the request has gone over another one meanwhile.
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

// Types of TLS records (RFC 8446, 5.1), each with a head of five bytes that ends with its length.
const (
	changeCipherSpec = 20
	handshake        = 22
	applicationData  = 23
)

// isAgreed reports whether nothing is left to agree on once p is written: the client's last flight of
// a TLS handshake, or a request in plain text. What an encrypted proxy is asked counts as a request.
func isAgreed(p []byte) bool {
	if len(p) > 0 && 'A' <= p[0] && p[0] <= 'Z' {
		return p[0] != 'C' // CONNECT
	}
	for len(p) > 5 {
		size := 5 + int(p[3])<<8 + int(p[4])
		switch {
		case p[0] == applicationData, p[0] == changeCipherSpec && len(p) > size: // alone, it comes before a second hello
			return true
		case p[0] != handshake, len(p) < size:
			return false
		}
		p = p[size:]
	}
	return false
}

// connectionUse is what calls to the workspace show of its connections: how many are in use, and whether
// one is free. It is safe for concurrent use.
type connectionUse struct {
	calls atomic.Int64 // under way
	left  atomic.Int64 // when the latest call left its connection to others, as Unix time in nanoseconds; 0 when it did not
}

// reuseWithin is how soon a connection is used again before the server or a proxy may have closed it.
const reuseWithin = time.Second

func (u *connectionUse) begin() { u.calls.Add(1) }

func (u *connectionUse) end(leaves bool, at time.Time) {
	var left int64
	if leaves {
		left = at.UnixNano()
	}
	u.left.Store(left)
	u.calls.Add(-1)
}

// mayWait reports whether a call that has begun may wait for a connection without the transport saying
// so. The transport reports so many connections; none is opened for the only call if the one before
// has just left its own.
func (u *connectionUse) mayWait(reports int64) bool {
	n := u.calls.Load()
	if n <= reports {
		return false
	}
	ago := time.Now().UnixNano() - u.left.Load()
	return n > 1 || ago < 0 || ago >= int64(reuseWithin)
}

// asking returns a copy of a request whose transport tells t when it waits for a connection.
func (t *Trace) asking(req *http.Request) *http.Request {
	w := new(connectionWait)
	return req.WithContext(httptrace.WithClientTrace(req.Context(), &httptrace.ClientTrace{
		GetConn: func(string) { w.begin(t) },
		GotConn: func(httptrace.GotConnInfo) { w.end() },
	}))
}

// connectionWait is a call's wait for a network connection. It is safe for concurrent use.
type connectionWait struct {
	request atomic.Int32
	trace   atomic.Pointer[Trace] // nil when nothing waits: a connection outlives the statement
}

func (w *connectionWait) begin(t *Trace) {
	w.end()
	w.request.Store(t.connect())
	w.trace.Store(t)
}

func (w *connectionWait) waits() bool { return w.trace.Load() != nil }

func (w *connectionWait) end() {
	if !w.waits() {
		return // as in all but the first reads and writes of a connection
	}
	if t := w.trace.Swap(nil); t != nil {
		t.connected(w.request.Load())
	}
}

// connect notes that a network connection is being opened for the latest request of a call, whose
// number it returns. The request waits for the connection at most until its answer begins: net/http
// may send the request over another connection, and goes on opening this one, or even begins then.
func (t *Trace) connect() (request int32) {
	return t.updateConnecting(func() {
		if !t.answerBegan {
			t.connecting++
			t.waited = true
		}
	})
}

// connected notes that the connection for a request is open, or has failed.
func (t *Trace) connected(request int32) {
	t.updateConnecting(func() {
		if request == t.latest && t.connecting > 0 {
			t.connecting--
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
