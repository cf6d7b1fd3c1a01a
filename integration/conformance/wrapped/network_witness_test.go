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
	"database/sql"
	"database/sql/driver"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"math/big"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	dbsql "github.com/databricks/databricks-sql-go"
	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/integration/workspace"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry/explain"
)

// Between the driver and the simulated workspace lies a network with names, connections, proxies, TLS and HTTP/2,
// of which one part takes long for one request, or fails. The record, its verdict and its advice must name the
// request and must not blame anything else, however the statement ends, and also while it lasts.

var networkSeeds = flag.Uint64("networks", 40, "random scenes in which the network is slow or fails")

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

// journey is a scene on a network.
type journey struct {
	*network
	opts      workspace.Options
	reader    string
	files     bool
	ending    string // "", "canceled", "deadline", "early", "abandoned", "connection closed", "db closed"
	cause     error  // of the end of the context; nil for none of its own
	moment    int    // of the ending, in tenths of the first trouble
	stop      int
	pages     int
	threads   int
	about     string
	looks     []look
	start     time.Time
	ended     time.Time // the context
	neighbors int       // that run statements on other connections
	others    []*telemetry.Statement
}

func journeyOf(seed uint64) *journey {
	r := rand.New(rand.NewPCG(seed, 92))
	j := &journey{network: &network{tls: r.IntN(3) > 0, proxy: r.IntN(3) == 0}, threads: 1 + r.IntN(3), pages: 2 + r.IntN(3)}
	j.h2 = j.tls && r.IntN(2) == 0
	fs := formats()
	f := fs[r.IntN(len(fs))]
	j.opts, j.files = f.opts, f.files
	ex := time.Duration(1+r.IntN(30)) * time.Millisecond
	if f.polled && r.IntN(3) == 0 {
		ex = 1500 * time.Millisecond
	}
	j.opts.ExecutionTime = func(string) time.Duration { return ex }
	if j.files {
		j.opts.LinksPerPage = []int{1, 2, -1}[r.IntN(3)]
	}
	readers := []string{"driver rows", "driver rows"}
	if f.arrow {
		readers = append(readers, "arrow", "ipc")
	}
	if f.polled {
		readers = append(readers, "exec")
	}
	j.reader = readers[r.IntN(len(readers))]
	methods := []string{"ExecuteStatement", "FetchResults", "FetchResults"}
	if f.polled {
		methods = append(methods, "GetOperationStatus", "GetResultSetMetadata", "CloseOperation")
	}
	if j.files {
		methods = append(methods, "file", "file", "file")
	}
	if j.reader == "exec" {
		methods = []string{"ExecuteStatement", "GetOperationStatus", "GetResultSetMetadata", "CloseOperation"}
	}
	x := &trouble{method: methods[r.IntN(len(methods))], times: []int{1, 1, 2, 9}[r.IntN(4)], d: time.Duration(20+r.IntN(15)) * time.Second}
	if x.method == "FetchResults" || x.method == "file" || x.method == "GetOperationStatus" {
		x.nth = r.IntN(2)
	}
	places := []string{"name", "dial", "head", "head", "body"}
	if j.tls {
		places = append(places, "TLS", "TLS")
		if j.proxy {
			places = append(places, "proxy", "proxy", "proxy")
		}
	}
	x.where = places[r.IntN(len(places))]
	j.reuse = []string{"never", "closed", "closed"}[r.IntN(3)]
	if j.h2 && r.IntN(2) == 0 {
		j.reuse = "GOAWAY"
	}
	x.fate = fates[x.where][r.IntN(len(fates[x.where]))]
	if x.where == "TLS" && x.d > 9*time.Second { // the transport's limit
		x.d = 7 * time.Second
	}
	j.troubles = []*trouble{x}
	if r.IntN(3) == 0 { // another one, at another call or later
		y := &trouble{method: methods[r.IntN(len(methods))], where: []string{"head", "body", "name", "dial"}[r.IntN(4)], times: []int{1, 1, 2}[r.IntN(3)], d: []time.Duration{x.d / 4, x.d / 2, x.d, 2 * x.d}[r.IntN(4)]}
		y.fate = fates[y.where][r.IntN(len(fates[y.where]))]
		if y.method == x.method {
			y.nth = x.nth + x.times + r.IntN(2)
		}
		j.troubles = append(j.troubles, y)
	}
	j.moment = 1 + r.IntN(9)
	switch n := r.IntN(8); {
	case n < 2:
		if x.fate != "hangs" {
			j.ending = []string{"canceled", "deadline"}[n]
			if r.IntN(3) == 0 {
				j.cause = errors.New("the application stops")
			}
		}
	case n < 6 && j.reader != "exec":
		j.ending, j.stop = []string{"early", "abandoned", "connection closed", "db closed"}[n-2], 1+r.IntN(j.pages*pageRows)
	}
	if f.polled && r.IntN(8) == 0 {
		j.ending, j.cause, j.stop, j.troubles = "canceled before", nil, 0, j.troubles[:1]
		x.method, x.nth = "CancelOperation", 0
		j.opts.ExecutionTime = func(string) time.Duration { return 2500 * time.Millisecond }
	}
	if r.IntN(6) == 0 && j.reuse != "closed" && j.ending != "db closed" && j.ending != "abandoned" && (!j.h2 || !x.connects()) { // HTTP/2 shares connections
		j.neighbors = 1 + r.IntN(3)
	}
	if j.files && j.ending == "abandoned" { // the driver's downloads would stay behind
		j.ending, j.stop = "", 0
	}
	for _, x := range j.troubles {
		j.about += fmt.Sprintf("%s %d: %s %s (%v) %d times; ", x.method, x.nth, x.where, x.fate, x.d, x.times)
	}
	j.about += fmt.Sprintf("connections %s; %s %s; TLS %v h2 %v proxy %v threads %d pages %d links %d ex %v; neighbors %d; %q %v at %d stop %d", j.reuse, f.name, j.reader, j.tls, j.h2, j.proxy, j.threads, j.pages, j.opts.LinksPerPage, ex, j.neighbors, j.ending, j.cause, j.moment, j.stop)
	return j
}

