package workspace

import (
	"maps"
	"slices"
	"time"
)

// ResultFormat is the format in which the rows of a statement were sent, in the terms of the
// service's own telemetry.
type ResultFormat string

// The result formats.
const (
	FormatNone     ResultFormat = ""                // no result: failed, or not finished
	InlineArrow    ResultFormat = "INLINE_ARROW"    // Arrow batches in Thrift responses
	ColumnarInline ResultFormat = "COLUMNAR_INLINE" // Thrift columns
	ExternalLinks  ResultFormat = "EXTERNAL_LINKS"  // CloudFetch
)

// ClosedBy says who closed an operation.
type ClosedBy string

// The ways an operation is closed.
const (
	StillOpen         ClosedBy = ""
	ClosedByClient    ClosedBy = "CloseOperation" // the RPC
	ClosedDirectly    ClosedBy = "DirectResults"  // by the server, with the first answer
	ClosedWithSession ClosedBy = "Session"        // the session ended first
	ClosedIdle        ClosedBy = "Idle"           // by the server, see Options.OperationTimeout and ResultMemory
)

// StatementFacts is what happened to one statement as the server saw it: the truth that a client's
// measurements are compared with.
type StatementFacts struct {
	// ID is the statement id, or "" if no attempt of ExecuteStatement reached the warehouse.
	ID          string
	SessionID   string
	WarehouseID string // "" without an ID
	SQL         string

	// Overlay is the configuration that came with the statement, such as query_tags.
	Overlay map[string]string

	// Parameters is the number of bound parameters.
	Parameters int

	// Attempts counts HTTP requests per Thrift method, including those a fault answered;
	// Calls counts RPCs, that is, attempts without the retries of the same call.
	Attempts, Calls map[string]int

	// Polls is the number of GetOperationStatus requests answered.
	Polls int

	Format      ResultFormat
	LZ4         bool
	CacheResult string // INELIGIBLE, HIT or MISS
	Staging     bool   // PUT, GET or REMOVE of a volume file

	// Rows is the number of rows of the result; RowsSent is how many of them were sent in pages or
	// issued as links.
	Rows, RowsSent int64

	// UpdatedRows is the number of rows that a DML statement changed. It is -1 for other statements
	// and for DML that has not succeeded.
	UpdatedRows int64

	// Pages are the pages answered, in order; Links the files issued, in order.
	Pages []PageFacts
	Links []LinkFacts

	// State is the operation's state: PENDING, RUNNING, FINISHED, CANCELED, ERROR or
	// TIMEDOUT, or "" when it never started.
	State    string
	SQLState string
	Message  string

	Canceled bool // CancelOperation was answered
	ClosedBy ClosedBy

	// Received is when the first attempt of ExecuteStatement arrived. ComputeQueued is when the
	// statement began to wait for its warehouse to start, and CapacityQueued when it began to wait
	// for capacity there. Compiling is when those waits were over, Started when the statement was
	// compiled, and Completed when its result was ready. Each is zero until it happens, and stays
	// zero for a wait that does not happen.
	Received, ComputeQueued, CapacityQueued, Compiling, Started, Completed, Closed time.Time
}

// PageFacts is one page of rows.
type PageFacts struct {
	Direct bool  // it came with the answer to ExecuteStatement
	Rows   int64 // rows in it, or in the files its links name
	Bytes  int64 // payload as sent; for links, the size of the files
	Links  int
	More   bool // hasMoreRows
	At     time.Time
}

// LinkFacts is one CloudFetch file.
type LinkFacts struct {
	Path      string // of the presigned URL, without signature
	StartRow  int64
	Rows      int64
	Bytes     int64
	Downloads []Download
}

// Download is one attempt to read or write an object.
type Download struct {
	At        time.Time
	Duration  time.Duration
	Status    int   // 0 when the connection broke before an answer
	Bytes     int64 // body bytes sent
	Completed bool  // status 200 or 204, and every byte written to the connection
}

// SessionFacts is what happened to one session.
type SessionFacts struct {
	ID              string
	Conf            map[string]string
	Catalog, Schema string // where the session began
	WarehouseID     string
	UserAgent       string
	ClientProtocol  int64

	// OpenRequestID is the [Request] that opened it. Failed attempts to open a session
	// belong to no session; they are in [Workspace.Requests].
	OpenRequestID int
	CloseAttempts int // HTTP requests of CloseSession, including those a fault answered
	Opened        time.Time
	Closed        time.Time // zero while open
	Expired       bool      // it ended without its client asking
}

// Statements returns the facts of every statement in the order they arrived, as far back as
// Options.Keep reaches. The values are copies.
func (w *Workspace) Statements() []StatementFacts {
	w.ledger.mu.Lock()
	defer w.ledger.mu.Unlock()
	list := make([]StatementFacts, len(w.ledger.statements.list))
	for i, s := range w.ledger.statements.list {
		list[i] = s.clone()
	}
	return list
}

// Statement returns the facts of one statement by its id.
func (w *Workspace) Statement(id string) (StatementFacts, bool) {
	w.ledger.mu.Lock()
	defer w.ledger.mu.Unlock()
	if s := w.ledger.byID[id]; s != nil {
		return s.clone(), true
	}
	return StatementFacts{}, false
}

// Sessions returns the facts of every session in the order they were opened, as far back as
// Options.Keep reaches. The values are copies.
func (w *Workspace) Sessions() []SessionFacts {
	w.ledger.mu.Lock()
	defer w.ledger.mu.Unlock()
	list := make([]SessionFacts, len(w.ledger.sessions.list))
	for i, s := range w.ledger.sessions.list {
		list[i] = *s
		list[i].Conf = maps.Clone(s.Conf)
	}
	return list
}

// Forget empties the facts: statements, sessions, requests and telemetry. Open sessions and
// statements go on, but record no more facts of their own. A test calls Forget to look only at what
// happens afterwards.
func (w *Workspace) Forget() {
	w.ledger.update(w.ledger.clear)
	w.telemetry.mu.Lock()
	defer w.telemetry.mu.Unlock()
	w.telemetry.clear()
}

func (s *statementRecord) clone() StatementFacts {
	f := s.StatementFacts
	f.Overlay = maps.Clone(f.Overlay)
	f.Attempts, f.Calls = maps.Clone(f.Attempts), maps.Clone(f.Calls)
	f.Pages, f.Links = slices.Clone(f.Pages), slices.Clone(f.Links)
	for i := range f.Links {
		f.Links[i].Downloads = slices.Clone(f.Links[i].Downloads)
	}
	return f
}
