package export

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/internal/contain"
	"github.com/seed-01322ee7/databricks-telemetry/internal/failure"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

const (
	uploadPath          = "/telemetry-ext"
	anonymousUploadPath = "/telemetry-unauth"

	maxAnswer = 64 << 10 // bytes of an answer that are read
)

// client makes the requests of one pipeline, one at a time.
type client struct {
	endpoint string // scheme://host:port
	shown    string // the endpoint for people
	http     *http.Client
	own      *http.Transport // nil when the transport is the application's
	retries  int
	delay    time.Duration

	// Code of the application that takes part in requests.
	authenticator, transport *contain.Supplied
	via                      any // the transport's identity
}

func newClient(c *Connection, settings telemetry.Settings, log *contain.Log) *client {
	k := &client{
		endpoint: c.endpoint(), shown: c.shownEndpoint(), retries: max(0, settings.MaxRetries), delay: settings.RetryDelay,
		authenticator: contain.NewSupplied(log, contain.Authenticator), transport: contain.NewSupplied(log, contain.Transport),
		via: transportIdentity(c),
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

// fate is what became of a request, or of a batch.
type fate uint8

const (
	accepted    fate = iota // the service has understood it
	refused                 // it will not be taken, however often it is sent
	tooLarge                // 413
	unavailable             // try again
	strange                 // answered by something that is not the service: try much later
	interrupted             // the pipeline was closed
)

// result is the fate of a request and what is known about it.
type result struct {
	fate       fate
	answer     answer
	status     int
	category   telemetry.Category // where no answer came
	retryAfter time.Duration
}

// describe says what went wrong in words that name nobody.
func (r result) describe() string {
	switch {
	case r.status != 0 && r.fate == strange && r.status < 300:
		return "HTTP " + strconv.Itoa(r.status) + ", not an answer of the service"
	case r.status != 0:
		return "HTTP " + strconv.Itoa(r.status)
	}
	return string(r.category)
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

// once makes one attempt, until end at most. understand reads the body of a 2xx answer.
func (k *client) once(ctx context.Context, end time.Time, q request, understand func([]byte) (answer, bool)) result {
	limit, cancel := context.WithDeadline(ctx, end)
	defer cancel()
	req, err := k.prepare(limit, q)
	if err != nil {
		return unanswered(ctx, err)
	}
	return k.attempt(ctx, limit, req, understand)
}

// attempt sends a request that is prepared. limit is ctx with a deadline.
func (k *client) attempt(ctx, limit context.Context, req *http.Request, understand func([]byte) (answer, bool)) result {
	got, err := k.exchange(limit, req.WithContext(limit))
	if err != nil {
		return unanswered(ctx, err)
	}
	r := result{status: got.status}
	switch s := got.status; {
	case s >= 200 && s < 300:
		var ok bool
		r.fate = strange
		if r.answer, ok = understand(got.body); ok {
			r.fate = accepted
		}
	case s == http.StatusTooManyRequests, s >= 500:
		r.fate = unavailable
		r.retryAfter = spread(parseRetryAfter(got.header.Get("Retry-After"), time.Now()))
	case s == http.StatusRequestEntityTooLarge:
		r.fate = tooLarge
	case s >= 400:
		r.fate = refused
	default: // a redirect, most likely to a login page
		r.fate = strange
	}
	return r
}

// unanswered is the result of a request that got no answer.
func unanswered(ctx context.Context, err error) result {
	switch {
	case ctx.Err() != nil:
		return result{fate: interrupted, category: telemetry.CategoryCanceled}
	case errors.Is(err, errAuthenticate):
		return result{fate: strange, category: telemetry.CategoryAuth}
	case errors.Is(err, errTransport):
		return result{fate: strange, category: telemetry.CategoryOther}
	}
	return result{fate: unavailable, category: failure.Of(err, failure.Evidence{CallFailed: true, Broke: err}).Category}
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

// reply is an answer, read to its end.
type reply struct {
	status int
	header http.Header
	body   []byte
}

func (k *client) do(req *http.Request) (reply, error) {
	resp, err := k.http.Do(req)
	if err != nil {
		return reply{}, err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil && resp.StatusCode < 300 {
		return reply{}, err
	}
	return reply{resp.StatusCode, resp.Header, body}, nil
}

// send uploads a body, with retries unless once is true. try is called before each attempt.
func (k *client) send(ctx context.Context, q request, once bool, try func(again bool)) result {
	end := time.Now().Add(batchTimeout(k.retries, k.delay))
	for attempt := 0; ; attempt++ {
		try(attempt > 0)
		now := time.Now()
		limit := now.Add(attemptTimeout)
		if end.Before(limit) {
			limit = end
		}
		r := k.once(ctx, limit, q, parseAnswer)
		if r.fate != unavailable || once || attempt >= k.retries {
			return r
		}
		pause := max(backoff(k.delay, attempt), r.retryAfter)
		if time.Now().Add(pause).After(end) {
			return r
		}
		if !sleep(ctx, pause) {
			r.fate = interrupted
			return r
		}
	}
}

// backoff is the pause behind an attempt, by chance within its range.
func backoff(first time.Duration, attempt int) time.Duration {
	least, longest := backoffRange(first, attempt)
	return least + rand.N(longest-least+1)
}

// spread adds up to a quarter: a server that is overrun tells everyone the same time, and must
// not be overrun again when it has come.
func spread(d time.Duration) time.Duration { return d + rand.N(d/4+1) }

// sleep reports false when ctx was done first.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
