// Package registry lists every fact there is about a statement, a session, a call and a file:
// its name, its unit, its meaning, who may see it, and where the payload to Databricks has it.
// Logs, NDJSON, the documentation and the payload are written from these tables, and NDJSON is
// read by them. What is not
// in them with the scope to leave cannot leave.
package registry

import (
	"log/slog"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// Scope says who may see a field.
type Scope uint8

// The scopes.
const (
	ScopeNone       Scope = 0
	ScopeLocal      Scope = 1 << 0 // the application's own operators
	ScopeDatabricks Scope = 1 << 1 // may leave the process in the payload to Databricks
	ScopeBoth             = ScopeLocal | ScopeDatabricks
)

// String names the scope as the documentation does.
func (s Scope) String() string {
	switch s {
	case ScopeLocal:
		return "local"
	case ScopeDatabricks:
		return "Databricks"
	case ScopeBoth:
		return "both"
	}
	return "none"
}

// Field describes one fact about a record of type R: its name, its unit, its meaning, who
// may see it, where the payload has it, and how it is read and written.
type Field[R any] struct {
	// Name is the key in every sink. Durations end in _ms.
	Name string
	// Unit is "ms", "rows", "bool", ... or empty for names and ids.
	Unit string
	// Doc is one sentence.
	Doc string
	// Scope says who may see it.
	Scope Scope
	// Wire says where in the payload to Databricks it goes; the zero Wire is nowhere. It is
	// set exactly when Scope includes ScopeDatabricks.
	Wire Wire
	Access[R]
}

// StatementFields is everything a Statement says, in the order sinks show it.
var StatementFields = []Field[telemetry.Statement]{
	{"started", "RFC 3339", "When the application called the driver.", ScopeBoth, to(timestamp, WireInt64), timeOf(func(s *telemetry.Statement) *time.Time { return &s.Started })},
	{"server", "", "Host and port of the workspace.", ScopeLocal, Wire{}, textOf(func(s *telemetry.Statement) *string { return &s.Server })},
	{"connector", "", "Number of the connector in the process.", ScopeLocal, Wire{}, numberOf(func(s *telemetry.Statement) *int64 { return &s.Connector })},
	{"trace_id", "", "Trace of the span around the call, in hex (W3C).", ScopeLocal, Wire{}, idOf(func(s *telemetry.Statement) []byte { return s.TraceID[:] })},
	{"span_id", "", "That span.", ScopeLocal, Wire{}, idOf(func(s *telemetry.Statement) []byte { return s.SpanID[:] })},
	{"session_id", "", "The server's id of the session.", ScopeBoth, to(driverLog+"session_id", WireUUID), textOf(func(s *telemetry.Statement) *string { return &s.SessionID })},
	{"statement_id", "", "The server's id of the statement.", ScopeBoth, to(driverLog+"sql_statement_id", WireUUID), textOf(func(s *telemetry.Statement) *string { return &s.StatementID })},
	{"query_text", "", "The statement's text, with telemetry_query_text only.", ScopeLocal, Wire{}, textOf(func(s *telemetry.Statement) *string { return &s.Query })},
	{"kind", "", "QUERY, UPDATE or VOLUME.", ScopeBoth, oneOf(operation+"statement_type", telemetry.KindQuery, telemetry.KindUpdate, telemetry.KindVolume), textOf(func(s *telemetry.Statement) *telemetry.Kind { return &s.Kind })},
	{"volume_operation", "", "What a VOLUME statement did: PUT, GET or DELETE.", ScopeBoth, oneOf(driverLog+"vol_operation.volume_operation_type", telemetry.VolumePut, telemetry.VolumeGet, telemetry.VolumeDelete), textOf(func(s *telemetry.Statement) *telemetry.VolumeOperation { return &s.Volume })},
	{"internal", "bool", "The driver ran it for itself (Ping).", ScopeBoth, to(detail+"is_internal_call", WireBool), flagOf(func(s *telemetry.Statement) *bool { return &s.Internal })},
	{"prepared", "bool", "It ran through a prepared statement.", ScopeLocal, Wire{}, flagOf(func(s *telemetry.Statement) *bool { return &s.Prepared })},
	{"outcome", "", "completed, closed_early, failed, canceled or abandoned.", ScopeLocal, Wire{}, textOf(func(s *telemetry.Statement) *telemetry.Outcome { return &s.Outcome })},
	{"error_category", "", "Stable name for what went wrong.", ScopeBoth, errorName, within(failureOf, categoryField)},
	{"sqlstate", "", "Five-character code the server gave for the error.", ScopeLocal, Wire{}, within(failureOf, sqlStateField)},
	{"error_message", "", "What telemetry_error_text keeps of the error's text.", ScopeLocal, Wire{}, within(failureOf, messageField)},
	{"retryable", "bool", "The driver considers trying again worthwhile.", ScopeLocal, Wire{}, within(failureOf, flagOf(func(f *telemetry.Failure) *bool { return &f.Retryable }))},
	{"close_error_category", "", "Stable name for what went wrong when the rows were closed.", ScopeLocal, Wire{}, within(closeFailureOf, categoryField)},
	{"execute_ms", "ms", "From the call until results were ready or it failed.", ScopeBoth, to(driverLog+"operation_latency_ms", WireInt64), durationOf(func(s *telemetry.Statement) *time.Duration { return &s.Execute })},
	{"first_row_ms", "ms", "From then until the application held the first row.", ScopeLocal, Wire{}, maybeDurationOf(func(s *telemetry.Statement) *telemetry.Maybe[time.Duration] { return &s.FirstRow })},
	{"consume_ms", "ms", "From the first row until the rows were exhausted or closed.", ScopeBoth, to(operation+"result_latency.result_set_consumption_latency_millis", WireInt64), maybeDurationOf(func(s *telemetry.Statement) *telemetry.Maybe[time.Duration] { return &s.Consume })},
	{"close_ms", "ms", "Closing the rows, the RPC included.", ScopeLocal, Wire{}, maybeDurationOf(func(s *telemetry.Statement) *telemetry.Maybe[time.Duration] { return &s.Close })},
	{"total_ms", "ms", "From the call until the statement was finished.", ScopeLocal, Wire{}, durationOf(func(s *telemetry.Statement) *time.Duration { return &s.Total })},
	{"rows_read", "rows", "Rows handed to the application.", ScopeLocal, Wire{}, countOf(func(s *telemetry.Statement) *telemetry.Maybe[int64] { return &s.RowsRead })},
	{"rows_affected", "rows", "Rows the statement changed, as the driver reports it for an Exec.", ScopeLocal, Wire{}, countOf(func(s *telemetry.Statement) *telemetry.Maybe[int64] { return &s.RowsAffected })},

	{"workspace_id", "", "The workspace's number.", ScopeBoth, to("workspace_id", WireInt64), textOf(func(s *telemetry.Statement) *string { return &s.WorkspaceID })},
	{"evidence", "", "How the facts about the result were learnt: wire or inferred.", ScopeLocal, Wire{}, textOf(func(s *telemetry.Statement) *telemetry.Evidence { return &s.Result.Evidence })},
	{"result_format", "", "INLINE_ARROW, COLUMNAR_INLINE, INLINE_JSON or EXTERNAL_LINKS (CloudFetch).", ScopeLocal, Wire{}, textOf(func(s *telemetry.Statement) *telemetry.ResultFormat { return &s.Result.Format })},
	{"compressed", "bool", "The server compressed the rows (LZ4).", ScopeBoth, to(operation+"is_compressed", WireBool), truthOf(func(s *telemetry.Statement) *telemetry.Maybe[bool] { return &s.Result.Compressed })},
	{"cache", "", "What the result cache said: INELIGIBLE, LOCAL_HIT, REMOTE_HIT or MISS.", ScopeLocal, Wire{}, textOf(func(s *telemetry.Statement) *string { return &s.Result.Cache })},
	{"uncompressed_bytes", "bytes", "Size of the rows the server announced.", ScopeLocal, Wire{}, countOf(func(s *telemetry.Statement) *telemetry.Maybe[int64] { return &s.Result.UncompressedBytes })},
	{"compressed_bytes", "bytes", "Size after compression the server announced.", ScopeLocal, Wire{}, countOf(func(s *telemetry.Statement) *telemetry.Maybe[int64] { return &s.Result.CompressedBytes })},
	{"direct_results", "bool", "Rows came with the answer to ExecuteStatement.", ScopeLocal, Wire{}, truthOf(func(s *telemetry.Statement) *telemetry.Maybe[bool] { return &s.Result.Direct })},
	{"pages", "pages", "Result pages that arrived, direct results included.", ScopeLocal, Wire{}, countOf(func(s *telemetry.Statement) *telemetry.Maybe[int64] { return &s.Result.Pages })},
	{"rows_delivered", "rows", "Rows in those pages, or in the files they named.", ScopeLocal, Wire{}, countOf(func(s *telemetry.Statement) *telemetry.Maybe[int64] { return &s.Result.Rows })},
	{"polls", "calls", "Status calls.", ScopeBoth, to(detail+"n_operation_status_calls", WireInt32), pollCalls},
	{"polling_ms", "ms", "Latency of the status calls, without the pauses between them.", ScopeBoth, to(detail+"operation_status_latency_millis", WireInt64), pollLatency},

	{"files", "files", "CloudFetch files the server handed out.", ScopeBoth, to(chunks+"total_chunks_present", WireInt32), within(cloudFetch, integerOf(func(c *telemetry.CloudFetch) *int64 { return &c.Present }))},
	{"files_downloaded", "files", "Files downloaded whole.", ScopeBoth, to(chunks+"total_chunks_iterated", WireInt32), within(cloudFetch, integerOf(func(c *telemetry.CloudFetch) *int64 { return &c.Downloaded }))},
	{"files_failed", "files", "Files that could not be downloaded.", ScopeLocal, Wire{}, within(cloudFetch, integerOf(func(c *telemetry.CloudFetch) *int64 { return &c.Failed }))},
	{"files_abandoned", "files", "Files not asked for, or given up, when the rows were closed.", ScopeLocal, Wire{}, within(cloudFetch, integerOf(func(c *telemetry.CloudFetch) *int64 { return &c.Abandoned }))},
	{"file_bytes", "bytes", "Size of all files the server announced.", ScopeLocal, Wire{}, within(cloudFetch, integerOf(func(c *telemetry.CloudFetch) *int64 { return &c.Bytes }))},
	{"file_bytes_received", "bytes", "Bytes downloaded, failed attempts included.", ScopeLocal, Wire{}, within(cloudFetch, integerOf(func(c *telemetry.CloudFetch) *int64 { return &c.Received }))},
	{"file_retries", "", "HTTP requests beyond the first of each file.", ScopeLocal, Wire{}, within(cloudFetch, integerOf(func(c *telemetry.CloudFetch) *int64 { return &c.Retries }))},
	{"first_file_ms", "ms", "Latency of the file that was complete first.", ScopeBoth, to(chunks+"initial_chunk_latency_millis", WireInt64), within(cloudFetch, downloadOf(func(c *telemetry.CloudFetch) *time.Duration { return &c.First }))},
	{"slowest_file_ms", "ms", "Latency of the slowest file.", ScopeBoth, to(chunks+"slowest_chunk_latency_millis", WireInt64), within(cloudFetch, downloadOf(func(c *telemetry.CloudFetch) *time.Duration { return &c.Slowest }))},
	{"sum_file_ms", "ms", "Latencies of all files, which overlap.", ScopeBoth, to(chunks+"sum_chunks_download_time_millis", WireInt64), within(cloudFetch, downloadOf(func(c *telemetry.CloudFetch) *time.Duration { return &c.Sum }))},
	{"failed_file", "index", "Lowest index of a file that failed, from 0.", ScopeBoth, to(operation+"chunk_id", WireInt64), within(cloudFetch, countOf(func(c *telemetry.CloudFetch) *telemetry.Maybe[int64] { return &c.FailedIndex }))},
	{"failed_file_status", "HTTP status", "Status of its latest attempt.", ScopeLocal, Wire{}, within(cloudFetch, countOf(func(c *telemetry.CloudFetch) *telemetry.Maybe[int64] { return &c.FailedStatus }))},

	{"rpcs", "calls", "Thrift calls made for the statement.", ScopeLocal, Wire{}, sumOf(func(r *telemetry.RPC) *int64 { return &r.Calls })},
	{"rpc_retries", "", "HTTP attempts beyond the first of each call.", ScopeLocal, Wire{}, readOnly(func(s *telemetry.Statement) slog.Value {
		return sumOfRPCs(s, func(r *telemetry.RPC) *int64 { return &r.Retries })
	})}, // retried has them
	{"retried", "", "The same by method, where there were any.", ScopeLocal, Wire{}, Access[telemetry.Statement]{retried, setRetried}},
	{"rpc_wait_ms", "ms", "Time between an attempt of a call that failed and the next.", ScopeLocal, Wire{}, maybeDurationOf(func(s *telemetry.Statement) *telemetry.Maybe[time.Duration] { return &s.Split.Retries })},
	{"bytes_out", "bytes", "Request bodies of the calls.", ScopeLocal, Wire{}, sumOf(func(r *telemetry.RPC) *int64 { return &r.BytesOut })},
	{"bytes_in", "bytes", "Response bodies of the calls; files are not in it.", ScopeLocal, Wire{}, sumOf(func(r *telemetry.RPC) *int64 { return &r.BytesIn })},

	{"server_ms", "ms", "Time the server says it worked on the statement.", ScopeLocal, Wire{}, maybeDurationOf(func(s *telemetry.Statement) *telemetry.Maybe[time.Duration] { return &s.Split.Server })},
	{"poll_wait_ms", "ms", "Time from then until a status call noticed.", ScopeLocal, Wire{}, maybeDurationOf(func(s *telemetry.Statement) *telemetry.Maybe[time.Duration] { return &s.Split.PollWait })},
	{"page_wait_ms", "ms", "Time in calls that fetch pages.", ScopeLocal, Wire{}, maybeDurationOf(func(s *telemetry.Statement) *telemetry.Maybe[time.Duration] { return &s.Split.Pages })},
	{"file_wait_ms", "ms", "Time the reader waited for files, beyond that.", ScopeLocal, Wire{}, maybeDurationOf(func(s *telemetry.Statement) *telemetry.Maybe[time.Duration] { return &s.Split.Files })},
	{"reading_ms", "ms", "Rest of the time rows were read: decoding and the application's own.", ScopeLocal, Wire{}, maybeDurationOf(func(s *telemetry.Statement) *telemetry.Maybe[time.Duration] { return &s.Split.Reading })},
}

// SessionOpenedFields is everything a SessionOpened says, in the order sinks show it.
var SessionOpenedFields = []Field[telemetry.SessionOpened]{
	{"started", "RFC 3339", "When the pool asked for the connection.", ScopeBoth, to(timestamp, WireInt64).anonymous(), timeOf(func(s *telemetry.SessionOpened) *time.Time { return &s.Started })},
	{"server", "", "Host and port of the workspace.", ScopeLocal, Wire{}, textOf(func(s *telemetry.SessionOpened) *string { return &s.Server })},
	{"connector", "", "Number of the connector in the process.", ScopeLocal, Wire{}, numberOf(func(s *telemetry.SessionOpened) *int64 { return &s.Connector })},
	{"session_id", "", "The server's id of the session, where it is known this early.", ScopeBoth, to(driverLog+"session_id", WireUUID), textOf(func(s *telemetry.SessionOpened) *string { return &s.SessionID })},
	{"workspace_id", "", "The workspace's number.", ScopeBoth, to("workspace_id", WireInt64), textOf(func(s *telemetry.SessionOpened) *string { return &s.WorkspaceID })},
	{"open_ms", "ms", "Time Connect took.", ScopeBoth, to(driverLog+"operation_latency_ms", WireInt64).anonymous(), durationOf(func(s *telemetry.SessionOpened) *time.Duration { return &s.Latency })},
	{"retries", "", "HTTP attempts of OpenSession beyond the first.", ScopeBoth, to(operation+"retry_count", WireInt64).anonymous(), countOf(func(s *telemetry.SessionOpened) *telemetry.Maybe[int64] { return &s.Retries })},
	{"error_category", "", "Stable name for what went wrong.", ScopeBoth, errorName.anonymous(), within(openFailureOf, categoryField)},
	{"error_message", "", "What telemetry_error_text keeps of the error's text.", ScopeLocal, Wire{}, within(openFailureOf, messageField)},
	{"driver_version", "", "Version of databricks-sql-go.", ScopeBoth, to(system+"driver_version", WireVersion), textOf(func(s *telemetry.SessionOpened) *string { return &s.Driver.Version })},
	{"auth_mech", "", "PAT, OAUTH or OTHER.", ScopeBoth, oneOf(params+"auth_mech", "PAT", "OAUTH", "OTHER"), textOf(func(s *telemetry.SessionOpened) *string { return &s.Driver.AuthMech })},
	{"auth_flow", "", "TOKEN_PASSTHROUGH, CLIENT_CREDENTIALS or BROWSER_BASED_AUTHENTICATION.", ScopeBoth, oneOf(params+"auth_flow", "TOKEN_PASSTHROUGH", "CLIENT_CREDENTIALS", "BROWSER_BASED_AUTHENTICATION"), textOf(func(s *telemetry.SessionOpened) *string { return &s.Driver.AuthFlow })},
	{"cloud_fetch", "bool", "The client offers to download results.", ScopeLocal, Wire{}, truthOf(func(s *telemetry.SessionOpened) *telemetry.Maybe[bool] { return &s.Driver.CloudFetch })},
	{"arrow", "bool", "The client offers to read Arrow.", ScopeBoth, to(params+"enable_arrow", WireBool), truthOf(func(s *telemetry.SessionOpened) *telemetry.Maybe[bool] { return &s.Driver.Arrow })},
	{"lz4", "bool", "The client offers to decompress LZ4.", ScopeLocal, Wire{}, truthOf(func(s *telemetry.SessionOpened) *telemetry.Maybe[bool] { return &s.Driver.LZ4 })},
	{"max_rows", "rows", "Rows asked for per page.", ScopeBoth, to(params+"rows_fetched_per_block", WireInt32), countOf(func(s *telemetry.SessionOpened) *telemetry.Maybe[int64] { return &s.Driver.MaxRows })},
	{"download_threads", "", "CloudFetch files fetched at once.", ScopeLocal, Wire{}, countOf(func(s *telemetry.SessionOpened) *telemetry.Maybe[int64] { return &s.Driver.DownloadThreads })},
	{"query_timeout_ms", "ms", "Server-side limit of a statement; 0 is none.", ScopeLocal, Wire{}, maybeDurationOf(func(s *telemetry.SessionOpened) *telemetry.Maybe[time.Duration] { return &s.Driver.QueryTimeout })},
	{"poll_interval_ms", "ms", "Pause between two status calls.", ScopeBoth, to(params+"async_poll_interval_millis", WireInt32), maybeDurationOf(func(s *telemetry.SessionOpened) *telemetry.Maybe[time.Duration] { return &s.Driver.PollInterval })},
	{"client_timeout_ms", "ms", "Bound on one HTTP request.", ScopeBoth, to(params+"socket_timeout", WireSeconds), maybeDurationOf(func(s *telemetry.SessionOpened) *telemetry.Maybe[time.Duration] { return &s.Driver.ClientTimeout })},
	{"retry_max", "", "Retries of one request; negative is none.", ScopeLocal, Wire{}, countOf(func(s *telemetry.SessionOpened) *telemetry.Maybe[int64] { return &s.Driver.RetryMax })},
}

// SessionClosedFields is everything a SessionClosed says, in the order sinks show it.
var SessionClosedFields = []Field[telemetry.SessionClosed]{
	{"started", "RFC 3339", "When Close was called.", ScopeBoth, to(timestamp, WireInt64), timeOf(func(s *telemetry.SessionClosed) *time.Time { return &s.Started })},
	{"server", "", "Host and port of the workspace.", ScopeLocal, Wire{}, textOf(func(s *telemetry.SessionClosed) *string { return &s.Server })},
	{"connector", "", "Number of the connector in the process.", ScopeLocal, Wire{}, numberOf(func(s *telemetry.SessionClosed) *int64 { return &s.Connector })},
	{"session_id", "", "The server's id of the session.", ScopeBoth, to(driverLog+"session_id", WireUUID), textOf(func(s *telemetry.SessionClosed) *string { return &s.SessionID })},
	{"close_ms", "ms", "Time Close took.", ScopeBoth, to(driverLog+"operation_latency_ms", WireInt64), durationOf(func(s *telemetry.SessionClosed) *time.Duration { return &s.Latency })},
	{"retries", "", "HTTP attempts of CloseSession beyond the first.", ScopeBoth, to(operation+"retry_count", WireInt64), countOf(func(s *telemetry.SessionClosed) *telemetry.Maybe[int64] { return &s.Retries })},
	{"lifetime_ms", "ms", "From the end of Connect to the start of Close.", ScopeLocal, Wire{}, durationOf(func(s *telemetry.SessionClosed) *time.Duration { return &s.Lifetime })},
	{"statements", "", "Statements that ran on the connection.", ScopeLocal, Wire{}, integerOf(func(s *telemetry.SessionClosed) *int64 { return &s.Statements })},
	{"reused", "", "How often the pool handed the connection out again.", ScopeLocal, Wire{}, integerOf(func(s *telemetry.SessionClosed) *int64 { return &s.Reused })},
	{"abandoned", "", "Statements whose rows were still open.", ScopeLocal, Wire{}, integerOf(func(s *telemetry.SessionClosed) *int64 { return &s.Abandoned })},
	{"error_category", "", "Stable name for what went wrong.", ScopeBoth, errorName, within(sessionCloseFailureOf, categoryField)},
	{"error_message", "", "What telemetry_error_text keeps of the error's text.", ScopeLocal, Wire{}, within(sessionCloseFailureOf, messageField)},
}