// over notes that the context ends.
func (j *journey) over() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.ended = time.Now()
}

// look looks at the running record.
func (j *journey) look() {
	for _, c := range telemetry.Default.Connectors() {
		for _, r := range c.Running() {
			if r.Started.Equal(j.start) {
				j.mu.Lock()
				j.looks = append(j.looks, look{time.Now(), r})
				j.mu.Unlock()
			}
		}
	}
}

// beside runs the neighbors until the returned function is called.
func (j *journey) beside(db *sql.DB) (stop func()) {
	done := make(chan struct{})
	var all sync.WaitGroup
	query := statement(20)
	if j.files {
		query = statement(0) // requests for files do not show whose they are
	}
	for i := range j.neighbors {
		all.Go(func() {
			for {
				select {
				case <-done:
					return
				case <-time.After(time.Duration(1700+900*i) * time.Millisecond):
				}
				_, _ = drain(db.QueryContext(context.WithValue(context.Background(), neighborKey{}, i), query))
			}
		})
	}
	return func() {
		close(done)
		all.Wait()
	}
}

// checkNeighbor returns what is wrong with the record of another statement, which had no trouble.
func (j *journey) checkNeighbor(r *telemetry.Statement) (wrong []string) {
	waits := r.Split[telemetry.PartServer] + r.Split[telemetry.PartPoll]
	connecting := time.Duration(0)
	for _, c := range r.RPCs {
		connecting += c.Connecting
		if c.Retries > 0 || c.FailedStatus != 0 {
			connecting += time.Hour
		}
	}
	if r.Failure != nil || r.Outcome != telemetry.OutcomeCompleted || r.Total != waits || r.Total > 3*time.Second || connecting > 0 {
		wrong = append(wrong, fmt.Sprintf("neighbor: %s %+v %v %v", r.Outcome, r.Failure, explain.Of(r).Sentence, r.Split))
	}
	return wrong
}

