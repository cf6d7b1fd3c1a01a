package export

import (
	"cmp"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// Authenticator authenticates one request by adding a header to it, like the type of that name in
// package auth of databricks-sql-go. It is called for each request, on a goroutine of the pipeline,
// and only after the driver has logged in with it. The header is not kept.
type Authenticator interface {
	Authenticate(*http.Request) error
}

// Connection is the server of a connector, its credential and its configuration. The Host, the full
// HTTPPath and everything about the Authenticator are never part of the payload.
type Connection struct {
	// Scheme is http or https; "" means https.
	Scheme string
	// Host is the workspace's host name as the driver has it, without a port. User information
	// and a path in it are ignored.
	Host string
	// Port is the workspace's port; 0 means the scheme's own.
	Port int
	// HTTPPath is the path of the warehouse or cluster, with its parameters. Its kind is reported. A
	// workspace id in it (?o=, or /o/<id>/) goes into the header x-databricks-org-id.
	HTTPPath string
	// Authenticator authenticates requests to Databricks. Without one, only events that need no
	// authentication are sent.
	Authenticator Authenticator
	// Credential identifies the principal: connectors share a pipeline only if their Credentials are
	// equal. It must be comparable; [Fingerprint] makes one from a token. nil means the identity of
	// the Authenticator.
	Credential any
	// TLS configures the connection to the workspace; nil means the system's defaults.
	TLS *tls.Config
	// Transport carries requests to Databricks; nil means a transport of this package: proxy from the
	// environment, TLS as above, at most two connections, closed when idle for 15 s. An [http.Transport]
	// with MaxConnsPerHost is copied, and the copy has its own two connections.
	Transport http.RoundTripper
	// UserAgentEntry is what the application added to the driver's user agent. It is
	// sent only when it is a product name, as in "billing/1.2".
	UserAgentEntry string
	// Driver is the native driver's configuration.
	Driver telemetry.DriverConfig
}

var fingerprintKey = sync.OnceValue(func() (key [32]byte) {
	_, _ = rand.Read(key[:]) // never fails
	return key
})

// Fingerprint turns a secret into a comparable value for Connection.Credential. The value is a keyed
// hash. The key is random and never leaves the process, so a fingerprint only shows whether two
// secrets are the same.
func Fingerprint(secret string) any {
	key := fingerprintKey()
	mac := hmac.New(sha256.New, key[:])
	mac.Write([]byte(secret))
	return fingerprint(mac.Sum(nil))
}

type fingerprint [sha256.Size]byte

func (c *Connection) scheme() string { return cmp.Or(strings.ToLower(c.Scheme), "https") }

// orgID returns the workspace id in the HTTP path: the parameter o, or the number after /o/. A 0
// there means no particular workspace.
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

// validOrgID returns id if it is a workspace's number, and "" otherwise.
func validOrgID(id string) string {
	if id == "" || id == "0" || len(id) > 19 || strings.Trim(id, "0123456789") != "" {
		return ""
	}
	return id
}
