package export_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/internal/export"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// authenticatorFunc is an authenticator that the application wrote.
type authenticatorFunc func(*http.Request) error

func (f authenticatorFunc) Authenticate(r *http.Request) error { return f(r) }

// misbehaved are the ways in which user-supplied code can fail a request of the exporter.
var misbehaved = map[string]func(*http.Request) error{
	"hangs":        func(*http.Request) error { select {} },
	"hangs a day":  func(*http.Request) error { time.Sleep(24 * time.Hour); return nil },
	"panics":       func(*http.Request) error { panic("no") },
	"exits":        func(*http.Request) error { runtime.Goexit(); return nil },
	"fails":        func(*http.Request) error { return errors.New("no") },
	"panics late":  func(*http.Request) error { time.Sleep(time.Minute); panic("no") },
	"is not there": nil,
}

// keepForever lets goroutines that hang for good end with the bubble.
func keepForever(f func(*http.Request) error, end <-chan struct{}) func(*http.Request) error {
	return func(r *http.Request) error {
		select {
		case <-end:
			return errors.New("the test is over")
		default:
		}
		return f(r)
	}
}

// However many tenants have an authenticator that hangs, Shutdown takes no longer than for one.
func TestShutdownEndsAllPipelinesAtOnce(t *testing.T) {
	inBubble(t, func(t *testing.T, s *service, x *export.Exporter) {
		end := make(chan struct{})
		defer close(end)
		for range 50 {
			c := connection(s)
			c.Authenticator = authenticatorFunc(func(*http.Request) error { <-end; return nil })
			h := x.Open(c, telemetry.Settings{ForceEnable: true})
			h.StatementFinished(statement())
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		require.ErrorIs(t, x.Shutdown(ctx), context.DeadlineExceeded)
		require.LessOrEqual(t, time.Since(start), 1100*time.Millisecond)
		require.EqualValues(t, 50, x.Stats().Dropped[export.DropShutDown])
	})
}

// An authenticator that fails in any way, in a request for the flag or in an upload, costs
// its own connector's events and nothing else: the other tenants of the host and workspace
// report at once, before and after its connector is closed.
func TestAnAuthenticatorThatMisbehavesStopsOnlyItsOwnConnector(t *testing.T) {
	for name, misbehave := range misbehaved {
		for _, forced := range []bool{false, true} {
			t.Run(name+map[bool]string{false: ", asked for the flag", true: ", asked for an upload"}[forced], func(t *testing.T) {
				inBubble(t, func(t *testing.T, s *service, x *export.Exporter) {
					end := make(chan struct{})
					defer time.Sleep(48 * time.Hour)
					defer close(end)
					if name == "hangs" { // for as long as the test runs
						misbehave = func(*http.Request) error { <-end; return nil }
					}
					bad := connection(s)
					bad.Authenticator, bad.Credential = nil, export.Fingerprint("bad")
					if misbehave != nil {
						bad.Authenticator = authenticatorFunc(keepForever(misbehave, end))
					}
					settings := telemetry.Settings{ForceEnable: forced}
					hb := x.Open(bad, settings)
					hb.SessionOpened(opened())
					hb.StatementFinished(failed(telemetry.CategoryAuth)) // urgent: sent soon
					time.Sleep(time.Second)                              // the authenticator is called

					report := func() {
						good := connection(s)
						good.Authenticator, good.Credential = &bearer{token: "good"}, export.Fingerprint("good")
						before, start := s.uploads(), time.Now()
						h := x.Open(good, settings)
						h.SessionOpened(opened())
						require.NoError(t, h.Close(t.Context()))
						require.Equal(t, before+1, s.uploads())
						require.Less(t, time.Since(start), time.Second, "in fake time")
					}
					report()
					_ = hb.Close(t.Context())
					report()
					time.Sleep(time.Hour) // the flag is requested again
					report()
					balanced(t, x)
				})
			})
		}
	}
}

// A transport that ignores its context does not delay the exporter, and is not called again while it
// hangs. Tenants with another transport are not kept waiting for an answer of the flag.
func TestATransportThatHangsDelaysNoOtherConnector(t *testing.T) {
	inBubble(t, func(t *testing.T, s *service, x *export.Exporter) {
		end := make(chan struct{})
		var calls atomic.Int32
		bad := connection(nil)
		bad.Transport = roundTripper(func(*http.Request) (*http.Response, error) {
			calls.Add(1)
			<-end
			return nil, errors.New("the test is over")
		})
		hb := x.Open(bad, telemetry.Settings{})
		hb.SessionOpened(opened())
		_ = hb.Flush(shortly(t))

		start := time.Now()
		h := x.Open(connection(s), telemetry.Settings{})
		h.SessionOpened(opened())
		require.NoError(t, h.Close(t.Context()))
		require.Less(t, time.Since(start), time.Second, "in fake time")
		require.EqualValues(t, 1, x.Stats().Sent)

		time.Sleep(time.Hour)
		require.EqualValues(t, 1, calls.Load(), "the goroutine that hangs is the only one")
		start = time.Now()
		require.Error(t, hb.Close(t.Context()))
		require.Less(t, time.Since(start), 3*time.Second)
		close(end)
		synctest.Wait()
		balanced(t, x)
	})
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// The driver never waits for the only connection of a user's transport because an upload hangs.
func TestAnUploadThatHangsTakesNoConnectionFromTheDriver(t *testing.T) {
	inBubble(t, func(t *testing.T, _ *service, x *export.Exporter) {
		connections := make(chan net.Conn)
		limited := &http.Transport{MaxConnsPerHost: 1, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			client, server := net.Pipe()
			select {
			case connections <- server:
				return client, nil
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		}}
		defer limited.CloseIdleConnections()
		uploading := make(chan struct{})
		server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.HasPrefix(r.URL.Path, "/telemetry") {
				_, _ = io.Copy(io.Discard, r.Body)
				close(uploading)
				<-r.Context().Done()
			}
		})}
		go func() { _ = server.Serve(pipes{connections}) }()
		defer func() { _ = server.Close() }()

		c := connection(nil)
		c.Scheme, c.Port, c.Transport = "http", 80, limited
		h := x.Open(c, telemetry.Settings{ForceEnable: true, CircuitBreaker: telemetry.SwitchOff, CloseTimeout: time.Second})
		h.SessionOpened(opened())
		<-uploading

		start := time.Now()
		resp, err := (&http.Client{Transport: limited}).Get("http://dbc-1.cloud.databricks.com:80/sql/1.0/warehouses/abc")
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		require.Zero(t, time.Since(start), "in fake time")
		require.Error(t, h.Close(t.Context()))
	})
}

