// Package registry lists every fact there is about a statement, a session, a call and a file:
// its name, its unit, its meaning, who may see it, and where the payload to Databricks has it.
// Logs, NDJSON, the documentation and the payload are written from these tables. What is not
// in them with the scope to leave cannot leave.
package registry

import (
	"encoding/hex"
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
// may see it, where the payload has it, and how to read it.
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
	// Value reads the field. The zero slog.Value means unknown: a sink leaves the key out.
	// Durations are of kind slog.KindDuration.
	Value func(*R) slog.Value
}

// StatementFields is everything a Statement says, in the order sinks show it.
var StatementFields = []Field[telemetry.Statement]{
	{"started", "RFC 3339", "When the application called the driver.", ScopeBoth, to(timestamp, WireInt64), func(s *telemetry.Statement) slog.Value { return slog.TimeValue(s.Started) }},
	{"server", "", "Host and port of the workspace.", ScopeLocal, Wire{}, func(s *telemetry.Statement) slog.Value { return text(s.Server) }},
	{"connector", "", "Number of the connector in the process.", ScopeLocal, Wire{}, func(s *telemetry.Statement) slog.Value { return number(s.Connector) }},
	{"trace_id", "", "Trace of the span around the call, in hex (W3C).", ScopeLocal, Wire{}, func(s *telemetry.Statement) slog.Value { return id(s.TraceID[:]) }},
	{"span_id", "", "That span.", ScopeLocal, Wire{}, func(s *telemetry.Statement) slog.Value { return id(s.SpanID[:]) }},
	{"session_id", "", "The server's id of the session.", ScopeBoth, to(driverLog+"session_id", WireUUID), func(s *telemetry.Statement) slog.Value { return text(s.SessionID) }},
	{"statement_id", "", "The server's id of the statement.", ScopeBoth, to(driverLog+"sql_statement_id", WireUUID), func(s *telemetry.Statement) slog.Value { return text(s.StatementID) }},
	{"query_text", "", "The statement's text, with telemetry_query_text only.", ScopeLocal, Wire{}, func(s *telemetry.Statement) slog.Value { return text(s.Query) }},
	{"kind", "", "QUERY, UPDATE or VOLUME.", ScopeBoth, oneOf(operation+"statement_type", telemetry.KindQuery, telemetry.KindUpdate, telemetry.KindVolume), func(s *telemetry.Statement) slog.Value { return text(s.Kind) }},
	{"volume_operation", "", "What a VOLUME statement did: PUT, GET or DELETE.", ScopeBoth, oneOf(driverLog+"vol_operation.volume_operation_type", telemetry.VolumePut, telemetry.VolumeGet, telemetry.VolumeDelete), func(s *telemetry.Statement) slog.Value { return text(s.Volume) }},
	{"internal", "bool", "The driver ran it for itself (Ping).", ScopeBoth, to(detail+"is_internal_call", WireBool), func(s *telemetry.Statement) slog.Value { return flag(s.Internal) }},
	{"prepared", "bool", "It ran through a prepared statement.", ScopeLocal, Wire{}, func(s *telemetry.Statement) slog.Value { return flag(s.Prepared) }},
	{"outcome", "", "completed, closed_early, failed, canceled or abandoned.", ScopeLocal, Wire{}, func(s *telemetry.Statement) slog.Value { return text(s.Outcome) }},
	{"error_category", "", "Stable name for what went wrong.", ScopeBoth, errorName, func(s *telemetry.Statement) slog.Value { return category(s.Failure) }},
	{"sqlstate", "", "Five-character code the server gave for the error.", ScopeLocal, Wire{}, func(s *telemetry.Statement) slog.Value { return sqlState(s.Failure) }},
	{"error_message", "", "What telemetry_error_text keeps of the error's text.", ScopeLocal, Wire{}, func(s *telemetry.Statement) slog.Value { return message(s.Failure) }},
	{"retryable", "bool", "The driver considers trying again worthwhile.", ScopeLocal, Wire{}, func(s *telemetry.Statement) slog.Value { return flag(s.Failure != nil && s.Failure.Retryable) }},
	{"close_error_category", "", "Stable name for what went wrong when the rows were closed.", ScopeLocal, Wire{}, func(s *telemetry.Statement) slog.Value { return category(s.CloseFailure) }},
	{"execute_ms", "ms", "From the call until results were ready or it failed.", ScopeBoth, to(driverLog+"operation_latency_ms", WireInt64), func(s *telemetry.Statement) slog.Value { return slog.DurationValue(s.Execute) }},
	{"first_row_ms", "ms", "From then until the application held the first row.", ScopeLocal, Wire{}, func(s *telemetry.Statement) slog.Value { return duration(s.FirstRow) }},
	{"consume_ms", "ms", "From the first row until the rows were exhausted or closed.", ScopeBoth, to(operation+"result_latency.result_set_consumption_latency_millis", WireInt64), func(s *telemetry.Statement) slog.Value { return duration(s.Consume) }},
	{"close_ms", "ms", "Closing the rows, the RPC included.", ScopeLocal, Wire{}, func(s *telemetry.Statement) slog.Value { return duration(s.Close) }},
	{"total_ms", "ms", "From the call until the statement was finished.", ScopeLocal, Wire{}, func(s *telemetry.Statement) slog.Value { return slog.DurationValue(s.Total) }},
	{"rows_read", "rows", "Rows handed to the application.", ScopeLocal, Wire{}, func(s *telemetry.Statement) slog.Value { return count(s.RowsRead) }},
	{"rows_affected", "rows", "Rows the statement changed, as the driver reports it for an Exec.", ScopeLocal, Wire{}, func(s *telemetry.Statement) slog.Value { return count(s.RowsAffected) }},

	{"workspace_id", "", "The workspace's number.", ScopeBoth, to("workspace_id", WireInt64), func(s *telemetry.Statement) slog.Value { return text(s.WorkspaceID) }},
	{"evidence", "", "How the facts about the result were learnt: wire or inferred.", ScopeLocal, Wire{}, func(s *telemetry.Statement) slog.Value { return text(s.Result.Evidence) }},
	{"result_format", "", "INLINE_ARROW, COLUMNAR_INLINE, INLINE_JSON or EXTERNAL_LINKS (CloudFetch).", ScopeLocal, Wire{}, func(s *telemetry.Statement) slog.Value { return text(s.Result.Format) }},
	{"compressed", "bool", "The server compressed the rows (LZ4).", ScopeBoth, to(operation+"is_compressed", WireBool), func(s *telemetry.Statement) slog.Value { return truth(s.Result.Compressed) }},
	{"cache", "", "What the result cache said: INELIGIBLE, LOCAL_HIT, REMOTE_HIT or MISS.", ScopeLocal, Wire{}, func(s *telemetry.Statement) slog.Value { return text(s.Result.Cache) }},
	{"uncompressed_bytes", "bytes", "Size of the rows the server announced.", ScopeLocal, Wire{}, func(s *telemetry.Statement) slog.Value { return count(s.Result.UncompressedBytes) }},
	{"compressed_bytes", "bytes", "Size after compression the server announced.", ScopeLocal, Wire{}, func(s *telemetry.Statement) slog.Value { return count(s.Result.CompressedBytes) }},
	{"direct_results", "bool", "Rows came with the answer to ExecuteStatement.", ScopeLocal, Wire{}, func(s *telemetry.Statement) slog.Value { return truth(s.Result.Direct) }},
	{"pages", "pages", "Result pages that arrived, direct results included.", ScopeLocal, Wire{}, func(s *telemetry.Statement) slog.Value { return count(s.Result.Pages) }},
	{"rows_delivered", "rows", "Rows in those pages, or in the files they named.", ScopeLocal, Wire{}, func(s *telemetry.Statement) slog.Value { return count(s.Result.Rows) }},
	{"polls", "calls", "Status calls.", ScopeBoth, to(detail+"n_operation_status_calls", WireInt32), func(s *telemetry.Statement) slog.Value {
		return when(s.Polling, func(p telemetry.Polling) slog.Value { return slog.Int64Value(p.Calls) })
	}},
	{"polling_ms", "ms", "Latency of the status calls, without the pauses between them.", ScopeBoth, to(detail+"operation_status_latency_millis", WireInt64), func(s *telemetry.Statement) slog.Value {
		return when(s.Polling, func(p telemetry.Polling) slog.Value { return slog.DurationValue(p.Latency) })
	}},

	{"files", "files", "CloudFetch files the server handed out.", ScopeBoth, to(chunks+"total_chunks_present", WireInt32), files(func(c *telemetry.CloudFetch) slog.Value { return slog.Int64Value(c.Present) })},
	{"files_downloaded", "files", "Files downloaded whole.", ScopeBoth, to(chunks+"total_chunks_iterated", WireInt32), files(func(c *telemetry.CloudFetch) slog.Value { return slog.Int64Value(c.Downloaded) })},
	{"files_failed", "files", "Files that could not be downloaded.", ScopeLocal, Wire{}, files(func(c *telemetry.CloudFetch) slog.Value { return slog.Int64Value(c.Failed) })},
	{"files_abandoned", "files", "Files not asked for, or given up, when the rows were closed.", ScopeLocal, Wire{}, files(func(c *telemetry.CloudFetch) slog.Value { return slog.Int64Value(c.Abandoned) })},
	{"file_bytes", "bytes", "Size of all files the server announced.", ScopeLocal, Wire{}, files(func(c *telemetry.CloudFetch) slog.Value { return slog.Int64Value(c.Bytes) })},
	{"file_bytes_received", "bytes", "Bytes downloaded, failed attempts included.", ScopeLocal, Wire{}, files(func(c *telemetry.CloudFetch) slog.Value { return slog.Int64Value(c.Received) })},
	{"file_retries", "", "HTTP requests beyond the first of each file.", ScopeLocal, Wire{}, files(func(c *telemetry.CloudFetch) slog.Value { return slog.Int64Value(c.Retries) })},
	{"first_file_ms", "ms", "Latency of the file that was complete first.", ScopeBoth, to(chunks+"initial_chunk_latency_millis", WireInt64), downloads(func(c *telemetry.CloudFetch) time.Duration { return c.First })},
	{"slowest_file_ms", "ms", "Latency of the slowest file.", ScopeBoth, to(chunks+"slowest_chunk_latency_millis", WireInt64), downloads(func(c *telemetry.CloudFetch) time.Duration { return c.Slowest })},
	{"sum_file_ms", "ms", "Latencies of all files, which overlap.", ScopeBoth, to(chunks+"sum_chunks_download_time_millis", WireInt64), downloads(func(c *telemetry.CloudFetch) time.Duration { return c.Sum })},
	{"failed_file", "index", "Lowest index of a file that failed, from 0.", ScopeBoth, to(operation+"chunk_id", WireInt64), files(func(c *telemetry.CloudFetch) slog.Value { return count(c.FailedIndex) })},
	{"failed_file_status", "HTTP status", "Status of its latest attempt.", ScopeLocal, Wire{}, files(func(c *telemetry.CloudFetch) slog.Value { return count(c.FailedStatus) })},

	{"rpcs", "calls", "Thrift calls made for the statement.", ScopeLocal, Wire{}, func(s *telemetry.Statement) slog.Value {
		return rpcs(s, func(r telemetry.RPC) int64 { return r.Calls })
	}},
	{"rpc_retries", "", "HTTP attempts beyond the first of each call.", ScopeBoth, to(operation+"retry_count", WireInt64), func(s *telemetry.Statement) slog.Value {
		return rpcs(s, func(r telemetry.RPC) int64 { return r.Retries })
	}},
	{"retried", "", "The same by method, where there were any.", ScopeLocal, Wire{}, retried},
	{"rpc_wait_ms", "ms", "Time between an attempt of a call that failed and the next.", ScopeLocal, Wire{}, func(s *telemetry.Statement) slog.Value { return duration(s.Split.Retries) }},
	{"bytes_out", "bytes", "Request bodies of the calls.", ScopeLocal, Wire{}, func(s *telemetry.Statement) slog.Value {
		return rpcs(s, func(r telemetry.RPC) int64 { return r.BytesOut })
	}},
	{"bytes_in", "bytes", "Response bodies of the calls; files are not in it.", ScopeLocal, Wire{}, func(s *telemetry.Statement) slog.Value {
		return rpcs(s, func(r telemetry.RPC) int64 { return r.BytesIn })
	}},

	{"server_ms", "ms", "Time the server says it worked on the statement.", ScopeLocal, Wire{}, func(s *telemetry.Statement) slog.Value { return duration(s.Split.Server) }},
	{"poll_wait_ms", "ms", "Time from then until a status call noticed.", ScopeLocal, Wire{}, func(s *telemetry.Statement) slog.Value { return duration(s.Split.PollWait) }},
	{"page_wait_ms", "ms", "Time in calls that fetch pages.", ScopeLocal, Wire{}, func(s *telemetry.Statement) slog.Value { return duration(s.Split.Pages) }},
	{"file_wait_ms", "ms", "Time the reader waited for files, beyond that.", ScopeLocal, Wire{}, func(s *telemetry.Statement) slog.Value { return duration(s.Split.Files) }},
	{"reading_ms", "ms", "Rest of the time rows were read: decoding and the application's own.", ScopeLocal, Wire{}, func(s *telemetry.Statement) slog.Value { return duration(s.Split.Reading) }},
}

