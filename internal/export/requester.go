package export

import (
	"cmp"
	"context"
	"io"
	"net/http"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/internal/contain"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// Requester makes requests to the workspace of a connection, at the connection's address, through its
// transport and with its authenticator. User-supplied code is called with a time bound, and not again
// until it has returned. A Requester makes one request at a time.
type Requester struct {
	client    *client
	auth      Authenticator
	userAgent string
	org       string // from the HTTP path; empty if the path names none
}

// NewRequester returns a Requester for a connection whose host is known. log counts faults of
// user-supplied code.
func NewRequester(c *Connection, log *contain.Log) *Requester {
	full, _ := c.userAgents()
	return &Requester{client: newClient(c, telemetry.Settings{}, log), auth: c.Authenticator, userAgent: full, org: orgID(c.HTTPPath)}
}

// Response says how a request ended.
type Response struct {
	Accepted bool          // the answer was read and accepted
	Retry    bool          // the request may be repeated: 429, 5xx, or no response, unless user-supplied code failed
	After    time.Duration // pause that Retry-After asks for, at most a minute, plus a random part of up to a quarter; 0 for none
	Error    string        // an HTTP status or an error category; empty if Accepted
}

// Get makes one request, which takes at most ten seconds. org is the workspace's number; empty means
// the number in the HTTP path. read reads the body of a 2xx response. It returns false for a body
// that is not an expected answer, and an error if it could not read. After Get has returned, read may
// still run, unless the response was accepted.
func (r *Requester) Get(ctx context.Context, pathAndQuery, org string, read func(io.Reader) (bool, error)) Response {
	q := request{path: pathAndQuery, auth: r.auth, orgID: cmp.Or(validOrgID(org), r.org), userAgent: r.userAgent}
	got := r.client.once(ctx, attemptTimeout, q, func(status int, header http.Header, body io.Reader) (got result, err error) {
		got = resultOf(status, header, func() (ok bool) {
			ok, err = read(body)
			return ok
		})
		return got, err
	})
	return Response{
		Accepted: got.outcome == outcomeAccepted, Retry: got.outcome == outcomeUnavailable, After: got.retryAfter, Error: got.describe(),
	}
}

// Server returns scheme://host:port as Stats shows it.
func (r *Requester) Server() string { return r.client.shown }

// Close closes idle connections.
func (r *Requester) Close() { r.client.close() }
