package export

import (
	"cmp"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/internal/contain"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

const (
	uploadPath          = "/telemetry-ext"
	anonymousUploadPath = "/telemetry-unauth"

	attemptTimeout = 10 * time.Second // one request

	maxResponse = 4 << 20 // bytes of a response that are read; a response may list an error for each event

	// Limits of a transport of this package.
	maxIdle        = 1
	maxConnections = 2
	idleTimeout    = 15 * time.Second
)

// client makes the requests of one pipeline, one at a time.
type client struct {
	endpoint string // scheme://host:port
	shown    string // the endpoint as Stats shows it
	http     *http.Client
	own      *http.Transport // nil if requests go through the user's transport itself
	supplied bool            // user-supplied code takes part in own, or is the transport
	retries  int
	delay    time.Duration

	// The user-supplied code that takes part in requests.
	authenticator, transport *contain.Supplied
	asker                    asker
}

func newClient(c *Connection, settings telemetry.Settings, log *contain.Log) *client {
	k := &client{
		endpoint: c.endpoint(), shown: c.shownEndpoint(), retries: max(0, settings.MaxRetries), delay: settings.RetryDelay,
		authenticator: contain.NewSupplied(log, contain.Authenticator), transport: contain.NewSupplied(log, contain.Transport),
		asker: c.asker(), supplied: c.Transport != nil,
	}
	transport := c.Transport
	if limited, ok := transport.(*http.Transport); ok && limited != nil && limited.MaxConnsPerHost > 0 {
		// A request that hangs must not hold a connection that the driver waits for.
		k.own = limited.Clone()
		k.own.MaxIdleConns, k.own.MaxConnsPerHost, k.own.IdleConnTimeout = maxIdle, maxConnections, idleTimeout
		transport = k.own
	}
	if transport == nil {
		k.own = &http.Transport{
			Proxy:                 http.ProxyFromEnvironment,
			DialContext:           (&net.Dialer{Timeout: attemptTimeout, KeepAlive: 30 * time.Second}).DialContext,
			TLSHandshakeTimeout:   attemptTimeout,
			ResponseHeaderTimeout: attemptTimeout,
			ForceAttemptHTTP2:     true,
			MaxIdleConns:          maxIdle,
			MaxConnsPerHost:       maxConnections,
			IdleConnTimeout:       idleTimeout,
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

// request is what all attempts share: a POST with a body, or a GET.
type request struct {
	path      string
	body      *upload       // nil: none
	auth      Authenticator // nil: none
	orgID     string
	userAgent string
	sending   func() // called before each attempt, once it is authenticated; may be nil
}

// send uploads a body, with retries unless once is true.
func (k *client) send(ctx context.Context, q request, once bool) result {
	end := time.Now().Add(batchTimeout(k.retries, k.delay))
	for attempt := 0; ; attempt++ {
		var counts uploadCounts
		r := k.once(ctx, min(attemptTimeout, time.Until(end)), q, wholeBody(func(body []byte) (ok bool) {
			counts, ok = parseUploadResponse(body)
			return ok
		}))
		if r.outcome == outcomeAccepted {
			r.counts = counts // otherwise another goroutine may still write it
		}
		if r.outcome != outcomeUnavailable || once || attempt >= k.retries {
			return r
		}
		pause := max(backoff(k.delay, attempt), r.retryAfter)
		if time.Now().Add(pause).After(end) || !sleep(ctx, pause) {
			return r
		}
	}
}

// once makes one request, which takes at most timeout. ctx is done when the pipeline is over.
func (k *client) once(ctx context.Context, timeout time.Duration, q request, read responseReader) result {
	limit, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	began := time.Now()
	req, err := k.prepare(limit, q)
	if err != nil {
		return noResponse(ctx, began, err)
	}
	if q.sending != nil {
		q.sending()
	}
	return k.attempt(ctx, began, req, read)
}

// prepare makes a request and authenticates it.
func (k *client) prepare(ctx context.Context, q request) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, k.endpoint+q.path, http.NoBody)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", q.userAgent)
	if q.body != nil {
		req.Method = http.MethodPost
		req.Header.Set("Content-Type", "application/json")
	}
	if q.orgID != "" {
		req.Header.Set("x-databricks-org-id", q.orgID)
	}
	if q.auth != nil {
		if err := k.authenticate(ctx, &q, req); err != nil {
			return nil, err
		}
	}
	q.setBody(req)
	return req, nil
}

// setBody gives a request the body, with a reader of its own.
func (q *request) setBody(req *http.Request) {
	if q.body != nil {
		req.Body, req.ContentLength = q.body.reader(), int64(len(q.body.bytes))
		req.GetBody = func() (io.ReadCloser, error) { return q.body.reader(), nil }
	}
}

// errAuthenticate stands for any failure of an authenticator, because the text of the authenticator's
// error may contain secrets.
var errAuthenticate = errors.New("the connection's authenticator failed")

// authenticate adds to req the headers that the connection's authenticator adds, which may sign the body.
// The authenticator gets a copy of the request, so if it returns late, it cannot change what is sent.
func (k *client) authenticate(ctx context.Context, q *request, req *http.Request) error {
	copied := req.Clone(ctx)
	q.setBody(copied)
	body := copied.Body // the authenticator may replace it
	defer func() { _ = body.Close() }()
	var authErr error
	if !k.authenticator.Run(ctx, func() { authErr = q.auth.Authenticate(copied) }) || authErr != nil {
		return errAuthenticate
	}
	req.Header = copied.Header
	return nil
}

// errTransport is the error of a transport that panicked, exited, or is still busy.
var errTransport = errors.New("the connection's transport failed")

// attempt sends a prepared request, whose context bounds the attempt. ctx is done when the pipeline is over,
// and began is when waiting for an answer began. A user-supplied transport may ignore contexts, so it runs on a
// separate goroutine for which attempt does not wait: unless the response was accepted, read may still run
// afterwards.
func (k *client) attempt(ctx context.Context, began time.Time, req *http.Request, read responseReader) result {
	var (
		r   result
		err error
	)
	exchange := func() {
		var resp *http.Response
		if resp, err = k.http.Do(req); err == nil {
			defer func() { _ = resp.Body.Close() }()
			r, err = read(resp.StatusCode, resp.Header, resp.Body)
		}
	}
	switch {
	case !k.supplied:
		exchange()
	case !k.transport.Run(req.Context(), exchange):
		return noResponse(ctx, began, cmp.Or(req.Context().Err(), errTransport))
	}
	if err != nil {
		return noResponse(ctx, began, err)
	}
	return r
}

// responseReader turns a response into a result.
type responseReader func(status int, header http.Header, body io.Reader) (result, error)

// wholeBody reads a response to its end. parse reads the body of a 2xx response, and returns false for a body
// that is not the service's.
func wholeBody(parse func([]byte) bool) responseReader {
	return func(status int, header http.Header, body io.Reader) (r result, err error) {
		var whole []byte
		if status != http.StatusSwitchingProtocols { // its body is the connection, whose reads do not end with a context
			whole, err = io.ReadAll(io.LimitReader(body, maxResponse))
		}
		if err != nil && status < 300 {
			return result{}, err
		}
		return resultOf(status, header, func() bool { return parse(whole) }), nil
	}
}
