package registry

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"slices"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// StatementFields is everything a Statement says, in the order sinks show it.
var StatementFields = []Field[telemetry.Statement]{
	{"started", "RFC 3339", "When the application called the driver.", ScopeBoth, to(timestamp, TypeInt64), timeOf(func(s *telemetry.Statement) *time.Time { return &s.Started })},
	{"server", "", "Host and port of the workspace.", ScopeLocal, Payload{}, stringOf(func(s *telemetry.Statement) *string { return &s.Server })},
	{"connector", "", "Number of the connector in the process.", ScopeLocal, Payload{}, nonZeroOf(func(s *telemetry.Statement) *int64 { return &s.Connector })},
	{"trace_id", "", "Trace of the span around the call, in hex (W3C).", ScopeLocal, Payload{}, hexOf(func(s *telemetry.Statement) []byte { return s.TraceID[:] })},
	{"span_id", "", "The span around the call, in hex (W3C).", ScopeLocal, Payload{}, hexOf(func(s *telemetry.Statement) []byte { return s.SpanID[:] })},
	{"session_id", "", "The server's id of the session.", ScopeBoth, to(driverLog+"session_id", TypeUUID), stringOf(func(s *telemetry.Statement) *string { return &s.SessionID })},
	{"statement_id", "", "The server's id of the statement.", ScopeBoth, to(driverLog+"sql_statement_id", TypeUUID), stringOf(func(s *telemetry.Statement) *string { return &s.StatementID })},
	{"query_profile", "", "Address of the statement's query profile in the workspace.", ScopeLocal, Payload{}, readOnly(func(s *telemetry.Statement) slog.Value { return text(s.ProfileURL()) })},
	{"warehouse_id", "", "The SQL warehouse's id, from the HTTP path.", ScopeLocal, Payload{}, stringOf(func(s *telemetry.Statement) *string { return &s.WarehouseID })},
	{"initial_catalog", "", "Catalog the session began in, as the server answered; USE changes it unseen.", ScopeLocal, Payload{}, stringOf(func(s *telemetry.Statement) *string { return &s.InitialCatalog })},
	{"initial_schema", "", "Schema the session began in, as the server answered; USE changes it unseen.", ScopeLocal, Payload{}, stringOf(func(s *telemetry.Statement) *string { return &s.InitialSchema })},
	{"correlation_id", "", "Correlation id of the call's context (package driverctx).", ScopeLocal, Payload{}, stringOf(func(s *telemetry.Statement) *string { return &s.CorrelationID })},
	{"query_tags", "", "Query tags that were sent with the statement.", ScopeLocal, Payload{}, tagsOf(func(s *telemetry.Statement) *map[string]string { return &s.QueryTags })},
	{"attributes", "", "The application's own attributes of the call's context (telemetry.WithAttributes).", ScopeLocal, Payload{}, attributesOf(func(s *telemetry.Statement) *[]slog.Attr { return &s.Attributes })},
	{"query_text", "", "The statement's text, with telemetry_query_text only.", ScopeLocal, Payload{}, stringOf(func(s *telemetry.Statement) *string { return &s.Query })},
	{"query_shape", "", "Hash of the text without literals and comments, the same in every process.", ScopeLocal, Payload{}, stringOf(func(s *telemetry.Statement) *string { return &s.Shape })},
	{"kind", "", "QUERY, UPDATE or VOLUME.", ScopeBoth, oneOf(operation+"statement_type", telemetry.KindQuery, telemetry.KindUpdate, telemetry.KindVolume), stringOf(func(s *telemetry.Statement) *telemetry.Kind { return &s.Kind })},
	{"volume_operation", "", "What a VOLUME statement did: PUT, GET or DELETE.", ScopeBoth, oneOf(driverLog+"vol_operation.volume_operation_type", "PUT", "GET", "DELETE"), stringOf(func(s *telemetry.Statement) *string { return &s.Volume })},
	{"internal", "bool", "The driver ran it for itself (Ping).", ScopeBoth, to(detail+"is_internal_call", TypeBool), boolOf(func(s *telemetry.Statement) *bool { return &s.Internal })},
	{"prepared", "bool", "It ran through a prepared statement.", ScopeLocal, Payload{}, boolOf(func(s *telemetry.Statement) *bool { return &s.Prepared })},
	{"outcome", "", "completed, closed_early, failed, canceled or abandoned.", ScopeLocal, Payload{}, stringOf(func(s *telemetry.Statement) *telemetry.Outcome { return &s.Outcome })},
	{"error_category", "", "Stable name for what went wrong.", ScopeBoth, errorName, partOf(failureOf, categoryField)},
	{"sqlstate", "", "Five-character code the server gave for the error.", ScopeLocal, Payload{}, partOf(failureOf, sqlStateField)},
	{"error_message", "", "What telemetry_error_text keeps of the error's text.", ScopeLocal, Payload{}, partOf(failureOf, messageField)},
	{"retryable", "bool", "The driver considers trying again worthwhile.", ScopeLocal, Payload{}, partOf(failureOf, boolOf(func(f *telemetry.Failure) *bool { return &f.Retryable }))},
	{"close_error_category", "", "Stable name for what went wrong when the rows were closed.", ScopeLocal, Payload{}, partOf(closeFailureOf, categoryField)},
	{"execute_ms", "ms", "From the call until results were ready or it failed.", ScopeBoth, to(driverLog+"operation_latency_ms", TypeInt64), durationOf(func(s *telemetry.Statement) *time.Duration { return &s.Execute })},
	{"first_row_ms", "ms", "From the end of execute_ms until the application had the first row.", ScopeLocal, Payload{}, maybeDurationOf(func(s *telemetry.Statement) *telemetry.Maybe[time.Duration] { return &s.FirstRow })},
	{"consume_ms", "ms", "From the first row until the rows were exhausted or closed.", ScopeBoth, to(operation+"result_latency.result_set_consumption_latency_millis", TypeInt64), maybeDurationOf(func(s *telemetry.Statement) *telemetry.Maybe[time.Duration] { return &s.Consume })},
	{"close_ms", "ms", "Closing the rows, the RPC included.", ScopeLocal, Payload{}, maybeDurationOf(func(s *telemetry.Statement) *telemetry.Maybe[time.Duration] { return &s.Close })},
	{"total_ms", "ms", "From the call until the statement was finished.", ScopeLocal, Payload{}, durationOf(func(s *telemetry.Statement) *time.Duration { return &s.Total })},
	{"rows_read", "rows", "Rows the application read.", ScopeLocal, Payload{}, maybeIntOf(func(s *telemetry.Statement) *telemetry.Maybe[int64] { return &s.RowsRead })},
	{"rows_read_evidence", "", "wire where rows_read is the rows that arrived, because Arrow streams are not decoded.", ScopeLocal, Payload{}, stringOf(func(s *telemetry.Statement) *telemetry.Evidence { return &s.RowsEvidence })},
	{"rows_affected", "rows", "Rows the statement changed, as the driver reports it for an Exec.", ScopeLocal, Payload{}, maybeIntOf(func(s *telemetry.Statement) *telemetry.Maybe[int64] { return &s.RowsAffected })},

	{"workspace_id", "", "The workspace's number.", ScopeBoth, to("workspace_id", TypeInt64), stringOf(func(s *telemetry.Statement) *string { return &s.WorkspaceID })},
	{"evidence", "", "How the facts about the result are known: wire or inferred.", ScopeLocal, Payload{}, stringOf(func(s *telemetry.Statement) *telemetry.Evidence { return &s.Result.Evidence })},
	{"result_format", "", "INLINE_ARROW, COLUMNAR_INLINE, INLINE_JSON or EXTERNAL_LINKS (CloudFetch).", ScopeLocal, Payload{}, stringOf(func(s *telemetry.Statement) *telemetry.ResultFormat { return &s.Result.Format })},
	{"compressed", "bool", "The server compressed the rows (LZ4).", ScopeBoth, to(operation+"is_compressed", TypeBool), maybeBoolOf(func(s *telemetry.Statement) *telemetry.Maybe[bool] { return &s.Result.Compressed })},
	{"cache", "", "What the result cache said: INELIGIBLE, LOCAL_HIT, REMOTE_HIT or MISS.", ScopeLocal, Payload{}, stringOf(func(s *telemetry.Statement) *string { return &s.Result.Cache })},
	{"uncompressed_bytes", "bytes", "Size of the rows the server announced.", ScopeLocal, Payload{}, maybeIntOf(func(s *telemetry.Statement) *telemetry.Maybe[int64] { return &s.Result.UncompressedBytes })},
	{"compressed_bytes", "bytes", "Size after compression the server announced.", ScopeLocal, Payload{}, maybeIntOf(func(s *telemetry.Statement) *telemetry.Maybe[int64] { return &s.Result.CompressedBytes })},
	{"direct_results", "bool", "Rows came with the answer to ExecuteStatement.", ScopeLocal, Payload{}, maybeBoolOf(func(s *telemetry.Statement) *telemetry.Maybe[bool] { return &s.Result.Direct })},
	{"pages", "pages", "Result pages that arrived, direct results included.", ScopeLocal, Payload{}, maybeIntOf(func(s *telemetry.Statement) *telemetry.Maybe[int64] { return &s.Result.Pages })},
	{"rows_delivered", "rows", "Rows in those pages, or in the files they named.", ScopeLocal, Payload{}, maybeIntOf(func(s *telemetry.Statement) *telemetry.Maybe[int64] { return &s.Result.Rows })},
	{"polls", "calls", "Status calls.", ScopeBoth, to(detail+"n_operation_status_calls", TypeInt32), pollCalls},
	{"polling_ms", "ms", "Latency of the status calls, without the pauses between them.", ScopeBoth, to(detail+"operation_status_latency_millis", TypeInt64), pollLatency},

	{"files", "files", "CloudFetch files the server sent links to.", ScopeBoth, to(chunks+"total_chunks_present", TypeInt32), partOf(cloudFetch, intOf(func(c *telemetry.CloudFetch) *int64 { return &c.Present }))},
	{"files_downloaded", "files", "Files downloaded completely.", ScopeBoth, to(chunks+"total_chunks_iterated", TypeInt32), partOf(cloudFetch, intOf(func(c *telemetry.CloudFetch) *int64 { return &c.Downloaded }))},
	{"files_failed", "files", "Files that could not be downloaded.", ScopeLocal, Payload{}, partOf(cloudFetch, intOf(func(c *telemetry.CloudFetch) *int64 { return &c.Failed }))},
	{"files_abandoned", "files", "Files not requested, or not complete, when the rows were closed.", ScopeLocal, Payload{}, partOf(cloudFetch, intOf(func(c *telemetry.CloudFetch) *int64 { return &c.Abandoned }))},
	{"file_bytes", "bytes", "Size of all files the server announced.", ScopeLocal, Payload{}, partOf(cloudFetch, intOf(func(c *telemetry.CloudFetch) *int64 { return &c.Bytes }))},
	{"file_bytes_received", "bytes", "Bytes downloaded, failed attempts included.", ScopeLocal, Payload{}, partOf(cloudFetch, intOf(func(c *telemetry.CloudFetch) *int64 { return &c.Received }))},
	{"file_retries", "", "HTTP requests beyond the first of each file.", ScopeLocal, Payload{}, partOf(cloudFetch, intOf(func(c *telemetry.CloudFetch) *int64 { return &c.Retries }))},
	{"files_retried", "files", "Files that needed more than one request.", ScopeLocal, Payload{}, partOf(cloudFetch, nonZeroOf(func(c *telemetry.CloudFetch) *int64 { return &c.Retried }))},
	{"most_attempts", "", "Requests for the file that needed the most.", ScopeLocal, Payload{}, partOf(cloudFetch, nonZeroOf(func(c *telemetry.CloudFetch) *int64 { return &c.MostAttempts }))},
	{"retry_status", "HTTP status", "Of the latest request for a file that failed, where an answer came.", ScopeLocal, Payload{}, partOf(cloudFetch, nonZeroOf(func(c *telemetry.CloudFetch) *int { return &c.RetryStatus }))},
	{"first_file_ms", "ms", "Latency of the file that was complete first.", ScopeBoth, to(chunks+"initial_chunk_latency_millis", TypeInt64), partOf(cloudFetch, downloadLatency(func(c *telemetry.CloudFetch) *time.Duration { return &c.First }))},
	{"slowest_file_ms", "ms", "Latency of the slowest file.", ScopeBoth, to(chunks+"slowest_chunk_latency_millis", TypeInt64), partOf(cloudFetch, downloadLatency(func(c *telemetry.CloudFetch) *time.Duration { return &c.Slowest }))},
	{"sum_file_ms", "ms", "Latencies of all files, which overlap.", ScopeBoth, to(chunks+"sum_chunks_download_time_millis", TypeInt64), partOf(cloudFetch, downloadLatency(func(c *telemetry.CloudFetch) *time.Duration { return &c.Sum }))},
	{"failed_file", "index", "Lowest index of a file that failed, from 0.", ScopeBoth, to(operation+"chunk_id", TypeInt64), partOf(cloudFetch, maybeIntOf(func(c *telemetry.CloudFetch) *telemetry.Maybe[int64] { return &c.FailedIndex }))},
	{"failed_file_status", "HTTP status", "Status of its latest attempt.", ScopeLocal, Payload{}, partOf(cloudFetch, maybeIntOf(func(c *telemetry.CloudFetch) *telemetry.Maybe[int64] { return &c.FailedStatus }))},

	{"rpcs", "calls", "Thrift calls made for the statement.", ScopeLocal, Payload{}, sumOf(func(r *telemetry.RPC) *int64 { return &r.Calls })},
	{"rpc_retries", "", "HTTP attempts beyond the first of each call.", ScopeLocal, Payload{}, readOnly(sumOf(func(r *telemetry.RPC) *int64 { return &r.Retries }).Value)}, // the field retried has them
	{"retried", "", "rpc_retries by method, where there were any.", ScopeLocal, Payload{}, access[telemetry.Statement]{retriesByMethod, setRetriesByMethod}},
	{"rpc_wait_ms", "ms", "Time between an attempt of a call that failed and the next.", ScopeLocal, Payload{}, waitOf(func(r *telemetry.RPC) *time.Duration { return &r.Backoff })},
	{"bytes_out", "bytes", "Request bodies of the calls.", ScopeLocal, Payload{}, sumOf(func(r *telemetry.RPC) *int64 { return &r.BytesOut })},
	{"bytes_in", "bytes", "Response bodies of the calls; files are not in it.", ScopeLocal, Payload{}, sumOf(func(r *telemetry.RPC) *int64 { return &r.BytesIn })},

	{"state", "", "Last state of the statement that the server told.", ScopeLocal, Payload{}, stringOf(func(s *telemetry.Statement) *string { return &s.State })},
	{"server_reported_ms", "ms", "How long the server says it worked on the statement.", ScopeLocal, Payload{}, maybeDurationOf(func(s *telemetry.Statement) *telemetry.Maybe[time.Duration] { return &s.ServerTime })},
	{"poll_unseen_ms", "ms", "Time before a status call found the statement over in which it may have ended.", ScopeLocal, Payload{}, pollUnseen},
	{"time_server_ms", "ms", "Waiting for the server, as the wire shows it; as the server says it where server_reported_ms is known.", ScopeLocal, Payload{}, partTime(telemetry.PartServer)},
	{"time_poll_ms", "ms", "The server had finished, and the next status call had not noticed.", ScopeLocal, Payload{}, partTime(telemetry.PartPoll)},
	{"time_retry_ms", "ms", "Requests that failed and were repeated, and the pauses between.", ScopeLocal, Payload{}, partTime(telemetry.PartRetry)},
	{"time_page_ms", "ms", "Waiting for a result page, or for what describes the result.", ScopeLocal, Payload{}, partTime(telemetry.PartPage)},
	{"time_file_ms", "ms", "Waiting for the CloudFetch file that the next row is in.", ScopeLocal, Payload{}, partTime(telemetry.PartFile)},
	{"time_transfer_ms", "ms", "A volume file went up or down.", ScopeLocal, Payload{}, partTime(telemetry.PartTransfer)},
	{"time_decode_ms", "ms", "The driver turned bytes into rows, where that is seen without a clock reading per row.", ScopeLocal, Payload{}, partTime(telemetry.PartDecode)},
	{"time_application_ms", "ms", "The application had control; the driver's decoding of single rows is in it.", ScopeLocal, Payload{}, partTime(telemetry.PartApplication)},
	{"time_close_ms", "ms", "The statement was canceled or closed.", ScopeLocal, Payload{}, partTime(telemetry.PartClose)},
	{"time_network_ms", "ms", "None of the others, where they are known: the network, and the driver.", ScopeLocal, Payload{}, partTime(telemetry.PartNetwork)},
	{"time_unknown_ms", "ms", "What the statement waited for was not observed.", ScopeLocal, Payload{}, partTime(telemetry.PartUnknown)},
	{"application_before_ms", "ms", "From the end of the call until rows were asked for or closed. Part of time_application_ms.", ScopeLocal, Payload{}, nonZeroDurationOf(func(s *telemetry.Statement) *time.Duration { return &s.Application.Before })},
	{"application_between_ms", "ms", "Between the driver's calls that read rows. Part of time_application_ms.", ScopeLocal, Payload{}, nonZeroDurationOf(func(s *telemetry.Statement) *time.Duration { return &s.Application.Between })},
	{"application_after_ms", "ms", "From the end of the rows until they were closed. Part of time_application_ms.", ScopeLocal, Payload{}, nonZeroDurationOf(func(s *telemetry.Statement) *time.Duration { return &s.Application.After })},
}

