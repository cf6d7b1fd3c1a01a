package cloudfetch

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/url"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// slowWay is a network in memory, with a workspace at its end that takes 2 s to answer.
type slowWay struct {
	dial, handshake time.Duration
	certificate     *tls.Certificate // of the workspace; nil: plain HTTP
	protocol        string           // of TLS; "" lets the transport choose among all
	proxy           time.Duration    // until a proxy on the way answers; 0: none
	dials           int
}

func (w *slowWay) DialContext(ctx context.Context, _, _ string) (net.Conn, error) {
	w.dials++
	select {
	case <-time.After(w.dial):
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	client, server := net.Pipe()
	go w.serve(server)
	return client, nil
}

func (w *slowWay) serve(conn net.Conn) {
	if w.proxy > 0 {
		if _, err := http.ReadRequest(bufio.NewReaderSize(conn, 16)); err != nil {
			return
		}
		time.Sleep(w.proxy)
		_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\n\r\n")
	}
	if w.certificate != nil {
		time.Sleep(w.handshake)
		secure := tls.Server(conn, &tls.Config{Certificates: []tls.Certificate{*w.certificate}, NextProtos: []string{w.protocol}})
		if err := secure.Handshake(); err != nil {
			_ = conn.Close()
			return
		}
		conn = secure
	}
	server := &http.Server{Handler: http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		time.Sleep(2 * s)
		_, _ = rw.Write(handleReply)
	})}
	_ = server.Serve(&oneConn{conn: conn, closed: make(chan struct{})})
}

// oneConn is a listener that accepts one connection.
type oneConn struct {
	conn   net.Conn
	closed chan struct{}
	once   sync.Once
}

func (l *oneConn) Accept() (net.Conn, error) {
	if c := l.conn; c != nil {
		l.conn = nil
		return &lastConn{c, l}, nil
	}
	<-l.closed
	return nil, net.ErrClosed
}

func (l *oneConn) Close() error   { l.once.Do(func() { close(l.closed) }); return nil }
func (l *oneConn) Addr() net.Addr { return &net.TCPAddr{} }

// lastConn ends its listener when it is closed.
type lastConn struct {
	net.Conn
	listener *oneConn
}

func (c *lastConn) Close() error {
	_ = c.listener.Close()
	return c.Conn.Close()
}

// transport is the one that NewBase makes, over this network.
func (w *slowWay) transport(dial func(context.Context, string, string) (net.Conn, error)) *http.Transport {
	rt := NewBase(&tls.Config{InsecureSkipVerify: true}).Workspace.(*http.Transport)
	rt.DialContext, rt.Proxy = dial, nil
	if w.proxy > 0 {
		rt.Proxy = http.ProxyURL(&url.URL{Scheme: "http", Host: "proxy:80"})
	}
	return rt
}

// execute runs one statement over the network, and returns its parts.
func (w *slowWay) execute(t *testing.T, base Base) (telemetry.Split, telemetry.RPC) {
	transport := New(base, Options{})
	defer transport.CloseIdleConnections()
	ctx, trace := traced()
	address := "http://workspace/sql"
	if w.certificate != nil {
		address = "https://workspace/sql"
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(executeRequest(1)))
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/x-thrift")
	resp, err := transport.RoundTrip(req)
	if err == nil {
		_, err = io.ReadAll(resp.Body)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
	}
	r := finish(trace)
	require.Equal(t, r.Total, r.Split.Total())
	return r.Split, rpcOf(r, executeStatement)
}

func certificate(t *testing.T) *tls.Certificate {
	server := httptest.NewUnstartedServer(nil)
	server.StartTLS()
	defer server.Close()
	require.NotEmpty(t, server.TLS.Certificates)
	return &server.TLS.Certificates[0]
}

func TestWhatNetHTTPAgreesWithProxyAndServerIsNotTheServersWork(t *testing.T) {
	of := certificate(t)
	ways := map[string]struct {
		way     slowWay
		network time.Duration
	}{
		"plain":               {slowWay{dial: 1 * s}, 1 * s},
		"TLS":                 {slowWay{dial: 1 * s, handshake: 3 * s, certificate: of, protocol: "http/1.1"}, 4 * s},
		"HTTP/2":              {slowWay{dial: 1 * s, handshake: 3 * s, certificate: of, protocol: "h2"}, 4 * s},
		"TLS through a proxy": {slowWay{dial: 1 * s, handshake: 3 * s, certificate: of, protocol: "http/1.1", proxy: 5 * s}, 9 * s},
	}
	for name, c := range ways {
		t.Run(name, func(t *testing.T) {
			for kind, base := range map[string]func(w *slowWay) Base{
				"own transport": func(w *slowWay) Base {
					return Base{Workspace: w.transport(dialFunc(w.DialContext).observed), dials: true}
				},
				"the user's": func(w *slowWay) Base { return WrapBase(w.transport(w.DialContext)) },
			} {
				t.Run(kind, func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						way := c.way
						split, rpc := way.execute(t, base(&way))
						require.Equal(t, 1, way.dials)
						require.Equal(t, telemetry.Split{telemetry.PartNetwork: c.network, telemetry.PartServer: 2 * s}, split)
						require.Equal(t, c.network, rpc.Connecting)
					})
				})
			}
		})
	}
}

func TestAHandshakeThatFailsWasTheNetworks(t *testing.T) {
	of := certificate(t)
	synctest.Test(t, func(t *testing.T) {
		way := slowWay{handshake: time.Hour, certificate: of, protocol: "http/1.1"}
		split, rpc := way.execute(t, Base{Workspace: way.transport(dialFunc(way.DialContext).observed), dials: true})
		require.Equal(t, telemetry.Split{telemetry.PartNetwork: 10 * s}, split, "net/http gives up after 10 s")
		require.Equal(t, 10*s, rpc.Connecting)
		time.Sleep(time.Hour)
	})
}

// A transport over several others may ask each of them for a connection.
func TestAConnectionThatWasNotHadIsNotWaitedForWhileAnotherIsUsed(t *testing.T) {
	onClock(t, func(t *testing.T, c *clock) {
		inner := c.transport.base.Workspace
		c.transport.base = WrapBase(roundTripFunc(func(req *http.Request) (*http.Response, error) {
			of := httptrace.ContextClientTrace(req.Context())
			of.GetConn("first:443")
			time.Sleep(1 * s) // in vain
			of.GetConn("second:443")
			time.Sleep(2 * s)
			of.GotConn(httptrace.GotConnInfo{})
			return inner.RoundTrip(req)
		}))
		c.call(4*s, executeRequest(1), ok(inlineReply))
		require.Equal(t, map[telemetry.Part]time.Duration{telemetry.PartNetwork: 3 * s, telemetry.PartServer: 4 * s}, c.split())
	})
}

// A connection that stays open for hours must not keep the statement that opened it.
func TestAConnectionForgetsTheStatementThatOpenedIt(t *testing.T) {
	client, server := net.Pipe()
	go func() { _, _ = io.Copy(io.Discard, server) }()
	ctx, trace := traced()
	conn, err := dialFunc(func(context.Context, string, string) (net.Conn, error) { return client, nil }).observed(ctx, "tcp", "workspace:80")
	require.NoError(t, err)
	opening := conn.(*openingConn)
	require.Same(t, trace, opening.trace.Load())
	_, err = io.WriteString(conn, "POST / HTTP/1.1\r\n")
	require.NoError(t, err)
	require.Nil(t, opening.trace.Load())
	require.NoError(t, conn.Close())
}
