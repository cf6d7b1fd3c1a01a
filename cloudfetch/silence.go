package cloudfetch

import (
	"io"
	"net/http"
	"net/url"
	"strings"
)

// The requests of the driver's own telemetry and the answers to them. The driver builds the URLs from
// the host name alone, so scheme and port may differ from those of the connection.
const (
	flagPath       = "/api/2.0/connector-service/feature-flags/GOLANG/"
	uploadPath     = "/telemetry-ext"
	uploadPathAnon = "/telemetry-unauth"

	// A flag that is not listed is off. The driver asks, and decodes the answer, on every connection.
	flagOff  = `{"flags":[]}`
	accepted = `{"errors":[],"numSuccess":0,"numProtoSuccess":0,"numRealtimeSuccess":0}`
)

func isFlag(u *url.URL) bool { return u != nil && strings.HasPrefix(u.Path, flagPath) }

func isUpload(u *url.URL) bool {
	return u != nil && (u.Path == uploadPath || u.Path == uploadPathAnon)
}

// nativeTelemetry answers a request of the driver's own telemetry with the given document.
func (t *Transport) nativeTelemetry(req *http.Request, answer string) *http.Response {
	t.counts.silenced.Add(1)
	if req.Body != nil {
		_, _ = io.Copy(io.Discard, req.Body)
		_ = req.Body.Close()
	}
	return &http.Response{
		Status: "200 OK", StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header:        http.Header{},
		ContentLength: int64(len(answer)),
		Body:          io.NopCloser(strings.NewReader(answer)),
		Request:       req,
	}
}
