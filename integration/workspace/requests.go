package workspace

import (
	"net/http"
	"strings"
	"time"
)

// Listener says which port a request came in on.
type Listener string

// The listeners.
const (
	ListenerWorkspace Listener = "workspace"
	ListenerStorage   Listener = "storage"
)

// Request is one HTTP request as the workspace saw it.
type Request struct {
	ID         int // counts from 1 in order of arrival
	Listener   Listener
	Method     string
	Path       string
	Query      string // raw
	Proto      string // HTTP/1.1 or HTTP/2.0
	Header     http.Header
	RemoteAddr string
	Body       []byte // with Options.CaptureBodies
	BodyBytes  int64

	// For Thrift calls: the method and sequence number of the call, and the session and
	// statement it names.
	Thrift      string
	Seq         int32
	SessionID   string
	StatementID string

	// Faults lists the faults that touched the request, as written by Action.String.
	Faults []string

	Received time.Time
	Duration time.Duration

	Done          bool   // the handler has returned
	Status        int    // 0 when no answer was sent
	RequestID     string // x-request-id of the answer, or x-amz-request-id of the object storage
	ResponseBytes int64
	Response      []byte // with Options.CaptureResponses
	Aborted       bool   // the connection was broken instead of, or in the middle of, an answer
}

// Target chooses requests, for faults and for looking requests up. The target of a fault sees a
// request before it is answered, when the fields from Done on are not set.
type Target func(Request) bool

// Method chooses the calls of one Thrift method, such as "FetchResults".
func Method(name string) Target {
	return func(r Request) bool { return r.Thrift == name }
}

// Endpoint chooses requests on the workspace listener whose path begins with prefix, such
// as "/telemetry-ext".
func Endpoint(prefix string) Target {
	return func(r Request) bool {
		return r.Listener == ListenerWorkspace && strings.HasPrefix(r.Path, prefix)
	}
}

// Storage chooses every request to the object storage.
func Storage() Target {
	return func(r Request) bool { return r.Listener == ListenerStorage }
}

// ResultDownloads chooses downloads of CloudFetch files.
func ResultDownloads() Target {
	return func(r Request) bool {
		return r.Listener == ListenerStorage && strings.HasPrefix(r.Path, resultPrefix)
	}
}

// VolumeTransfers chooses reads and writes of volume files.
func VolumeTransfers() Target {
	return func(r Request) bool {
		return r.Listener == ListenerStorage && strings.HasPrefix(r.Path, volumePrefix)
	}
}

// Requests returns the log of HTTP requests that every given target chooses, in order of arrival
// and as far back as Options.Keep reaches. The values share headers and bodies with the log: do not
// modify them.
func (w *Workspace) Requests(targets ...Target) []Request {
	w.ledger.mu.Lock()
	defer w.ledger.mu.Unlock()
	var list []Request
next:
	for _, r := range w.ledger.requests.list {
		for _, t := range targets {
			if !t(*r) {
				continue next
			}
		}
		list = append(list, *r)
	}
	return list
}

// Count is the number of requests that every given target chooses.
func (w *Workspace) Count(targets ...Target) int { return len(w.Requests(targets...)) }
