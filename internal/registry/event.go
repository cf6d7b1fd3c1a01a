package registry

import (
	"log/slog"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/internal/uuid"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// The types below have the facts of the payload to Databricks that are not in any record: the frame
// of an event, the configuration of a connection, and the process.

// Operation is what an event is about. The names are the service's own.
type Operation string

// The operations.
const (
	CreateSession    Operation = "CREATE_SESSION"
	DeleteSession    Operation = "DELETE_SESSION"
	ExecuteStatement Operation = "EXECUTE_STATEMENT"
	CloseStatement   Operation = "CLOSE_STATEMENT"
	CancelStatement  Operation = "CANCEL_STATEMENT"
)

// Event is the frame of one document of the payload.
type Event struct {
	// ID is the same on every attempt to send the event.
	ID uuid.UUID
	// Operation is what the event is about.
	Operation Operation
	// WorkspaceID is the workspace's number from the record, or else from the connection; empty if
	// neither has it.
	WorkspaceID string
	// UserAgent names the driver and this wrapper, and also the application if it named itself in a
	// way that can be shared.
	UserAgent string
}

// Connection is the configuration of a connection, reduced to what may leave the process.
type Connection struct {
	// Driver is the native driver's configuration.
	Driver telemetry.DriverConfig
	// Port is the port of the workspace; 0 when unknown.
	Port int
	// HTTPPath is the kind of the path, without the id of the warehouse or cluster, such as
	// /sql/1.0/warehouses; empty for an unknown kind.
	HTTPPath string
	// Proxy is true when the environment names a proxy for the workspace. The proxy's address is not
	// kept. Proxy is unknown if the application supplies the transport.
	Proxy telemetry.Maybe[bool]
	// ProxyAuth is NONE or BASIC; empty without a proxy.
	ProxyAuth string
	// Application is the name that the application gave itself in its user agent; empty if there is
	// none that can be shared.
	Application string
}

// Process describes the process that the driver runs in.
type Process struct {
	RuntimeVersion string // of Go
	OSName         string // Linux, macOS, Windows, or as Go names it
	OSVersion      string // digits and dots; empty when unknown
	OSArch         string // as Go names it
	Locale         string // such as en_US; empty when the environment names none
}

// The tables below hold the fields that the payload to Databricks has and local sinks do not:
// the frame of an event, and facts of a record under another name.

// EventFields are part of every event.
var EventFields = []Field[Event]{
	{"event_id", "", "UUID of version 4, the same on every attempt.", ScopeDatabricks, toAnonymous("frontend_log_event_id", TypeUUID), ofEvent{value: func(e *Event) slog.Value { return slog.AnyValue(&e.ID) }}},
	{"operation", "", "What the event is about.", ScopeDatabricks, oneOf(detail+"operation_type", string(CreateSession), string(DeleteSession), string(ExecuteStatement), string(CloseStatement), string(CancelStatement)).anonymous(), ofEvent{at: func(e *Event) any { return (*string)(&e.Operation) }}},
	{"connection_workspace_id", "", "The workspace's number, from another record of the connection or its HTTP path.", ScopeDatabricks, to("workspace_id", TypeInt64), ofEvent{at: func(e *Event) any { return &e.WorkspaceID }}},
	{"user_agent", "", "Driver, wrapper and, as far as it can be shared, application.", ScopeDatabricks, toAnonymous("context.client_context.user_agent", TypeString), ofEvent{at: func(e *Event) any { return &e.UserAgent }}},
}

// StatementExecutedFields are the rest of an EXECUTE_STATEMENT event, besides StatementFields.
var StatementExecutedFields = []Field[telemetry.Statement]{
	{"ready_ms", "ms", "execute_ms of a call that did not fail.", ScopeDatabricks, to(operation+"result_latency.result_set_ready_latency_millis", TypeInt64), ofStatement{value: func(s *telemetry.Statement) slog.Value {
		if unknown := (telemetry.Maybe[time.Duration]{}); s.Failure != nil && s.FirstRow == unknown && s.Close == unknown { // otherwise reading failed
			return slog.Value{}
		}
		return slog.DurationValue(s.Execute)
	}}},
	{"execution_result", "", "result_format, if its evidence is the wire.", ScopeDatabricks, oneOf(operation+"execution_result", string(telemetry.FormatInlineArrow), string(telemetry.FormatColumnarInline), string(telemetry.FormatInlineJSON), string(telemetry.FormatExternalLinks)), ofStatement{value: func(s *telemetry.Statement) slog.Value {
		if s.Result.Evidence != telemetry.EvidenceWire {
			return slog.Value{}
		}
		return slog.StringValue(string(s.Result.Format))
	}}},
	{"all_retries", "", "HTTP attempts beyond the first of each call and of each file; unknown if a volume file was transferred.", ScopeDatabricks, to(operation+"retry_count", TypeInt64), ofStatement{value: allRetries}},
}

// allRetries returns all retries of a statement. It is unknown if files were or may have been downloaded
// unobserved, and for volume files, whose transfer is never observed.
func allRetries(s *telemetry.Statement) slog.Value {
	retries, known := sumOfRPCs(s, func(r *telemetry.RPC) *int64 { return &r.Retries })
	unseen := s.CloudFetch == nil && s.Result.Format == telemetry.FormatExternalLinks && s.Result.Rows.Or(-1) != 0
	transferred := s.Kind == telemetry.KindVolume && s.Result.Pages.Or(1) != 0
	if !known || unseen || transferred {
		return slog.Value{}
	}
	if s.CloudFetch != nil {
		retries += s.CloudFetch.Retries
	}
	return slog.Int64Value(retries)
}

// StatementClosedFields are the fields of a CLOSE_STATEMENT event, which there is if CloseOperation
// was called.
var StatementClosedFields = append([]Field[telemetry.Statement]{
	{"close_started", "RFC 3339", "When CloseOperation was called; if that call is not known, about when the rows were closed.", ScopeDatabricks, to(timestamp, TypeInt64), ofStatement{value: func(s *telemetry.Statement) slog.Value { return slog.TimeValue(called(s, "CloseOperation")) }}},
	{"close_rpc_ms", "ms", "Latency of CloseOperation, all attempts.", ScopeDatabricks, to(driverLog+"operation_latency_ms", TypeInt64), ofCalls(Closed, func(r *telemetry.RPC) any { return &r.Latency })},
	{"close_rpc_retries", "", "HTTP attempts of CloseOperation beyond the first.", ScopeDatabricks, to(operation+"retry_count", TypeInt64), ofCalls(Closed, func(r *telemetry.RPC) any { return &r.Retries })},
	{"close_error", "", "close_error_category.", ScopeDatabricks, errorName, ofStatement{part: closeFailure, at: func(s *telemetry.Statement) any { return (*string)(&s.CloseFailure.Category) }}},
}, statementIdentity...)

// StatementCanceledFields are the fields of a CANCEL_STATEMENT event, which there is if
// CancelOperation was called.
var StatementCanceledFields = append([]Field[telemetry.Statement]{
	{"cancel_started", "RFC 3339", "When CancelOperation was called; if that call is not known, about when the statement ended.", ScopeDatabricks, to(timestamp, TypeInt64), ofStatement{value: func(s *telemetry.Statement) slog.Value { return slog.TimeValue(called(s, "CancelOperation")) }}},
	{"cancel_rpc_ms", "ms", "Latency of CancelOperation, all attempts.", ScopeDatabricks, to(driverLog+"operation_latency_ms", TypeInt64), ofCalls(Canceled, func(r *telemetry.RPC) any { return &r.Latency })},
	{"cancel_rpc_retries", "", "HTTP attempts of CancelOperation beyond the first.", ScopeDatabricks, to(operation+"retry_count", TypeInt64), ofCalls(Canceled, func(r *telemetry.RPC) any { return &r.Retries })},
	{"cancel_error", "", "cancel_error_category.", ScopeDatabricks, errorName, ofStatement{at: func(s *telemetry.Statement) any { return (*string)(&s.CancelError) }}},
}, statementIdentity...)

// statementIdentity is part of StatementClosedFields and StatementCanceledFields: the statement that
// the event belongs to.
var statementIdentity = []Field[telemetry.Statement]{
	{"of_session", "", "session_id.", ScopeDatabricks, to(driverLog+"session_id", TypeUUID), ofStatement{at: func(s *telemetry.Statement) any { return &s.SessionID }}},
	{"of_statement", "", "statement_id.", ScopeDatabricks, to(driverLog+"sql_statement_id", TypeUUID), ofStatement{at: func(s *telemetry.Statement) any { return &s.StatementID }}},
	{"of_workspace", "", "workspace_id.", ScopeDatabricks, to("workspace_id", TypeInt64), ofStatement{at: func(s *telemetry.Statement) any { return &s.WorkspaceID }}},
	{"of_kind", "", "kind.", ScopeDatabricks, oneOf(operation+"statement_type", string(telemetry.KindQuery), string(telemetry.KindUpdate), string(telemetry.KindVolume)), ofStatement{at: func(s *telemetry.Statement) any { return (*string)(&s.Kind) }}},
	{"of_internal", "bool", "internal.", ScopeDatabricks, to(detail+"is_internal_call", TypeBool), ofStatement{at: func(s *telemetry.Statement) any { return &s.Internal }}},
}

// ConnectionFields are part of every authenticated event: how its connection is configured.
var ConnectionFields = []Field[Connection]{
	{"connection_driver_version", "", "Version of databricks-sql-go.", ScopeDatabricks, to(system+"driver_version", TypeVersion), ofConnection{at: func(c *Connection) any { return &c.Driver.Version }}},
	{"client_app_name", "", "The application, as far as it named itself in a way that can be shared.", ScopeDatabricks, to(system+"client_app_name", TypeString), ofConnection{at: func(c *Connection) any { return &c.Application }}},
	{"auth_type", "", "PAT, OAUTH or OTHER.", ScopeDatabricks, oneOf(driverLog+"auth_type", "PAT", "OAUTH", "OTHER"), ofConnection{at: func(c *Connection) any { return &c.Driver.AuthMech }}},
	{"connection_auth_mech", "", "The same as auth_type, among the connection's parameters.", ScopeDatabricks, oneOf(params+"auth_mech", "PAT", "OAUTH", "OTHER"), ofConnection{at: func(c *Connection) any { return &c.Driver.AuthMech }}},
	{"connection_auth_flow", "", "TOKEN_PASSTHROUGH, CLIENT_CREDENTIALS or BROWSER_BASED_AUTHENTICATION.", ScopeDatabricks, oneOf(params+"auth_flow", "TOKEN_PASSTHROUGH", "CLIENT_CREDENTIALS", "BROWSER_BASED_AUTHENTICATION"), ofConnection{at: func(c *Connection) any { return &c.Driver.AuthFlow }}},
	{"mode", "", "THRIFT, the only protocol this wrapper reports for.", ScopeDatabricks, oneOf(params+"mode", "THRIFT"), ofConnection{value: func(*Connection) slog.Value { return slog.StringValue("THRIFT") }}},
	{"http_path", "", "Kind of the HTTP path, without the id of the warehouse or cluster.", ScopeDatabricks, to(params+"http_path", TypeString), ofConnection{at: func(c *Connection) any { return &c.HTTPPath }}},
	{"port", "", "Port of the workspace; its host is not sent.", ScopeDatabricks, to(params+"host_info.port", TypeInt32), ofConnection{at: func(c *Connection) any { return &c.Port }}},
	{"use_proxy", "bool", "The environment names a proxy for the workspace; its address is not sent. Unknown if the application supplies the transport.", ScopeDatabricks, to(params+"use_proxy", TypeBool), ofConnection{at: func(c *Connection) any { return &c.Proxy }}},
	{"use_system_proxy", "bool", "The same as use_proxy: unless the application supplies the transport, only the environment can name a proxy.", ScopeDatabricks, to(params+"use_system_proxy", TypeBool), ofConnection{at: func(c *Connection) any { return &c.Proxy }}},
	{"proxy_auth_type", "", "NONE or BASIC.", ScopeDatabricks, oneOf(params+"proxy_host_info.proxy_auth_type", "NONE", "BASIC"), ofConnection{at: func(c *Connection) any { return &c.ProxyAuth }}},
	{"enable_arrow", "bool", "The client offers to read Arrow.", ScopeDatabricks, to(params+"enable_arrow", TypeBool), ofConnection{at: func(c *Connection) any { return &c.Driver.Arrow }}},
	{"enable_direct_results", "bool", "The client asks for rows with the answer to ExecuteStatement.", ScopeDatabricks, to(params+"enable_direct_results", TypeBool), ofConnection{at: func(c *Connection) any { return &c.Driver.DirectResults }}},
	{"enable_metric_view_metadata", "bool", "The client asks for metadata of metric views.", ScopeDatabricks, to(params+"enable_metric_view_metadata", TypeBool), ofConnection{at: func(c *Connection) any { return &c.Driver.MetricViewMetadata }}},
	{"connection_pool_size", "", "Largest number of HTTP connections to the workspace.", ScopeDatabricks, to(params+"http_connection_pool_size", TypeInt32), ofConnection{at: func(c *Connection) any { return &c.Driver.PoolSize }}},
	{"rows_per_block", "rows", "Rows asked for per page.", ScopeDatabricks, to(params+"rows_fetched_per_block", TypeInt32), ofConnection{at: func(c *Connection) any { return &c.Driver.MaxRows }}},
	{"async_poll_interval", "ms", "Pause between two status calls.", ScopeDatabricks, to(params+"async_poll_interval_millis", TypeInt32), ofConnection{at: func(c *Connection) any { return &c.Driver.PollInterval }}},
	{"socket_timeout", "s", "Timeout of one HTTP request.", ScopeDatabricks, to(params+"socket_timeout", TypeSeconds), ofConnection{at: func(c *Connection) any { return &c.Driver.ClientTimeout }}},
}

// ProcessFields are part of every authenticated event: where the driver runs. The name of the process
// is not among them, because it may contain names of people and projects.
var ProcessFields = []Field[Process]{
	{"driver_name", "", "databricks-sql-go.", ScopeDatabricks, to(system+"driver_name", TypeString), ofProcess{value: func(*Process) slog.Value { return slog.StringValue("databricks-sql-go") }}},
	{"runtime_name", "", "go.", ScopeDatabricks, to(system+"runtime_name", TypeString), ofProcess{value: func(*Process) slog.Value { return slog.StringValue("go") }}},
	{"runtime_version", "", "Version of Go.", ScopeDatabricks, to(system+"runtime_version", TypeVersion), ofProcess{at: func(p *Process) any { return &p.RuntimeVersion }}},
	{"os_name", "", "Linux, macOS, Windows, or as Go names it.", ScopeDatabricks, to(system+"os_name", TypeString), ofProcess{at: func(p *Process) any { return &p.OSName }}},
	{"os_version", "", "Version of the kernel, digits and dots.", ScopeDatabricks, to(system+"os_version", TypeVersion), ofProcess{at: func(p *Process) any { return &p.OSVersion }}},
	{"os_arch", "", "Architecture, as Go names it.", ScopeDatabricks, to(system+"os_arch", TypeString), ofProcess{at: func(p *Process) any { return &p.OSArch }}},
	{"locale_name", "", "Language and territory of the environment.", ScopeDatabricks, to(system+"locale_name", TypeString), ofProcess{at: func(p *Process) any { return &p.Locale }}},
	{"char_set_encoding", "", "UTF-8, as Go's strings are.", ScopeDatabricks, to(system+"char_set_encoding", TypeString), ofProcess{value: func(*Process) slog.Value { return slog.StringValue("UTF-8") }}},
}

// ofCalls returns the access of a field of the calls that find returns, which is unknown if there were none.
func ofCalls(find func(*telemetry.Statement) (*telemetry.RPC, bool), at func(*telemetry.RPC) any) ofStatement {
	return ofStatement{value: func(s *telemetry.Statement) slog.Value {
		if r, made := find(s); made {
			return read(at(r))
		}
		return slog.Value{}
	}}
}

// Closed returns the calls that closed the statement on the server, and whether there were any. There
// are none if the complete result comes with the first answer, because then the server closes the
// statement itself.
func Closed(s *telemetry.Statement) (*telemetry.RPC, bool) { return find(s, "CloseOperation") }

// Canceled returns the calls that canceled the statement, and whether there were any.
func Canceled(s *telemetry.Statement) (*telemetry.RPC, bool) { return find(s, "CancelOperation") }

func find(s *telemetry.Statement, method string) (*telemetry.RPC, bool) {
	for i := range s.RPCs {
		if r := &s.RPCs[i]; r.Method == method {
			return r, r.Calls > 0
		}
	}
	return nil, false
}

// called returns when a call that ends a statement was made, which may be long before the application closes the
// rows. If the call is not listed, called returns about when the rows were closed.
func called(s *telemetry.Statement, method string) time.Time {
	for i := range s.Calls {
		if c := &s.Calls[i]; c.Method == method {
			return s.Started.Add(c.Start)
		}
	}
	return s.Started.Add(max(0, s.Total-s.Close.Or(0)))
}

// HasTime reports whether an event of a statement has the time of a call.
func HasTime(c *telemetry.Call) bool {
	return c.Method == "CloseOperation" || c.Method == "CancelOperation"
}
