package cloudfetch

import "time"

// How unknown is told from zero, everywhere in this file: what the server says
// is a Value, an enum whose zero is unknown, an empty string or a zero time.
// What this package counts itself is a plain number, and Gaps says which of the
// counts are only lower bounds.

// Value is something the server may or may not have said.
type Value[T any] struct {
	V     T    // meaningful only when Known
	Known bool // false: never said
}

// Or returns the value, or def when it is unknown.
func (v Value[T]) Or(def T) T {
	if v.Known {
		return v.V
	}
	return def
}

func known[T any](v T) Value[T] { return Value[T]{V: v, Known: true} }

// Gaps is a set of reasons why counts may be too low. Empty means that
// everything that passed through the transport was read.
type Gaps uint8

const (
	// GapMessages: a Thrift response of the statement could not be read to its
	// end although the driver may have read it. Pages, rows, links, state and
	// metadata may be incomplete.
	GapMessages Gaps = 1 << iota
	// GapFiles: a link was handed out that could not be followed: more links
	// than the bound at once, the same link handed out twice, or a link whose
	// spelling a URL parser changes. Its File is FileUnknown.
	GapFiles
	// GapEvicted: the transport forgot the statement because too many others
	// were open (see Options.MaxStatements). What came after is missing.
	GapEvicted
	// GapOthers: another statement ran with the same trace and was left out.
	GapOthers
)

// Has reports whether all of g are in the set.
func (s Gaps) Has(g Gaps) bool { return s&g == g }

// Bounds of the lists in Facts. What lies beyond is still in the sums.
const (
	MaxFiles = 256 // detailed files per statement, by order of hand-out
	MaxPages = 256 // detailed pages per statement
	MaxPolls = 64  // detailed status calls per statement
)

// Span is an interval of wall time with a monotonic reading. A zero End means
// that it has not ended, a zero Start that it has not begun.
type Span struct{ Start, End time.Time }

// Duration is the length of the span; zero unless it has ended.
func (s Span) Duration() time.Duration {
	if s.Start.IsZero() || s.End.IsZero() {
		return 0
	}
	return s.End.Sub(s.Start)
}

// RPC sums the calls of one method.
type RPC struct {
	Count    int // calls the driver made
	Attempts int // HTTP requests it took
	// Retries is Attempts minus Count: HTTP requests that repeated a call
	// after an attempt that failed. Following a redirect is not a retry.
	Retries int
	// Failures counts attempts without a complete answer: no response, a status
	// other than 200, or a body that broke off.
	Failures int
	// Errors counts complete answers that say no: a Thrift exception, or TStatus
	// field 1 ERROR or INVALID_HANDLE.
	Errors int
	// Latency sums, over attempts, the time from sending to the last byte of the
	// message (or to the failure). Attempts under way are not in it.
	Latency time.Duration
	// Backoff sums the waits between the attempts of a call.
	Backoff time.Duration
	// BytesOut and BytesIn sum the request and response bodies, as the driver
	// wrote and read them (after HTTP decompression, without headers). Of a body
	// that is closed before its end, up to 256 bytes may be missing.
	BytesOut, BytesIn int64
	// LastStatus is the HTTP status of the latest attempt; 0 when no response came.
	LastStatus int
}

// Asked is what the driver declared when it sent the statement
// (TExecuteStatementReq). Fields that are absent on the wire are false or zero.
type Asked struct {
	Async         bool  // 4 runAsync
	DirectResults bool  // 1281 getDirectResults present
	DirectRows    int64 // 1281.1 maxRows
	Arrow         bool  // 1282 canReadArrowResult
	Download      bool  // 1283 canDownloadResult
	LZ4           bool  // 1284 canDecompressLZ4Result
}

// Page is one result page: TFetchResultsResp field 3, from a FetchResults reply
// or from direct results.
type Page struct {
	// Fetch is the FetchResults call that brought it, from its first attempt to
	// the last byte; for a page in direct results, the ExecuteStatement call.
	Fetch  Span
	Direct bool         // came with the answer to ExecuteStatement
	Rows   Value[int64] // rows in it: sum of batches, of links, or length of the first column
	Offset Value[int64] // TRowSet 1 startRowOffset
	// Batches and BatchBytes count the inline Arrow batches and their payload
	// (TRowSet 1281); Links the CloudFetch links (1282).
	Batches    int
	BatchBytes int64
	Links      int
}

