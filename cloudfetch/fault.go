package cloudfetch

import (
	"errors"
	"net/http"
	"strings"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// Fault is the evidence of why a statement or session failed: what the server and the storage had
// answered so far.
type Fault struct {
	// Waiting is true when no context of the caller was done, so that a cancellation in the error is that of
	// another context. The caller of Fault sets it, because the wire does not show it.
	Waiting bool

	// Observed is true when no call can have been missed: a failed call that was not observed was
	// never sent.
	Observed bool

	// SQLState is the last SQLSTATE that the server reported; empty if there was none.
	SQLState string

	// CallFailed is true when a call has no answer that the driver can use: an HTTP error, no answer,
	// an incomplete answer, a refusal, or bytes that cannot be decoded.
	CallFailed bool
	// Status is the HTTP status of the latest attempt of that call, or 407 if a proxy refused it
	// without authentication; 0 without an answer.
	Status int
	// Broke is the error that broke off that attempt or its answer; nil if a complete answer came.
	Broke error
	// Header is the name of a header that kept that attempt from being sent; empty for none.
	Header string

	// Refused is true when the server answered that call with an error, though it had accepted the statement.
	Refused bool

	// RowsFetched is true when rows arrived, or that call asked for them.
	RowsFetched bool
	// FailedFiles counts the files whose latest attempt failed; 0 if the file with the next row has
	// arrived.
	FailedFiles int64

	// Complete is the format of rows that arrived completely, so that only reading them can fail;
	// empty if there are none, or if that is not known.
	Complete telemetry.ResultFormat
	// Compressed is true when those rows are compressed with LZ4.
	Compressed bool
	// Streams is true when it is not known how many rows were read, because the driver may pass them on
	// as Arrow streams, which it does not read.
	Streams bool
}

// Fault returns what has been answered so far to the calls that run the statement, poll and fetch,
// and to the downloads of its files. A nil trace has the zero Fault.
func (t *Trace) Fault() Fault {
	if t == nil {
		return Fault{}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	failing := t.methods.find(t.failing)
	f := failing.fault(t.sqlState)
	f.Refused = failing.refused && t.failing != executeStatement
	f.Observed, f.Streams = t.whole(), t.uncounted
	f.RowsFetched = t.pages > 0 || t.failing == fetchResults
	if t.uncounted || len(t.segments) == 0 || !t.segments[0].arrived() {
		f.FailedFiles, _ = t.files.failed() // otherwise the next row has arrived, and other files are no evidence
	}
	if !t.volume && t.pages > 0 && (t.files == nil || t.files.sums.Downloaded > 0 && !t.files.untracked.Load() && t.arrived()) {
		f.Complete, f.Compressed = t.result.Format, t.result.Compressed.Or(false)
	}
	return f
}

// arrived reports whether the file with the next row was downloaded. It reports true if rows are not
// counted.
func (t *Trace) arrived() bool {
	return t.uncounted || len(t.segments) == 0 || t.segments[0].arrived()
}

// CloseFault returns what has been answered so far to the call that closes the statement. A nil trace
// has the zero Fault.
func (t *Trace) CloseFault() Fault { return t.faultOf(closeOperation) }

// CancelFault is like CloseFault, for the call that cancels the statement.
func (t *Trace) CancelFault() Fault { return t.faultOf(cancelOperation) }

func (t *Trace) faultOf(m method) Fault {
	if t == nil {
		return Fault{}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	s := t.methods.find(m)
	f := s.fault("")
	if s.refused {
		f.Refused, f.SQLState = true, s.sqlState.String()
	}
	f.Observed = t.whole()
	return f
}

// updateFailing notes whether a call got an answer that the driver can use. The first call that did
// not get one counts, because the calls that the driver makes afterwards to tidy up may also fail.
func (t *Trace) updateFailing(s *methodStats) {
	switch {
	case t.tidies(s.method), t.describes(s.method):
	case s.unanswered() && t.failing == unknownMethod:
		t.failing = s.method
	case !s.unanswered() && t.failing == s.method:
		t.failing = unknownMethod
	}
}

// tidies reports whether a call only tidies up, so that it does not explain why the statement failed.
// The driver asks for the metadata of an unfinished statement only after the driver or the server has
// given up.
func (t *Trace) tidies(m method) bool {
	return m == cancelOperation || m == closeOperation || m == getResultSetMetadata && t.state != "FINISHED" && t.pages == 0
}

// describes reports whether the call is due to the application asking for the description of the rows. The
// driver returns no error for that, and asks again if it needs the answer, so such a call is not why a
// statement fails.
func (t *Trace) describes(m method) bool {
	return m == getResultSetMetadata && t.activity == describing
}

// unanswered reports whether the latest call has, so far, failed to get an answer that the driver can
// use.
func (s *methodStats) unanswered() bool {
	switch s.state {
	case failed, redirected, undecoded:
		return true
	}
	return s.refused
}

// fault returns the Fault of the latest call of a method.
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
// token with the line feed at the end of its file.
type headerError struct {
	error
	name string
}

func (e headerError) Unwrap() error { return e.error }

// unsendable returns the error of a request, as a headerError if a header of the request cannot be
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
