package telemetry

import "time"

// Part is what a statement is waiting for. At every instant it is exactly one thing.
type Part uint8

// The parts of a statement's time.
const (
	// PartUnknown: what the statement waited for was not observed.
	PartUnknown Part = iota
	// PartServer: the server worked on the statement, as seen on the wire: ExecuteStatement was
	// unanswered, or the last known state was pending or running, until the next status call was due.
	// If the server reports how long it worked (see Statement.ServerTime), that time is used.
	PartServer
	// PartPoll: the server had finished, but the next status call had not yet noticed. Known only if
	// the server reports how long it worked.
	PartPoll
	// PartRetry: a request failed and was repeated. It includes the failed attempt and the pause,
	// except those of a status call that then found the server still at work.
	PartRetry
	// PartPage: a result page, or the description of the result, was on its way.
	PartPage
	// PartFile: the CloudFetch file with the next row was on its way.
	PartFile
	// PartTransfer: a volume file went up or down. Attempts that failed and were repeated are in it, because
	// transfers are not observed.
	PartTransfer
	// PartDecode: the driver turned bytes into rows. This is measured only where it needs no clock
	// reading per row: at the beginning of a page or file, and in Arrow readers.
	PartDecode
	// PartApplication: the application had control. If rows are read one by one, it includes the
	// driver's decoding of them, except at the beginning of a page or file.
	PartApplication
	// PartClose: the statement was canceled or closed.
	PartClose
	// PartNetwork: the rest, where the other parts are known: the network and the driver.
	PartNetwork

	numParts
)

// Parts lists every part, in the order of a statement's life. It must not be changed.
var Parts = [numParts]Part{
	PartServer, PartPoll, PartRetry, PartPage, PartFile, PartTransfer, PartDecode, PartApplication, PartClose, PartNetwork, PartUnknown,
}

var partNames = [numParts]string{
	PartUnknown: "unknown", PartServer: "server", PartPoll: "poll", PartRetry: "retry", PartPage: "page", PartFile: "file",
	PartTransfer: "transfer", PartDecode: "decode", PartApplication: "application", PartClose: "close", PartNetwork: "network",
}

// String returns the name of the part, such as "server".
func (p Part) String() string {
	if p >= numParts {
		p = PartUnknown
	}
	return partNames[p]
}

// Split is the time of a statement by part. Split[PartServer], for example, is how long the statement
// waited for the server.
type Split [numParts]time.Duration

// Total is the sum of the parts.
func (s Split) Total() (sum time.Duration) {
	for _, d := range s {
		sum += d
	}
	return sum
}

// Application divides PartApplication, the time in which the application had control, into before,
// between and after the driver's calls that read rows.
type Application struct {
	// Before is the time from the end of the call until rows were first asked for or were closed.
	Before time.Duration
	// Between is the time between the driver's calls that read rows. Where rows are read one by
	// one, it includes the driver's decoding of them.
	Between time.Duration
	// After is the time from the end of the rows until they were closed.
	After time.Duration
}