func (j *journey) program(db *sql.DB) error {
	ctx, cause := context.WithCancelCause(context.Background())
	cancel := func() { cause(j.cause) }
	defer cancel()
	x := j.troubles[0]
	at := x.d * time.Duration(j.moment) / 10
	for _, x := range j.troubles {
		x.on = func() {
			for _, moment := range []time.Duration{x.d / 5, x.d / 2, x.d * 4 / 5} {
				time.AfterFunc(moment+time.Millisecond, j.look)
			}
		}
	}
	looks := x.on
	x.on = func() {
		looks()
		switch j.ending {
		case "canceled":
			time.AfterFunc(at, func() { j.over(); cancel() })
		case "db closed":
			time.AfterFunc(at, func() { _ = db.Close() })
		}
	}
	c, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	if j.ending == "canceled before" {
		time.AfterFunc(1500*time.Millisecond, func() { j.over(); cancel() })
	}
	defer j.beside(db)()
	var kept cursor
	var late driver.Rows
	err = c.Raw(func(conn any) error {
		within := ctx
		if j.ending == "deadline" {
			d := at + 500*time.Millisecond
			var stop context.CancelFunc
			within, stop = context.WithTimeoutCause(ctx, d, j.cause)
			defer stop()
			defer time.AfterFunc(d, j.over).Stop()
		}
		j.start = time.Now()
		j.mu.Lock()
		j.began = true
		j.mu.Unlock()
		query := statement(j.pages * pageRows)
		if j.reader == "exec" {
			_, err := conn.(driver.ExecerContext).ExecContext(within, query, nil)
			return err
		}
		rows, err := conn.(driver.QueryerContext).QueryContext(within, query, nil)
		if err != nil {
			return err
		}
		cursor, step, err := cursorOf(j.reader, rows)
		if err != nil {
			return errors.Join(err, rows.Close())
		}
		for n := 0; ; n += int(step) {
			if j.stop > 0 && n >= j.stop {
				switch j.ending {
				case "abandoned":
					return nil
				case "connection closed":
					kept, late = cursor, rows
					return driver.ErrBadConn
				case "early":
					return rows.Close()
				}
			}
			if err := cursor.next(); err != nil {
				if err == io.EOF {
					err = nil
				}
				return errors.Join(err, rows.Close())
			}
		}
	})
	if j.ending == "abandoned" {
		runtime.GC()
		other, err2 := db.Conn(context.Background())
		if err2 == nil {
			err = errors.Join(err, other.Close())
		}
	}
	err = errors.Join(err, c.Close())
	runtime.KeepAlive(kept)
	if late != nil {
		_ = late.Close()
	}
	return err
}

func (j *journey) perform(t *testing.T) (record *telemetry.Statement, told error) {
	synctest.Test(t, func(t *testing.T) {
		j.opts.InMemory, j.opts.TLS = true, j.tls
		ws, err := workspace.Start(j.opts)
		require.NoError(t, err)
		j.ws = ws
		j.network.start()
		defer func() {
			j.network.stop()
			require.NoError(t, ws.Close())
			time.Sleep(2 * time.Hour)
		}()
		sink := &memory{}
		c, err := listening(sink).NewConnector(append(options(ws), dbsql.WithTransport(j.network), dbsql.WithRetries(4, 10*time.Millisecond, time.Hour), dbsql.WithMaxDownloadThreads(j.threads))...)
		require.NoError(t, err)
		db := sql.OpenDB(c)
		db.SetMaxIdleConns(0)
		told = j.program(db)
		require.NoError(t, db.Close())
		time.Sleep(2 * time.Hour)
		sink.mu.Lock()
		defer sink.mu.Unlock()
		for _, r := range sink.statements {
			if r.Started.Equal(j.start) {
				record = r
			} else {
				j.others = append(j.others, r)
			}
		}
	})
	return record, told
}

// partsOf returns the parts that the time of a trouble may be in, before it is known to have failed.
func (x *trouble) partsOf() []telemetry.Part {
	if x.method == "file" {
		return []telemetry.Part{telemetry.PartFile}
	}
	if x.method == "GetOperationStatus" {
		return []telemetry.Part{telemetry.PartServer, telemetry.PartPoll}
	}
	if x.connects() {
		return []telemetry.Part{telemetry.PartNetwork}
	}
	switch x.method {
	case "ExecuteStatement":
		if x.where == "body" {
			return []telemetry.Part{telemetry.PartPage, telemetry.PartNetwork}
		}
		return []telemetry.Part{telemetry.PartServer}
	case "CloseOperation", "CancelOperation":
		return []telemetry.Part{telemetry.PartClose}
	}
	return []telemetry.Part{telemetry.PartPage}
}

