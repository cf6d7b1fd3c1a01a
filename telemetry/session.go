package telemetry

import "time"

// SessionOpened is the record of one attempt to open a connection.
type SessionOpened struct {
	// Connector is the ConnectorInfo.ID of the connector it belongs to; 0 when unknown.
	Connector int64
	// Started is when the pool asked for the connection.
	Started time.Time
	// Server is host:port of the workspace; empty behind Wrap.
	Server string
	// SessionID is the server's session id. The driver does not expose the id at this point, so it is
	// empty unless the wire was read; SessionClosed has it.
	SessionID string
	// WorkspaceID is the workspace's number, as the server reports it; empty while unknown.
	WorkspaceID string
	// Latency is the time Connect took.
	Latency time.Duration
	// Retries counts HTTP attempts of OpenSession beyond the first; unknown where the wire
	// was not read.
	Retries Maybe[int64]
	// FailedStatus is the HTTP status of the latest attempt of OpenSession that failed, such as a 429 after
	// which a deadline passed during the pause before the next attempt. It is 0 when no attempt failed, no
	// answer came, or the wire was not read. An attempt that the client gave up before an answer does not
	// count, nor do attempts before a complete answer that refused the session or was not the service's.
	FailedStatus int
	// RequestID is the server's x-request-id of the latest attempt of OpenSession, which Databricks
	// support asks for. It is kept only if OpenSession failed, was repeated or took a second or
	// longer.
	RequestID string
	// Failure says why opening failed; nil when it did not.
	Failure *Failure
	// Driver is the native driver's configuration; the zero value where it cannot be read.
	Driver DriverConfig
}

// Failed reports whether the session could not be opened.
func (s *SessionOpened) Failed() bool { return s.Failure != nil }

// SessionClosed is the record of closing a connection.
type SessionClosed struct {
	// Connector is the ConnectorInfo.ID of the connector it belongs to; 0 when unknown.
	Connector int64
	// Started is when Close was called.
	Started time.Time
	// Server is host:port of the workspace; empty behind Wrap.
	Server string
	// SessionID is the server's session id; empty while unknown, as it is behind Wrap until a
	// statement shows it.
	SessionID string
	// Latency is the time Close took.
	Latency time.Duration
	// Retries counts HTTP attempts of CloseSession beyond the first; unknown where the wire
	// was not read.
	Retries Maybe[int64]
	// RequestID is that of CloseSession, as in SessionOpened.
	RequestID string
	// Lifetime is the time from the end of Connect to the start of Close.
	Lifetime time.Duration
	// Statements counts the statements that ran on the connection, internal ones included.
	Statements int64
	// Reused counts how often the pool used the connection again.
	Reused int64
	// Abandoned counts the statements whose rows the application had not closed by then.
	Abandoned int64
	// Failure says why closing failed; nil when it did not.
	Failure *Failure
}

// Failed reports whether closing the session returned an error.
func (s *SessionClosed) Failed() bool { return s.Failure != nil }