// SessionOpenedFields is everything a SessionOpened says, in the order sinks show it.
var SessionOpenedFields = []Field[telemetry.SessionOpened]{
	{"started", "RFC 3339", "When the pool asked for the connection.", ScopeBoth, to(timestamp, WireInt64).anonymous(), func(s *telemetry.SessionOpened) slog.Value { return slog.TimeValue(s.Started) }},
	{"server", "", "Host and port of the workspace.", ScopeLocal, Wire{}, func(s *telemetry.SessionOpened) slog.Value { return text(s.Server) }},
	{"connector", "", "Number of the connector in the process.", ScopeLocal, Wire{}, func(s *telemetry.SessionOpened) slog.Value { return number(s.Connector) }},
	{"session_id", "", "The server's id of the session, where it is known this early.", ScopeBoth, to(driverLog+"session_id", WireUUID), func(s *telemetry.SessionOpened) slog.Value { return text(s.SessionID) }},
	{"workspace_id", "", "The workspace's number.", ScopeBoth, to("workspace_id", WireInt64), func(s *telemetry.SessionOpened) slog.Value { return text(s.WorkspaceID) }},
	{"open_ms", "ms", "Time Connect took.", ScopeBoth, to(driverLog+"operation_latency_ms", WireInt64).anonymous(), func(s *telemetry.SessionOpened) slog.Value { return slog.DurationValue(s.Latency) }},
	{"retries", "", "HTTP attempts of OpenSession beyond the first.", ScopeBoth, to(operation+"retry_count", WireInt64).anonymous(), func(s *telemetry.SessionOpened) slog.Value { return count(s.Retries) }},
	{"error_category", "", "Stable name for what went wrong.", ScopeBoth, errorName.anonymous(), func(s *telemetry.SessionOpened) slog.Value { return category(s.Failure) }},
	{"error_message", "", "What telemetry_error_text keeps of the error's text.", ScopeLocal, Wire{}, func(s *telemetry.SessionOpened) slog.Value { return message(s.Failure) }},
	{"driver_version", "", "Version of databricks-sql-go.", ScopeBoth, to(system+"driver_version", WireVersion), func(s *telemetry.SessionOpened) slog.Value { return text(s.Driver.Version) }},
	{"auth_mech", "", "PAT, OAUTH or OTHER.", ScopeBoth, oneOf(params+"auth_mech", "PAT", "OAUTH", "OTHER"), func(s *telemetry.SessionOpened) slog.Value { return text(s.Driver.AuthMech) }},
	{"auth_flow", "", "TOKEN_PASSTHROUGH, CLIENT_CREDENTIALS or BROWSER_BASED_AUTHENTICATION.", ScopeBoth, oneOf(params+"auth_flow", "TOKEN_PASSTHROUGH", "CLIENT_CREDENTIALS", "BROWSER_BASED_AUTHENTICATION"), func(s *telemetry.SessionOpened) slog.Value { return text(s.Driver.AuthFlow) }},
	{"cloud_fetch", "bool", "The client offers to download results.", ScopeLocal, Wire{}, func(s *telemetry.SessionOpened) slog.Value { return truth(s.Driver.CloudFetch) }},
	{"arrow", "bool", "The client offers to read Arrow.", ScopeBoth, to(params+"enable_arrow", WireBool), func(s *telemetry.SessionOpened) slog.Value { return truth(s.Driver.Arrow) }},
	{"lz4", "bool", "The client offers to decompress LZ4.", ScopeLocal, Wire{}, func(s *telemetry.SessionOpened) slog.Value { return truth(s.Driver.LZ4) }},
	{"max_rows", "rows", "Rows asked for per page.", ScopeBoth, to(params+"rows_fetched_per_block", WireInt32), func(s *telemetry.SessionOpened) slog.Value { return count(s.Driver.MaxRows) }},
	{"download_threads", "", "CloudFetch files fetched at once.", ScopeLocal, Wire{}, func(s *telemetry.SessionOpened) slog.Value { return count(s.Driver.DownloadThreads) }},
	{"query_timeout_ms", "ms", "Server-side limit of a statement; 0 is none.", ScopeLocal, Wire{}, func(s *telemetry.SessionOpened) slog.Value { return duration(s.Driver.QueryTimeout) }},
	{"poll_interval_ms", "ms", "Pause between two status calls.", ScopeBoth, to(params+"async_poll_interval_millis", WireInt32), func(s *telemetry.SessionOpened) slog.Value { return duration(s.Driver.PollInterval) }},
	{"client_timeout_ms", "ms", "Bound on one HTTP request.", ScopeBoth, to(params+"socket_timeout", WireSeconds), func(s *telemetry.SessionOpened) slog.Value { return duration(s.Driver.ClientTimeout) }},
	{"retry_max", "", "Retries of one request; negative is none.", ScopeLocal, Wire{}, func(s *telemetry.SessionOpened) slog.Value { return count(s.Driver.RetryMax) }},
}