// checkBoth checks a verdict on two troubles of which the first took longer; their times may be in one part.
func (j *journey) checkBoth(x, also *trouble, r *telemetry.Statement, took, less time.Duration) (wrong []string) {
	v := explain.Of(r)
	bad := func(f string, args ...any) { wrong = append(wrong, fmt.Sprintf("both: "+f, args...)) }
	if took < r.Total/2 {
		return nil
	}
	if allowed := append(x.partsOf(), telemetry.PartUnknown, telemetry.PartRetry, telemetry.PartServer); !slices.Contains(allowed, v.Part) {
		bad("part %s of %v", v.Part, allowed)
	}
	for _, m := range methods {
		if m != x.method && m != also.method && strings.Contains(v.Sentence, m) && v.Part != telemetry.PartServer {
			bad("blames %s", m)
		}
	}
	if v.Time > took+less+4*time.Second {
		bad("part of %v, the troubles took %v and %v", v.Time, took, less)
	}
	return wrong
}

// fails reports whether the driver gets no answer that it can use.
func (x *trouble) fails() bool { return x.fate != "passes" }

// category is the category of a statement that fails because of the trouble.
func (x *trouble) category() []telemetry.Category {
	if x.method == "file" {
		return []telemetry.Category{telemetry.CategoryChunkDownload}
	}
	switch x.fate {
	case "lookup timeout", "timeout", "hangs", "504":
		return []telemetry.Category{telemetry.CategoryTimeout}
	case "alert", "plain", "certificate":
		return []telemetry.Category{telemetry.CategoryTLS}
	case "407":
		if x.where == "proxy" { // the application's transport has no error type for that
			return []telemetry.Category{telemetry.CategoryAuth, telemetry.CategoryConnection}
		}
		return []telemetry.Category{telemetry.CategoryAuth}
	case "429":
		return []telemetry.Category{telemetry.CategoryRateLimit}
	case "403":
		return []telemetry.Category{telemetry.CategoryPermission}
	case "404":
		return []telemetry.Category{telemetry.CategoryNotFound}
	}
	return []telemetry.Category{telemetry.CategoryConnection}
}

// status is the HTTP status that the driver gets.
func (x *trouble) status() int {
	if x.where == "head" {
		n, _ := strconv.Atoi(x.fate)
		return n
	}
	if x.where == "body" {
		return 200
	}
	return 0
}

// within returns the time of the first strike as far as it lies between the start of a record and until.
func (x *trouble) within(r *telemetry.Statement, until time.Time) (from, to time.Duration, over bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.from.IsZero() || x.from.After(until) {
		return 0, 0, false
	}
	end := x.to
	if over = !end.IsZero() && !end.After(until); !over {
		end = until
	}
	from = x.from.Sub(r.Started)
	return from, min(end.Sub(r.Started), r.Total), over
}

