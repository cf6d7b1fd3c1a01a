package driverwrap

import (
	"crypto/tls"
	"errors"
	"net/http"
	"net/url"

	"github.com/seed-01322ee7/databricks-telemetry/cloudfetch"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// observable reports whether a transport of package cloudfetch can be put under the driver.
// The kernel has no Go transport, and a configuration without the known fields is left alone.
func observable(n nativeConfig) bool {
	return driverKnows("Transport") && driverKnows("HTTPClient") && !readConfig[bool](n, "UseKernel").Or(false)
}

// observer returns the transport to put under the driver. A transport that the user supplied
// stays in use underneath. The native driver's telemetry is answered locally: only this module may
// report for the connector, and where it does not (off, or after a Shutdown), nothing does.
func observer(n nativeConfig) *cloudfetch.Transport {
	base := cloudfetch.NewBase(readConfig[*tls.Config](n, "TLSConfig").Or(nil))
	downloads := readConfig[*http.Client](n, "HTTPClient").Or(nil)
	if user, ok := readConfig[http.RoundTripper](n, "Transport").Get(); ok && user != nil {
		base = cloudfetch.WrapBase(user)
	}
	if downloads != nil { // of the first WithTransport, where there were several
		if base.Storage = downloads.Transport; base.Storage == nil {
			base.Storage = noTransport{}
		}
	}
	return cloudfetch.New(base, &wireCounters)
}

// noTransport is what an http.Client without a transport uses: http.DefaultTransport, whenever the application
// sets that.
type noTransport struct{}

func (noTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	return http.DefaultTransport.RoundTrip(req)
}

// observeDownloads puts wire under the client for downloads, which belongs to this configuration alone.
// One that the user did not supply, because WithTransport has just made it, behaves as http.DefaultClient,
// which the driver uses when it is given no transport, whenever the application sets that. Its transport
// and timeout are looked up in cloudfetch.
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

// wireCounters are those of all connectors of the process, closed ones included.
var wireCounters cloudfetch.Counters

func addWireStats(s *telemetry.Stats) { s.Wire = wireCounters.Stats() }
