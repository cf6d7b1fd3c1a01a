package cloudfetch

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/url"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// slowWay is a network in memory, with a workspace at its end that takes 2 s to answer.
type slowWay struct {
	dial, handshake time.Duration
	secure          *tls.Config   // of the workspace; nil: plain HTTP
	proxy           time.Duration // until a proxy on the way answers; 0: none
	refuses         string        // the status that the proxy answers with; empty: it opens the way
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
		if w.refuses != "" {
			_, _ = io.WriteString(conn, "HTTP/1.1 "+w.refuses+"\r\n\r\n")
			return
		}
		_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\n\r\n")
	}
	if w.secure != nil {
		time.Sleep(w.handshake)
		conn = tls.Server(conn, w.secure)
	}
	listener := &oneConn{conns: make(chan net.Conn, 1), done: make(chan struct{})}
	listener.conns <- conn
	server := &http.Server{
		Handler: http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			time.Sleep(1 * s)
			if r.URL.Path != "/takes-a-second" {
				time.Sleep(1 * s)
			}
			_, _ = rw.Write(handleReply)
		}),
		ConnState: func(_ net.Conn, s http.ConnState) {
			if s == http.StateClosed {
				close(listener.done)
			}
		},
		ErrorLog: log.New(io.Discard, "", 0),
	}
	_ = server.Serve(listener)
}

// oneConn is a listener that accepts one connection.
type oneConn struct {
	conns chan net.Conn
	done  chan struct{}
}

func (l *oneConn) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

func (l *oneConn) Close() error   { return nil }
func (l *oneConn) Addr() net.Addr { return &net.TCPAddr{} }

// transport is the one that NewBase makes, over this network.
func (w *slowWay) transport(dial func(context.Context, string, string) (net.Conn, error)) *http.Transport {
	rt := NewBase(&tls.Config{InsecureSkipVerify: true}).Workspace.(*http.Transport)
	rt.DialContext, rt.Proxy = dial, nil
	if w.proxy > 0 {
		rt.Proxy = http.ProxyURL(&url.URL{Scheme: "http", Host: "proxy:80"})
	}
	return rt
}

func (w *slowWay) request(ctx context.Context, t *testing.T, path string) *http.Request {
	scheme := "http"
	if w.secure != nil {
		scheme = "https"
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, scheme+"://workspace"+path, bytes.NewReader(executeRequest(1)))
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/x-thrift")
	return req
}

// execute runs one statement over the network, and returns its parts.
func (w *slowWay) execute(t *testing.T, transport *Transport) (telemetry.Split, telemetry.RPC, error) {
	ctx, trace := traced()
	resp, err := transport.RoundTrip(w.request(ctx, t, "/"))
	if err == nil {
		_, err = io.ReadAll(resp.Body)
		require.NoError(t, resp.Body.Close())
	}
	r := finish(trace)
	require.Equal(t, r.Total, r.Split.Total())
	return r.Split, rpcOf(r, executeStatement), err
}

// observed is a base whose transport says when it opens connections.
func (w *slowWay) observed() Base {
	return Base{Workspace: w.transport(dialFunc(w.DialContext).observed), reports: maxConnections}
}

// speaking returns configurations of TLS for a workspace that speaks one protocol, over one version.
func speaking(t *testing.T) func(protocol string, version uint16) *tls.Config {
	server := httptest.NewUnstartedServer(nil)
	server.StartTLS()
	defer server.Close()
	certificates := server.TLS.Certificates
	require.NotEmpty(t, certificates)
	return func(protocol string, version uint16) *tls.Config {
		return &tls.Config{Certificates: certificates, NextProtos: []string{protocol}, MinVersion: version, MaxVersion: version}
	}
}

// emptyPools drops what is in every sync.Pool. Before Go 1.26 all HTTP/2 servers of a process share a pool of
// channels, and one that was made in a bubble of testing/synctest ends the process outside. A pool keeps things for two
// collections.
func emptyPools() {
	runtime.GC()
	runtime.GC()
}

