package registry

import (
	"errors"
	"log/slog"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// StatementFields has everything that a Statement says, except for the lists of its RPCs, calls and
// files, in the order in which sinks show it.
var StatementFields = []Field[telemetry.Statement]{
	{"started", "RFC 3339", "When the application called the driver.", ScopeBoth, to(timestamp, TypeInt64), ofStatement{at: func(s *telemetry.Statement) any { return &s.Started }}},
	{"server", "", "Host and port of the workspace.", ScopeLocal, Payload{}, ofStatement{at: func(s *telemetry.Statement) any { return &s.Server }}},
	{"connector", "", "Number of the connector in the process.", ScopeLocal, Payload{}, ofStatement{at: func(s *telemetry.Statement) any { return (*nonZero)(&s.Connector) }}},
	{"trace_id", "", "Trace of the sampled span around the call, in hex (W3C).", ScopeLocal, Payload{}, ofStatement{at: func(s *telemetry.Statement) any { return &s.TraceID }}},
	{"span_id", "", "The sampled span around the call, in hex (W3C): a tracer's, or else the caller's.", ScopeLocal, Payload{}, ofStatement{at: func(s *telemetry.Statement) any { return &s.SpanID }}},
	{"session_id", "", "The server's id of the session.", ScopeBoth, to(driverLog+"session_id", TypeUUID), ofStatement{at: func(s *telemetry.Statement) any { return &s.SessionID }}},
	{"statement_id", "", "The server's id of the statement.", ScopeBoth, to(driverLog+"sql_statement_id", TypeUUID), ofStatement{at: func(s *telemetry.Statement) any { return &s.StatementID }}},
	{"query_profile", "", "Address of the statement's query profile in the workspace.", ScopeLocal, Payload{}, ofStatement{value: profileURL}},
	{"warehouse_id", "", "The SQL warehouse's id, from the HTTP path.", ScopeLocal, Payload{}, ofStatement{at: func(s *telemetry.Statement) any { return &s.WarehouseID }}},
	{"initial_catalog", "", "Catalog that the session began in, as the server answered; a later USE is not seen.", ScopeLocal, Payload{}, ofStatement{at: func(s *telemetry.Statement) any { return &s.InitialCatalog }}},
	{"initial_schema", "", "Schema that the session began in, as the server answered; a later USE is not seen.", ScopeLocal, Payload{}, ofStatement{at: func(s *telemetry.Statement) any { return &s.InitialSchema }}},
	{"correlation_id", "", "Correlation id of the call's context (package driverctx).", ScopeLocal, Payload{}, ofStatement{at: func(s *telemetry.Statement) any { return &s.CorrelationID }}},
	{"query_tags", "", "Query tags that were sent with the statement.", ScopeLocal, Payload{}, ofStatement{at: func(s *telemetry.Statement) any { return &s.QueryTags }}},
	{"attributes", "", "The application's own attributes of the call's context (telemetry.WithAttributes).", ScopeLocal, Payload{}, ofStatement{at: func(s *telemetry.Statement) any { return &s.Attributes }}},
	{"query_text", "", "The statement's text, with telemetry_query_text only.", ScopeLocal, Payload{}, ofStatement{at: func(s *telemetry.Statement) any { return &s.Query }}},
	{"query_shape", "", "Hash of the text without literals and comments, the same in every process.", ScopeLocal, Payload{}, ofStatement{at: func(s *telemetry.Statement) any { return &s.Shape }}},
	{"kind", "", "QUERY, UPDATE or VOLUME.", ScopeBoth, oneOf(operation+"statement_type", string(telemetry.KindQuery), string(telemetry.KindUpdate), string(telemetry.KindVolume)), ofStatement{at: func(s *telemetry.Statement) any { return (*string)(&s.Kind) }}},
	{"volume_operation", "", "What a VOLUME statement did: PUT, GET or DELETE.", ScopeBoth, oneOf(driverLog+"vol_operation.volume_operation_type", "PUT", "GET", "DELETE"), ofStatement{at: func(s *telemetry.Statement) any { return &s.Volume }}},
	{"internal", "bool", "The driver ran it for itself (Ping).", ScopeBoth, to(detail+"is_internal_call", TypeBool), ofStatement{at: func(s *telemetry.Statement) any { return &s.Internal }}},
	{"prepared", "bool", "It ran through a prepared statement.", ScopeLocal, Payload{}, ofStatement{at: func(s *telemetry.Statement) any { return &s.Prepared }}},
	{"outcome", "", "completed, closed_early, failed, canceled or abandoned.", ScopeLocal, Payload{}, ofStatement{at: func(s *telemetry.Statement) any { return (*string)(&s.Outcome) }}},
	{"error_category", "", "Stable name for what went wrong.", ScopeBoth, errorName, ofStatement{part: failure, at: func(s *telemetry.Statement) any { return (*string)(&s.Failure.Category) }}},
	{"sqlstate", "", "Five-character code the server gave for the error.", ScopeLocal, Payload{}, ofStatement{part: failure, at: func(s *telemetry.Statement) any { return &s.Failure.SQLState }}},
	{"error_message", "", "What telemetry_error_text keeps of the error's text.", ScopeLocal, Payload{}, ofStatement{part: failure, at: func(s *telemetry.Statement) any { return &s.Failure.Message }}},
	{"retryable", "bool", "The driver considers trying again worthwhile.", ScopeLocal, Payload{}, ofStatement{part: failure, at: func(s *telemetry.Statement) any { return &s.Failure.Retryable }}},
	{"close_error_category", "", "Stable name for what went wrong when the rows, or the statement on the server, were closed.", ScopeLocal, Payload{}, ofStatement{part: closeFailure, at: func(s *telemetry.Statement) any { return (*string)(&s.CloseFailure.Category) }}},
	{"cancel_error_category", "", "Stable name for what went wrong when the statement was canceled on the server.", ScopeLocal, Payload{}, ofStatement{at: func(s *telemetry.Statement) any { return (*string)(&s.CancelError) }}},
	{"execute_ms", "ms", "From the call until results were ready or it failed.", ScopeBoth, to(driverLog+"operation_latency_ms", TypeInt64), ofStatement{at: func(s *telemetry.Statement) any { return &s.Execute }}},
	{"first_row_ms", "ms", "From the end of execute_ms until the application had the first row.", ScopeLocal, Payload{}, ofStatement{at: func(s *telemetry.Statement) any { return &s.FirstRow }}},
	{"consume_ms", "ms", "From the first row until the rows were exhausted or closed.", ScopeBoth, to(operation+"result_latency.result_set_consumption_latency_millis", TypeInt64), ofStatement{at: func(s *telemetry.Statement) any { return &s.Consume }}},
	{"close_ms", "ms", "Closing the rows, the RPC included.", ScopeLocal, Payload{}, ofStatement{at: func(s *telemetry.Statement) any { return &s.Close }}},
	{"total_ms", "ms", "From the call until the statement was finished.", ScopeLocal, Payload{}, ofStatement{at: func(s *telemetry.Statement) any { return &s.Total }}},
	{"rows_read", "rows", "Rows the application read.", ScopeLocal, Payload{}, ofStatement{at: func(s *telemetry.Statement) any { return &s.RowsRead }}},
	{"rows_read_evidence", "", "wire if rows_read counts the rows that arrived, because Arrow streams are not decoded.", ScopeLocal, Payload{}, ofStatement{at: func(s *telemetry.Statement) any { return (*string)(&s.RowsEvidence) }}},
	{"rows_affected", "rows", "Rows the statement changed, as the driver reports for an Exec.", ScopeLocal, Payload{}, ofStatement{at: func(s *telemetry.Statement) any { return &s.RowsAffected }}},

	{"workspace_id", "", "The workspace's number.", ScopeBoth, to("workspace_id", TypeInt64), ofStatement{at: func(s *telemetry.Statement) any { return &s.WorkspaceID }}},
	{"evidence", "", "How the facts about the result are known: wire or inferred.", ScopeLocal, Payload{}, ofStatement{at: func(s *telemetry.Statement) any { return (*string)(&s.Result.Evidence) }}},
	{"result_format", "", "INLINE_ARROW, COLUMNAR_INLINE, INLINE_JSON or EXTERNAL_LINKS (CloudFetch).", ScopeLocal, Payload{}, ofStatement{at: func(s *telemetry.Statement) any { return (*string)(&s.Result.Format) }}},
	{"compressed", "bool", "The server compressed the rows (LZ4).", ScopeBoth, to(operation+"is_compressed", TypeBool), ofStatement{at: func(s *telemetry.Statement) any { return &s.Result.Compressed }}},
	{"cache", "", "What the result cache said: INELIGIBLE, LOCAL_HIT, REMOTE_HIT or MISS.", ScopeLocal, Payload{}, ofStatement{at: func(s *telemetry.Statement) any { return &s.Result.Cache }}},
	{"uncompressed_bytes", "bytes", "Size of the rows, as the server announced it.", ScopeLocal, Payload{}, ofStatement{at: func(s *telemetry.Statement) any { return &s.Result.UncompressedBytes }}},
	{"compressed_bytes", "bytes", "Size of the rows after compression, as the server announced it.", ScopeLocal, Payload{}, ofStatement{at: func(s *telemetry.Statement) any { return &s.Result.CompressedBytes }}},
	{"direct_results", "bool", "Rows came with the answer to ExecuteStatement.", ScopeLocal, Payload{}, ofStatement{at: func(s *telemetry.Statement) any { return &s.Result.Direct }}},
	{"pages", "pages", "Result pages that arrived, direct results included.", ScopeLocal, Payload{}, ofStatement{at: func(s *telemetry.Statement) any { return &s.Result.Pages }}},
	{"rows_delivered", "rows", "Rows in those pages, or in the files they named.", ScopeLocal, Payload{}, ofStatement{at: func(s *telemetry.Statement) any { return &s.Result.Rows }}},
	{"polls", "calls", "Status calls.", ScopeBoth, to(detail+"n_operation_status_calls", TypeInt32), pollingOf(func(p *telemetry.Polling) any { return &p.Calls })},
	{"polling_ms", "ms", "Latency of the status calls, without the pauses between them.", ScopeBoth, to(detail+"operation_status_latency_millis", TypeInt64), pollingOf(func(p *telemetry.Polling) any { return &p.Latency })},

	{"files", "files", "CloudFetch files the server sent links to.", ScopeBoth, to(chunks+"total_chunks_present", TypeInt32), ofStatement{part: cloudFetch, at: func(s *telemetry.Statement) any { return &s.CloudFetch.Present }}},
	{"files_downloaded", "files", "Files downloaded completely.", ScopeBoth, to(chunks+"total_chunks_iterated", TypeInt32), ofStatement{part: cloudFetch, at: func(s *telemetry.Statement) any { return &s.CloudFetch.Downloaded }}},
	{"files_failed", "files", "Files that could not be downloaded.", ScopeLocal, Payload{}, ofStatement{part: cloudFetch, at: func(s *telemetry.Statement) any { return &s.CloudFetch.Failed }}},
	{"files_abandoned", "files", "Files not requested, or not complete, when the rows were closed.", ScopeLocal, Payload{}, ofStatement{part: cloudFetch, at: func(s *telemetry.Statement) any { return &s.CloudFetch.Abandoned }}},
	{"file_bytes", "bytes", "Total size of all files, as the server announced it.", ScopeLocal, Payload{}, ofStatement{part: cloudFetch, at: func(s *telemetry.Statement) any { return &s.CloudFetch.Bytes }}},
	{"file_bytes_received", "bytes", "Bytes downloaded, including failed attempts.", ScopeLocal, Payload{}, ofStatement{part: cloudFetch, at: func(s *telemetry.Statement) any { return &s.CloudFetch.Received }}},
	{"file_retries", "", "HTTP requests beyond the first of each file.", ScopeLocal, Payload{}, ofStatement{part: cloudFetch, at: func(s *telemetry.Statement) any { return &s.CloudFetch.Retries }}},
	{"files_retried", "files", "Files that needed more than one request.", ScopeLocal, Payload{}, ofStatement{part: cloudFetch, at: func(s *telemetry.Statement) any { return (*nonZero)(&s.CloudFetch.Retried) }}},
	{"most_attempts", "", "Requests for the file that needed the most.", ScopeLocal, Payload{}, ofStatement{part: cloudFetch, at: func(s *telemetry.Statement) any { return (*nonZero)(&s.CloudFetch.MostAttempts) }}},
	{"retry_status", "HTTP status", "Status of the latest file request that was repeated, if an answer came.", ScopeLocal, Payload{}, ofStatement{part: cloudFetch, at: func(s *telemetry.Statement) any { return &s.CloudFetch.RetryStatus }}},
	{"first_file_ms", "ms", "Latency of the file that was complete first.", ScopeBoth, to(chunks+"initial_chunk_latency_millis", TypeInt64), ofStatement{part: downloads, at: func(s *telemetry.Statement) any { return &s.CloudFetch.First }}},
	{"slowest_file_ms", "ms", "Latency of the slowest file.", ScopeBoth, to(chunks+"slowest_chunk_latency_millis", TypeInt64), ofStatement{part: downloads, at: func(s *telemetry.Statement) any { return &s.CloudFetch.Slowest }}},
	{"sum_file_ms", "ms", "Latencies of all files, which overlap.", ScopeBoth, to(chunks+"sum_chunks_download_time_millis", TypeInt64), ofStatement{part: downloads, at: func(s *telemetry.Statement) any { return &s.CloudFetch.Sum }}},
	{"failed_file", "index", "Lowest index of a file that failed, from 0.", ScopeBoth, to(operation+"chunk_id", TypeInt64), ofStatement{part: cloudFetch, at: func(s *telemetry.Statement) any { return &s.CloudFetch.FailedIndex }}},
	{"failed_file_status", "HTTP status", "Status of the latest attempt for that file.", ScopeLocal, Payload{}, ofStatement{part: cloudFetch, at: func(s *telemetry.Statement) any { return &s.CloudFetch.FailedStatus }}},

	{"rpcs", "calls", "Thrift calls made for the statement.", ScopeLocal, Payload{}, sumOf(false, func(r *telemetry.RPC) *int64 { return &r.Calls })},
	{"rpc_retries", "", "HTTP attempts beyond the first of each call.", ScopeLocal, Payload{}, ofStatement{value: sumOf(false, func(r *telemetry.RPC) *int64 { return &r.Retries }).value}}, // the field retried has them
	{"retried", "", "rpc_retries by method, without methods that had none.", ScopeLocal, Payload{}, ofStatement{value: retriesByMethod, set: setRetriesByMethod}},
	{"rpc_wait_ms", "ms", "Pauses between a failed attempt of a call and the next attempt.", ScopeLocal, Payload{}, sumOf(true, func(r *telemetry.RPC) *int64 { return (*int64)(&r.Backoff) })},
	{"bytes_out", "bytes", "Request bodies of the calls.", ScopeLocal, Payload{}, sumOf(false, func(r *telemetry.RPC) *int64 { return &r.BytesOut })},
	{"bytes_in", "bytes", "Response bodies of the calls, excluding files.", ScopeLocal, Payload{}, sumOf(false, func(r *telemetry.RPC) *int64 { return &r.BytesIn })},

	{"state", "", "Last state of the statement that the server reported.", ScopeLocal, Payload{}, ofStatement{at: func(s *telemetry.Statement) any { return &s.State }}},
	{"server_reported_ms", "ms", "How long the server says it worked on the statement.", ScopeLocal, Payload{}, ofStatement{at: func(s *telemetry.Statement) any { return &s.ServerTime }}},
	{"poll_unseen_ms", "ms", "Time between the last answer that the statement was running and the answer that it had ended; it may have ended at any time in between.", ScopeLocal, Payload{}, pollingOf(func(p *telemetry.Polling) any { return (*nonZeroDuration)(&p.Unseen) })},
	{"time_server_ms", "ms", "Waiting for the server: as the server says if server_reported_ms is known, otherwise as the wire shows.", ScopeLocal, Payload{}, partTime(telemetry.PartServer)},
	{"time_poll_ms", "ms", "The server had finished, but no status call had noticed yet.", ScopeLocal, Payload{}, partTime(telemetry.PartPoll)},
	{"time_retry_ms", "ms", "Requests that failed and were repeated, and the pauses between them.", ScopeLocal, Payload{}, partTime(telemetry.PartRetry)},
	{"time_page_ms", "ms", "Waiting for a result page, or for the description of the result.", ScopeLocal, Payload{}, partTime(telemetry.PartPage)},
	{"time_file_ms", "ms", "Waiting for the CloudFetch file that the next row is in.", ScopeLocal, Payload{}, partTime(telemetry.PartFile)},
	{"time_transfer_ms", "ms", "A volume file was being uploaded or downloaded; this includes attempts that failed, and the pauses after them.", ScopeLocal, Payload{}, partTime(telemetry.PartTransfer)},
	{"time_decode_ms", "ms", "The driver was decoding rows, where that is measured without a clock reading per row.", ScopeLocal, Payload{}, partTime(telemetry.PartDecode)},
	{"time_application_ms", "ms", "The application had control; this includes the driver's decoding of single rows.", ScopeLocal, Payload{}, partTime(telemetry.PartApplication)},
	{"time_close_ms", "ms", "The statement was being canceled or closed.", ScopeLocal, Payload{}, partTime(telemetry.PartClose)},
	{"time_network_ms", "ms", "The rest, if the other parts are known: the network and the driver.", ScopeLocal, Payload{}, partTime(telemetry.PartNetwork)},
	{"time_unknown_ms", "ms", "What the statement waited for was not observed.", ScopeLocal, Payload{}, partTime(telemetry.PartUnknown)},
	{"application_before_ms", "ms", "From the end of the call until rows were asked for or closed. Part of time_application_ms.", ScopeLocal, Payload{}, ofStatement{at: func(s *telemetry.Statement) any { return (*nonZeroDuration)(&s.Application.Before) }}},
	{"application_between_ms", "ms", "Between the driver's calls that read rows. Part of time_application_ms.", ScopeLocal, Payload{}, ofStatement{at: func(s *telemetry.Statement) any { return (*nonZeroDuration)(&s.Application.Between) }}},
	{"application_after_ms", "ms", "From the end of the rows until they were closed. Part of time_application_ms.", ScopeLocal, Payload{}, ofStatement{at: func(s *telemetry.Statement) any { return (*nonZeroDuration)(&s.Application.After) }}},
}

// RPCFields has everything that an RPC says. Sinks that list RPCs use the key "rpcs_by_method".
var RPCFields = []Field[telemetry.RPC]{
	{"method", "", "Thrift method, such as ExecuteStatement.", ScopeLocal, Payload{}, ofRPC{at: func(r *telemetry.RPC) any { return &r.Method }}},
	{"calls", "calls", "Calls of this method.", ScopeLocal, Payload{}, ofRPC{at: func(r *telemetry.RPC) any { return &r.Calls }}},
	{"retries", "", "HTTP attempts beyond the first of each call.", ScopeLocal, Payload{}, ofRPC{at: func(r *telemetry.RPC) any { return (*nonZero)(&r.Retries) }}},
	{"latency_ms", "ms", "Time of all attempts, without the pauses between them.", ScopeLocal, Payload{}, ofRPC{at: func(r *telemetry.RPC) any { return &r.Latency }}},
	{"slowest_ms", "ms", "Time of the slowest call, including its retries and the pauses between them; until now, if the call is still running.", ScopeLocal, Payload{}, ofRPC{at: func(r *telemetry.RPC) any { return &r.Slowest }}},
	{"backoff_ms", "ms", "Pauses between a failed attempt and the next.", ScopeLocal, Payload{}, ofRPC{at: func(r *telemetry.RPC) any { return (*nonZeroDuration)(&r.Backoff) }}},
	{"connecting_ms", "ms", "Time in which these calls waited for a network connection, including TLS and proxies.", ScopeLocal, Payload{}, ofRPC{at: func(r *telemetry.RPC) any { return (*nonZeroDuration)(&r.Connecting) }}},
	{"bytes_out", "bytes", "Request bodies.", ScopeLocal, Payload{}, ofRPC{at: func(r *telemetry.RPC) any { return &r.BytesOut }}},
	{"bytes_in", "bytes", "Response bodies.", ScopeLocal, Payload{}, ofRPC{at: func(r *telemetry.RPC) any { return &r.BytesIn }}},
	{"last_status", "HTTP status", "Status of the latest attempt, if an answer came.", ScopeLocal, Payload{}, ofRPC{at: func(r *telemetry.RPC) any { return &r.LastStatus }}},
	{"failed_status", "HTTP status", "Status of the latest failed attempt, if an answer came.", ScopeLocal, Payload{}, ofRPC{at: func(r *telemetry.RPC) any { return &r.FailedStatus }}},
}

// CallFields has everything that a Call says, except for its attempts. Sinks that list calls use the
// key "calls".
var CallFields = []Field[telemetry.Call]{
	{"method", "", "Thrift method, such as ExecuteStatement.", ScopeLocal, Payload{}, ofCall{at: func(c *telemetry.Call) any { return &c.Method }}},
	{"start_ms", "ms", "When its first attempt began.", ScopeLocal, Payload{}, ofCall{at: func(c *telemetry.Call) any { return &c.Start }}},
	{"first_byte_ms", "ms", "When the answer to the latest attempt began.", ScopeLocal, Payload{}, ofCall{at: func(c *telemetry.Call) any { return &c.FirstByte }}},
	{"latest_ms", "ms", "When the latest attempt began.", ScopeLocal, Payload{}, ofCall{at: func(c *telemetry.Call) any { return (*nonZeroDuration)(&c.Latest) }}},
	{"end_ms", "ms", "When its answer was complete, or it failed.", ScopeLocal, Payload{}, ofCall{at: func(c *telemetry.Call) any { return &c.End }}},
	{"status", "HTTP status", "Status of the latest attempt, if an answer came.", ScopeLocal, Payload{}, ofCall{at: func(c *telemetry.Call) any { return &c.Status }}},
	{"failed", "bool", "The latest attempt ended without an answer that the driver can use.", ScopeLocal, Payload{}, ofCall{at: func(c *telemetry.Call) any { return &c.Failed }}},
	{"attempts", "", "HTTP attempts.", ScopeLocal, Payload{}, ofCall{at: func(c *telemetry.Call) any { return (*nonZero)(&c.Attempts) }}},
	{"request_id", "", "The server's x-request-id of the latest attempt, if the call failed, was repeated or took a second or longer.", ScopeLocal, Payload{}, ofCall{at: func(c *telemetry.Call) any { return &c.RequestID }}},
	{"rows", "rows", "Rows in the page that came with the answer.", ScopeLocal, Payload{}, ofCall{at: func(c *telemetry.Call) any { return &c.Rows }}},
	{"files", "files", "CloudFetch links in the page.", ScopeLocal, Payload{}, ofCall{at: func(c *telemetry.Call) any { return (*nonZero)(&c.Files) }}},
	{"number", "", "Position among the calls of its method, from 1; only if an earlier call is not listed.", ScopeLocal, Payload{}, ofCall{at: func(c *telemetry.Call) any { return (*nonZero)(&c.Number) }}},
}

// AttemptFields has everything that an Attempt says. Sinks that list the repeated attempts of a call
// or file use the key "retried".
var AttemptFields = []Field[telemetry.Attempt]{
	{"start_ms", "ms", "When it began.", ScopeLocal, Payload{}, ofAttempt{at: func(a *telemetry.Attempt) any { return &a.Start }}},
	{"end_ms", "ms", "When it failed.", ScopeLocal, Payload{}, ofAttempt{at: func(a *telemetry.Attempt) any { return &a.End }}},
	{"status", "HTTP status", "Its status, if an answer came.", ScopeLocal, Payload{}, ofAttempt{at: func(a *telemetry.Attempt) any { return &a.Status }}},
	{"request_id", "", "The server's x-request-id, for a Thrift call.", ScopeLocal, Payload{}, ofAttempt{at: func(a *telemetry.Attempt) any { return &a.RequestID }}},
}

// FileFields has everything that a File says, except for its attempts. Sinks that list files use the
// key "file_list".
var FileFields = []Field[telemetry.File]{
	{"index", "", "Position in the result, from 0.", ScopeLocal, Payload{}, ofFile{at: func(f *telemetry.File) any { return &f.Index }}},
	{"state", "", "DOWNLOADED, FAILED or ABANDONED.", ScopeLocal, Payload{}, ofFile{at: func(f *telemetry.File) any { return &f.State }}},
	{"rows", "rows", "Rows in the file, as the server announced it.", ScopeLocal, Payload{}, ofFile{at: func(f *telemetry.File) any { return &f.Rows }}},
	{"bytes", "bytes", "Size of the file, as the server announced it.", ScopeLocal, Payload{}, ofFile{at: func(f *telemetry.File) any { return &f.Bytes }}},
	{"received", "bytes", "Bytes that the latest attempt received.", ScopeLocal, Payload{}, ofFile{at: func(f *telemetry.File) any { return &f.Received }}},
	{"attempts", "", "HTTP requests for it.", ScopeLocal, Payload{}, ofFile{at: func(f *telemetry.File) any { return &f.Attempts }}},
	{"status", "HTTP status", "Status of the latest failed attempt.", ScopeLocal, Payload{}, ofFile{at: func(f *telemetry.File) any { return &f.Status }}},
	{"queued_ms", "ms", "When its link arrived.", ScopeLocal, Payload{}, ofFile{at: func(f *telemetry.File) any { return &f.Queued }}},
	{"start_ms", "ms", "When it was first requested.", ScopeLocal, Payload{}, ofFile{at: func(f *telemetry.File) any { return &f.Start }}},
	{"first_byte_ms", "ms", "When the first byte of the latest attempt arrived.", ScopeLocal, Payload{}, ofFile{at: func(f *telemetry.File) any { return &f.FirstByte }}},
	{"latest_ms", "ms", "When the latest attempt began.", ScopeLocal, Payload{}, ofFile{at: func(f *telemetry.File) any { return (*nonZeroDuration)(&f.Latest) }}},
	{"end_ms", "ms", "When the latest attempt ended.", ScopeLocal, Payload{}, ofFile{at: func(f *telemetry.File) any { return &f.End }}},
}

// Structs that a statement may not have.

func failure(s *telemetry.Statement, create bool) bool      { return has(&s.Failure, create) }
func closeFailure(s *telemetry.Statement, create bool) bool { return has(&s.CloseFailure, create) }
func cloudFetch(s *telemetry.Statement, create bool) bool   { return has(&s.CloudFetch, create) }

// downloads is cloudFetch for the latencies of files, which are unknown until one file is complete.
func downloads(s *telemetry.Statement, create bool) bool {
	return cloudFetch(s, create) && (create || s.CloudFetch.Downloaded != 0)
}

// pollingOf returns the access of a field of a statement's Polling, which may be unknown. Writing
// makes it known.
func pollingOf(at func(*telemetry.Polling) any) ofStatement {
	return ofStatement{
		value: func(s *telemetry.Statement) slog.Value {
			if p, ok := s.Polling.Get(); ok {
				return read(at(&p))
			}
			return slog.Value{}
		},
		set: func(s *telemetry.Statement, write func(at any) error) error {
			p := s.Polling.Or(telemetry.Polling{})
			if err := write(at(&p)); err != nil {
				return err
			}
			s.Polling = telemetry.Known(p)
			return nil
		},
	}
}

func profileURL(s *telemetry.Statement) slog.Value {
	url := s.ProfileURL()
	return read(&url)
}

// partTime returns the access of one part of a statement's time. A part that took no time is left out. It is
// not inlined, because the eleven fields are smaller as calls.
//
//go:noinline
func partTime(p telemetry.Part) ofStatement {
	return ofStatement{at: func(s *telemetry.Statement) any { return (*nonZeroDuration)(&s.Split[p]) }}
}

// sumOf returns the access of a sum over the calls of all methods: of numbers, or of durations, whose sum is
// left out if it is zero. Set writes the sum to one entry without a method, which stands for all methods. If
// it is known that no call was made, RPCs is empty and not nil.
func sumOf(durations bool, at func(*telemetry.RPC) *int64) ofStatement {
	return ofStatement{
		value: func(s *telemetry.Statement) slog.Value {
			sum, known := sumOfRPCs(s, at)
			switch {
			case !known:
				return slog.Value{}
			case durations:
				d := nonZeroDuration(min(max(0, time.Duration(sum)), longest)) // a negative sum is an overflow
				return read(&d)
			}
			return slog.Int64Value(sum)
		},
		set: func(s *telemetry.Statement, write func(at any) error) error {
			var sum int64
			target := any(&sum)
			if durations {
				target = (*time.Duration)(&sum)
			}
			if err := write(target); err != nil {
				return err
			}
			if s.RPCs == nil {
				s.RPCs = []telemetry.RPC{}
			}
			if sum != 0 {
				if len(s.RPCs) == 0 || s.RPCs[0].Method != "" {
					s.RPCs = append([]telemetry.RPC{{}}, s.RPCs...)
				}
				*at(&s.RPCs[0]) = sum
			}
			return nil
		},
	}
}

func sumOfRPCs(s *telemetry.Statement, at func(*telemetry.RPC) *int64) (sum int64, known bool) {
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
	return group(by)
}

// setRetriesByMethod adds an entry for each method, in the order of the keys.
func setRetriesByMethod(s *telemetry.Statement, write func(at any) error) error {
	var by []slog.Attr
	if err := write(&by); err != nil {
		return err
	}
	for _, a := range by {
		if a.Value.Kind() != slog.KindInt64 {
			return errors.New("not a whole number")
		}
		if n := a.Value.Int64(); n > 0 && a.Key != "" {
			s.RPCs = append(s.RPCs, telemetry.RPC{Method: a.Key, Retries: n})
		}
	}
	return nil
}