// RPCFields is everything an RPC says. Sinks that list RPCs do so under "rpcs_by_method".
var RPCFields = []Field[telemetry.RPC]{
	{"method", "", "Thrift method, such as ExecuteStatement.", ScopeLocal, Payload{}, stringOf(func(r *telemetry.RPC) *string { return &r.Method })},
	{"calls", "calls", "Calls of it.", ScopeLocal, Payload{}, intOf(func(r *telemetry.RPC) *int64 { return &r.Calls })},
	{"retries", "", "HTTP attempts beyond the first of each call.", ScopeLocal, Payload{}, nonZeroOf(func(r *telemetry.RPC) *int64 { return &r.Retries })},
	{"latency_ms", "ms", "Time of all attempts, without the pauses between them.", ScopeLocal, Payload{}, durationOf(func(r *telemetry.RPC) *time.Duration { return &r.Latency })},
	{"slowest_ms", "ms", "Time of the slowest call, its retries and the pauses between them included.", ScopeLocal, Payload{}, durationOf(func(r *telemetry.RPC) *time.Duration { return &r.Slowest })},
	{"backoff_ms", "ms", "Pauses between an attempt that failed and the next.", ScopeLocal, Payload{}, nonZeroDurationOf(func(r *telemetry.RPC) *time.Duration { return &r.Backoff })},
	{"connecting_ms", "ms", "Time in which a network connection was opened for these calls.", ScopeLocal, Payload{}, nonZeroDurationOf(func(r *telemetry.RPC) *time.Duration { return &r.Connecting })},
	{"bytes_out", "bytes", "Request bodies.", ScopeLocal, Payload{}, intOf(func(r *telemetry.RPC) *int64 { return &r.BytesOut })},
	{"bytes_in", "bytes", "Response bodies.", ScopeLocal, Payload{}, intOf(func(r *telemetry.RPC) *int64 { return &r.BytesIn })},
	{"last_status", "HTTP status", "Of the latest attempt, where an answer came.", ScopeLocal, Payload{}, nonZeroOf(func(r *telemetry.RPC) *int { return &r.LastStatus })},
	{"failed_status", "HTTP status", "Of the latest attempt that failed, where an answer came.", ScopeLocal, Payload{}, nonZeroOf(func(r *telemetry.RPC) *int { return &r.FailedStatus })},
}

