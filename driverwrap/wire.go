package driverwrap

import (
	"crypto/tls"
	"net/http"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/cloudfetch"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// wireCounters are those of all connectors: closed ones stay counted.
var wireCounters = cloudfetch.NewCounters()

func addWireStats(s *telemetry.Stats) {
	n := wireCounters.Stats()
	s.Wire = telemetry.WireStats{
		Messages: int64(n.Messages), Undecoded: int64(n.Undecoded), Files: int64(n.Files),
		Silenced: int64(n.Silenced), Evicted: int64(n.Evicted),
	}
}

// observable reports whether our transport can be put under the driver: the kernel has no Go
// transport, and a configuration without the fields we know is left alone.
func observable(n nativeConfig) bool {
	return driverKnows("Transport") && driverKnows("HTTPClient") && !readConfig[bool](n, "UseKernel").Or(false)
}

// observer returns the transport to put under the driver. A transport the user gave stays in
// use, ours goes around it. With silence the native driver's telemetry is answered locally.
func observer(n nativeConfig, silence bool) *cloudfetch.Transport {
	base := cloudfetch.NewBase(readConfig[*tls.Config](n, "TLSConfig").Or(nil))
	downloads := readConfig[*http.Client](n, "HTTPClient").Or(nil)
	if user, ok := readConfig[http.RoundTripper](n, "Transport").Get(); ok && user != nil {
		base = cloudfetch.WrapBase(user)
	}
	if downloads != nil && downloads.Transport != nil {
		base.Storage = downloads.Transport // of the first WithTransport, where there were several
	}
	wire := cloudfetch.New(base, cloudfetch.Options{SilenceNative: silence, Counters: wireCounters})
	if downloads != nil {
		downloads.Transport = wire // the client belongs to this configuration alone
	}
	return wire
}

// likeDefaultClient makes the client for downloads that WithTransport has just made behave as
// http.DefaultClient, which the driver would use if it had not been given our transport.
func likeDefaultClient(n nativeConfig) {
	if client := readConfig[*http.Client](n, "HTTPClient").Or(nil); client != nil {
		client.Timeout, client.Jar, client.CheckRedirect = http.DefaultClient.Timeout, http.DefaultClient.Jar, http.DefaultClient.CheckRedirect
	}
}

// fillOpened adds what the wire showed of a session's opening. A session that failed is traced
// no further.
func fillOpened(r *telemetry.SessionOpened, session *cloudfetch.Session) {
	session.FillOpened(r)
	if r.Failure != nil {
		session.Finish()
	}
}

// fillClosed adds what the wire showed of a session's close, and ends its trace.
func fillClosed(r *telemetry.SessionClosed, session *cloudfetch.Session) {
	session.Finish()
	session.FillClosed(r)
}

// readAll reports whether the application had every row in hand when it closed the rows
// without having seen their end, as QueryRow does. more is what the server said of further rows.
func readAll(r *telemetry.Statement, more telemetry.Maybe[bool]) bool {
	read, counted := r.RowsRead.Get()
	delivered, known := r.Result.Rows.Get()
	return counted && known && read == delivered && !more.Or(true)
}

// splitReading divides the time in which rows were read, where it is known: the reader waited
// for pages and files in the calls that crossed into a new one, and read the rest of the time.
func splitReading(r *telemetry.Statement, waited telemetry.Maybe[time.Duration]) {
	consumed, read := r.Consume.Get()
	wait, known := waited.Get()
	if !read || !known {
		return
	}
	r.Split.Reading = telemetry.Known(max(0, consumed+r.FirstRow.Or(0)-wait))
	if r.CloudFetch == nil {
		return
	}
	for i := range r.RPCs {
		if r.RPCs[i].Method == "FetchResults" {
			wait -= r.RPCs[i].Backoff
		}
	}
	r.Split.Files = telemetry.Known(max(0, wait-r.Split.Pages.Or(0)))
}
