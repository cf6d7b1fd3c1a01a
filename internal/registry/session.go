package registry

import "github.com/seed-01322ee7/databricks-telemetry/telemetry"

// SessionOpenedFields has everything that a SessionOpened says, in the order in which sinks show it.
var SessionOpenedFields = []Field[telemetry.SessionOpened]{
	{"started", "RFC 3339", "When the pool asked for the connection.", ScopeBoth, toAnonymous(timestamp, TypeInt64), ofSessionOpened{at: func(s *telemetry.SessionOpened) any { return &s.Started }}},
	{"server", "", "Host and port of the workspace.", ScopeLocal, Payload{}, ofSessionOpened{at: func(s *telemetry.SessionOpened) any { return &s.Server }}},
	{"connector", "", "Number of the connector in the process.", ScopeLocal, Payload{}, ofSessionOpened{at: func(s *telemetry.SessionOpened) any { return (*nonZero)(&s.Connector) }}},
	{"session_id", "", "The server's id of the session, if it is known when the connection opens.", ScopeBoth, to(driverLog+"session_id", TypeUUID), ofSessionOpened{at: func(s *telemetry.SessionOpened) any { return &s.SessionID }}},
	{"workspace_id", "", "The workspace's number.", ScopeBoth, to("workspace_id", TypeInt64), ofSessionOpened{at: func(s *telemetry.SessionOpened) any { return &s.WorkspaceID }}},
	{"open_ms", "ms", "Time Connect took.", ScopeBoth, toAnonymous(driverLog+"operation_latency_ms", TypeInt64), ofSessionOpened{at: func(s *telemetry.SessionOpened) any { return &s.Latency }}},
	{"retries", "", "HTTP attempts of OpenSession beyond the first.", ScopeBoth, toAnonymous(operation+"retry_count", TypeInt64), ofSessionOpened{at: func(s *telemetry.SessionOpened) any { return &s.Retries }}},
	{"failed_status", "HTTP status", "Status of the latest failed attempt of OpenSession, if an answer came.", ScopeLocal, Payload{}, ofSessionOpened{at: func(s *telemetry.SessionOpened) any { return &s.FailedStatus }}},
	{"request_id", "", "The server's x-request-id, if the call failed, was repeated or took a second or longer.", ScopeLocal, Payload{}, ofSessionOpened{at: func(s *telemetry.SessionOpened) any { return &s.RequestID }}},
	{"error_category", "", "Stable name for what went wrong.", ScopeBoth, errorName.anonymous(), ofSessionOpened{part: openFailure, at: func(s *telemetry.SessionOpened) any { return (*string)(&s.Failure.Category) }}},
	{"sqlstate", "", "Five-character code the server gave for the error.", ScopeLocal, Payload{}, ofSessionOpened{part: openFailure, at: func(s *telemetry.SessionOpened) any { return &s.Failure.SQLState }}},
	{"error_message", "", "What telemetry_error_text keeps of the error's text.", ScopeLocal, Payload{}, ofSessionOpened{part: openFailure, at: func(s *telemetry.SessionOpened) any { return &s.Failure.Message }}},
	{"driver_version", "", "Version of databricks-sql-go.", ScopeBoth, to(system+"driver_version", TypeVersion), ofSessionOpened{at: func(s *telemetry.SessionOpened) any { return &s.Driver.Version }}},
	{"auth_mech", "", "PAT, OAUTH or OTHER.", ScopeBoth, oneOf(params+"auth_mech", "PAT", "OAUTH", "OTHER"), ofSessionOpened{at: func(s *telemetry.SessionOpened) any { return &s.Driver.AuthMech }}},
	{"auth_flow", "", "TOKEN_PASSTHROUGH, CLIENT_CREDENTIALS or BROWSER_BASED_AUTHENTICATION.", ScopeBoth, oneOf(params+"auth_flow", "TOKEN_PASSTHROUGH", "CLIENT_CREDENTIALS", "BROWSER_BASED_AUTHENTICATION"), ofSessionOpened{at: func(s *telemetry.SessionOpened) any { return &s.Driver.AuthFlow }}},
	{"cloud_fetch", "bool", "The client offers to download results.", ScopeLocal, Payload{}, ofSessionOpened{at: func(s *telemetry.SessionOpened) any { return &s.Driver.CloudFetch }}},
	{"arrow", "bool", "The client offers to read Arrow.", ScopeBoth, to(params+"enable_arrow", TypeBool), ofSessionOpened{at: func(s *telemetry.SessionOpened) any { return &s.Driver.Arrow }}},
	{"lz4", "bool", "The client offers to decompress LZ4.", ScopeLocal, Payload{}, ofSessionOpened{at: func(s *telemetry.SessionOpened) any { return &s.Driver.LZ4 }}},
	{"max_rows", "rows", "Rows asked for per page.", ScopeBoth, to(params+"rows_fetched_per_block", TypeInt32), ofSessionOpened{at: func(s *telemetry.SessionOpened) any { return &s.Driver.MaxRows }}},
	{"download_threads", "", "CloudFetch files fetched at once.", ScopeLocal, Payload{}, ofSessionOpened{at: func(s *telemetry.SessionOpened) any { return &s.Driver.DownloadThreads }}},
	{"query_timeout_ms", "ms", "Server-side time limit of a statement; 0 means none.", ScopeLocal, Payload{}, ofSessionOpened{at: func(s *telemetry.SessionOpened) any { return (*setting)(&s.Driver.QueryTimeout) }}},
	{"poll_interval_ms", "ms", "Pause between two status calls.", ScopeBoth, to(params+"async_poll_interval_millis", TypeInt32), ofSessionOpened{at: func(s *telemetry.SessionOpened) any { return (*setting)(&s.Driver.PollInterval) }}},
	{"client_timeout_ms", "ms", "Timeout of one HTTP request.", ScopeBoth, to(params+"socket_timeout", TypeSeconds), ofSessionOpened{at: func(s *telemetry.SessionOpened) any { return (*setting)(&s.Driver.ClientTimeout) }}},
	{"retry_max", "", "Retries of one request; negative means none.", ScopeLocal, Payload{}, ofSessionOpened{at: func(s *telemetry.SessionOpened) any { return &s.Driver.RetryMax }}},
}