func TestWhatNetHTTPAgreesOnWithProxyAndServerIsNotTheServersWork(t *testing.T) {
	speak := speaking(t)
	ways := map[string]struct {
		way     slowWay
		network time.Duration
	}{
		"plain":               {slowWay{dial: 1 * s}, 1 * s},
		"TLS":                 {slowWay{dial: 1 * s, handshake: 3 * s, secure: speak("http/1.1", tls.VersionTLS13)}, 4 * s},
		"TLS 1.2":             {slowWay{dial: 1 * s, handshake: 3 * s, secure: speak("http/1.1", tls.VersionTLS12)}, 4 * s},
		"HTTP/2":              {slowWay{dial: 1 * s, handshake: 3 * s, secure: speak("h2", tls.VersionTLS13)}, 4 * s},
		"TLS through a proxy": {slowWay{dial: 1 * s, handshake: 3 * s, secure: speak("http/1.1", tls.VersionTLS13), proxy: 5 * s}, 9 * s},
	}
	for name, c := range ways {
		t.Run(name, func(t *testing.T) {
			for kind, base := range map[string]func(w *slowWay) Base{
				"own transport": (*slowWay).observed,
				"the user's":    func(w *slowWay) Base { return WrapBase(w.transport(w.DialContext)) },
			} {
				t.Run(kind, func(t *testing.T) {
					defer emptyPools()
					synctest.Test(t, func(t *testing.T) {
						way := c.way
						transport := New(base(&way), new(Counters))
						defer transport.CloseIdleConnections()
						split, rpc, err := way.execute(t, transport)
						require.NoError(t, err)
						require.Equal(t, telemetry.Split{telemetry.PartNetwork: c.network, telemetry.PartServer: 2 * s}, split)
						require.Equal(t, c.network, rpc.Connecting)
						for _, pause := range []time.Duration{0, time.Minute} {
							time.Sleep(pause)
							split, rpc, err = way.execute(t, transport)
							require.NoError(t, err)
							require.Equal(t, telemetry.Split{telemetry.PartServer: 2 * s}, split, "the connection is there")
							require.Zero(t, rpc.Connecting)
						}
						require.Equal(t, 1, way.dials)
						transport.CloseIdleConnections()
						time.Sleep(2 * s)
						split, _, err = way.execute(t, transport)
						require.NoError(t, err)
						require.Equal(t, telemetry.Split{telemetry.PartNetwork: c.network, telemetry.PartServer: 2 * s}, split)
						require.Equal(t, 2, way.dials)
					})
				})
			}
		})
	}
}

// A request takes the connection that another one gives back, and the one that was dialed for it
// carries nothing for hours.
func TestAConnectionThatNothingIsSentOverIsNotWaitedFor(t *testing.T) {
	speak := speaking(t)
	for name, way := range map[string]slowWay{
		"plain":   {dial: 300 * time.Millisecond},
		"TLS":     {dial: 100 * time.Millisecond, handshake: 200 * time.Millisecond, secure: speak("http/1.1", tls.VersionTLS13)},
		"TLS 1.2": {dial: 100 * time.Millisecond, handshake: 200 * time.Millisecond, secure: speak("http/1.1", tls.VersionTLS12)},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				base := way.observed()
				defer closeIdle(base.Workspace)
				other := make(chan error)
				go func() {
					resp, err := base.Workspace.RoundTrip(way.request(t.Context(), t, "/takes-a-second"))
					if err == nil {
						_, err = io.ReadAll(resp.Body)
					}
					other <- err
				}()
				time.Sleep(1200 * time.Millisecond) // 100 ms before its end
				split, _, err := way.execute(t, New(base, new(Counters)))
				require.NoError(t, err)
				require.NoError(t, <-other)
				require.Equal(t, 2, way.dials)
				require.Equal(t, telemetry.Split{telemetry.PartNetwork: 300 * time.Millisecond, telemetry.PartServer: 1800 * time.Millisecond}, split)
			})
		})
	}
}

// The driver's transport opens 100 connections to a workspace, and then lets requests wait. One
// connection shows the same.
func TestACallThatWaitsForTheConnectionOfAnotherDoesNotWaitForTheServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		way := slowWay{}
		workspace := way.transport(dialFunc(way.DialContext).observed)
		workspace.MaxConnsPerHost = 1
		transport := New(Base{Workspace: workspace, reports: 1}, new(Counters))
		defer transport.CloseIdleConnections()
		first := make(chan telemetry.Split)
		go func() {
			split, _, _ := way.execute(t, transport)
			first <- split
		}()
		time.Sleep(500 * time.Millisecond)
		split, _, err := way.execute(t, transport)
		require.NoError(t, err)
		require.Equal(t, telemetry.Split{telemetry.PartServer: 2 * s}, <-first)
		require.Equal(t, telemetry.Split{telemetry.PartNetwork: 1500 * time.Millisecond, telemetry.PartServer: 2 * s}, split)
		require.Equal(t, 1, way.dials)
	})
}

func TestAHandshakeThatFailsWasTheNetworks(t *testing.T) {
	speak := speaking(t)
	synctest.Test(t, func(t *testing.T) {
		way := slowWay{handshake: time.Hour, secure: speak("http/1.1", tls.VersionTLS13)}
		base := way.observed()
		defer closeIdle(base.Workspace)
		split, rpc, err := way.execute(t, New(base, new(Counters)))
		require.ErrorContains(t, err, "TLS handshake timeout")
		require.Equal(t, telemetry.Split{telemetry.PartNetwork: 10 * s}, split, "net/http gives up after 10 s")
		require.Equal(t, 10*s, rpc.Connecting)
		time.Sleep(time.Hour)
	})
}

