package export

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"sync"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// Authenticator authenticates one request by adding a header to it. It is what the
// databricks-sql-go package auth calls Authenticator. It is asked only after the driver has
// logged in with it, on a goroutine of the pipeline, each time a request is made; what it
// adds is not kept.
type Authenticator interface {
	Authenticate(*http.Request) error
}

// Connection is what a connector knows about where its sessions go and how they are
// configured. Host, HTTPPath as such, and whatever the authenticator knows never become
// part of the payload.
type Connection struct {
	// Scheme is http or https; "" means https.
	Scheme string
	// Host is the workspace's host name as the driver has it, without a port. User information
	// and a path in it are ignored.
	Host string
	// Port is the workspace's port; 0 means the scheme's own.
	Port int
	// HTTPPath is the path of the warehouse or cluster, with its parameters. Its kind is
	// reported; a workspace id in it (?o=, or /o/<id>/) goes into the header
	// x-databricks-org-id.
	HTTPPath string
	// Authenticator authenticates our requests. Without one nothing is sent but what may
	// be sent without authentication.
	Authenticator Authenticator
	// Credential identifies who is authenticated: connectors share a pipeline only where it
	// is equal. It must be comparable; [Fingerprint] makes one out of a token. nil means
	// the Authenticator's own identity.
	Credential any
	// TLS configures the connection to the workspace; nil means the system's defaults.
	TLS *tls.Config
	// Transport carries our requests; nil means a transport of our own: proxy from the
	// environment, TLS as above, two connections at most, closed when idle for 15 s.
	Transport http.RoundTripper
	// UserAgentEntry is what the application added to the driver's user agent. It is passed
	// on only when it is a product name, as in "billing/1.2".
	UserAgentEntry string
	// Driver is the native driver's configuration.
	Driver telemetry.DriverConfig
}

var fingerprintKey = sync.OnceValue(func() (key [32]byte) {
	_, _ = rand.Read(key[:]) // never fails
	return key
})

// Fingerprint turns a secret into a comparable value for Connection.Credential. It is a
// keyed hash; the key is random, never leaves the process and is never written down, so the
// fingerprint says nothing about the secret but whether two are the same.
func Fingerprint(secret string) any {
	key := fingerprintKey()
	mac := hmac.New(sha256.New, key[:])
	mac.Write([]byte(secret))
	return fingerprint(mac.Sum(nil))
}

type fingerprint [sha256.Size]byte

// identity returns what tells this credential from others. A value that cannot be compared
// is equal to none.
func (c *Connection) identity() any {
	for _, id := range []any{c.Credential, c.Authenticator} {
		if id == nil {
			continue
		}
		if reflect.ValueOf(id).Comparable() {
			return id
		}
		return new(byte)
	}
	return nil
}

func (c *Connection) scheme() string {
	if c.Scheme == "" {
		return "https"
	}
	return strings.ToLower(c.Scheme)
}

// orgID finds the workspace id in the HTTP path: as the parameter o, or behind /o/. 0 there
// stands for no workspace in particular.
func orgID(httpPath string) string {
	u, err := url.Parse(httpPath)
	if err != nil {
		return ""
	}
	id := u.Query().Get("o")
	if id == "" {
		if _, rest, ok := strings.Cut(u.Path, "/o/"); ok {
			id, _, _ = strings.Cut(rest, "/")
		}
	}
	return validOrgID(id)
}

// validOrgID lets through what is a workspace's number and nothing else.
func validOrgID(id string) string {
	if id == "" || id == "0" || len(id) > 19 || strings.Trim(id, "0123456789") != "" {
		return ""
	}
	return id
}
