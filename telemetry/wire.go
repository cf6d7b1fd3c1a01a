package telemetry

import "time"

// Evidence says where the facts about a result come from. It is empty when nothing is known beyond
// what database/sql shows.
type Evidence string

// The kinds of evidence.
const (
	// EvidenceWire: read from the bytes that passed between driver and server.
	EvidenceWire Evidence = "wire"
	// EvidenceInferred: inferred from the native rows, by reflection.
	EvidenceInferred Evidence = "inferred"
)

// ResultFormat is the format in which rows were sent; empty when unknown. The names are the
// service's own.
type ResultFormat string

// The result formats.
const (
	FormatInlineArrow    ResultFormat = "INLINE_ARROW"
	FormatColumnarInline ResultFormat = "COLUMNAR_INLINE"
	FormatInlineJSON     ResultFormat = "INLINE_JSON"
	FormatExternalLinks  ResultFormat = "EXTERNAL_LINKS" // CloudFetch
)

// Result is what is known about the rows a statement returned.
type Result struct {
	// Evidence says where the other fields come from.
	Evidence Evidence
	// Format is the format in which the rows were sent.
	Format ResultFormat
	// Compressed is true when the server compressed them (LZ4).
	Compressed Maybe[bool]
	// Cache is what the result cache said: INELIGIBLE, LOCAL_HIT, REMOTE_HIT or MISS;
	// empty when unknown.
	Cache string
	// UncompressedBytes and CompressedBytes are the sizes the server announced.
	UncompressedBytes, CompressedBytes Maybe[int64]
	// Direct is true when rows came with the answer to ExecuteStatement.
	Direct Maybe[bool]
	// Pages counts the result pages that arrived, direct results included. Where the
	// evidence is inferred, empty pages are not counted.
	Pages Maybe[int64]
	// Rows counts the rows in the pages, or in the files that the pages link to. Pages that the driver skips,
	// because an earlier answer was lost on its way, are not counted.
	Rows Maybe[int64]
}

// Polling sums the status calls of a statement.
type Polling struct {
	Calls   int64         // status calls
	Latency time.Duration // sum of the calls, without the pauses between them
	// Unseen is the time between the last answer that said that the statement was still running and
	// the answer that said that it was not. The statement may have ended at any time in between.
	Unseen time.Duration
}

// RPC is the sum of the calls of one Thrift method made for a statement.
type RPC struct {
	Method string // such as ExecuteStatement
	Calls  int64  // each counted once, however often it was repeated
	// Retries counts the HTTP attempts beyond the first of each call.
	Retries int64
	// Latency is the time of all attempts, without the pauses between them.
	Latency time.Duration
	// Backoff is the time of the pauses between a failed attempt and the next.
	Backoff time.Duration
	// BytesOut and BytesIn are the sizes of all request and response bodies.
	BytesOut, BytesIn int64
	// LastStatus is the HTTP status of the latest attempt; 0 when no answer came.
	LastStatus int
	// FailedStatus is the HTTP status of the latest attempt that failed; 0 when none failed, or no
	// answer came. An attempt that the client gave up before an answer does not count.
	FailedStatus int
	// Slowest is the time of the slowest call, including its retries and the pauses between them. For a call that
	// has not ended, it is the time so far.
	Slowest time.Duration
	// Connecting is how long these calls waited for a network connection: for a free one, if the
	// application supplied a transport, or for a new one, including TLS and proxies.
	Connecting time.Duration
}

// Call is one Thrift call of a statement, its retries included. Times count from
// Statement.Started.
type Call struct {
	Method string        // such as ExecuteStatement
	Start  time.Duration // when the first attempt began
	// FirstByte is when the answer to the latest attempt began; End is when that attempt ended. Each
	// is unknown until it happens.
	FirstByte, End Maybe[time.Duration]
	// Status is the HTTP status of the latest attempt; 0 when no answer came (yet).
	Status int
	// Failed is true when the latest attempt ended without an answer that the driver can use.
	Failed bool
	// Attempts counts the HTTP attempts; Retried lists the first of those that were repeated.
	Attempts int64
	Retried  []Attempt
	// Latest is when the latest attempt began.
	Latest time.Duration
	// RequestID is the server's x-request-id of the latest attempt, which Databricks support asks
	// for. It is kept only for calls that failed, were repeated or took a second or longer.
	RequestID string
	// Rows counts the rows in the page that the call returned; unknown if it returned none.
	Rows Maybe[int64]
	// Files counts the CloudFetch links in the page.
	Files int64
	// Number is the position of the call among those of its method, from 1, if an earlier one is not
	// listed; otherwise 0.
	Number int64
}

// Attempt is one HTTP attempt that failed and was repeated. The pause after it lasts until the
// next attempt begins. Times count from Statement.Started.
type Attempt struct {
	Start, End time.Duration
	Status     int    // HTTP status; 0 when no answer came
	RequestID  string // the server's x-request-id of a Thrift call; empty when there was none
}

// CloudFetch is the sum of the files that a result was downloaded from. Once the statement is
// finished, Present = Downloaded + Failed + Abandoned.
type CloudFetch struct {
	Present    int64 // links the server sent
	Downloaded int64 // files that are complete
	Failed     int64 // files whose latest attempt failed
	Abandoned  int64 // not requested, or not complete, when the rows were closed
	Bytes      int64 // announced for all files
	Received   int64 // body bytes of all attempts that were answered with 200
	Attempts   int64 // HTTP requests for files
	Retries    int64 // attempts beyond the first of each file
	// Retried counts the files that needed more than one attempt. MostAttempts is the largest number
	// of attempts that one file needed. RetryStatus is the HTTP status of the latest attempt that was
	// repeated, 0 when no answer came.
	Retried, MostAttempts int64
	RetryStatus           int
	// First, Slowest and Sum are the latencies of the first file to be complete, of the slowest file,
	// and of all downloaded files. A file's latency lasts from its first request to its last byte,
	// retries included.
	First, Slowest, Sum time.Duration
	// FailedIndex is the lowest index of a failed file. FailedStatus is the HTTP status of that
	// file's latest attempt, if there was one.
	FailedIndex, FailedStatus Maybe[int64]
	// Files lists the first 256 files, in the order of their links.
	Files []File
}

// File is one CloudFetch file. Times count from Statement.Started.
type File struct {
	Index    int64  // from 0, in the order of the links
	State    string // DOWNLOADED, FAILED or ABANDONED; WAITING or DOWNLOADING while the statement runs
	Rows     int64  // announced
	Bytes    int64  // announced
	Received int64  // of the latest attempt
	Attempts int64  // HTTP requests for the file
	Status   int    // HTTP status of the latest failed attempt; 0 when none failed
	// Retried lists the first of the attempts that failed and were repeated. Latest is when the
	// latest attempt began; 0 before the first.
	Retried []Attempt
	Latest  time.Duration
	// Queued is when the link arrived, and Start when the file was first requested; FirstByte and End
	// are those of the latest attempt. Each is unknown until it happens.
	Queued, Start, FirstByte, End Maybe[time.Duration]
}
