package export

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/cloudfetch"
	"github.com/seed-01322ee7/databricks-telemetry/internal/failure"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// outcome is how a request ended.
type outcome uint8

const (
	outcomeAccepted       outcome = iota // the service accepted it
	outcomeRefused                       // 4xx: the service will never accept it
	outcomeTooLarge                      // 413 to several records
	outcomeRecordTooLarge                // 413 to one record; an endpoint that repeats this answer takes nothing
	outcomeUnavailable                   // try again later
	outcomeUnrecognized                  // the response is not the service's; try again much later
	outcomeInterrupted                   // the pipeline was closed
)

// result is the outcome of a request and what is known about it.
type result struct {
	outcome    outcome
	counts     uploadCounts       // of an upload
	status     int                // 0 without a response
	category   telemetry.Category // without a response
	retryAfter time.Duration
}

// describe says what went wrong: an HTTP status or an error category; "" when the request was accepted.
func (r result) describe() string {
	switch {
	case r.outcome == outcomeAccepted:
		return ""
	case r.status != 0 && r.outcome == outcomeUnrecognized && r.status < 300:
		return "HTTP " + strconv.Itoa(r.status) + ", not an answer of the service"
	case r.status != 0:
		return "HTTP " + strconv.Itoa(r.status)
	}
	return string(r.category)
}

// resultOf returns the result of a request with a response. parse is called for a 2xx response.
func resultOf(status int, header http.Header, parse func() bool) result {
	r := result{status: status}
	switch {
	case status >= 200 && status < 300:
		r.outcome = outcomeUnrecognized
		if parse() {
			r.outcome = outcomeAccepted
		}
	case status == http.StatusTooManyRequests, status >= 500:
		r.outcome = outcomeUnavailable
		r.retryAfter = jitter(parseRetryAfter(header.Get("Retry-After"), time.Now()))
	case status == http.StatusRequestEntityTooLarge:
		r.outcome = outcomeTooLarge
	case status >= 400:
		r.outcome = outcomeRefused
	default: // a redirect, most likely to a login page
		r.outcome = outcomeUnrecognized
	}
	return r
}

// longUnanswered is how long a request must have waited when its pipeline was closed, so that it
// counts as a failure of the endpoint.
const longUnanswered = time.Second

// noResponse returns the result of a request without a response. ctx is done when the pipeline is over, and
// began is when waiting began. A request that was interrupted after a long wait counts as timed out: if
// every pool is closed before its requests time out, nothing else shows that the endpoint hangs.
func noResponse(ctx context.Context, began time.Time, err error) result {
	switch {
	case ctx.Err() != nil && time.Since(began) >= longUnanswered:
		return result{outcome: outcomeUnavailable, category: telemetry.CategoryTimeout}
	case ctx.Err() != nil:
		return result{outcome: outcomeInterrupted, category: telemetry.CategoryCanceled}
	case errors.Is(err, errAuthenticate):
		return result{outcome: outcomeUnrecognized, category: telemetry.CategoryAuth}
	case errors.Is(err, errTransport):
		return result{outcome: outcomeUnrecognized, category: telemetry.CategoryOther}
	}
	return result{outcome: outcomeUnavailable, category: failure.Of(err, cloudfetch.Fault{Waiting: true, CallFailed: true, Broke: err}).Category}
}

// uploadCounts is the telemetry service's answer to an upload. It has numbers of events, and does not
// say which events they are.
type uploadCounts struct {
	accepted int // as the service reports; may be more than were sent
	errors   int
}

// parseUploadResponse reads the body of a 2xx response. A body without a count of accepted events is
// not the service's, but that of a proxy or a login page.
func parseUploadResponse(body []byte) (uploadCounts, bool) {
	var a struct {
		Errors     []json.RawMessage `json:"errors"` // strings or objects
		NumSuccess *int64            `json:"numSuccess"`
		NumProto   *int64            `json:"numProtoSuccess"`
	}
	err := json.Unmarshal(body, &a)
	n := cmp.Or(a.NumProto, a.NumSuccess)
	if err != nil || n == nil {
		return uploadCounts{}, false
	}
	return uploadCounts{accepted: int(min(max(*n, 0), 1<<30)), errors: len(a.Errors)}, true
}