// File is one CloudFetch file.
type File struct {
	Index  int       // 0-based, in order of hand-out within the statement
	Page   int       // 0-based index of the page that handed it out
	Rows   int64     // announced: TSparkArrowResultLink 4 rowCount
	Bytes  int64     // announced: 5 bytesNum
	Offset int64     // 3 startRowOffset
	Expiry time.Time // 2 expiryTime
	State  FileState
	// Attempts counts HTTP requests for it. Following a redirect is not another.
	Attempts int
	// Status is the HTTP status of the latest failed attempt; 0 when none failed
	// or no response came, 200 when the body broke off.
	Status   int
	Received int64 // body bytes of the latest attempt, as the driver read them
	Wasted   int64 // body bytes of earlier attempts
	// Queued is when the link was handed out (the message with it was complete),
	// Start when its first request was sent, FirstByte when the latest attempt
	// gave its first body byte, End when the latest attempt ended.
	Queued, Start, FirstByte, End time.Time
}

// Latency is the time from the first request to the end, retries included; zero
// unless it ended.
func (f File) Latency() time.Duration { return Span{f.Start, f.End}.Duration() }

// Files sums the CloudFetch files of a statement.
// Present = Downloaded + Failed + Abandoned + Waiting + Unknown.
type Files struct {
	Present    int   // links handed out
	Rows       int64 // announced
	Bytes      int64 // announced
	Downloaded int
	Failed     int
	Abandoned  int
	Waiting    int // not started or under way; always 0 after Finish
	Unknown    int // could not be followed
	Attempts   int // HTTP requests
	Retries    int // HTTP requests after the first of each file
	// Received counts body bytes of all attempts, the failed ones included.
	Received int64
	// Latencies of downloaded files, first request to last byte, retries
	// included: of the file that was complete first, the slowest, and the sum.
	First, Slowest, Sum time.Duration
	// FirstFailed is the lowest index among the failed files.
	FirstFailed Value[int]
	// List has the first MaxFiles of them.
	List []File
}

// Facts is what is known about one statement. It is a copy: reading and keeping
// it is safe.
type Facts struct {
	StatementID ID     // TOperationHandle 1.1 guid; zero unknown
	SessionID   ID     // TExecuteStatementReq 1.1.1 guid; zero unknown
	WorkspaceID string // response header x-databricks-org-id; empty unknown

	Asked Value[Asked]
	calls *calling // see RPC and Execute

	SQLState        string       // last non-empty: TGetOperationStatusResp 3, else TStatus 3; five characters or empty
	ErrorCode       Value[int32] // last reported: TGetOperationStatusResp 4, else TStatus 4
	ServerStarted   time.Time    // TGetOperationStatusResp 7, server clock, millisecond
	ServerCompleted time.Time    // 8
	ModifiedRows    Value[int64] // 11
	State           ServerState  // last reported
	Gaps            Gaps

	HasResultSet  Value[bool] // TOperationHandle 3
	DirectResults Value[bool] // TExecuteStatementResp 1281 present
	ServerClosed  Value[bool] // 1281.4 closeOperation present: the server closed the statement itself
	MoreRows      Value[bool] // TFetchResultsResp 2 hasMoreRows of the last page

	Format            ResultFormat // TGetResultSetMetadataResp 1281
	Compressed        Value[bool]  // 1282 lz4Compressed
	Cache             CacheResult  // 1284
	Staging           Value[bool]  // 1287
	UncompressedBytes Value[int64] // 1285
	CompressedBytes   Value[int64] // 1286
	Columns           Value[int]   // 2 schema, number of columns

	Polls []Span // GetOperationStatus calls, the first MaxPolls

	PageCount     int
	RowsDelivered int64 // rows in all pages whose count is known
	Pages         []Page

	Files *Files // nil where no link was handed out
}

// RPC returns the sums of one method; zero where it was not called.
func (f *Facts) RPC(m Method) RPC { return f.calls.find(m).rpc }

// Execute is the latest call of ExecuteStatement, from its first attempt to the last byte.
func (f *Facts) Execute() Span { return f.calls.find(ExecuteStatement).span }

// SessionFacts is what is known about one session. It is a copy.
type SessionFacts struct {
	SessionID   ID           // TOpenSessionResp 3.1.1 guid; zero unknown
	WorkspaceID string       // response header x-databricks-org-id; empty unknown
	Protocol    Value[int32] // TOpenSessionResp 2 serverProtocolVersion
	Open, Close Span         // first attempt to last byte
	OpenRPC     RPC
	CloseRPC    RPC
	SQLState    string // TStatus 3, five characters or empty
	Gaps        Gaps
}