// SessionClosedFields is everything a SessionClosed says, in the order sinks show it.
var SessionClosedFields = []Field[telemetry.SessionClosed]{
	{"started", "RFC 3339", "When Close was called.", ScopeBoth, to(timestamp, WireInt64), func(s *telemetry.SessionClosed) slog.Value { return slog.TimeValue(s.Started) }},
	{"server", "", "Host and port of the workspace.", ScopeLocal, Wire{}, func(s *telemetry.SessionClosed) slog.Value { return text(s.Server) }},
	{"connector", "", "Number of the connector in the process.", ScopeLocal, Wire{}, func(s *telemetry.SessionClosed) slog.Value { return number(s.Connector) }},
	{"session_id", "", "The server's id of the session.", ScopeBoth, to(driverLog+"session_id", WireUUID), func(s *telemetry.SessionClosed) slog.Value { return text(s.SessionID) }},
	{"close_ms", "ms", "Time Close took.", ScopeBoth, to(driverLog+"operation_latency_ms", WireInt64), func(s *telemetry.SessionClosed) slog.Value { return slog.DurationValue(s.Latency) }},
	{"retries", "", "HTTP attempts of CloseSession beyond the first.", ScopeBoth, to(operation+"retry_count", WireInt64), func(s *telemetry.SessionClosed) slog.Value { return count(s.Retries) }},
	{"lifetime_ms", "ms", "From the end of Connect to the start of Close.", ScopeLocal, Wire{}, func(s *telemetry.SessionClosed) slog.Value { return slog.DurationValue(s.Lifetime) }},
	{"statements", "", "Statements that ran on the connection.", ScopeLocal, Wire{}, func(s *telemetry.SessionClosed) slog.Value { return slog.Int64Value(s.Statements) }},
	{"reused", "", "How often the pool handed the connection out again.", ScopeLocal, Wire{}, func(s *telemetry.SessionClosed) slog.Value { return slog.Int64Value(s.Reused) }},
	{"abandoned", "", "Statements whose rows were still open.", ScopeLocal, Wire{}, func(s *telemetry.SessionClosed) slog.Value { return slog.Int64Value(s.Abandoned) }},
	{"error_category", "", "Stable name for what went wrong.", ScopeBoth, errorName, func(s *telemetry.SessionClosed) slog.Value { return category(s.Failure) }},
	{"error_message", "", "What telemetry_error_text keeps of the error's text.", ScopeLocal, Wire{}, func(s *telemetry.SessionClosed) slog.Value { return message(s.Failure) }},
}

