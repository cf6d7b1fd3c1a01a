package cloudfetch

import "strconv"

// Method is a Thrift RPC the Databricks driver makes. The zero value is a
// method this package does not follow.
type Method uint8

// The RPCs of a session and of a statement, in the order of a statement's life.
const (
	MethodUnknown Method = iota
	OpenSession
	CloseSession
	ExecuteStatement
	GetOperationStatus
	GetResultSetMetadata
	FetchResults
	CancelOperation
	CloseOperation

	numMethods
)

var methodNames = [numMethods]string{
	"Unknown", "OpenSession", "CloseSession", "ExecuteStatement", "GetOperationStatus",
	"GetResultSetMetadata", "FetchResults", "CancelOperation", "CloseOperation",
}

// String returns the method's name on the wire, or "Unknown".
func (m Method) String() string { return name(methodNames[:], int(m)) }

func methodNamed(wire []byte) Method {
	for m := OpenSession; m < numMethods; m++ {
		if methodNames[m] == string(wire) {
			return m
		}
	}
	return MethodUnknown
}

// ServerState is the state of a statement as the server last reported it
// (TGetOperationStatusResp field 2). The zero value is unknown: never reported,
// or reported with a number this package does not know.
type ServerState uint8

// The states, in the order of the protocol's enum.
const (
	StateUnknown ServerState = iota
	StateInitialized
	StateRunning
	StateFinished
	StateCanceled
	StateClosed
	StateError
	StateServerUnknown // the server itself answered "unknown"
	StatePending
	StateTimedOut
)

var stateNames = []string{
	"", "INITIALIZED", "RUNNING", "FINISHED", "CANCELED", "CLOSED", "ERROR", "UNKNOWN", "PENDING", "TIMEDOUT",
}

// String returns the protocol's name, such as FINISHED; empty when unknown.
func (s ServerState) String() string { return name(stateNames, int(s)) }

// ResultFormat is the form in which the server delivered the rows
// (TGetResultSetMetadataResp field 1281). The zero value is unknown.
type ResultFormat uint8

// The formats, under the names Databricks telemetry uses.
const (
	FormatUnknown  ResultFormat = iota
	InlineArrow                 // ARROW_BASED_SET: Arrow batches inside the Thrift responses
	ColumnarInline              // COLUMN_BASED_SET: Thrift columns
	InlineJSON                  // ROW_BASED_SET: Thrift rows
	ExternalLinks               // URL_BASED_SET: CloudFetch files
)

var formatNames = []string{"", "INLINE_ARROW", "COLUMNAR_INLINE", "INLINE_JSON", "EXTERNAL_LINKS"}

// String returns the telemetry name, such as EXTERNAL_LINKS; empty when unknown.
func (f ResultFormat) String() string { return name(formatNames, int(f)) }

// CacheResult says whether the result came from a cache
// (TGetResultSetMetadataResp field 1284). The zero value is unknown.
type CacheResult uint8

// The answers, in the order of the protocol's enum.
const (
	CacheUnknown CacheResult = iota
	CacheIneligible
	CacheLocalHit
	CacheRemoteHit
	CacheMiss
)

var cacheNames = []string{"", "INELIGIBLE", "LOCAL_HIT", "REMOTE_HIT", "MISS"}

// String returns the protocol's name, such as LOCAL_HIT; empty when unknown.
func (c CacheResult) String() string { return name(cacheNames, int(c)) }

// FileState is how far the download of one CloudFetch file has come.
type FileState uint8

const (
	// FileUnknown: the link could not be followed (see GapFiles), so nothing is
	// said about its download.
	FileUnknown FileState = iota
	// FileWaiting: handed out by the server, no request for it yet. Only in
	// Facts taken before Finish.
	FileWaiting
	// FileDownloading: a request for it is under way, or waits behind a
	// redirect. Only in Facts taken before Finish.
	FileDownloading
	// FileDownloaded: the last attempt ended with status 200 and a body read to
	// its end.
	FileDownloaded
	// FileFailed: the last attempt ended without a complete 200. Before Finish
	// the driver may still try again.
	FileFailed
	// FileAbandoned: the reader gave up (rows closed early, context cancelled)
	// before an attempt ended by itself, or never asked for the file.
	FileAbandoned
)

var fileStateNames = []string{"UNKNOWN", "WAITING", "DOWNLOADING", "DOWNLOADED", "FAILED", "ABANDONED"}

// String returns the state in capitals.
func (s FileState) String() string { return name(fileStateNames, int(s)) }

func name(names []string, i int) string {
	if i < len(names) {
		return names[i]
	}
	return strconv.Itoa(i)
}

// oneBased maps a protocol enum (0..n-1) to ours (1..n), and anything else to
// zero, which is unknown.
func oneBased(v int32, n int) uint8 {
	if v < 0 || int(v) >= n-1 {
		return 0
	}
	return uint8(v) + 1
}