// CallFields is everything a Call says but its attempts. Sinks that list calls do so under "calls".
var CallFields = []Field[telemetry.Call]{
	{"method", "", "Thrift method, such as ExecuteStatement.", ScopeLocal, Payload{}, stringOf(func(c *telemetry.Call) *string { return &c.Method })},
	{"start_ms", "ms", "When its first attempt began.", ScopeLocal, Payload{}, durationOf(func(c *telemetry.Call) *time.Duration { return &c.Start })},
	{"first_byte_ms", "ms", "When the answer to the latest attempt began.", ScopeLocal, Payload{}, maybeDurationOf(func(c *telemetry.Call) *telemetry.Maybe[time.Duration] { return &c.FirstByte })},
	{"latest_ms", "ms", "When the latest attempt began.", ScopeLocal, Payload{}, nonZeroDurationOf(func(c *telemetry.Call) *time.Duration { return &c.Latest })},
	{"end_ms", "ms", "When its answer was complete, or it failed.", ScopeLocal, Payload{}, maybeDurationOf(func(c *telemetry.Call) *telemetry.Maybe[time.Duration] { return &c.End })},
	{"status", "HTTP status", "Of the latest attempt, where an answer came.", ScopeLocal, Payload{}, nonZeroOf(func(c *telemetry.Call) *int { return &c.Status })},
	{"failed", "bool", "The latest attempt ended without an answer that the driver can use.", ScopeLocal, Payload{}, boolOf(func(c *telemetry.Call) *bool { return &c.Failed })},
	{"attempts", "", "HTTP attempts.", ScopeLocal, Payload{}, nonZeroOf(func(c *telemetry.Call) *int64 { return &c.Attempts })},
	{"request_id", "", "The server's x-request-id of the latest attempt, where the call failed, was repeated or took a second or longer.", ScopeLocal, Payload{}, stringOf(func(c *telemetry.Call) *string { return &c.RequestID })},
	{"rows", "rows", "Rows in the page that came with it.", ScopeLocal, Payload{}, maybeIntOf(func(c *telemetry.Call) *telemetry.Maybe[int64] { return &c.Rows })},
	{"files", "files", "CloudFetch links in the page.", ScopeLocal, Payload{}, nonZeroOf(func(c *telemetry.Call) *int64 { return &c.Files })},
}