// pipes listens for connections that a test makes.
type pipes struct{ connections chan net.Conn }

func (p pipes) Accept() (net.Conn, error) {
	if c, ok := <-p.connections; ok {
		return c, nil
	}
	return nil, net.ErrClosed
}
func (p pipes) Close() error   { close(p.connections); return nil }
func (p pipes) Addr() net.Addr { return &net.TCPAddr{} }

// A late authenticator has a copy of the request: what it does to the copy afterwards
// changes no other.
func TestALateAuthenticatorChangesNothing(t *testing.T) {
	inBubble(t, func(t *testing.T, s *service, x *export.Exporter) {
		c := connection(s)
		var asked atomic.Int32
		c.Authenticator = authenticatorFunc(func(r *http.Request) error {
			if asked.Add(1) == 1 {
				time.Sleep(20 * time.Second)
			}
			r.Header.Set("Authorization", "Bearer late")
			r.URL.Host = "elsewhere.example.com"
			return nil
		})
		h := x.Open(c, telemetry.Settings{ForceEnable: true})
		h.SessionOpened(opened())
		time.Sleep(time.Minute)
		require.NoError(t, h.Close(t.Context()))
		require.Equal(t, 1, s.uploads())
		require.Equal(t, "dbc-1.cloud.databricks.com:443", s.requests[0].URL.Host, "an authenticator adds headers, and nothing else")
	})
}

// An authenticator may sign the body, which it reads from the request or from a copy of the body.
func TestAnAuthenticatorCanSignTheBody(t *testing.T) {
	for name, read := range map[string]func(*http.Request) ([]byte, error){
		"of the request": func(r *http.Request) ([]byte, error) { return io.ReadAll(r.Body) },
		"of a copy": func(r *http.Request) ([]byte, error) {
			body, err := r.GetBody()
			if err != nil {
				return nil, err
			}
			return io.ReadAll(body)
		},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, s *service, x *export.Exporter) {
				var signed string
				c := connection(s)
				c.Authenticator = authenticatorFunc(func(r *http.Request) error {
					body, err := read(r)
					signed = string(body)
					return err
				})
				h := x.Open(c, telemetry.Settings{ForceEnable: true})
				h.SessionOpened(opened())
				require.NoError(t, h.Close(t.Context()))
				require.Len(t, s.bodies, 1)
				require.Equal(t, s.bodies[0], signed)
			})
		})
	}
}
