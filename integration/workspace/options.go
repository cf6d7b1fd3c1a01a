package workspace

import (
	"crypto/rand"
	"encoding/hex"
	"math/big"
	"time"
)

// Options describes a workspace. The zero value is a warehouse as users meet it: Arrow
// results, CloudFetch for large ones, direct results, a random token, plain HTTP on a free
// port. Options are read once, by [Start].
type Options struct {
	// Port of the workspace listener and StoragePort of the object storage listener, both
	// on 127.0.0.1. Default: any free port.
	Port, StoragePort int

	// TLS serves both listeners over TLS with HTTP/2, with a certificate from an authority
	// made for this workspace alone; see [Workspace.CertPool]. Default: plain HTTP/1.1.
	TLS bool

	// Hostname is one more name the certificate is valid for, and the name that
	// [Workspace.Transport] leads to this workspace on every port. Clients that insist on a
	// Databricks host name (OAuth does) need one, such as "simulated.cloud.databricks.com".
	// Default: none.
	Hostname string

	// WorkspaceID is sent in x-databricks-org-id. Default: a random positive number.
	WorkspaceID int64

	// WarehouseID ends the HTTP path. Default: random.
	WarehouseID string

	// Token is the personal access token that [Workspace.DSN] uses. Default: random.
	Token string

	// Tokens are accepted besides Token. Default: none.
	Tokens []string

	// ClientID and ClientSecret may be exchanged for tokens at the token endpoint (OAuth
	// machine to machine). Default: random.
	ClientID, ClientSecret string

	// TokenLifetime is how long an exchanged token is valid. Default: 1 h.
	TokenLifetime time.Duration

	// Unified behaves like a host shared by several workspaces: telemetry and feature-flag
	// requests without x-databricks-org-id are redirected (303) to a login page.
	// Default: false.
	Unified bool

	// ProtocolVersion is the server's Thrift protocol version. It limits what a client may
	// ask for: 42241 direct results, 42243 CloudFetch, 42245 Arrow, 42246 LZ4, 42248
	// parameters. Default: 42248.
	ProtocolVersion int32

	// NoDirectResults never answers ExecuteStatement with results, so that every statement
	// is polled and fetched. Default: false.
	NoDirectResults bool

	// DirectResultWait is how long ExecuteStatement waits for a statement before it answers
	// RUNNING and leaves the client to poll (the native driver polls once a second).
	// Negative: not at all. Default: 5 s, as on Databricks.
	DirectResultWait time.Duration

	// ExecutionTime adds run time to a statement, inside the time its timeout covers. It is
	// called from many goroutines. Default: none.
	ExecutionTime func(sql string) time.Duration

	// Rewrite is what the engine runs instead of a statement, so that a program can be tested
	// whose SQL the engine does not know. Facts, the result cache and ExecutionTime see the
	// statement as it was sent. It is called from many goroutines. Default: none.
	Rewrite func(sql string) string

	// ResultCache answers a repeated identical query from a cache and says so in
	// cacheLookupResult; any statement that is not a query empties it. Default: false, and
	// every lookup is reported as ineligible.
	ResultCache bool

	// PageRows limits the rows of an inline page below what the client asks for.
	// Default: 0, no limit of its own.
	PageRows int64

	// PageBytes limits an inline page, measured before compression. Default: 8 MiB.
	PageBytes int64

	// BatchRows splits an inline Arrow page into several batches. Default: 0, one batch.
	BatchRows int64

	// CloudFetchThreshold is the estimated size above which a result goes through object
	// storage if the client can download. 0 rows never do. Negative: never.
	// Default: 4 MiB.
	CloudFetchThreshold int64

	// FileRows is the number of rows per CloudFetch file. Default: as many as fit FileBytes.
	FileRows int64

	// FileBytes is the size of a CloudFetch file before compression. Default: 2 MiB.
	FileBytes int64

	// LinksPerPage is the number of links handed out by one response. Negative: all of them
	// at once. Default: 10.
	LinksPerPage int

	// LinkLifetime is how long a presigned link works. Negative: links have expired when
	// they are handed out. Default: 15 min.
	LinkLifetime time.Duration

	// LinkHeaders must accompany every download; links carry them. Default: none.
	LinkHeaders map[string]string

	// TelemetryFlag is the value of the feature flag that switches driver telemetry on.
	// Default: FlagAbsent.
	TelemetryFlag Flag

	// TelemetryUnread accepts uploads of telemetry without a look at them: nothing is validated
	// or kept, and every document counts as understood. A service reads them on machines of its
	// own; here that takes time from the statements of whoever measures them. Default: false.
	TelemetryUnread bool

	// FlagTTL is the lifetime clients are told to give the flag. Default: 900 s.
	FlagTTL time.Duration

	// CaptureBodies keeps request bodies in [Workspace.Requests], CaptureResponses response
	// bodies. Default: false, both.
	CaptureBodies, CaptureResponses bool

	// Seed makes faults with a Share repeatable. Default: 1.
	Seed int64
}

const protocolV8 = 42248

func (o Options) withDefaults() Options {
	orDefault(&o.WorkspaceID, randomWorkspaceID())
	orDefault(&o.WarehouseID, randomHex(8))
	orDefault(&o.Token, "dapi"+randomHex(16))
	orDefault(&o.ClientID, randomHex(8))
	orDefault(&o.ClientSecret, "dose"+randomHex(16))
	orDefault(&o.TokenLifetime, time.Hour)
	orDefault(&o.ProtocolVersion, protocolV8)
	orDefault(&o.DirectResultWait, 5*time.Second)
	orDefault(&o.PageBytes, 8<<20)
	orDefault(&o.CloudFetchThreshold, 4<<20)
	orDefault(&o.FileBytes, 2<<20)
	orDefault(&o.LinksPerPage, 10)
	orDefault(&o.LinkLifetime, 15*time.Minute)
	orDefault(&o.FlagTTL, 900*time.Second)
	orDefault(&o.Seed, 1)
	return o
}

func orDefault[T comparable](v *T, d T) {
	var zero T
	if *v == zero {
		*v = d
	}
}

func randomHex(n int) string { return hex.EncodeToString(randomBytes(n)) }

func randomBytes(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails
	return b
}

func randomWorkspaceID() int64 {
	n, err := rand.Int(rand.Reader, big.NewInt(9e15))
	if err != nil {
		return 1
	}
	return n.Int64() + 1
}
