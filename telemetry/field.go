package telemetry

import (
	"log/slog"
	"time"
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
// may see it, and how to read it.
type Field[R any] struct {
	// Name is the key in every sink. Durations end in _ms.
	Name string
	// Unit is "ms", "rows", "bool", ... or empty for names and ids.
	Unit string
	// Doc is one sentence.
	Doc string
	// Scope says who may see it.
	Scope Scope
	// Value reads the field. The zero slog.Value means unknown: a sink leaves the key out.
	// Durations are of kind slog.KindDuration.
	Value func(*R) slog.Value
}

// StatementFields is everything a Statement says, in the order sinks show it.
var StatementFields = []Field[Statement]{
	{"started", "RFC 3339", "When the application called the driver.", ScopeBoth, func(s *Statement) slog.Value { return slog.TimeValue(s.Started) }},
	{"server", "", "Host and port of the workspace.", ScopeLocal, func(s *Statement) slog.Value { return text(s.Server) }},
	{"session_id", "", "The server's id of the session.", ScopeBoth, func(s *Statement) slog.Value { return text(s.SessionID) }},
	{"statement_id", "", "The server's id of the statement.", ScopeBoth, func(s *Statement) slog.Value { return text(s.StatementID) }},
	{"kind", "", "QUERY, UPDATE or VOLUME.", ScopeBoth, func(s *Statement) slog.Value { return text(s.Kind) }},
	{"internal", "bool", "The driver ran it for itself (Ping).", ScopeBoth, func(s *Statement) slog.Value { return flag(s.Internal) }},
	{"prepared", "bool", "It ran through a prepared statement.", ScopeLocal, func(s *Statement) slog.Value { return flag(s.Prepared) }},
	{"outcome", "", "completed, closed_early, failed, canceled or abandoned.", ScopeLocal, func(s *Statement) slog.Value { return text(s.Outcome) }},
	{"error_category", "", "Stable name for what went wrong.", ScopeBoth, func(s *Statement) slog.Value { return category(s.Failure) }},
	{"sqlstate", "", "Five-character code the server gave for the error.", ScopeLocal, func(s *Statement) slog.Value { return sqlState(s.Failure) }},
	{"retryable", "bool", "The driver considers trying again worthwhile.", ScopeLocal, func(s *Statement) slog.Value { return flag(s.Failure != nil && s.Failure.Retryable) }},
	{"close_error_category", "", "Stable name for what went wrong when the rows were closed.", ScopeLocal, func(s *Statement) slog.Value { return category(s.CloseFailure) }},
	{"execute_ms", "ms", "From the call until results were ready or it failed.", ScopeBoth, func(s *Statement) slog.Value { return slog.DurationValue(s.Execute) }},
	{"first_row_ms", "ms", "From then until the application held the first row.", ScopeBoth, func(s *Statement) slog.Value { return duration(s.FirstRow) }},
	{"consume_ms", "ms", "From the first row until the rows were exhausted or closed.", ScopeBoth, func(s *Statement) slog.Value { return duration(s.Consume) }},
	{"close_ms", "ms", "Closing the rows, the RPC included.", ScopeLocal, func(s *Statement) slog.Value { return duration(s.Close) }},
	{"total_ms", "ms", "From the call until the statement was finished.", ScopeBoth, func(s *Statement) slog.Value { return slog.DurationValue(s.Total) }},
	{"rows_read", "rows", "Rows handed to the application.", ScopeLocal, func(s *Statement) slog.Value { return count(s.RowsRead) }},
	{"rows_affected", "rows", "Rows the statement changed, as the driver reports it for an Exec.", ScopeLocal, func(s *Statement) slog.Value { return count(s.RowsAffected) }},
}

// SessionOpenedFields is everything a SessionOpened says, in the order sinks show it.
var SessionOpenedFields = []Field[SessionOpened]{
	{"started", "RFC 3339", "When the pool asked for the connection.", ScopeBoth, func(s *SessionOpened) slog.Value { return slog.TimeValue(s.Started) }},
	{"server", "", "Host and port of the workspace.", ScopeLocal, func(s *SessionOpened) slog.Value { return text(s.Server) }},
	{"session_id", "", "The server's id of the session, where it is known this early.", ScopeBoth, func(s *SessionOpened) slog.Value { return text(s.SessionID) }},
	{"open_ms", "ms", "Time Connect took.", ScopeBoth, func(s *SessionOpened) slog.Value { return slog.DurationValue(s.Latency) }},
	{"error_category", "", "Stable name for what went wrong.", ScopeBoth, func(s *SessionOpened) slog.Value { return category(s.Failure) }},
	{"driver_version", "", "Version of databricks-sql-go.", ScopeBoth, func(s *SessionOpened) slog.Value { return text(s.Driver.Version) }},
	{"auth_mech", "", "PAT, OAUTH or OTHER.", ScopeBoth, func(s *SessionOpened) slog.Value { return text(s.Driver.AuthMech) }},
	{"auth_flow", "", "TOKEN_PASSTHROUGH, CLIENT_CREDENTIALS or BROWSER_BASED_AUTHENTICATION.", ScopeBoth, func(s *SessionOpened) slog.Value { return text(s.Driver.AuthFlow) }},
	{"cloud_fetch", "bool", "The client offers to download results.", ScopeLocal, func(s *SessionOpened) slog.Value { return truth(s.Driver.CloudFetch) }},
	{"arrow", "bool", "The client offers to read Arrow.", ScopeBoth, func(s *SessionOpened) slog.Value { return truth(s.Driver.Arrow) }},
	{"lz4", "bool", "The client offers to decompress LZ4.", ScopeLocal, func(s *SessionOpened) slog.Value { return truth(s.Driver.LZ4) }},
	{"max_rows", "rows", "Rows asked for per page.", ScopeBoth, func(s *SessionOpened) slog.Value { return count(s.Driver.MaxRows) }},
	{"download_threads", "", "CloudFetch files fetched at once.", ScopeLocal, func(s *SessionOpened) slog.Value { return count(s.Driver.DownloadThreads) }},
	{"query_timeout_ms", "ms", "Server-side limit of a statement; 0 is none.", ScopeLocal, func(s *SessionOpened) slog.Value { return duration(s.Driver.QueryTimeout) }},
	{"poll_interval_ms", "ms", "Pause between two status calls.", ScopeBoth, func(s *SessionOpened) slog.Value { return duration(s.Driver.PollInterval) }},
	{"client_timeout_ms", "ms", "Bound on one HTTP request.", ScopeBoth, func(s *SessionOpened) slog.Value { return duration(s.Driver.ClientTimeout) }},
	{"retry_max", "", "Retries of one request; negative is none.", ScopeLocal, func(s *SessionOpened) slog.Value { return count(s.Driver.RetryMax) }},
}

// SessionClosedFields is everything a SessionClosed says, in the order sinks show it.
var SessionClosedFields = []Field[SessionClosed]{
	{"started", "RFC 3339", "When Close was called.", ScopeBoth, func(s *SessionClosed) slog.Value { return slog.TimeValue(s.Started) }},
	{"server", "", "Host and port of the workspace.", ScopeLocal, func(s *SessionClosed) slog.Value { return text(s.Server) }},
	{"session_id", "", "The server's id of the session.", ScopeBoth, func(s *SessionClosed) slog.Value { return text(s.SessionID) }},
	{"close_ms", "ms", "Time Close took.", ScopeBoth, func(s *SessionClosed) slog.Value { return slog.DurationValue(s.Latency) }},
	{"lifetime_ms", "ms", "From the end of Connect to the start of Close.", ScopeLocal, func(s *SessionClosed) slog.Value { return slog.DurationValue(s.Lifetime) }},
	{"statements", "", "Statements that ran on the connection.", ScopeLocal, func(s *SessionClosed) slog.Value { return slog.Int64Value(s.Statements) }},
	{"reused", "", "How often the pool handed the connection out again.", ScopeLocal, func(s *SessionClosed) slog.Value { return slog.Int64Value(s.Reused) }},
	{"abandoned", "", "Statements whose rows were still open.", ScopeLocal, func(s *SessionClosed) slog.Value { return slog.Int64Value(s.Abandoned) }},
	{"error_category", "", "Stable name for what went wrong.", ScopeBoth, func(s *SessionClosed) slog.Value { return category(s.Failure) }},
}

// The readers below turn what is unknown, or false and therefore not worth a key, into the
// zero Value.

func text[S ~string](s S) slog.Value {
	if s == "" {
		return slog.Value{}
	}
	return slog.StringValue(string(s))
}

func flag(b bool) slog.Value {
	if !b {
		return slog.Value{}
	}
	return slog.BoolValue(true)
}

func truth(b Maybe[bool]) slog.Value {
	if v, ok := b.Get(); ok {
		return slog.BoolValue(v)
	}
	return slog.Value{}
}

func count(n Maybe[int64]) slog.Value {
	if v, ok := n.Get(); ok {
		return slog.Int64Value(v)
	}
	return slog.Value{}
}

func duration(d Maybe[time.Duration]) slog.Value {
	if v, ok := d.Get(); ok {
		return slog.DurationValue(v)
	}
	return slog.Value{}
}

func category(f *Failure) slog.Value {
	if f == nil {
		return slog.Value{}
	}
	return text(f.Category)
}

func sqlState(f *Failure) slog.Value {
	if f == nil {
		return slog.Value{}
	}
	return text(f.SQLState)
}
