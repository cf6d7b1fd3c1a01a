package registry

import (
	"log/slog"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// The tables below hold what the payload to Databricks says and local sinks do not, because
// it says the same in other words, or frames it.

// EventFields frame every event.
var EventFields = []Field[Event]{
	{"event_id", "", "UUID of version 4, the same on every attempt.", ScopeDatabricks, to("frontend_log_event_id", WireUUID).anonymous(), readOnly(func(e *Event) slog.Value { return text(e.ID) })},
	{"operation", "", "What the event is about.", ScopeDatabricks, oneOf(detail+"operation_type", CreateSession, DeleteSession, ExecuteStatement, CloseStatement, CancelStatement).anonymous(), readOnly(func(e *Event) slog.Value { return text(e.Operation) })},
	{"connection_workspace_id", "", "The workspace's number, learnt from another record of the connection or its HTTP path.", ScopeDatabricks, to("workspace_id", WireInt64), readOnly(func(e *Event) slog.Value { return text(e.WorkspaceID) })},
	{"user_agent", "", "Driver, wrapper and, as far as it can be shared, application.", ScopeDatabricks, to("context.client_context.user_agent", WireString).anonymous(), readOnly(func(e *Event) slog.Value { return text(e.UserAgent) })},
}

// StatementExecutedFields complete an EXECUTE_STATEMENT event.
var StatementExecutedFields = []Field[telemetry.Statement]{
	{"ready_ms", "ms", "execute_ms of a call that did not fail.", ScopeDatabricks, to(operation+"result_latency.result_set_ready_latency_millis", WireInt64), readOnly(func(s *telemetry.Statement) slog.Value {
		if s.Failure != nil && s.FirstRow == (telemetry.Maybe[time.Duration]{}) {
			return slog.Value{}
		}
		return slog.DurationValue(s.Execute)
	})},
	{"execution_result", "", "result_format where the evidence is the wire.", ScopeDatabricks, oneOf(operation+"execution_result", telemetry.FormatInlineArrow, telemetry.FormatColumnarInline, telemetry.FormatInlineJSON, telemetry.FormatExternalLinks), readOnly(func(s *telemetry.Statement) slog.Value {
		if s.Result.Evidence != telemetry.EvidenceWire {
			return slog.Value{}
		}
		return text(s.Result.Format)
	})},
	{"all_retries", "", "HTTP attempts beyond the first of each call and of each file.", ScopeDatabricks, to(operation+"retry_count", WireInt64), readOnly(allRetries)},
}

// allRetries is unknown where files were downloaded of which nothing is known.
func allRetries(s *telemetry.Statement) slog.Value {
	calls := sumOfRPCs(s, func(r *telemetry.RPC) *int64 { return &r.Retries })
	switch {
	case calls.Equal(slog.Value{}), s.CloudFetch == nil && s.Result.Format == telemetry.FormatExternalLinks:
		return slog.Value{}
	case s.CloudFetch != nil:
		return slog.Int64Value(calls.Int64() + s.CloudFetch.Retries)
	}
	return calls
}

// StatementClosedFields make a CLOSE_STATEMENT event, where the server had to be told.
var StatementClosedFields = append([]Field[telemetry.Statement]{
	{"close_started", "RFC 3339", "About when the rows were closed.", ScopeDatabricks, to(timestamp, WireInt64), readOnly(func(s *telemetry.Statement) slog.Value { return slog.TimeValue(closingStarted(s)) })},
	{"close_rpc_ms", "ms", "Latency of CloseOperation, all attempts.", ScopeDatabricks, to(driverLog+"operation_latency_ms", WireInt64), readOnly(func(s *telemetry.Statement) slog.Value { return latency(Closed(s)) })},
	{"close_rpc_retries", "", "HTTP attempts of CloseOperation beyond the first.", ScopeDatabricks, to(operation+"retry_count", WireInt64), readOnly(func(s *telemetry.Statement) slog.Value { return retries(Closed(s)) })},
	{"close_error", "", "close_error_category.", ScopeDatabricks, errorName, within(closeFailureOf, categoryField)},
}, statementIdentity...)

// StatementCanceledFields make a CANCEL_STATEMENT event, where the server was told.
var StatementCanceledFields = append([]Field[telemetry.Statement]{
	{"cancel_started", "RFC 3339", "About when the statement was canceled.", ScopeDatabricks, to(timestamp, WireInt64), readOnly(func(s *telemetry.Statement) slog.Value { return slog.TimeValue(closingStarted(s)) })},
	{"cancel_rpc_ms", "ms", "Latency of CancelOperation, all attempts.", ScopeDatabricks, to(driverLog+"operation_latency_ms", WireInt64), readOnly(func(s *telemetry.Statement) slog.Value { return latency(Canceled(s)) })},
	{"cancel_rpc_retries", "", "HTTP attempts of CancelOperation beyond the first.", ScopeDatabricks, to(operation+"retry_count", WireInt64), readOnly(func(s *telemetry.Statement) slog.Value { return retries(Canceled(s)) })},
}, statementIdentity...)

// statementIdentity ties those events to their statement.
var statementIdentity = []Field[telemetry.Statement]{
	{"of_session", "", "session_id.", ScopeDatabricks, to(driverLog+"session_id", WireUUID), readOnly(func(s *telemetry.Statement) slog.Value { return text(s.SessionID) })},
	{"of_statement", "", "statement_id.", ScopeDatabricks, to(driverLog+"sql_statement_id", WireUUID), readOnly(func(s *telemetry.Statement) slog.Value { return text(s.StatementID) })},
	{"of_workspace", "", "workspace_id.", ScopeDatabricks, to("workspace_id", WireInt64), readOnly(func(s *telemetry.Statement) slog.Value { return text(s.WorkspaceID) })},
	{"of_kind", "", "kind.", ScopeDatabricks, oneOf(operation+"statement_type", telemetry.KindQuery, telemetry.KindUpdate, telemetry.KindVolume), readOnly(func(s *telemetry.Statement) slog.Value { return text(s.Kind) })},
	{"of_internal", "bool", "internal.", ScopeDatabricks, to(detail+"is_internal_call", WireBool), readOnly(func(s *telemetry.Statement) slog.Value { return flag(s.Internal) })},
}

// ConnectionFields say in every authenticated event how its connection is configured.
var ConnectionFields = []Field[Connection]{
	{"connection_driver_version", "", "Version of databricks-sql-go.", ScopeDatabricks, to(system+"driver_version", WireVersion), readOnly(func(c *Connection) slog.Value { return text(c.Driver.Version) })},
	{"client_app_name", "", "The application, as far as it named itself in a way that can be shared.", ScopeDatabricks, to(system+"client_app_name", WireString), readOnly(func(c *Connection) slog.Value { return text(c.Application) })},
	{"auth_type", "", "PAT, OAUTH or OTHER.", ScopeDatabricks, oneOf(driverLog+"auth_type", "PAT", "OAUTH", "OTHER"), readOnly(func(c *Connection) slog.Value { return text(c.Driver.AuthMech) })},
	{"connection_auth_mech", "", "The same.", ScopeDatabricks, oneOf(params+"auth_mech", "PAT", "OAUTH", "OTHER"), readOnly(func(c *Connection) slog.Value { return text(c.Driver.AuthMech) })},
	{"connection_auth_flow", "", "TOKEN_PASSTHROUGH, CLIENT_CREDENTIALS or BROWSER_BASED_AUTHENTICATION.", ScopeDatabricks, oneOf(params+"auth_flow", "TOKEN_PASSTHROUGH", "CLIENT_CREDENTIALS", "BROWSER_BASED_AUTHENTICATION"), readOnly(func(c *Connection) slog.Value { return text(c.Driver.AuthFlow) })},
	{"mode", "", "THRIFT, the only protocol this wrapper reports for.", ScopeDatabricks, oneOf(params+"mode", "THRIFT"), readOnly(func(*Connection) slog.Value { return slog.StringValue("THRIFT") })},
	{"http_path", "", "Kind of the HTTP path, without the id of what it leads to.", ScopeDatabricks, to(params+"http_path", WireString), readOnly(func(c *Connection) slog.Value { return text(c.HTTPPath) })},
	{"port", "", "Port of the workspace; its host stays here.", ScopeDatabricks, to(params+"host_info.port", WireInt32), readOnly(func(c *Connection) slog.Value {
		if c.Port == 0 {
			return slog.Value{}
		}
		return slog.IntValue(c.Port)
	})},
	{"use_proxy", "bool", "The environment names a proxy for the workspace; its address stays here.", ScopeDatabricks, to(params+"use_proxy", WireBool), readOnly(func(c *Connection) slog.Value { return truth(c.Proxy) })},
	{"use_system_proxy", "bool", "The same: the environment is the only way to name one.", ScopeDatabricks, to(params+"use_system_proxy", WireBool), readOnly(func(c *Connection) slog.Value { return truth(c.Proxy) })},
	{"proxy_auth_type", "", "NONE or BASIC.", ScopeDatabricks, oneOf(params+"proxy_host_info.proxy_auth_type", "NONE", "BASIC"), readOnly(func(c *Connection) slog.Value { return text(c.ProxyAuth) })},
	{"enable_arrow", "bool", "The client offers to read Arrow.", ScopeDatabricks, to(params+"enable_arrow", WireBool), readOnly(func(c *Connection) slog.Value { return truth(c.Driver.Arrow) })},
	{"enable_direct_results", "bool", "The client asks for rows with the answer to ExecuteStatement.", ScopeDatabricks, to(params+"enable_direct_results", WireBool), readOnly(func(c *Connection) slog.Value { return truth(c.Driver.DirectResults) })},
	{"enable_metric_view_metadata", "bool", "The client asks for metadata of metric views.", ScopeDatabricks, to(params+"enable_metric_view_metadata", WireBool), readOnly(func(c *Connection) slog.Value { return truth(c.Driver.MetricViewMetadata) })},
	{"connection_pool_size", "", "Most HTTP connections to the workspace.", ScopeDatabricks, to(params+"http_connection_pool_size", WireInt32), readOnly(func(c *Connection) slog.Value { return count(c.Driver.PoolSize) })},
	{"rows_per_block", "rows", "Rows asked for per page.", ScopeDatabricks, to(params+"rows_fetched_per_block", WireInt32), readOnly(func(c *Connection) slog.Value { return count(c.Driver.MaxRows) })},
	{"async_poll_interval", "ms", "Pause between two status calls.", ScopeDatabricks, to(params+"async_poll_interval_millis", WireInt32), readOnly(func(c *Connection) slog.Value { return duration(c.Driver.PollInterval) })},
	{"socket_timeout", "s", "Bound on one HTTP request.", ScopeDatabricks, to(params+"socket_timeout", WireSeconds), readOnly(func(c *Connection) slog.Value { return duration(c.Driver.ClientTimeout) })},
}

// ProcessFields say in every authenticated event where the driver runs. The name of the
// process is not among them: it may name people and projects.
var ProcessFields = []Field[Process]{
	{"driver_name", "", "databricks-sql-go.", ScopeDatabricks, to(system+"driver_name", WireString), readOnly(func(*Process) slog.Value { return slog.StringValue("databricks-sql-go") })},
	{"runtime_name", "", "go.", ScopeDatabricks, to(system+"runtime_name", WireString), readOnly(func(*Process) slog.Value { return slog.StringValue("go") })},
	{"runtime_version", "", "Version of Go.", ScopeDatabricks, to(system+"runtime_version", WireVersion), readOnly(func(p *Process) slog.Value { return text(p.RuntimeVersion) })},
	{"os_name", "", "Linux, macOS, Windows, or as Go names it.", ScopeDatabricks, to(system+"os_name", WireString), readOnly(func(p *Process) slog.Value { return text(p.OSName) })},
	{"os_version", "", "Version of the kernel, digits and dots.", ScopeDatabricks, to(system+"os_version", WireVersion), readOnly(func(p *Process) slog.Value { return text(p.OSVersion) })},
	{"os_arch", "", "Architecture, as Go names it.", ScopeDatabricks, to(system+"os_arch", WireString), readOnly(func(p *Process) slog.Value { return text(p.OSArch) })},
	{"locale_name", "", "Language and territory of the environment.", ScopeDatabricks, to(system+"locale_name", WireString), readOnly(func(p *Process) slog.Value { return text(p.Locale) })},
	{"char_set_encoding", "", "UTF-8, as Go's strings are.", ScopeDatabricks, to(system+"char_set_encoding", WireString), readOnly(func(*Process) slog.Value { return slog.StringValue("UTF-8") })},
}

func latency(r telemetry.RPC, made bool) slog.Value {
	if !made {
		return slog.Value{}
	}
	return slog.DurationValue(r.Latency)
}

func retries(r telemetry.RPC, made bool) slog.Value {
	if !made {
		return slog.Value{}
	}
	return slog.Int64Value(r.Retries)
}
