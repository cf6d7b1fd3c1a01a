package export

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/cloudfetch"
	"github.com/seed-01322ee7/databricks-telemetry/internal/contain"
	"github.com/seed-01322ee7/databricks-telemetry/internal/failure"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

const (
	uploadPath          = "/telemetry-ext"
	anonymousUploadPath = "/telemetry-unauth"

	maxResponse = 4 << 20 // bytes of a response that are read, which may list an error per event
)

// client makes the requests of one pipeline, one at a time.
type client struct {
	endpoint string // scheme://host:port
	shown    string // the endpoint as Stats shows it
	http     *http.Client
	own      *http.Transport // nil when the transport is user-supplied
	retries  int
	delay    time.Duration

	// User-supplied code that takes part in requests.
	authenticator, transport *contain.Supplied
	asker                    asker
}

func newClient(c *Connection, settings telemetry.Settings, log *contain.Log) *client {
	k := &client{
		endpoint: c.endpoint(), shown: c.shownEndpoint(), retries: max(0, settings.MaxRetries), delay: settings.RetryDelay,
		authenticator: contain.NewSupplied(log, contain.Authenticator), transport: contain.NewSupplied(log, contain.Transport),
		asker: asker{c.transportIdentity(), c.credentialIdentity()},
	}
	transport := c.Transport
	if transport == nil {
		k.own = &http.Transport{
			Proxy:                 http.ProxyFromEnvironment,
			DialContext:           (&net.Dialer{Timeout: attemptTimeout, KeepAlive: 30 * time.Second}).DialContext,
			TLSHandshakeTimeout:   attemptTimeout,
			ResponseHeaderTimeout: attemptTimeout,
			ForceAttemptHTTP2:     true,
			MaxIdleConns:          1,
			MaxConnsPerHost:       2,
			IdleConnTimeout:       15 * time.Second,
		}
		if c.TLS != nil {
			k.own.TLSClientConfig = c.TLS.Clone()
		}
		transport = k.own
	}
	k.http = &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return k
}

func (k *client) close() {
	if k.own != nil {
		k.own.CloseIdleConnections()
	}
}

// request is what all attempts have in common.
type request struct {
	method    string
	path      string
	body      *upload       // nil: none
	auth      Authenticator // nil: none
	orgID     string
	userAgent string
}

// send uploads a body, with retries unless once is true. try is called before each attempt.
func (k *client) send(ctx context.Context, q request, once bool, try func(again bool)) result {
	end := time.Now().Add(batchTimeout(k.retries, k.delay))
	for attempt := 0; ; attempt++ {
		try(attempt > 0)
		r := k.uploadOnce(ctx, end, q)
		if r.outcome != outcomeUnavailable || once || attempt >= k.retries {
			return r
		}
		pause := max(backoff(k.delay, attempt), r.retryAfter)
		if time.Now().Add(pause).After(end) {
			return r
		}
		if !sleep(ctx, pause) {
			return r
		}
	}
}

// uploadOnce makes one attempt to upload, until end at the latest.
func (k *client) uploadOnce(ctx context.Context, end time.Time, q request) result {
	limit, cancel := context.WithTimeout(ctx, min(attemptTimeout, time.Until(end)))
	defer cancel()
	began := time.Now()
	req, err := k.prepare(limit, q)
	if err != nil {
		r := noResponse(ctx, err)
		r.cutOff(began)
		return r
	}
	var counts uploadCounts
	r := k.attempt(ctx, req, func(body []byte) (ok bool) {
		counts, ok = parseUploadResponse(body)
		return ok
	})
	r.counts = counts
	r.cutOff(began)
	return r
}

// prepare makes a request and authenticates it.
func (k *client) prepare(ctx context.Context, q request) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, q.method, k.endpoint+q.path, http.NoBody)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", q.userAgent)
	if q.method == http.MethodPost {
		req.Header.Set("Content-Type", "application/json")
	}
	if q.orgID != "" {
		req.Header.Set("x-databricks-org-id", q.orgID)
	}
	if q.auth != nil {
		if err := k.authenticate(ctx, q.auth, req); err != nil {
			return nil, err
		}
	}
	if q.body != nil {
		req.Body, req.ContentLength = q.body.reader(), int64(len(q.body.bytes))
		req.GetBody = func() (io.ReadCloser, error) { return q.body.reader(), nil }
	}
	return req, nil
}

// attempt sends a prepared request, whose context bounds it. ctx is done when the pipeline is over.
// parse reads the body of a 2xx response; false means that it is not the service's.
func (k *client) attempt(ctx context.Context, req *http.Request, parse func([]byte) bool) result {
	got, err := roundTrip(k, req, readResponse)
	if err != nil {
		return noResponse(ctx, err)
	}
	return resultOf(got.status, got.header, func() bool { return parse(got.body) })
}

// response is an HTTP response, read to its end.
type response struct {
	status int
	header http.Header
	body   []byte
}

func readResponse(resp *http.Response) (response, error) {
	if resp.StatusCode == http.StatusSwitchingProtocols {
		return response{status: resp.StatusCode}, nil // its body is the connection, whose reads no context ends
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxResponse))
	if err != nil && resp.StatusCode < 300 {
		return response{}, err
	}
	return response{resp.StatusCode, resp.Header, body}, nil
}

// outcome is how a request ended.
type outcome uint8

const (
	outcomeAccepted       outcome = iota // the service accepted it
	outcomeRefused                       // 4xx: the service will never accept it
	outcomeTooLarge                      // 413 to several records
	outcomeRecordTooLarge                // 413 to one record: an endpoint that answers it again and again takes nothing
	outcomeUnavailable                   // try again
	outcomeUnrecognized                  // the response is not the service's: try much later
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

// longUnanswered is how long a request must have waited when its pipeline was closed for that to say
// something about the endpoint.
const longUnanswered = time.Second

// cutOff takes a request that was cut off after it had long waited for one that timed out: where every pool
// is closed before its requests time out, nothing else shows that the endpoint hangs.
func (r *result) cutOff(began time.Time) {
	if r.outcome == outcomeInterrupted && time.Since(began) >= longUnanswered {
		r.outcome, r.category = outcomeUnavailable, telemetry.CategoryTimeout
	}
}

// describe says what went wrong: an HTTP status or an error category.
func (r result) describe() string {
	switch {
	case r.status != 0 && r.outcome == outcomeUnrecognized && r.status < 300:
		return "HTTP " + strconv.Itoa(r.status) + ", not an answer of the service"
	case r.status != 0:
		return "HTTP " + strconv.Itoa(r.status)
	}
	return string(r.category)
}

// resultOf is the result of a request with a response. parse is called for a 2xx response.
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

// noResponse is the result of a request without a response.
func noResponse(ctx context.Context, err error) result {
	switch {
	case ctx.Err() != nil:
		return result{outcome: outcomeInterrupted, category: telemetry.CategoryCanceled}
	case errors.Is(err, errAuthenticate):
		return result{outcome: outcomeUnrecognized, category: telemetry.CategoryAuth}
	case errors.Is(err, errTransport):
		return result{outcome: outcomeUnrecognized, category: telemetry.CategoryOther}
	}
	return result{outcome: outcomeUnavailable, category: failure.Of(err, cloudfetch.Fault{CallFailed: true, Broke: err}).Category}
}