// check compares a record with the troubles.
func (j *journey) check(r *telemetry.Statement, until time.Time, told error) (wrong []string) {
	bad := func(f string, args ...any) { wrong = append(wrong, fmt.Sprintf(f, args...)) }
	if r.Split.Total() != r.Total {
		bad("the parts add up to %v of %v", r.Split.Total(), r.Total)
	}
	wrong = append(wrong, slices.DeleteFunc(checkCopy(r), func(w string) bool { return strings.HasPrefix(w, "TIMELINE") })...) // it is rounded
	statuses := func(method string) (all []int) {
		for _, x := range j.troubles {
			if _, _, over := x.within(r, until); over && x.method == method && x.fails() {
				all = append(all, x.status())
			}
		}
		return all
	}
	for i := range r.RPCs {
		givenUp := func(x *trouble) bool { // by the driver, while the answer came
			return !j.ended.IsZero() && x.method == r.RPCs[i].Method && x.where == "body" && r.RPCs[i].FailedStatus == 200
		}
		if c := &r.RPCs[i]; (c.Retries > 0 || c.FailedStatus != 0) && !slices.ContainsFunc(j.troubles, givenUp) && !slices.Contains(statuses(c.Method), c.FailedStatus) {
			bad("status %d of %v: %+v", c.FailedStatus, statuses(c.Method), c)
		}
	}
	if c := r.CloudFetch; c != nil && (c.Retries > 0 || c.Failed > 0) && j.ending != "connection closed" {
		status, ok := c.FailedStatus.Get()
		if !ok {
			status = int64(c.RetryStatus)
		}
		if all := statuses("file"); !slices.Contains(all, int(status)) && !slices.Contains(all, 200) { // the storage may have delivered the file
			bad("status %d of %v: %+v", status, all, c)
		}
	}
	switch r.Outcome {
	case telemetry.OutcomeFailed:
		ok := false
		for _, x := range j.troubles {
			ok = ok || x.fails() && slices.Contains(x.category(), r.Failure.Category)
		}
		if !ok {
			bad("failed: %+v", r.Failure)
		}
	case telemetry.OutcomeCanceled:
		x := j.troubles[0]
		if j.ended.IsZero() || j.ended.Before(r.Started.Add(r.Total-r.Close.Or(0)-time.Second)) && (x.method == "FetchResults" || x.method == "file") && len(j.troubles) == 1 {
			bad("not canceled: %+v", r.Failure)
		}
		if want := map[string]telemetry.Category{"canceled": telemetry.CategoryCanceled, "canceled before": telemetry.CategoryCanceled, "deadline": telemetry.CategoryTimeout}[j.ending]; r.Failure.Category != want {
			bad("category %s of %v", r.Failure.Category, want)
		}
	case telemetry.OutcomeRunning:
	default:
		if r.Failure != nil {
			bad("%s and %+v", r.Outcome, r.Failure)
		}
		if told != nil && j.ending == "" {
			bad("%s, but the application got %v", r.Outcome, told)
		}
	}
	x, also := j.troubles[0], (*trouble)(nil)
	from, to, over := x.within(r, until)
	took := to - from
	if len(j.troubles) > 1 {
		y := j.troubles[1]
		from2, to2, over2 := y.within(r, until)
		if to2 > from2 {
			if from2 < to && from < to2 {
				return wrong // at the same time
			}
			also = y
			if to2-from2 > took {
				x, also, took, over, to2, from2 = y, x, to2-from2, over2, to, from
			}
			switch d := took - (to2 - from2); {
			case d < time.Second+took/20:
				return wrong // either may win
			case slices.ContainsFunc(append(x.partsOf(), telemetry.PartRetry), func(p telemetry.Part) bool { return slices.Contains(append(also.partsOf(), telemetry.PartRetry), p) }) && (x.fails() || also.fails() || x.partsOf()[0] == also.partsOf()[0]):
				return append(wrong, j.checkBoth(x, also, r, took, to2-from2)...)
			}
		}
	}
	if took < r.Total*3/4 && also == nil || took < time.Second || took < r.Total/2 {
		return wrong
	}
	retries := int64(0)
	for i := range r.RPCs {
		if r.RPCs[i].Method == x.method {
			retries = r.RPCs[i].Retries
		}
	}
	if c := r.CloudFetch; c != nil && x.method == "file" {
		retries = c.Retries
	}
	if retries > 0 && !x.fails() {
		bad("%d retries", retries)
	}
	v := explain.Of(r)
	allowed := append(x.partsOf(), telemetry.PartUnknown)
	repeats := x.fails() && over
	if repeats && retries > 0 && x.method != "GetOperationStatus" {
		allowed = []telemetry.Part{telemetry.PartRetry}
	} else if repeats {
		allowed = append(allowed, telemetry.PartRetry)
	}
	if !slices.Contains(allowed, v.Part) {
		bad("part %s of %v", v.Part, allowed)
	}
	if d := v.Time - took; d > 4*time.Second || d < -3*time.Second {
		bad("part of %v, the trouble took %v", v.Time, took)
	}
	for _, m := range methods {
		if m != x.method && strings.Contains(v.Sentence, m) && v.Part != telemetry.PartServer {
			bad("blames %s", m)
		}
	}
	for _, text := range otherDurations(v.Sentence, r.Total, took, 2500*time.Millisecond) {
		bad("says %s: the trouble took %v of %v", text, took, r.Total)
	}
	says := func(what string) bool { return strings.Contains(v.Sentence+" "+v.Advice, what) }
	if x.connects() && x.method != "file" && v.Part != telemetry.PartUnknown && !repeats && !says("network connection") {
		bad("says nothing of a connection")
	}
	if v.Part != telemetry.PartServer && (says("larger warehouse") || says("query profile")) {
		bad("advice on the server")
	}
	if x.connects() && x.method != "ExecuteStatement" && says("took its time") {
		bad("says that the workspace took its time")
	}
	if v.Part == telemetry.PartClose && x.fails() && over && x.status() != 0 && (!says("and failed") || says("took its time") || says("answered it late")) {
		bad("does not say that the call failed")
	}
	if v.Part == telemetry.PartRetry {
		if x.status() > 200 && !says(fmt.Sprint("status ", x.status())) {
			bad("does not name the status")
		}
		if (x.method == "file") != says("file") {
			bad("file or call")
		}
		if r.Outcome != telemetry.OutcomeRunning && (x.method == "file") == says("The workspace") && x.status() != 407 && x.status() > 200 {
			bad("advice on another server")
		}
	}
	return wrong
}