// SessionClosedFields has everything that a SessionClosed says, in the order in which sinks show it.
var SessionClosedFields = []Field[telemetry.SessionClosed]{
	{"started", "RFC 3339", "When Close was called.", ScopeBoth, to(timestamp, TypeInt64), ofSessionClosed{at: func(s *telemetry.SessionClosed) any { return &s.Started }}},
	{"server", "", "Host and port of the workspace.", ScopeLocal, Payload{}, ofSessionClosed{at: func(s *telemetry.SessionClosed) any { return &s.Server }}},
	{"connector", "", "Number of the connector in the process.", ScopeLocal, Payload{}, ofSessionClosed{at: func(s *telemetry.SessionClosed) any { return (*nonZero)(&s.Connector) }}},
	{"session_id", "", "The server's id of the session.", ScopeBoth, to(driverLog+"session_id", TypeUUID), ofSessionClosed{at: func(s *telemetry.SessionClosed) any { return &s.SessionID }}},
	{"close_ms", "ms", "Time Close took.", ScopeBoth, to(driverLog+"operation_latency_ms", TypeInt64), ofSessionClosed{at: func(s *telemetry.SessionClosed) any { return &s.Latency }}},
	{"retries", "", "HTTP attempts of CloseSession beyond the first.", ScopeBoth, to(operation+"retry_count", TypeInt64), ofSessionClosed{at: func(s *telemetry.SessionClosed) any { return &s.Retries }}},
	{"request_id", "", "The server's x-request-id, if the call failed, was repeated or took a second or longer.", ScopeLocal, Payload{}, ofSessionClosed{at: func(s *telemetry.SessionClosed) any { return &s.RequestID }}},
	{"lifetime_ms", "ms", "From the end of Connect to the start of Close.", ScopeLocal, Payload{}, ofSessionClosed{at: func(s *telemetry.SessionClosed) any { return &s.Lifetime }}},
	{"statements", "", "Statements that ran on the connection.", ScopeLocal, Payload{}, ofSessionClosed{at: func(s *telemetry.SessionClosed) any { return &s.Statements }}},
	{"reused", "", "How often the pool used the connection again.", ScopeLocal, Payload{}, ofSessionClosed{at: func(s *telemetry.SessionClosed) any { return &s.Reused }}},
	{"abandoned", "", "Statements whose rows were still open.", ScopeLocal, Payload{}, ofSessionClosed{at: func(s *telemetry.SessionClosed) any { return &s.Abandoned }}},
	{"error_category", "", "Stable name for what went wrong.", ScopeBoth, errorName, ofSessionClosed{part: sessionCloseFailure, at: func(s *telemetry.SessionClosed) any { return (*string)(&s.Failure.Category) }}},
	{"error_message", "", "What telemetry_error_text keeps of the error's text.", ScopeLocal, Payload{}, ofSessionClosed{part: sessionCloseFailure, at: func(s *telemetry.SessionClosed) any { return &s.Failure.Message }}},
}

func openFailure(s *telemetry.SessionOpened, create bool) bool { return has(&s.Failure, create) }

func sessionCloseFailure(s *telemetry.SessionClosed, create bool) bool {
	return has(&s.Failure, create)
}
