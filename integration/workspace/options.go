package workspace

import (
	"crypto/rand"
	"encoding/hex"
	"math/big"
	"time"
)

// Options describes a workspace. The zero value is a typical warehouse: Arrow results, CloudFetch
// for large ones, direct results, a random token, plain HTTP on a free port. README.md lists what
// the answers contain and the source of each. Options are read once, by [Start].
type Options struct {
	// Port of the workspace listener and StoragePort of the object storage listener, both
	// on 127.0.0.1. Default: any free port.
	Port, StoragePort int

	// InMemory makes both listeners accept only the connections of [Workspace.Transport], none from
	// the network. With a client that dials nothing else, the workspace then runs in the fake time
	// of testing/synctest. The native driver leaves a net/http goroutine running for 15 min after a
	// session, and a bubble cannot end before that: sleep 20 min of fake time after closing the
	// pool. Default: false.
	InMemory bool

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

	// WarehouseID is the id of the first warehouse and ends the HTTP path. Default: random.
	WarehouseID string

	// Warehouses are the warehouses of the workspace. They share its catalogs and tables. The
	// first is the one that [Workspace.DSN] leads to; where it names no id, that is
	// WarehouseID. Default: one that runs and takes any number of statements at once.
	Warehouses []Warehouse

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

	// ServerTimes adds operationStarted and operationCompleted to every status of an operation.
	// The service itself sends neither. Default: false.
	ServerTimes bool

	// FailuresByHandle answers a statement that fails at once with a handle, and puts the failure
	// into the status of its direct results, so that the client learns the statement's id. The
	// service itself answers such a statement with an error status and no handle. Default: false.
	FailuresByHandle bool

	// CompilationTime adds compile time to a statement, before it runs. It is called from many
	// goroutines. Default: none; what the engine takes to compile counts as execution.
	CompilationTime func(sql string) time.Duration

	// ExecutionTime adds run time to a statement, inside the time its timeout covers. It is
	// called from many goroutines. Default: none.
	ExecutionTime func(sql string) time.Duration

	// Rewrite returns the SQL that the engine runs in place of a statement, to test a program whose
	// SQL the engine does not support. Facts, the result cache and ExecutionTime see the statement
	// as it was sent. It is called from many goroutines. Default: none.
	Rewrite func(sql string) string

	// ResultCache answers a repeated identical query from a cache and says so in cacheLookupResult.
	// Any statement that is not a query empties the cache. A query with rand(), uuid() or the
	// current time in it is ineligible. The cache holds the newest 64 MiB of results. Default:
	// false, and every lookup is reported as ineligible.
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

	// LinksPerPage is the number of links issued by one response. Negative: all of them
	// at once. Default: 10.
	LinksPerPage int

	// LinkLifetime is how long a presigned link works. Negative: links have expired when
	// they are issued. Default: 15 min.
	LinkLifetime time.Duration

	// LinkHeaders are required in every download; links carry them. Default: none.
	LinkHeaders map[string]string

	// StatementTimeout is how long a statement may run if its session has set no
	// STATEMENT_TIMEOUT of its own. A client's queryTimeout may only shorten it.
	// Default: 48 h, as on Databricks.
	StatementTimeout time.Duration

	// SessionTimeout is how long a session may be idle (no request and no running statement) before
	// it ends. Negative: forever. Default: 15 min.
	SessionTimeout time.Duration

	// OperationTimeout is how long a finished operation stays open without a request that names it.
	// Negative: forever. Default: 20 min.
	OperationTimeout time.Duration

	// ClosedFileLifetime is how long files of a closed operation stay if a client has links to them
	// and has not downloaded them yet: the native driver closes an operation when it has the last
	// link. Each request for one of the files restarts the time. If an operation is closed before
	// its last link was issued, its files are removed at once. Default: 1 min.
	ClosedFileLifetime time.Duration

	// ResultMemory limits the bytes of the results that are held for clients: those of open
	// operations, and separately the files of closed ones. A result that exceeds the limit closes
	// the operations that have been idle longest, as OperationTimeout would; a single result larger
	// than the limit is still held. Negative: no limit. Default: 256 MiB.
	ResultMemory int64

	// Keep is the largest number of sessions, of statements, of HTTP requests and of telemetry
	// events that the facts hold. The oldest are dropped first, and statements also from the query
	// history. Negative: no limit. Default: 10,000.
	Keep int

	// HistoryDelay is how long after its end an entry of the query history becomes final. Until
	// then it says is_final false and has no metrics but times. Default: 0, at once.
	HistoryDelay time.Duration

	// History changes what the query history says about a statement, so that a test can have bytes
	// read, files pruned or a wait that did not happen. It receives the facts and is called for
	// every entry of every answer, from many goroutines. Default: none.
	History func(StatementFacts, *HistoryEntry)

	// TelemetryFlag is the value of the feature flag that switches driver telemetry on.
	// Default: FlagAbsent.
	TelemetryFlag Flag

	// TelemetryUnread accepts uploads of telemetry without reading them: nothing is validated or
	// kept, and every document counts as understood. The service reads uploads on its own machines;
	// here, reading them takes time from the statements that are measured. Default: false.
	TelemetryUnread bool

	// FlagTTL is how long clients are asked to cache the flag. Default: 900 s.
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
	orDefault(&o.StatementTimeout, 48*time.Hour)
	orDefault(&o.SessionTimeout, 15*time.Minute)
	orDefault(&o.OperationTimeout, 20*time.Minute)
	orDefault(&o.ClosedFileLifetime, time.Minute)
	orDefault(&o.ResultMemory, 256<<20)
	orDefault(&o.Keep, 10_000)
	orDefault(&o.FlagTTL, 900*time.Second)
	orDefault(&o.Seed, 1)
	o.Warehouses = warehousesWithDefaults(o.Warehouses, o.WarehouseID)
	o.WarehouseID = o.Warehouses[0].ID
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
