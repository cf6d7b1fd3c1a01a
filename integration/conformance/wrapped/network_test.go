package wrapped

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	cryptorand "crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/integration/workspace"
)

// trouble is what happens to one request on its way.
type trouble struct {
	method string // of a call, or "file"
	nth    int    // request of the method, from 0
	where  string // "name", "dial", "proxy", "TLS", "head", "body"
	fate   string // after the time: "passes", or how it fails
	times  int    // how many requests are struck
	d      time.Duration

	mu       sync.Mutex
	seen     int
	struck   int
	from, to time.Time // of the first strike
	on       func()    // called when the first strike begins
}

type troubleKey struct{}

// neighborKey marks the contexts of other statements of the pool.
type neighborKey struct{}

// strikes reports whether a request is one that is struck.
func (x *trouble) strikes(r *http.Request) bool {
	file := strings.HasPrefix(r.URL.Path, "/results/")
	if r.Context().Value(neighborKey{}) != nil {
		return false
	}
	if x.method == "file" && !file || x.method != "file" && !isCall(r, x.method) {
		return false
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	x.seen++
	return x.seen > x.nth && x.struck < x.times
}

// begin notes that a request is struck, and returns for how long.
func (x *trouble) begin() time.Duration {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.struck++
	if x.struck > 1 {
		return 0
	}
	x.from = time.Now()
	x.on()
	return x.d
}

func (x *trouble) end() {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.to.IsZero() && !x.from.IsZero() {
		x.to = time.Now()
	}
}

func (x *trouble) hold() {
	elsewhere(x.begin())
	x.end()
}

// connects reports whether the trouble is with a connection.
func (x *trouble) connects() bool { return x.where != "head" && x.where != "body" }

// network leads from the driver to the workspace.
type network struct {
	ws       *workspace.Workspace
	tls, h2  bool
	proxy    bool
	upstream *http.Transport
	client   *http.Transport
	front    chan net.Conn
	troubles []*trouble
	began    bool // the statement
	badCert  bool
	conns    []net.Conn
	reuse    string // of connections: "never", "closed" before the trouble, or "GOAWAY"
	mu       sync.Mutex
	server   *http.Server
	done     chan struct{}
}

var _ net.Listener = (*network)(nil)

func (n *network) Accept() (net.Conn, error) {
	select {
	case c := <-n.front:
		return c, nil
	case <-n.done:
		return nil, net.ErrClosed
	}
}

func (n *network) Addr() net.Addr { return &net.TCPAddr{} }
func (n *network) Close() error   { close(n.done); return nil }

var networkCertificate = sync.OnceValue(func() tls.Certificate {
	key, err := ecdsa.GenerateKey(elliptic.P256(), cryptorand.Reader)
	if err != nil {
		panic(err)
	}
	leaf := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Unix(0, 0), NotAfter: time.Unix(1<<33, 0), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	der, err := x509.CreateCertificate(cryptorand.Reader, leaf, leaf, &key.PublicKey, key)
	if err != nil {
		panic(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
})

func (n *network) start() {
	n.upstream, n.front, n.done = n.ws.Transport(), make(chan net.Conn), make(chan struct{})
	n.upstream.DisableKeepAlives = true
	n.server = &http.Server{Handler: http.HandlerFunc(n.serve), ErrorLog: log.New(io.Discard, "", 0)}
	proxy := func(*http.Request) (*url.URL, error) { return nil, nil }
	if n.proxy {
		proxy = http.ProxyURL(&url.URL{Scheme: "http", Host: "proxy:3128"})
	}
	n.client = &http.Transport{Proxy: proxy, DialContext: n.dial, TLSHandshakeTimeout: 10 * time.Second, DisableKeepAlives: n.reuse == "never", ForceAttemptHTTP2: n.h2, TLSClientConfig: &tls.Config{
		InsecureSkipVerify: true, //nolint:gosec // VerifyConnection decides
		VerifyConnection: func(tls.ConnectionState) error {
			n.mu.Lock()
			defer n.mu.Unlock()
			if n.badCert {
				n.badCert = false
				return x509.UnknownAuthorityError{}
			}
			return nil
		},
	}}
	if !n.tls {
		go func() { _ = n.server.Serve(n) }()
		return
	}
	n.server.TLSConfig = &tls.Config{Certificates: []tls.Certificate{networkCertificate()}}
	if !n.h2 {
		n.server.TLSNextProto = map[string]func(*http.Server, *tls.Conn, http.Handler){}
	}
	go func() { _ = n.server.ServeTLS(n, "", "") }()
}

func (n *network) stop() {
	n.client.CloseIdleConnections()
	_ = n.server.Close()
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, c := range n.conns {
		_ = c.Close()
	}
}

// RoundTrip implements http.RoundTripper.
func (n *network) RoundTrip(r *http.Request) (*http.Response, error) {
	n.mu.Lock()
	began := n.began
	n.mu.Unlock()
	if !began {
		return n.client.RoundTrip(r)
	}
	for i, x := range n.troubles {
		if !x.strikes(r) {
			continue
		}
		ctx := context.WithValue(r.Context(), troubleKey{}, x)
		if x.connects() {
			if n.reuse == "closed" {
				n.client.CloseIdleConnections()
			}
			ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { x.end() }})
		}
		r = r.Clone(ctx)
		if !x.connects() {
			r.Header.Set("X-Trouble", strconv.Itoa(i))
		}
		break
	}
	return n.client.RoundTrip(r)
}

func (n *network) dial(ctx context.Context, _, address string) (net.Conn, error) {
	x, _ := ctx.Value(troubleKey{}).(*trouble)
	if x != nil && (x.where == "name" || x.where == "dial") {
		x.hold()
		opError := func(err error) error { return &net.OpError{Op: "dial", Net: "tcp", Err: err} }
		switch x.fate {
		case "no such host":
			return nil, opError(&net.DNSError{Err: "no such host", IsNotFound: true})
		case "lookup timeout":
			return nil, opError(&net.DNSError{Err: "i/o timeout", IsTimeout: true})
		case "refused":
			return nil, opError(syscall.ECONNREFUSED)
		case "timeout":
			return nil, opError(os.ErrDeadlineExceeded)
		}
	}
	near, far := net.Pipe()
	reset := new(atomic.Bool)
	c, server := newNetworkConn(near, reset), newNetworkConn(far, reset)
	n.mu.Lock()
	n.conns = append(n.conns, c, server)
	n.mu.Unlock()
	if x != nil && (x.where == "proxy" || x.where == "TLS") {
		c.x, c.n = x, n
		if x.where == "TLS" && n.proxy {
			c.skip = 1
		}
	}
	if address == "proxy:3128" && n.tls {
		go n.serveProxy(server)
		return c, nil
	}
	select {
	case n.front <- server:
		return c, nil
	case <-n.done:
		return nil, net.ErrClosed
	}
}

// serveProxy answers CONNECT.
func (n *network) serveProxy(c *networkConn) {
	b := bufio.NewReader(c)
	if _, err := http.ReadRequest(b); err != nil {
		return
	}
	if _, err := io.WriteString(c, "HTTP/1.1 200 Connection established\r\n\r\n"); err != nil {
		return
	}
	select {
	case n.front <- c:
	case <-n.done:
	}
}

// networkConn is one end of a connection. Writing does not wait for the reader.
type networkConn struct {
	net.Conn
	written chan []byte
	once    sync.Once
	closed  chan struct{}
	reset   *atomic.Bool // of both ends
	x       *trouble
	n       *network
	skip    int // reads before the trouble
}

func newNetworkConn(c net.Conn, reset *atomic.Bool) *networkConn {
	n := &networkConn{Conn: c, written: make(chan []byte, 1<<12), closed: make(chan struct{}), reset: reset}
	go func() {
		defer n.Conn.Close()
		for {
			select {
			case b := <-n.written:
				if _, err := n.Conn.Write(b); err != nil {
					return
				}
				continue
			default:
			}
			select {
			case b := <-n.written:
				if _, err := n.Conn.Write(b); err != nil {
					return
				}
			case <-n.closed:
				if len(n.written) == 0 {
					return
				}
			}
		}
	}()
	return n
}

func (c *networkConn) Write(p []byte) (int, error) {
	select {
	case <-c.closed:
		return 0, net.ErrClosed
	case c.written <- bytes.Clone(p):
		return len(p), nil
	}
}

// SetDeadline sets only the deadline of reads, because writing does not wait.
func (c *networkConn) SetDeadline(at time.Time) error { return c.SetReadDeadline(at) }

// SetWriteDeadline does nothing.
func (c *networkConn) SetWriteDeadline(time.Time) error { return nil }

func (c *networkConn) Close() error {
	c.once.Do(func() {
		close(c.closed)
		if c.reset.Load() {
			_ = c.Conn.Close()
		}
		_ = c.SetReadDeadline(time.Unix(1, 0))
		time.AfterFunc(time.Second, func() { _ = c.Conn.Close() }) // what the other end has not read is lost
	})
	return nil
}

func (c *networkConn) Read(p []byte) (int, error) {
	if c.x != nil && c.skip == 0 {
		x := c.x
		c.x = nil
		d := x.begin()
		if x.fate == "hangs" {
			d = time.Hour
		}
		select {
		case <-time.After(d):
		case <-c.closed:
		}
		if x.fate != "passes" {
			x.end()
		}
		switch x.fate {
		case "reset":
			return 0, &net.OpError{Op: "read", Net: "tcp", Err: syscall.ECONNRESET}
		case "EOF":
			return 0, io.EOF
		case "alert":
			return copy(p, "\x15\x03\x01\x00\x02\x02\x28"), nil
		case "plain":
			return copy(p, "HTTP/1.1 400 Bad Request\r\n\r\n"), nil
		case "certificate":
			c.n.mu.Lock()
			c.n.badCert = true
			c.n.mu.Unlock()
		case "407", "502", "503":
			status, _ := strconv.Atoi(x.fate)
			return copy(p, fmt.Sprintf("HTTP/1.1 %s %s\r\nContent-Length: 0\r\n\r\n", x.fate, http.StatusText(status))), nil
		}
	}
	c.skip--
	n, err := c.Conn.Read(p)
	if err == io.EOF && c.reset.Load() {
		err = &net.OpError{Op: "read", Net: "tcp", Err: syscall.ECONNRESET}
	}
	return n, err
}

// forward passes a request on to the workspace.
func (n *network) forward(r *http.Request) (resp *http.Response, body []byte) {
	sent, err := io.ReadAll(r.Body)
	if err == nil {
		r.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(sent)), nil }
		r.Body, _ = r.GetBody()
		resp, err = n.upstream.RoundTrip(r)
	}
	if err == nil {
		body, err = io.ReadAll(resp.Body)
		_ = resp.Body.Close()
	}
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	return resp, body
}

