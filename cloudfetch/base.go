package cloudfetch

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Base is what a Transport sends its requests through: one transport for the workspace and one for
// storage. The driver also uses two when it is not given one.
type Base struct {
	// Workspace carries the requests of the driver's client for the workspace: Thrift, the feature flag,
	// telemetry.
	Workspace http.RoundTripper
	// Storage carries the requests of the driver's client for downloads.
	Storage http.RoundTripper

	reports int64 // largest number of connections that Workspace opens, if it reports them; otherwise 0
}

// maxConnections is the largest number of connections that the driver opens to a workspace.
const maxConnections = 100

// NewBase returns a base like the one that the driver uses when it is not given a transport: a
// separate connection pool for the workspace, with the driver's settings (proxy from the environment,
// HTTP/2), and for storage the transport and timeout that http.DefaultClient has at the time of each
// request. config is the driver's TLS configuration, which may be nil. As in the driver, it is used
// only if InsecureSkipVerify is set.
func NewBase(config *tls.Config) Base {
	if config != nil && !config.InsecureSkipVerify {
		config = nil
	}
	dialer := &net.Dialer{Timeout: 30 * time.Second, KeepAlive: 30 * time.Second}
	return Base{
		Workspace: &http.Transport{
			Proxy:                  http.ProxyFromEnvironment,
			OnProxyConnectResponse: refusedByProxy,
			DialContext:            dialFunc(dialer.DialContext).observed,
			TLSClientConfig:        config,
			ForceAttemptHTTP2:      true,
			MaxIdleConns:           100,
			MaxIdleConnsPerHost:    10,
			MaxConnsPerHost:        maxConnections,
			IdleConnTimeout:        180 * time.Second,
			TLSHandshakeTimeout:    10 * time.Second,
			ExpectContinueTimeout:  time.Second,
		},
		Storage: defaultStorage{},
		reports: maxConnections,
	}
}

// proxyAuthError is the error for a connection that a proxy refused because authentication is missing.
// Its text is that of net/http, whose error has no type of its own.
type proxyAuthError string

func (e proxyAuthError) Error() string { return string(e) }

// refusedByProxy is an http.Transport.OnProxyConnectResponse.
func refusedByProxy(_ context.Context, _ *url.URL, _ *http.Request, resp *http.Response) error {
	if resp.StatusCode != http.StatusProxyAuthRequired {
		return nil
	}
	_, text, ok := strings.Cut(resp.Status, " ")
	if !ok {
		text = "unknown status code"
	}
	return proxyAuthError(text)
}

// WrapBase returns a base that sends everything through rt, as the driver does
// with the transport given to its WithTransport option.
func WrapBase(rt http.RoundTripper) Base {
	return Base{Workspace: rt, Storage: rt}
}

// closeIdle closes the idle connections of a transport as http.Client does.
func closeIdle(rt http.RoundTripper) { (&http.Client{Transport: rt}).CloseIdleConnections() }

// defaultStorage uses the transport and the timeout of http.DefaultClient, looked up for each request
// because applications may set them at any time. If a download is redirected, the timeout bounds each
// request separately.
type defaultStorage struct{}

var _ http.RoundTripper = defaultStorage{}

// RoundTrip implements http.RoundTripper.
func (defaultStorage) RoundTrip(req *http.Request) (*http.Response, error) {
	c := http.Client{Transport: http.DefaultClient.Transport, Timeout: http.DefaultClient.Timeout, CheckRedirect: noRedirect}
	resp, err := c.Do(req)
	if named := (*url.Error)(nil); errors.As(err, &named) {
		return nil, named.Err // the client above adds the method and the address
	}
	return resp, err
}

// noRedirect leaves redirects to the client above.
func noRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
