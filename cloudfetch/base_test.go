package cloudfetch

import (
	"crypto/tls"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestWorkspacePoolIsTheDrivers(t *testing.T) {
	w, ok := NewBase(nil).Workspace.(*http.Transport)
	require.True(t, ok)
	require.NotNil(t, w.Proxy)
	require.NotNil(t, w.DialContext)
	require.True(t, w.ForceAttemptHTTP2)
	require.Nil(t, w.TLSClientConfig)
	require.Equal(t, []int{100, 10, 100}, []int{w.MaxIdleConns, w.MaxIdleConnsPerHost, w.MaxConnsPerHost})
	require.Equal(t, []time.Duration{180 * time.Second, 10 * time.Second, time.Second},
		[]time.Duration{w.IdleConnTimeout, w.TLSHandshakeTimeout, w.ExpectContinueTimeout})

	strict, loose := &tls.Config{MinVersion: tls.VersionTLS13}, &tls.Config{InsecureSkipVerify: true} //nolint:gosec // what is tested
	require.Nil(t, NewBase(strict).Workspace.(*http.Transport).TLSClientConfig)
	require.Same(t, loose, NewBase(loose).Workspace.(*http.Transport).TLSClientConfig)
}

func TestAProxyThatRefusesHasTheErrorOfNetHTTP(t *testing.T) {
	for _, status := range []string{"407 Proxy Authentication Required", "407 Who are you?", "407 ", "407", "403 Forbidden", "502 Bad Gateway"} {
		synctest.Test(t, func(t *testing.T) {
			way := &slowWay{proxy: 1 * s, refuses: status, secure: &tls.Config{}} //nolint:gosec // never used
			observed := way.transport(way.DialContext)
			plain := observed.Clone()
			plain.OnProxyConnectResponse = nil
			ctx, trace := traced()
			_, want := plain.RoundTrip(way.request(ctx, t, "/"))
			require.Error(t, want)
			_, err := New(Base{Workspace: observed, Storage: observed}, new(Counters)).RoundTrip(way.request(ctx, t, "/"))
			require.EqualError(t, err, want.Error())

			f := trace.Fault()
			require.Equal(t, err, f.Broke)
			require.True(t, f.CallFailed)
			require.Equal(t, strings.HasPrefix(status, "407"), f.Status == http.StatusProxyAuthRequired)
		})
	}
}

func TestStorageIsTheDefaultAtTheTime(t *testing.T) {
	called := ""
	mark := func(name string) roundTripFunc {
		return func(req *http.Request) (*http.Response, error) {
			called = name
			return response(req, 200, nil, nil), nil
		}
	}
	transport := New(Base{Workspace: mark("workspace"), Storage: NewBase(nil).Storage}, new(Counters))
	oldTransport, oldClient := http.DefaultTransport, http.DefaultClient.Transport
	defer func() { http.DefaultTransport, http.DefaultClient.Transport = oldTransport, oldClient }()
	http.DefaultTransport = mark("default transport")
	ask := func(client http.RoundTripper, url, authorization string) string {
		req, _ := http.NewRequest(http.MethodGet, url, nil)
		if authorization != "" {
			req.Header.Set("Authorization", authorization)
		}
		_, err := client.RoundTrip(req)
		require.NoError(t, err)
		return called
	}
	require.Equal(t, "default transport", ask(transport.Downloads(), linkTo("a"), ""))
	http.DefaultClient.Transport = mark("default client")
	require.Equal(t, "default client", ask(transport.Downloads(), linkTo("a"), ""))
	require.Equal(t, "default client", ask(transport.Downloads(), linkTo("a"), "Bearer of the link"))
	require.Equal(t, "workspace", ask(transport, "https://workspace/api", "Bearer x"))
	require.Equal(t, "workspace", ask(transport, "https://workspace/login", ""), "a redirect of a call")
}

type closingTransport struct {
	roundTripFunc
	closed int
}

func (c *closingTransport) CloseIdleConnections() { c.closed++ }

func TestCloseIdleConnectionsIsForwarded(t *testing.T) {
	users := &closingTransport{}
	both := New(WrapBase(users), new(Counters))
	for i, rt := range []http.RoundTripper{both, both.Downloads()} {
		(&http.Client{Transport: rt}).CloseIdleConnections()
		require.Equal(t, i+1, users.closed)
	}

	// The application's own pool is left alone.
	shared := &closingTransport{}
	old := http.DefaultTransport
	defer func() { http.DefaultTransport = old }()
	http.DefaultTransport = shared
	(&http.Client{Transport: New(NewBase(nil), new(Counters)).Downloads()}).CloseIdleConnections()
	require.Zero(t, shared.closed)
	New(WrapBase(roundTripFunc(nil)), new(Counters)).CloseIdleConnections() // cannot: no panic
}

func TestHTTP2(t *testing.T) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		if r.ProtoMajor != 2 {
			w.WriteHeader(http.StatusHTTPVersionNotSupported)
		}
		_, _ = w.Write(wireReply(executeStatement, 1, fStatus(okStatus), fHandle(2, operationA)))
	}))
	server.EnableHTTP2 = true
	server.StartTLS()
	defer server.Close()
	transport := New(NewBase(&tls.Config{InsecureSkipVerify: true}), new(Counters)) //nolint:gosec // a test server
	defer transport.CloseIdleConnections()
	ctx, trace := traced()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, server.URL, nil)
	require.NoError(t, err)
	thrift(req, executeRequest(1))
	resp, err := (&http.Client{Transport: transport}).Do(req)
	require.NoError(t, err)
	_, err = io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, 200, resp.StatusCode)
	require.Equal(t, operationID(operationA), finish(trace).StatementID)
}