// serve passes requests on to the workspace.
func (n *network) serve(w http.ResponseWriter, r *http.Request) {
	if n.reuse == "GOAWAY" {
		w.Header().Set("Connection", "close")
	}
	i, err := strconv.Atoi(r.Header.Get("X-Trouble"))
	var x *trouble
	if err == nil {
		x = n.troubles[i]
	}
	r.Header.Del("X-Trouble")
	out := r.Clone(context.WithoutCancel(r.Context()))
	out.RequestURI, out.URL.Scheme, out.URL.Host = "", "http", r.Host
	if n.tls {
		out.URL.Scheme = "https"
	}
	breaks := func() {
		switch x.fate {
		case "reset", "EOF":
			if r.ProtoMajor == 1 {
				c, _, err := w.(http.Hijacker).Hijack()
				if err != nil {
					panic(err)
				}
				if t, ok := c.(*tls.Conn); ok {
					c = t.NetConn()
				}
				c.(*networkConn).reset.Store(x.fate == "reset")
				_ = c.Close()
				runtime.Goexit()
			}
			panic(http.ErrAbortHandler)
		}
	}
	if x != nil && x.where == "head" {
		x.hold()
		if status, err := strconv.Atoi(x.fate); err == nil {
			w.Header().Set("Retry-After", "0")
			http.Error(w, "as a proxy says it", status)
			return
		}
		breaks()
	}
	resp, body := n.forward(out)
	for k, v := range resp.Header {
		w.Header()[k] = v
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(resp.StatusCode)
	if x != nil && x.where == "body" {
		_, _ = w.Write(body[:len(body)/2])
		w.(http.Flusher).Flush()
		x.hold()
		body = body[len(body)/2:]
		breaks()
	}
	_, _ = w.Write(body)
}

// fates are the ways in which a trouble may end.
var fates = map[string][]string{
	"name":  {"passes", "passes", "no such host", "lookup timeout"},
	"dial":  {"passes", "passes", "refused", "timeout"},
	"proxy": {"passes", "passes", "407", "502", "503", "EOF", "reset", "hangs"},
	"TLS":   {"passes", "passes", "reset", "EOF", "alert", "plain", "certificate", "hangs"},
	"head":  {"passes", "407", "429", "502", "503", "504", "reset", "EOF", "403", "404"},
	"body":  {"passes", "reset", "EOF"},
}