// AttemptFields is everything an Attempt says. Sinks that list the repeated attempts of a call or
// file do so under "retried".
var AttemptFields = []Field[telemetry.Attempt]{
	{"start_ms", "ms", "When it began.", ScopeLocal, Payload{}, durationOf(func(a *telemetry.Attempt) *time.Duration { return &a.Start })},
	{"end_ms", "ms", "When it failed.", ScopeLocal, Payload{}, durationOf(func(a *telemetry.Attempt) *time.Duration { return &a.End })},
	{"status", "HTTP status", "Its status, where an answer came.", ScopeLocal, Payload{}, nonZeroOf(func(a *telemetry.Attempt) *int { return &a.Status })},
	{"request_id", "", "The server's x-request-id, of a Thrift call.", ScopeLocal, Payload{}, stringOf(func(a *telemetry.Attempt) *string { return &a.RequestID })},
}

// FileFields is everything a File says but its attempts. Sinks that list files do so under "file_list".
var FileFields = []Field[telemetry.File]{
	{"index", "", "Position in the result, from 0.", ScopeLocal, Payload{}, intOf(func(f *telemetry.File) *int64 { return &f.Index })},
	{"state", "", "DOWNLOADED, FAILED or ABANDONED.", ScopeLocal, Payload{}, stringOf(func(f *telemetry.File) *string { return &f.State })},
	{"rows", "rows", "Rows the server announced.", ScopeLocal, Payload{}, intOf(func(f *telemetry.File) *int64 { return &f.Rows })},
	{"bytes", "bytes", "Size the server announced.", ScopeLocal, Payload{}, intOf(func(f *telemetry.File) *int64 { return &f.Bytes })},
	{"received", "bytes", "Bytes of the latest attempt.", ScopeLocal, Payload{}, intOf(func(f *telemetry.File) *int64 { return &f.Received })},
	{"attempts", "", "HTTP requests for it.", ScopeLocal, Payload{}, intOf(func(f *telemetry.File) *int64 { return &f.Attempts })},
	{"status", "HTTP status", "Of the latest attempt that failed.", ScopeLocal, Payload{}, nonZeroOf(func(f *telemetry.File) *int { return &f.Status })},
	{"queued_ms", "ms", "When its link arrived.", ScopeLocal, Payload{}, maybeDurationOf(func(f *telemetry.File) *telemetry.Maybe[time.Duration] { return &f.Queued })},
	{"start_ms", "ms", "When it was first requested.", ScopeLocal, Payload{}, maybeDurationOf(func(f *telemetry.File) *telemetry.Maybe[time.Duration] { return &f.Start })},
	{"first_byte_ms", "ms", "When the first byte of the latest attempt arrived.", ScopeLocal, Payload{}, maybeDurationOf(func(f *telemetry.File) *telemetry.Maybe[time.Duration] { return &f.FirstByte })},
	{"latest_ms", "ms", "When the latest attempt began.", ScopeLocal, Payload{}, nonZeroDurationOf(func(f *telemetry.File) *time.Duration { return &f.Latest })},
	{"end_ms", "ms", "When the latest attempt ended.", ScopeLocal, Payload{}, maybeDurationOf(func(f *telemetry.File) *telemetry.Maybe[time.Duration] { return &f.End })},
}

