package telemetry

import "context"

// Tracer is a Sink that also follows calls into the driver while they happen, as spans must:
// on the application's goroutine, before the driver gets the call and when it returns. It
// must not block; panics are contained. Following calls and receiving records are two
// things: see [Recorder] for a sink that does not want the records of the calls it follows.
type Tracer interface {
	Sink
	// Tracing reports whether calls are to be followed now. It is asked for every call: it
	// must answer at once.
	Tracing() bool
	// StatementStarting is called before the driver runs a statement. The driver gets the
	// context it returns. The span may be nil: then the call is followed no further.
	StatementStarting(context.Context, StatementStart) (context.Context, StatementSpan)
	// SessionStarting is the same for opening a connection.
	SessionStarting(context.Context, SessionStart) (context.Context, SessionSpan)
}

// StatementStart is what is known of a statement before it runs.
type StatementStart struct {
	// Server is host:port of the workspace; empty behind a connector that does not tell (Wrap).
	Server string
	// SessionID is the server's session id; empty while unknown.
	SessionID string
	// Kind is what the call makes of it: KindQuery or KindUpdate.
	Kind Kind
	// Internal is true for statements the driver runs for itself (Ping).
	Internal bool
	// Prepared is true when it runs through a prepared statement.
	Prepared bool
	// Query is the statement's text; empty without Settings.QueryText.
	Query string
}

// StatementSpan is a Tracer's place in one statement.
type StatementSpan interface {
	// Context returns the ids the statement's record is to bear; zero for none.
	Context() (traceID [16]byte, spanID [8]byte)
	// StatementExecuted is called once, when the call has returned. The record holds what
	// is known by then, rows not among it; it is not to be kept or changed.
	StatementExecuted(*Statement)
}

// SessionStart is what is known of a connection before it is opened.
type SessionStart struct {
	// Server is host:port of the workspace; empty behind a connector that does not tell (Wrap).
	Server string
}

// SessionSpan is a Tracer's place in the opening of one connection.
type SessionSpan interface {
	// SessionStarted is called once, when the connection is open or could not be opened.
	SessionStarted(*SessionOpened)
}
