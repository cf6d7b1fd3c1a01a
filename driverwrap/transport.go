package driverwrap

import (
	"crypto/tls"
	"errors"
	"net/http"
	"net/url"

	"github.com/seed-01322ee7/databricks-telemetry/cloudfetch"
)

// observable reports whether a transport of package cloudfetch can be put under the driver.
// The kernel has no Go transport, and a configuration without the known fields is left alone.
func observable(n nativeConfig) bool {
	return driverKnows("Transport") && driverKnows("HTTPClient") && !readConfig[bool](n, "UseKernel").Or(false)
}

// observer returns the transport to put under the driver. A transport that the user supplied stays in
// use underneath. Requests of the native driver's telemetry are answered locally: only this module
// may report for the connector, and when it does not (because telemetry is off, or after Shutdown),
// nothing is reported. counts counts what it sees.
func observer(n nativeConfig, counts *cloudfetch.Counters) *cloudfetch.Transport {
	base := cloudfetch.NewBase(readConfig[*tls.Config](n, "TLSConfig").Or(nil))
	downloads := readConfig[*http.Client](n, "HTTPClient").Or(nil)
	if user := readConfig[http.RoundTripper](n, "Transport").Or(nil); user != nil {
		base = cloudfetch.WrapBase(user)
	}
	if downloads != nil { // of the first WithTransport, if there were several
		if base.Storage = downloads.Transport; base.Storage == nil {
			base.Storage = noTransport{}
		}
	}
	return cloudfetch.New(base, counts)
}

// noTransport does what an http.Client without a transport does: it looks up http.DefaultTransport for each
// request.
type noTransport struct{}

func (noTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	return http.DefaultTransport.RoundTrip(req)
}

// observeDownloads puts wire under the client for downloads, which belongs to this configuration alone. A
// driver without a transport option downloads with http.DefaultClient. If the user did not supply the
// client, WithTransport has just made it: that client then does what http.DefaultClient does at the time
// of each request. Its transport and timeout are looked up in cloudfetch.
func observeDownloads(n nativeConfig, wire *cloudfetch.Transport, userClient bool) {
	client := readConfig[*http.Client](n, "HTTPClient").Or(nil)
	if client == nil {
		return
	}
	client.Transport = wire.Downloads()
	if !userClient {
		client.Jar, client.CheckRedirect = defaultJar{}, checkDefaultRedirect
	}
}

// defaultJar is the cookie jar of http.DefaultClient, which may have none.
type defaultJar struct{}

func (defaultJar) SetCookies(u *url.URL, cookies []*http.Cookie) {
	if jar := http.DefaultClient.Jar; jar != nil {
		jar.SetCookies(u, cookies)
	}
}

func (defaultJar) Cookies(u *url.URL) []*http.Cookie {
	if jar := http.DefaultClient.Jar; jar != nil {
		return jar.Cookies(u)
	}
	return nil
}

// checkDefaultRedirect does what http.DefaultClient does about a redirect.
func checkDefaultRedirect(req *http.Request, via []*http.Request) error {
	if check := http.DefaultClient.CheckRedirect; check != nil {
		return check(req, via)
	}
	if len(via) >= 10 {
		return errors.New("stopped after 10 redirects") // as net/http says it
	}
	return nil
}