// The parts of a statement.

func failureOf(s *telemetry.Statement) **telemetry.Failure      { return &s.Failure }
func closeFailureOf(s *telemetry.Statement) **telemetry.Failure { return &s.CloseFailure }
func cloudFetch(s *telemetry.Statement) **telemetry.CloudFetch  { return &s.CloudFetch }

func polling(s *telemetry.Statement) *telemetry.Maybe[telemetry.Polling] { return &s.Polling }

var (
	pollCalls = maybeOf(polling,
		func(p telemetry.Polling) slog.Value { return slog.Int64Value(p.Calls) },
		func(p *telemetry.Polling, value []byte) error { return setJSON(&p.Calls, value) })
	pollLatency = maybeOf(polling,
		func(p telemetry.Polling) slog.Value { return slog.DurationValue(p.Latency) },
		func(p *telemetry.Polling, value []byte) error { return setDuration(&p.Latency, value) })
)

// pollUnseen is known where statements were polled.
var pollUnseen = maybeOf(polling,
	func(p telemetry.Polling) slog.Value { return nonZeroDuration(p.Unseen) },
	func(p *telemetry.Polling, value []byte) error { return setDuration(&p.Unseen, value) })

// partTime is the access of one part of a statement's time. A part that took no time is left out.
func partTime(p telemetry.Part) access[telemetry.Statement] {
	return nonZeroDurationOf(func(s *telemetry.Statement) *time.Duration { return &s.Split[p] })
}