// The readers below turn what is unknown, or false and therefore not worth a key, into the
// zero Value.

func text[S ~string](s S) slog.Value {
	if s == "" {
		return slog.Value{}
	}
	return slog.StringValue(string(s))
}

// id is written in hex, as trace context is; all zero is none.
func id(b []byte) slog.Value {
	for _, x := range b {
		if x != 0 {
			return slog.StringValue(hex.EncodeToString(b))
		}
	}
	return slog.Value{}
}

// number leaves out a zero that says nothing.
func number(n int64) slog.Value {
	if n == 0 {
		return slog.Value{}
	}
	return slog.Int64Value(n)
}

func flag(b bool) slog.Value {
	if !b {
		return slog.Value{}
	}
	return slog.BoolValue(true)
}

func truth(b telemetry.Maybe[bool]) slog.Value {
	if v, ok := b.Get(); ok {
		return slog.BoolValue(v)
	}
	return slog.Value{}
}

func count(n telemetry.Maybe[int64]) slog.Value {
	if v, ok := n.Get(); ok {
		return slog.Int64Value(v)
	}
	return slog.Value{}
}

func duration(d telemetry.Maybe[time.Duration]) slog.Value {
	if v, ok := d.Get(); ok {
		return slog.DurationValue(v)
	}
	return slog.Value{}
}

