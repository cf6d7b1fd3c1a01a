package telemetry

import "time"

// Part is what a statement is waiting for. At every instant that is exactly one.
type Part uint8

// The parts of a statement's time.
const (
	// PartUnknown: what the statement waited for was not observed.
	PartUnknown Part = iota
	// PartServer: the server worked on it. That is as the wire shows it: ExecuteStatement was
	// unanswered, or the last known state was pending or running. Where the server tells how
	// long it worked (see Statement.ServerTime), that decides.
	PartServer
	// PartPoll: the server had finished, and the next status call had not noticed. Known only
	// where the server tells how long it worked.
	PartPoll
	// PartRetry: a request failed and was repeated. The failed attempt and the pause count, but not
	// those of a status call that then said that the server was still at work.
	PartRetry
	// PartPage: a result page, or what describes the result, was on its way.
	PartPage
	// PartFile: a CloudFetch file that the next row is in was on its way.
	PartFile
	// PartTransfer: a volume file went up or down.
	PartTransfer
	// PartDecode: the driver turned bytes into rows, as far as that is seen without a clock
	// reading per row: at the beginning of a page or file, and in Arrow readers.
	PartDecode
	// PartApplication: the application had control. Between two pages or files of rows that
	// are read one by one, the driver's decoding of them is in it.
	PartApplication
	// PartClose: the statement was canceled or closed.
	PartClose
	// PartNetwork: none of the others, where they are known: the network, and the driver.
	PartNetwork

	numParts
)

// Parts has every part in the order of a statement's life. It must not be changed.
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

// Split is the time of a statement by part: Split[PartServer] is how long it waited for the
// server.
type Split [numParts]time.Duration

// Total is the sum of the parts.
func (s Split) Total() (sum time.Duration) {
	for _, d := range s {
		sum += d
	}
	return sum
}

// Application divides PartApplication, the time in which the application had control, by when that
// was.
type Application struct {
	// Before is the time from the end of the call until rows were first asked for, or closed.
	Before time.Duration
	// Between is the time between the driver's calls that read rows. Where rows are read one by
	// one, it includes the driver's decoding of them.
	Between time.Duration
	// After is the time from the end of the rows until they were closed.
	After time.Duration
}
