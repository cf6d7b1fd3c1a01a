package telemetry

import (
	"log/slog"
	"time"
)

// Statement is the record of one statement, from the call that started it until its rows were closed.
// The record is complete when a sink receives it. All sinks share the record, so a sink must not
// change it.
type Statement struct {
	// Started is when the application called the driver.
	Started time.Time
	// Connector is the ConnectorInfo.ID of the connector it ran on; 0 when unknown.
	Connector int64
	// TraceID and SpanID identify the sampled span around the call (W3C trace context): the span that
	// a Tracer made, or else the caller's. They are zero if there is none.
	TraceID [16]byte
	SpanID  [8]byte
	// Server is host:port of the workspace; empty behind Wrap.
	Server string
	// SessionID is the server's session id, a GUID; empty while unknown.
	SessionID string
	// StatementID is the server's statement id, a GUID; empty when the server gave none, because the
	// statement did not reach it or was refused at once.
	StatementID string
	// WarehouseID is the SQL warehouse's id, from the HTTP path of the connector; empty for a
	// cluster, behind Wrap, and for a path of an unknown kind.
	WarehouseID string
	// InitialCatalog and InitialSchema are the catalog and schema in which the session began, as the
	// server answered when the session was opened. They do not follow USE statements. Empty while
	// unknown.
	InitialCatalog, InitialSchema string
	// CorrelationID is the correlation id that package driverctx put into the context of the call;
	// empty without one. At most its first 256 bytes are kept.
	CorrelationID string
	// QueryTags are the query tags that were sent with the statement: those that package driverctx
	// put into the context of the call and, if [Settings.TraceTags] added a traceparent, that and the
	// session's tags that were sent with it. Otherwise the session's tags are not included. At most
	// 32 tags are kept, the first in the order of their keys, and 256 bytes of each key and value.
	QueryTags map[string]string
	// Attributes are those of [WithAttributes], from the context of the call.
	Attributes []slog.Attr
	// Query is the statement's text, kept only with Settings.QueryText. It never leaves
	// the process.
	Query string
	// Shape is [ShapeOf] the statement's text, equal for statements that differ only in literals,
	// comments and white space. It does not depend on Settings.QueryText, and never leaves the
	// process. Empty for statements without a text (Ping), and in records passed to a Tracer.
	Shape string

	// Kind is the kind of the statement, from the call that ran it and from what the server said
	// about it, never from its text.
	Kind Kind
	// Volume is what a statement of KindVolume did: PUT, GET or DELETE (REMOVE in SQL), the
	// service's own names; empty when unknown.
	Volume string
	// Internal is true for statements the driver runs for itself (Ping).
	Internal bool
	// Prepared is true when the statement ran through a prepared statement.
	Prepared bool

	// Outcome says how the statement ended.
	Outcome Outcome
	// Failure says what went wrong; nil when nothing did.
	Failure *Failure
	// CloseFailure says why closing the rows failed, or the call that closes the statement on the
	// server, whose error the driver may drop; nil when neither failed. The statement itself may have
	// succeeded.
	CloseFailure *Failure
	// CancelError says why the call that cancels the statement on the server failed; empty when that
	// call succeeded or was not made.
	CancelError Category

	// Execute is the time from the call until it returned, with results ready or with an error.
	Execute time.Duration
	// FirstRow is the time from the end of Execute until the application had the first row, including
	// the application's own work in between. Unknown when it read no row.
	FirstRow Maybe[time.Duration]
	// Consume is the time from the first row until the rows were exhausted or closed.
	Consume Maybe[time.Duration]
	// Close is the time the driver took to close the rows, its RPC included.
	Close Maybe[time.Duration]
	// Total is the time from the call until the statement was finished.
	Total time.Duration

	// RowsRead counts the rows the application read.
	RowsRead Maybe[int64]
	// RowsEvidence is EvidenceWire when RowsRead is the number of rows that arrived, because Arrow
	// streams, which are not decoded, were read to their end. Otherwise RowsEvidence is empty, and
	// rows were counted as they were read.
	RowsEvidence Evidence
	// RowsAffected is what the driver reported for an Exec.
	RowsAffected Maybe[int64]

	// WorkspaceID is the workspace's number, as the server reports it; empty while unknown.
	WorkspaceID string
	// Result is what is known about the rows.
	Result Result
	// Polling is unknown where the wire was not read, zero where nothing was polled.
	Polling Maybe[Polling]
	// CloudFetch is nil where the server sent no links to files, or where that is unknown.
	CloudFetch *CloudFetch
	// RPCs are the sums of the calls made for the statement, one for each method, in the order of a
	// statement's life; nil where the wire was not read.
	RPCs []RPC
	// Calls lists the calls that ran the statement, read its state, fetched its pages and ended it, in the order
	// they began; nil where the wire was not read. At most 64 status calls, 256 pages and 16 calls of each other
	// method are listed: the first ones, those that were repeated, and the latest.
	Calls []Call
	// State is the last state of the statement that the server reported, in its own words, such
	// as RUNNING or FINISHED; empty when unknown.
	State string
	// ServerTime is how long the server reports to have worked on the statement, which it seldom
	// does.
	ServerTime Maybe[time.Duration]

	// Split divides Total into parts, which add up to it.
	Split Split
	// Application divides Split[PartApplication] by when the application had control.
	Application Application
}

// Failed reports whether the statement ended in an error.
func (s *Statement) Failed() bool { return s.Failure != nil }

// Kind is the kind of a statement; empty when unknown. The names are the service's own.
type Kind string

// The kinds of statement.
const (
	KindQuery  Kind = "QUERY"  // run to read rows
	KindUpdate Kind = "UPDATE" // run for its effect
	KindVolume Kind = "VOLUME" // PUT, GET or REMOVE on a volume
)

// Outcome is how a statement ended.
type Outcome string

// The outcomes.
const (
	// OutcomeRunning: the statement has not ended. No sink receives such a record; see [Connector].
	OutcomeRunning Outcome = "running"
	// OutcomeCompleted: the Exec returned, or the rows were read to their end.
	OutcomeCompleted Outcome = "completed"
	// OutcomeClosedEarly: the application closed the rows before their end. Behind driverwrap.Wrap the
	// application may have read all of them without asking for more, as QueryRow does.
	OutcomeClosedEarly Outcome = "closed_early"
	// OutcomeFailed: the call or the reading returned an error.
	OutcomeFailed Outcome = "failed"
	// OutcomeCanceled: the call or the reading returned an error because the caller's context was
	// done.
	OutcomeCanceled Outcome = "canceled"
	// OutcomeAbandoned: the rows were still open when their connection was closed, or the application
	// dropped the rows without closing them.
	OutcomeAbandoned Outcome = "abandoned"
)

// Failure is an error reduced to what can be counted. It keeps only what [Settings.ErrorText] allows
// of the error's text, because a server's messages quote SQL, tables and people.
type Failure struct {
	// Category is a stable name for the cause.
	Category Category
	// SQLState is the server's five-character SQLSTATE; empty when there was none.
	SQLState string
	// Retryable is true when the driver says that a retry may succeed.
	Retryable bool
	// Message is what [Settings.ErrorText] keeps of the error's text. It is for the
	// application's own operators and never leaves the process.
	Message string
}
