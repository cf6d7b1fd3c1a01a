package telemetry

import "time"

// DriverConfig is a snapshot of the native driver's settings that explain how a connection behaves.
// It has no names of catalogs, schemas, users or paths.
type DriverConfig struct {
	// Version is the version of databricks-sql-go.
	Version string
	// AuthMech is PAT, OAUTH or OTHER; empty when unknown.
	AuthMech string
	// AuthFlow is TOKEN_PASSTHROUGH, CLIENT_CREDENTIALS or BROWSER_BASED_AUTHENTICATION;
	// empty when unknown or not applicable.
	AuthFlow string
	// CloudFetch, Arrow and LZ4 say what the client offers to receive.
	CloudFetch, Arrow, LZ4 Maybe[bool]
	// MaxRows is the number of rows asked for per page.
	MaxRows Maybe[int64]
	// DownloadThreads is the number of CloudFetch files fetched at once.
	DownloadThreads Maybe[int64]
	// QueryTimeout is the server-side limit of a statement; 0 means none.
	QueryTimeout Maybe[time.Duration]
	// PollInterval is the pause between two status calls.
	PollInterval Maybe[time.Duration]
	// ClientTimeout bounds one HTTP request.
	ClientTimeout Maybe[time.Duration]
	// RetryMax is the number of retries of one request; negative means none.
	RetryMax Maybe[int64]
	// DirectResults says whether rows are asked for with the answer to ExecuteStatement.
	DirectResults Maybe[bool]
	// MetricViewMetadata says whether metadata of metric views is asked for.
	MetricViewMetadata Maybe[bool]
	// PoolSize is the largest number of HTTP connections to the workspace.
	PoolSize Maybe[int64]
}
