package telemetry

import (
	"context"
	"log/slog"
)

// Tracer is a Sink that also follows calls into the driver while they happen, as spans require. Its
// methods run on the application's goroutine, before the driver gets the call and when the call
// returns. They must not block; panics are contained. A Tracer that does not want records of the
// calls that it follows also implements [Recorder].
type Tracer interface {
	Sink
	// Tracing reports whether the tracer follows calls now. It is called for every call, so it must
	// return at once.
	Tracing() bool
	// StatementStarting is called before the driver runs a statement. The driver gets the returned
	// context. If the returned span is nil, the call is not followed.
	StatementStarting(context.Context, StatementStart) (context.Context, StatementSpan)
	// SessionStarting is the same for opening a connection.
	SessionStarting(context.Context, SessionStart) (context.Context, SessionSpan)
}

// StatementStart is what is known about a statement before it runs.
type StatementStart struct {
	// Server is host:port of the workspace; empty behind Wrap.
	Server string
	// SessionID is the server's session id; empty while unknown.
	SessionID string
	// WarehouseID, InitialCatalog and InitialSchema are as in Statement.
	WarehouseID, InitialCatalog, InitialSchema string
	// Attributes are those of WithAttributes, from the context of the call.
	Attributes []slog.Attr
	// Kind follows from the call: KindQuery or KindUpdate.
	Kind Kind
	// Internal is true for statements the driver runs for itself (Ping).
	Internal bool
	// Prepared is true when the statement runs through a prepared statement.
	Prepared bool
	// Query is the statement's text; empty without Settings.QueryText.
	Query string
}

// StatementSpan follows one statement for a Tracer.
type StatementSpan interface {
	// Context returns the ids for the statement's record. If they are zero, the record gets those of
	// the caller's span.
	Context() (traceID [16]byte, spanID [8]byte)
	// StatementExecuted is called once, when the call has returned. The record holds what is known by then,
	// and nothing about reading the rows; it must not be kept or changed. Its Outcome is empty if the driver
	// declined the call (driver.ErrSkip): database/sql then prepares the statement and runs the prepared one.
	StatementExecuted(*Statement)
}

// SessionStart is what is known about a connection before it is opened.
type SessionStart struct {
	// Server is host:port of the workspace; empty behind Wrap.
	Server string
}

// SessionSpan follows the opening of one connection for a Tracer.
type SessionSpan interface {
	// SessionStarted is called once, when the connection is open or could not be opened. The record
	// must not be changed.
	SessionStarted(*SessionOpened)
}