// downloadLatency is the access of a latency of downloaded files, unknown until one is complete.
func downloadLatency(at func(*telemetry.CloudFetch) *time.Duration) access[telemetry.CloudFetch] {
	a := durationOf(at)
	return access[telemetry.CloudFetch]{func(c *telemetry.CloudFetch) slog.Value {
		if c.Downloaded == 0 {
			return slog.Value{}
		}
		return a.Value(c)
	}, a.Set}
}

// sumOf is the access of a sum over the calls of all methods. Set writes it to one entry without
// a method, which stands for all of them. Where it is known that no call was made, RPCs is empty
// and not nil.
func sumOf(at func(*telemetry.RPC) *int64) access[telemetry.Statement] {
	return sumAs(at, slog.Int64Value, setJSON[int64])
}

// waitOf is sumOf for a time, which is left out where it is zero.
func waitOf(at func(*telemetry.RPC) *time.Duration) access[telemetry.Statement] {
	return sumAs(at, func(d time.Duration) slog.Value { return nonZeroDuration(min(max(-longest, d), longest)) }, setDuration)
}

func sumAs[N int64 | time.Duration](at func(*telemetry.RPC) *N, value func(N) slog.Value, set func(*N, []byte) error) access[telemetry.Statement] {
	return access[telemetry.Statement]{
		func(s *telemetry.Statement) slog.Value {
			if sum, known := sumOfRPCs(s, at); known {
				return value(sum)
			}
			return slog.Value{}
		},
		func(s *telemetry.Statement, raw []byte) error {
			var n N
			if err := set(&n, raw); err != nil {
				return err
			}
			if s.RPCs == nil {
				s.RPCs = []telemetry.RPC{}
			}
			if n == 0 {
				return nil
			}
			if len(s.RPCs) == 0 || s.RPCs[0].Method != "" {
				s.RPCs = slices.Insert(s.RPCs, 0, telemetry.RPC{})
			}
			*at(&s.RPCs[0]) = n
			return nil
		},
	}
}

func sumOfRPCs[N int64 | time.Duration](s *telemetry.Statement, at func(*telemetry.RPC) *N) (sum N, known bool) {
	for i := range s.RPCs {
		sum += *at(&s.RPCs[i])
	}
	return sum, s.RPCs != nil
}

func retriesByMethod(s *telemetry.Statement) slog.Value {
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

// setRetriesByMethod adds an entry per method, in the order of the keys.
func setRetriesByMethod(s *telemetry.Statement, value []byte) error {
	if value[0] != '{' {
		return json.Unmarshal(value, &struct{}{})
	}
	d := json.NewDecoder(bytes.NewReader(value))
	_, _ = d.Token() // the brace
	for d.More() {
		key, _ := d.Token()
		var n int64
		if err := d.Decode(&n); err != nil {
			return err
		}
		if method, _ := key.(string); n > 0 && method != "" {
			s.RPCs = append(s.RPCs, telemetry.RPC{Method: method, Retries: n})
		}
	}
	return nil
}
