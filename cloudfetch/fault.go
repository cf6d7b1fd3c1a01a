package cloudfetch

import (
	"errors"
	"net/http"
	"strings"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// Fault is the evidence of why a statement or session failed: what the server and the storage had
// answered by then.
type Fault struct {
	// Waiting is true when no context of the caller's was done: a cancellation in the error is another's. The
	// wire does not show it.
	Waiting bool

	// Observed is true when no call can have been missed: one that failed and is not among the calls
	// was never sent.
	Observed bool

	// SQLState is the last that the server reported; empty for none.
	SQLState string

	// CallFailed is true when a call has no answer that the driver can use: an HTTP error, none at
	// all, a part of one, a refusal, or bytes that are not understood.
	CallFailed bool
	// Status is the HTTP status of the latest attempt of that call, or of the proxy that did not let it
	// through without authentication; 0 without an answer.
	Status int
	// Broke is what broke that attempt, or its answer, off; nil where an answer came whole.
	Broke error
	// Header is the name of a header that kept that attempt from being sent; empty for none.
	Header string

	// RowsFetched is true when rows arrived, or that call asked for them.
	RowsFetched bool
	// FailedFiles counts the files whose latest attempt failed; 0 where the next row has arrived.
	FailedFiles int64

	// Complete is the format of rows that arrived whole, so that only reading them can fail; empty
	// where none did, or where that is not known.
	Complete telemetry.ResultFormat
	// Compressed is true when those rows are compressed with LZ4.
	Compressed bool
	// Streams is true when it is not known how many rows were read: the driver may pass them on as Arrow
	// streams, which it does not read.
	Streams bool
}

// Fault returns what was answered by now to the calls that run the statement, poll and fetch,
// and to the downloads of its files. A nil trace has the zero Fault.
func (t *Trace) Fault() Fault {
	if t == nil {
		return Fault{}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	f := t.methods.find(t.failing).fault(t.sqlState)
	f.Observed, f.Streams = t.whole(), t.uncounted
	f.RowsFetched = t.pages > 0 || t.failing == fetchResults
	if t.uncounted || len(t.segments) == 0 || t.segments[0].file == nil || !t.segments[0].arrived() {
		f.FailedFiles, _ = t.files.failed() // else the next row has arrived, and other files say nothing
	}
	if !t.volume && t.pages > 0 && (t.files == nil || t.files.sums.Downloaded > 0 && !t.files.untracked.Load() && t.arrived()) {
		f.Complete, f.Compressed = t.result.Format, t.result.Compressed.Or(false)
	}
	return f
}

// arrived reports whether the file that the next row is in was downloaded, as far as rows are counted.
func (t *Trace) arrived() bool {
	return t.uncounted || len(t.segments) == 0 || t.segments[0].arrived()
}

// CloseFault returns what was answered by now to the call that closes the statement. A nil trace
// has the zero Fault.
func (t *Trace) CloseFault() Fault { return t.faultOf(closeOperation) }

// CancelFault is CloseFault of the call that cancels it.
func (t *Trace) CancelFault() Fault { return t.faultOf(cancelOperation) }

func (t *Trace) faultOf(m method) Fault {
	if t == nil {
		return Fault{}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	f := t.methods.find(m).fault("")
	f.Observed = t.whole()
	return f
}

// updateFailing notes whether a call got an answer that the driver can use. The first that did not
// counts: the calls that the driver makes after it to tidy up may fail, too.
func (t *Trace) updateFailing(s *methodStats) {
	switch {
	case t.tidies(s.method), t.describes(s.method):
	case s.unanswered() && t.failing == unknownMethod:
		t.failing = s.method
	case !s.unanswered() && t.failing == s.method:
		t.failing = unknownMethod
	}
}

// tidies reports whether the driver makes a call that says nothing of why the statement failed. It asks
// what a statement that did not finish is only after it has given up, or the server has.
func (t *Trace) tidies(m method) bool {
	return m == cancelOperation || m == closeOperation || m == getResultSetMetadata && t.state != "FINISHED" && (t.state != "" || t.works())
}

// describes reports whether the application asked for what describes the rows. The driver returns no error
// for it, and asks again where it needs the answer: a call that failed then is not why a statement fails.
func (t *Trace) describes(m method) bool {
	return m == getResultSetMetadata && t.activity == describing
}

// unanswered reports whether the latest call, as far as it has come, has no answer that the
// driver can use.
func (s *methodStats) unanswered() bool {
	switch s.state {
	case failed, redirected, undecoded:
		return true
	}
	return s.refused
}

// fault is the Fault of the latest call of a method.
func (s *methodStats) fault(sqlState string) Fault {
	f := Fault{SQLState: sqlState}
	if s.unanswered() {
		f.CallFailed, f.Status, f.Broke = true, s.rpc.LastStatus, s.broke
		if header := (headerError{}); errors.As(s.broke, &header) {
			f.Header = header.name
		}
		if proxy := proxyAuthError(""); errors.As(s.broke, &proxy) {
			f.Status = http.StatusProxyAuthRequired
		}
	}
	return f
}

// headerError is the error of a request that net/http refused to send because of a header, such as a
// token that ends with the line feed of its file.
type headerError struct {
	error
	name string
}

func (e headerError) Unwrap() error { return e.error }

// unsendable returns the error of a request, as a headerError where a header of the request cannot be
// sent.
func unsendable(req *http.Request, err error) error {
	if err == nil {
		return nil
	}
	for name, values := range req.Header {
		for _, v := range values {
			if strings.ContainsFunc(v, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }) {
				return headerError{err, name}
			}
		}
	}
	return err
}
