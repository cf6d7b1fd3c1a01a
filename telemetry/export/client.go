package export

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

const (
	uploadPath          = "/telemetry-ext"
	anonymousUploadPath = "/telemetry-unauth"

	attemptTimeout = 10 * time.Second // one request
	batchTimeout   = 30 * time.Second // one batch, retries included
	maxRetryDelay  = 10 * time.Second
	maxAnswer      = 64 << 10 // bytes of an answer that are read
)

// client makes the requests of one pipeline. It is immutable.
type client struct {
	endpoint string // scheme://host:port
	shown    string // the endpoint for people
	http     *http.Client
	own      *http.Transport // nil when the transport is somebody else's
	retries  int
	delay    time.Duration
	panics   *atomic.Int64
}

func newClient(c *Connection, settings telemetry.Settings, panics *atomic.Int64) *client {
	k := &client{endpoint: c.endpoint(), shown: c.shownEndpoint(), retries: max(0, settings.MaxRetries), delay: settings.RetryDelay, panics: panics}
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

// errAuthenticate stands for an authenticator that failed or panicked.
var errAuthenticate = errors.New("the connection's authenticator failed")

var errPanic = errors.New("the connection's transport panicked")

// once makes one attempt, until end at most. understand reads the body of a 2xx answer.
func (k *client) once(ctx context.Context, end time.Time, q request, understand func([]byte) (answer, bool)) result {
	limit, cancel := context.WithDeadline(ctx, end)
	defer cancel()
	status, header, body, err := k.roundTrip(limit, q)
	if errors.Is(err, errPanic) {
		k.panics.Add(1)
		return result{fate: strange, category: telemetry.CategoryOther}
	}
	if ctx.Err() != nil {
		return result{fate: interrupted, category: telemetry.CategoryCancelled}
	}
	if err != nil {
		if errors.Is(err, errAuthenticate) {
			return result{fate: strange, category: telemetry.CategoryAuth}
		}
		return result{fate: unavailable, category: telemetry.FailureOf(err).Category}
	}
	r := result{status: status}
	switch s := status; {
	case s >= 200 && s < 300:
		var ok bool
		r.fate = strange
		if r.answer, ok = understand(body); ok {
			r.fate = accepted
		}
	case s == http.StatusTooManyRequests, s >= 500:
		r.fate = unavailable
		r.retryAfter = spread(parseRetryAfter(header.Get("Retry-After"), time.Now()))
	case s == http.StatusRequestEntityTooLarge:
		r.fate = tooLarge
	case s >= 400:
		r.fate = refused
	default: // a redirect, most likely to a login page
		r.fate = strange
	}
	return r
}

// roundTrip makes the request and reads the answer.
func (k *client) roundTrip(ctx context.Context, q request) (status int, header http.Header, body []byte, err error) {
	defer func() {
		if recover() != nil {
			err = errPanic // of a transport that is somebody else's
		}
	}()
	req, err := http.NewRequestWithContext(ctx, q.method, k.endpoint+q.path, http.NoBody)
	if err != nil {
		return 0, nil, nil, err
	}
	if q.body != nil {
		req.Body, req.ContentLength = q.body.reader(), int64(len(q.body.bytes))
		req.GetBody = func() (io.ReadCloser, error) { return q.body.reader(), nil }
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
		if err := authenticate(q.auth, req); err != nil {
			return 0, nil, nil, err
		}
	}
	resp, err := k.http.Do(req)
	if err != nil {
		return 0, nil, nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err = io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil && resp.StatusCode < 300 {
		return 0, nil, nil, err
	}
	return resp.StatusCode, resp.Header, body, nil
}

// authenticate contains somebody else's code.
func authenticate(a Authenticator, req *http.Request) (err error) {
	defer func() {
		if recover() != nil {
			err = errAuthenticate
		}
	}()
	if a.Authenticate(req) != nil {
		return errAuthenticate
	}
	return nil
}

// send uploads a body, with retries unless once is true. try is called before each attempt.
func (k *client) send(ctx context.Context, q request, once bool, try func(again bool)) result {
	end := time.Now().Add(batchTimeout)
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

// backoff doubles the pause with each attempt, up to its bound, and adds 10 to 30 %.
func backoff(first time.Duration, attempt int) time.Duration {
	d := first
	for range attempt {
		if d *= 2; d >= maxRetryDelay {
			break
		}
	}
	d = min(d, maxRetryDelay)
	return min(d+d/10+rand.N(d/5+1), maxRetryDelay+maxRetryDelay/10)
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