// An HTTP/2 server that drains closes a connection after any answer, and does not say so in the answer.
func TestATransportIsAskedForEachCall(t *testing.T) {
	onClock(t, func(t *testing.T, c *clock) {
		inner := c.transport.base.Workspace
		asked := 0
		c.transport.base = WrapBase(roundTripFunc(func(req *http.Request) (*http.Response, error) {
			if httptrace.ContextClientTrace(req.Context()) != nil {
				asked++
			}
			resp, err := inner.RoundTrip(req)
			if resp != nil {
				resp.ProtoMajor = 2
			}
			return resp, err
		}))
		for n := range 3 {
			ctx, trace := traced()
			c.answers = append(c.answers, ok(inlineReply))
			_, err := c.rpc(ctx, executeRequest(1))
			require.NoError(t, err)
			finish(trace)
			require.Equal(t, n+1, asked)
		}
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

// The driver closes an Exec with a context of its own, so that a transport that reports connections cannot tell whose
// they are.
func TestTheCloseOfAnExecMayWaitForAConnectionOfTheDriversTransport(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		way := slowWay{dial: 3 * s}
		base := way.observed()
		base.Workspace.(*http.Transport).DisableKeepAlives = true
		transport := New(base, new(Counters))
		ctx, trace := traced()
		closing := thriftRequest(context.Background(), operationRequest(closeOperation, 2, operationA))
		closing.URL.Scheme = "http"
		for _, req := range []*http.Request{way.request(ctx, t, "/"), closing} {
			resp, err := transport.RoundTrip(req)
			require.NoError(t, err)
			_, err = io.ReadAll(resp.Body)
			require.NoError(t, err)
			require.NoError(t, resp.Body.Close())
		}
		r := finish(trace)
		require.Equal(t, 3*s, rpcOf(r, closeOperation).Connecting)
		require.Equal(t, telemetry.Split{telemetry.PartNetwork: 6 * s, telemetry.PartServer: 2 * s, telemetry.PartClose: 2 * s}, r.Split)
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

func TestWhenNothingIsLeftToAgreeOn(t *testing.T) {
	record := func(kind byte, size int) string {
		return string([]byte{kind, 3, 3, byte(size >> 8), byte(size)}) + strings.Repeat("x", size)
	}
	hello, finished, data := record(handshake, 300), record(handshake, 40), record(applicationData, 53)
	keys, change := record(handshake, 70), record(changeCipherSpec, 1)
	for written, want := range map[string]bool{
		hello:                                false,
		change + finished:                    true, // TLS 1.2, resumed
		keys + change + finished:             true, // TLS 1.2
		change + data:                        true, // TLS 1.3
		change:                               false,
		data:                                 true, // TLS 1.3, after a second hello
		"CONNECT workspace:443 HTTP/1.1\r\n": false,
		"POST /sql HTTP/1.1\r\n":             true,
		"PRI * HTTP/2.0\r\n":                 true,
		"\x05\x01\x00":                       false, // SOCKS
		"":                                   false,
		keys + change[:3]:                    false,
	} {
		require.Equal(t, want, isAgreed([]byte(written)), "%q", written)
	}
}

func FuzzIsAgreed(f *testing.F) {
	f.Add([]byte("POST / HTTP/1.1\r\n"), []byte("x"))
	f.Add([]byte{handshake, 3, 3, 0, 1, 0, changeCipherSpec, 3, 3, 0, 1, 1}, []byte{handshake})
	f.Fuzz(func(t *testing.T, p, more []byte) {
		if isAgreed(p) {
			require.True(t, isAgreed(append(p, more...)))
		}
	})
}

// The end of a chunked answer comes after its message: the connection is busy until then.
func TestAConnectionWhoseAnswerHasNotEndedIsNotLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &slowWay{}
		rt := &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
			w.dials++
			time.Sleep(3 * s)
			client, server := net.Pipe()
			listener := &oneConn{conns: make(chan net.Conn, 1), done: make(chan struct{})}
			listener.conns <- server
			go func() {
				_ = (&http.Server{
					Handler: http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
						_, _ = io.Copy(io.Discard, r.Body)
						_, _ = rw.Write(handleReply)
						rw.(http.Flusher).Flush()
						time.Sleep(time.Millisecond)
					}),
					ConnState: func(_ net.Conn, s http.ConnState) {
						if s == http.StateClosed {
							close(listener.done)
						}
					},
					ErrorLog: log.New(io.Discard, "", 0),
				}).Serve(listener)
			}()
			return client, nil
		}}
		transport := New(WrapBase(rt), new(Counters))
		defer transport.CloseIdleConnections()
		execute := func() (telemetry.Split, *http.Response) {
			ctx, trace := traced()
			resp, err := transport.RoundTrip(w.request(ctx, t, "/"))
			require.NoError(t, err)
			_, err = io.ReadFull(resp.Body, make([]byte, len(handleReply))) // as the driver: to the end of the message
			require.NoError(t, err)
			return finish(trace).Split, resp
		}
		split, one := execute()
		require.Equal(t, telemetry.Split{telemetry.PartNetwork: 3 * s}, split)
		split, other := execute() // on another connection of the pool
		require.Equal(t, 2, w.dials)
		for _, resp := range []*http.Response{one, other} {
			_, _ = io.Copy(io.Discard, resp.Body)
			_ = resp.Body.Close()
		}
		require.Equal(t, telemetry.Split{telemetry.PartNetwork: 3 * s}, split)
	})
}