func TestTheNetworkThatTookLongIsBlamed(t *testing.T) {
	for seed := range *networkSeeds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			j := journeyOf(seed)
			r, told := j.perform(t)
			x := j.troubles[0]
			if x.from.IsZero() {
				t.Log("no such stage: ", j.about)
				return
			}
			require.NotNil(t, r, j.about)
			text := j.about + fmt.Sprintf("\n   error %v\n", told)
			for _, l := range append(slices.Clone(j.looks), look{r.Started.Add(r.Total), r}) {
				v := explain.Of(l.record)
				f := ""
				if l.record.Failure != nil {
					f = string(l.record.Failure.Category)
				}
				fs := ""
				for _, c := range l.record.RPCs {
					if c.FailedStatus != 0 || c.Retries > 0 {
						fs += fmt.Sprintf(" %s failed %d last %d retries %d", c.Method, c.FailedStatus, c.LastStatus, c.Retries)
					}
				}
				if c := l.record.CloudFetch; c != nil && (c.Failed > 0 || c.Retries > 0) {
					fs += fmt.Sprintf(" files failed %d status %v retries %d %d", c.Failed, c.FailedStatus, c.Retries, c.RetryStatus)
				}
				text += fmt.Sprintf("   at %v of %v-%v %s %s%s\n      %s\n      %s\n", l.at.Sub(r.Started), x.from.Sub(r.Started), x.to.Sub(r.Started), l.record.Outcome, f, fs, v.Sentence, v.Advice)
				for _, w := range j.check(l.record, l.at, told) {
					t.Errorf("WRONG %s: %s", l.record.Outcome, w)
				}
			}
			for _, r := range j.others {
				for _, w := range j.checkNeighbor(r) {
					t.Errorf("WRONG %s", w)
				}
			}
			if t.Failed() || testing.Verbose() {
				t.Log(text)
			}
		})
	}
}

// The driver reads rows without the caller's context. If the network fails after that has ended, the statement
// fails because of the network.
func TestAStatementThatTheNetworkFailsIsNotCanceled(t *testing.T) {
	for _, ending := range []string{"canceled", "deadline"} {
		for _, fate := range []string{"lookup timeout", "refused"} {
			j := &journey{network: &network{}, opts: inlinePages, reader: "driver rows", threads: 1, pages: 3, ending: ending, moment: 2}
			j.troubles = []*trouble{{method: "FetchResults", where: "dial", fate: fate, times: 9, d: 20 * time.Second}}
			j.troubles[0].where = map[string]string{"lookup timeout": "name", "refused": "dial"}[fate]
			j.reuse = "never"
			r, err := j.perform(t)
			require.Error(t, err)
			require.Equal(t, telemetry.OutcomeFailed, r.Outcome)
			require.Equal(t, j.troubles[0].category()[0], r.Failure.Category)
		}
	}
}

// Package net/http returns the cause that the application gave the end of its context.
func TestAContextThatEndedWithACauseCanceledTheStatement(t *testing.T) {
	for ending, category := range map[string]telemetry.Category{"canceled": telemetry.CategoryCanceled, "deadline": telemetry.CategoryTimeout} {
		for _, where := range []string{"head", "body"} {
			for _, method := range methods[:3] {
				j := &journey{network: &network{}, opts: polledPages, reader: "exec", threads: 1, pages: 3, ending: ending, moment: 2, cause: errors.New("the application stops")}
				j.troubles = []*trouble{{method: method, where: where, fate: "passes", times: 1, d: 20 * time.Second}}
				r, err := j.perform(t)
				require.Error(t, err)
				require.Equal(t, telemetry.OutcomeCanceled, r.Outcome, "%s %s: %v", method, where, err)
				require.Equal(t, category, r.Failure.Category)
			}
		}
	}
}
