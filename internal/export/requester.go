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

// Requester asks the workspace of a connection, as the connection: at its address, through its
// transport, with its authenticator. User-supplied code is called with a time bound, and not again
// until it has returned. A Requester makes one request at a time.
type Requester struct {
	client    *client
	auth      Authenticator
	userAgent string
	org       string // of the HTTP path; empty when it names none
}

// NewRequester returns a Requester for a connection whose host is known. log counts what goes wrong in
// user-supplied code.
func NewRequester(c *Connection, log *contain.Log) *Requester {
	full, _ := c.userAgents()
	return &Requester{client: newClient(c, telemetry.Settings{}, log), auth: c.Authenticator, userAgent: full, org: orgID(c.HTTPPath)}
}

// Response says how a request ended.
type Response struct {
	Accepted bool          // it was answered, and the answer was read
	Retry    bool          // it may be repeated: 429, 5xx, or no response, unless user-supplied code failed
	After    time.Duration // pause that Retry-After asks for, up to a minute and a random quarter; 0 for none
	Error    string        // unless Accepted: an HTTP status or an error category
}

// Get makes one request, which takes ten seconds at most. org is the workspace's number; empty means
// that of the HTTP path. read reads the body of a 2xx response and returns false for what was not
// asked for, or an error where it could not read. After Get has returned, read may still run, unless
// the response was accepted.
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

// Server is scheme://host:port as Stats shows it.
func (r *Requester) Server() string { return r.client.shown }

// Close closes idle connections.
func (r *Requester) Close() { r.client.close() }