func when[T any](m telemetry.Maybe[T], read func(T) slog.Value) slog.Value {
	if v, ok := m.Get(); ok {
		return read(v)
	}
	return slog.Value{}
}

func files(read func(*telemetry.CloudFetch) slog.Value) func(*telemetry.Statement) slog.Value {
	return func(s *telemetry.Statement) slog.Value {
		if s.CloudFetch == nil {
			return slog.Value{}
		}
		return read(s.CloudFetch)
	}
}

// downloads reads a latency of downloaded files; there is none until one was.
func downloads(read func(*telemetry.CloudFetch) time.Duration) func(*telemetry.Statement) slog.Value {
	return files(func(c *telemetry.CloudFetch) slog.Value {
		if c.Downloaded == 0 {
			return slog.Value{}
		}
		return slog.DurationValue(read(c))
	})
}

func rpcs(s *telemetry.Statement, read func(telemetry.RPC) int64) slog.Value {
	if s.RPCs == nil {
		return slog.Value{}
	}
	var sum int64
	for _, r := range s.RPCs {
		sum += read(r)
	}
	return slog.Int64Value(sum)
}

func retried(s *telemetry.Statement) slog.Value {
	var by []slog.Attr
	for _, r := range s.RPCs {
		if r.Retries > 0 {
			by = append(by, slog.Int64(r.Method, r.Retries))
		}
	}
	if by == nil {
		return slog.Value{}
	}
	return slog.GroupValue(by...)
}

func category(f *telemetry.Failure) slog.Value {
	if f == nil {
		return slog.Value{}
	}
	return text(f.Category)
}

func message(f *telemetry.Failure) slog.Value {
	if f == nil {
		return slog.Value{}
	}
	return text(f.Message)
}

func sqlState(f *telemetry.Failure) slog.Value {
	if f == nil {
		return slog.Value{}
	}
	return text(f.SQLState)
}
