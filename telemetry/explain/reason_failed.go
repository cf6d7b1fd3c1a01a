package explain

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/internal/breakdown"
	"github.com/seed-01322ee7/databricks-telemetry/internal/format"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// This file explains failed requests: those that were repeated, and the one that made a statement
// fail.

func retryReason(s *telemetry.Statement) reason {
	var calls []string
	failed, how, final := failedCall(s)
	pausing, meanwhile := "", ""
	if c, until := pauseAfter(s); c != nil && until-c.End.Or(s.Total) > s.Split[telemetry.PartRetry]/10 { // otherwise it was given up as it failed
		pausing = c.Method
	}
	worst := &telemetry.RPC{} // what the advice is about: the method whose repetition took the longest, or else the first method that failed
	for i := range s.RPCs {
		r := &s.RPCs[i]
		switch {
		case foundAtWork(s, r):
			continue
		case r.Retries > 0:
			of := cmp.Or(r.Method, "calls") // in an older file, the sum of all methods has no name
			calls = append(calls, format.Plural(r.Retries, "retry")+" of "+of+lastStatus(repeatedStatus(s, r)))
		case r.Method == pausing && pausing != "", r.FailedStatus != 0 && (r.Method == failed || len(s.Calls) == 0): // other methods took no time in PartRetry
			calls = append(calls, r.Method+" failed"+lastStatus(r.FailedStatus))
		default:
			continue
		}
		if worked, told := s.ServerTime.Get(); r.Method == "GetOperationStatus" && (!told || worked > s.Split[telemetry.PartServer]) {
			meanwhile = " The server may have worked meanwhile: the query history says how long the statement ran."
		}
		if len(calls) == 1 || repeating(s, r) > repeating(s, worst) {
			worst = r
		}
	}
	var evidence, advice []string // about files and calls, if both were repeated: which took longer is not known
	if c := s.CloudFetch; c != nil && (c.Retries > 0 || c.Failed > 0) {
		evidence = append(evidence, retriedFiles(s))
		advice = append(advice, retryAdvice("The storage", retriedFileStatus(c)))
		if status := int(c.FailedStatus.Or(0)); failedFiles(s) > 0 && c.Retries > 0 && status != c.RetryStatus {
			advice = append(advice, failedAdvice(s, "The storage", status))
		}
	}
	if calls != nil || evidence == nil {
		status := repeatedStatus(s, worst)
		about := []string{retryAdvice(theWorkspace, status)}
		switch {
		case failed == "":
		case failed == worst.Method && final == status:
			about[0] = failedAdvice(s, theWorkspace, final)
		case worst.Retries > 0:
			if last := failed + " failed" + how; !slices.Contains(calls, last) {
				calls = append(calls, last)
			}
			about = append(about, failedAdvice(s, theWorkspace, final))
		}
		evidence = append(evidence, calls...)
		advice = append(about, advice...)
	}
	if evidence == nil {
		if pausing == "" && failed == "" {
			advice[0] = "Which request it was is not known: look at the error of the statement, if it has one."
		}
		return reason{"after a request failed, until the next attempt", advice[0]}
	}
	return reason{"repeating requests: " + strings.Join(evidence, "; "), joinOnce(advice) + meanwhile + lookUp(failedRequest(s, worst.Method))}
}

// repeating returns how long the failed attempts of a method and the pauses after them took, as far as its calls are
// listed.
func repeating(s *telemetry.Statement, r *telemetry.RPC) (d time.Duration) {
	for c := range callsOf(s, r.Method) {
		if c.Attempts > 1 {
			d += max(0, c.Latest-c.Start)
		}
	}
	return max(d, r.Backoff)
}

// joinOnce joins pieces of advice, without duplicates.
func joinOnce(advice []string) string {
	var once []string
	for _, a := range advice {
		if !slices.Contains(once, a) {
			once = append(once, a)
		}
	}
	return strings.Join(once, " ")
}

// pauseAfter returns the call after which a statement is pausing, or was pausing when it was given up, and until when
// the pause has lasted. It is the latest call that does not tidy up, if that call failed and can be repeated;
// otherwise nil.
func pauseAfter(s *telemetry.Statement) (c *telemetry.Call, until time.Duration) {
	until = beforeClose(s)
	for i := len(s.Calls) - 1; i >= 0; i-- {
		c := &s.Calls[i]
		switch {
		case s.Outcome != telemetry.OutcomeRunning && tidies(s, c.Method):
			until = min(until, c.Start)
		case c.Failed && pauses(s, c.Status, c.End.Or(s.Total), until):
			return c, until
		default:
			return nil, 0
		}
	}
	return nil, 0
}

// beforeClose returns when the application stopped waiting for rows, or for the call.
func beforeClose(s *telemetry.Statement) time.Duration {
	return s.Total - s.Close.Or(0) - s.Application.After
}

// pauses reports whether a statement spent the time between from and until in the pause after a request that failed
// with an HTTP status.
func pauses(s *telemetry.Statement, status int, from, until time.Duration) bool {
	repeated := status == 0 || status == 429 || status >= 500 && status != 501
	return repeated && s.Outcome != telemetry.OutcomeCompleted && until-from >= time.Millisecond && until-from <= s.Split[telemetry.PartRetry]+breakdown.Rounding
}

// foundAtWork reports whether all repeated calls of a method were status calls that then found the server still at
// work, as later status calls show. None of their time is in PartRetry.
func foundAtWork(s *telemetry.Statement, r *telemetry.RPC) bool {
	return r.Method == "GetOperationStatus" && r.Retries > 0 && lastCall(s, r.Method).Attempts == 1 && r.FailedStatus != r.LastStatus
}

// repeatedStatus returns the HTTP status of a method's latest repeated attempt among the listed calls or, if
// none is listed, of its latest failed attempt. 0 means that no answer came.
func repeatedStatus(s *telemetry.Statement, r *telemetry.RPC) int {
	status := r.FailedStatus
	for c := range callsOf(s, r.Method) {
		if n := len(c.Retried); n > 0 {
			status = c.Retried[n-1].Status
		}
	}
	return status
}

// failedRequest returns the server's identifier of a method's latest failed attempt.
func failedRequest(s *telemetry.Statement, method string) (id string) {
	for c := range callsOf(s, method) {
		for _, a := range c.Retried {
			id = cmp.Or(a.RequestID, id)
		}
		if c.Failed {
			id = cmp.Or(c.RequestID, id)
		}
	}
	return id
}

func retriedFiles(s *telemetry.Statement) string {
	c := s.CloudFetch
	files, status := "one file", retriedFileStatus(c)
	if c.Retried > 1 {
		files = format.Count(c.Retried) + " files"
	}
	switch {
	case c.Retries == 0:
		return filesFailed(s)
	case c.Retried > 1 && c.MostAttempts == 2:
		files += " needed 2 attempts each"
	case c.Retried > 1:
		files += " needed up to " + format.Plural(c.MostAttempts, "attempt")
	case c.MostAttempts > 0:
		files += " needed " + format.Plural(c.MostAttempts, "attempt")
	default: // a record of an older version
		files = format.Plural(c.Retries, "retry") + " of files"
	}
	files += lastStatus(status)
	switch {
	case c.Failed > 0 && int(c.FailedStatus.Or(0)) == status:
		files += ", and " + failing(s)
	case c.Failed > 0:
		files += ", and " + filesFailed(s)
	}
	return files
}

// filesFailed says how many files failed, and how. Of several files, only the first one's status is
// known.
func filesFailed(s *telemetry.Statement) string {
	c := s.CloudFetch
	text, how := failing(s), lastStatus(int(c.FailedStatus.Or(0)))
	if c.Failed > 1 {
		return text + " (the first of them:" + how[1:] + ")"
	}
	return text + how
}

// failing says how many files failed. While the statement runs, their requests may be repeated.
func failing(s *telemetry.Statement) string {
	n := s.CloudFetch.Failed
	if s.Outcome == telemetry.OutcomeRunning {
		return "the latest request for " + format.Plural(n, "file") + " failed"
	}
	return format.Plural(n, "file") + " failed"
}

// retriedFileStatus returns the HTTP status of the latest repeated request for a file or, if none was
// repeated, of one that failed.
func retriedFileStatus(c *telemetry.CloudFetch) int {
	if c.Retries > 0 {
		return c.RetryStatus
	}
	return int(c.FailedStatus.Or(0))
}

// failedFiles returns the number of failed files if these may have made the statement fail. It returns 0 if
// the statement failed because it could not read what had arrived.
func failedFiles(s *telemetry.Statement) int64 {
	if f := s.Failure; f != nil && s.Outcome == telemetry.OutcomeFailed {
		switch f.Category {
		case telemetry.CategoryArrowSchema, telemetry.CategoryDecompression, telemetry.CategoryResultSet:
			return 0
		}
	}
	return s.CloudFetch.Failed
}

func lastStatus(status int) string {
	if status == 0 || status == 200 {
		return ", last without a complete answer"
	}
	return fmt.Sprintf(", last status %d", status)
}

// unreadable stands for the status of an answer that arrived completely but could not be read.
const unreadable = -1

const theWorkspace = "The workspace"

const lookAtError = ": look at the error of the statement."

func retryAdvice(from string, status int) string {
	switch {
	case status == 429:
		return from + " asked to slow down: run fewer statements at once, or have the rate limit raised."
	case (status == 401 || status == 403) && from == theWorkspace:
		return from + " refused access: look at the credential, and at network rules."
	case status == 401 || status == 403:
		return from + " refused access: look at links that expired, and at network rules." // a link has its own credential
	case status == 407:
		return "A proxy on the way refused access: look at its credential."
	case status >= 500 || status == 408:
		return from + " answered with errors: look at its status, and at proxies on the way."
	case status >= 400:
		return from + " refused the request" + lookAtError
	case status >= 300:
		return from + " sent the request elsewhere: look at the host, and at proxies on the way that ask to sign in."
	case status == unreadable, status > 200:
		return from + " sent no answer that the driver could use: look at proxies on the way, which may have answered instead."
	case status == 200:
		return "Connections broke off before the answer was complete: look at proxies, firewalls and idle timeouts on the way."
	}
	return "No complete answer came: look at DNS, proxies, firewalls and idle timeouts on the way."
}

// withFailure adds the files or the call that made a statement fail.
func (because reason) withFailure(s *telemetry.Statement) reason {
	return because.withFailedFiles(s, "").withFailedCall(s)
}

// withFailedCall adds the call that made the statement fail. The advice is about that call, because it
// ended the statement.
func (because reason) withFailedCall(s *telemetry.Statement) reason {
	method, how, status := failedCall(s)
	if method == "" {
		return because
	}
	advice := failedAdvice(s, theWorkspace, status)
	if last := lastCall(s, method); last.Failed { // otherwise the failed call is not listed
		advice += lookUp(last.RequestID)
	}
	return reason{because.evidence + "; " + method + " failed" + how, advice}
}

// failedAdvice returns advice on the request that made a statement fail.
func failedAdvice(s *telemetry.Statement, from string, status int) string {
	if s.Failure == nil || status != 0 {
		return retryAdvice(from, status)
	}
	switch s.Failure.Category { // there was no answer, and the connection is not the reason
	case telemetry.CategoryAuth:
		return "The request was not sent: look at the credential, at the identity provider, and at the credential of a proxy on the way."
	case telemetry.CategoryTLS:
		return "The request was not sent: look at certificates, at the clock, and at proxies on the way that open TLS."
	case telemetry.CategoryTimeout:
		return "No complete answer came in time: look at the deadlines of the application and of its HTTP client, and at the network on the way."
	}
	return retryAdvice(from, status)
}

// unsentAdvice returns advice on a statement that failed because the driver could not sign in or connect for a call:
// no call of the statement failed. For any other statement it returns otherwise.
func unsentAdvice(s *telemetry.Statement, otherwise string) string {
	if method, _, _ := failedCall(s); method != "" || s.Outcome != telemetry.OutcomeFailed || s.Failure == nil || s.Failure.SQLState != "" {
		return otherwise
	}
	switch s.Failure.Category {
	case telemetry.CategoryAuth:
		return failedAdvice(s, theWorkspace, 0)
	case telemetry.CategoryTLS, telemetry.CategoryConnection, telemetry.CategoryTimeout:
		return failedAdvice(s, theWorkspace, 0) + " " + inspectSigningIn
	}
	return otherwise
}

// failedCall returns the method of the call that made a statement fail, how the call failed, and its
// HTTP status or unreadable. That is the first failed call, after which the driver gave up. The
// method is empty if no such call is known, or if the server answered with an error, which is then
// the statement's. For a call that is not listed, only the status is known.
func failedCall(s *telemetry.Statement) (method, how string, status int) {
	if s.Outcome != telemetry.OutcomeFailed {
		return
	}
	for i := range s.Calls {
		c := &s.Calls[i]
		switch {
		case !c.Failed, tidies(s, c.Method), overcome(s.Calls[i:]):
		case c.Status != 200, !cameWhole(rpcOf(s, c.Method)):
			return c.Method, lastStatus(c.Status), c.Status
		case !answeredWithError(s, c):
			return c.Method, ", with an answer that could not be read", unreadable
		}
	}
	for i := range s.RPCs {
		r := &s.RPCs[i]
		if r.FailedStatus != 0 && r.FailedStatus == r.LastStatus && !tidies(s, r.Method) && !listsCallsOf(s, r) {
			return r.Method, lastStatus(r.LastStatus), r.LastStatus
		}
	}
	return
}

// overcome reports whether the driver went on after the first of the calls: it repeated that call, or fetched
// rows later.
func overcome(calls []telemetry.Call) bool {
	return slices.ContainsFunc(calls[1:], func(c telemetry.Call) bool {
		return c.Method == calls[0].Method || c.Method == "FetchResults"
	})
}

// listsCallsOf reports whether a record lists all calls of a method.
func listsCallsOf(s *telemetry.Statement, r *telemetry.RPC) bool {
	listed := int64(0)
	for range callsOf(s, r.Method) {
		listed++
	}
	return listed == r.Calls
}

// tidies reports whether a call only tidies up, so that it does not explain why the statement failed.
// The driver asks for the metadata of an unfinished statement only after the driver or the server has
// given up.
func tidies(s *telemetry.Statement, method string) bool {
	return method == "CancelOperation" || method == "CloseOperation" || method == "GetResultSetMetadata" && s.State != "FINISHED" && (s.State != "" || s.Result.Pages.Or(0) == 0)
}

// answeredWithError reports whether the answer to a failed call arrived completely and was an error. An answer
// that could not be read leaves the record's Polling unknown and gives it no SQLSTATE. For calls that end the
// statement neither is evidence, so the result is false.
func answeredWithError(s *telemetry.Statement, c *telemetry.Call) bool {
	if c.Method == "CloseOperation" || c.Method == "CancelOperation" {
		return false
	}
	read := s.Polling != telemetry.Maybe[telemetry.Polling]{} || s.Failure != nil && s.Failure.SQLState != ""
	return read && c.Status == 200 && cameWhole(rpcOf(s, c.Method))
}

// cameWhole reports whether a method's answers with HTTP status 200 arrived completely.
func cameWhole(r *telemetry.RPC) bool { return r.LastStatus == 200 && r.FailedStatus != 200 }

// withFailedFiles adds the files that made a statement fail. The advice is about these files and follows
// kept.
func (because reason) withFailedFiles(s *telemetry.Statement, kept string) reason {
	c := s.CloudFetch
	if c == nil || s.Outcome != telemetry.OutcomeFailed || failedFiles(s) == 0 {
		return because
	}
	advice := failedAdvice(s, "The storage", int(c.FailedStatus.Or(0)))
	return reason{because.evidence + "; " + filesFailed(s), strings.TrimSpace(kept + " " + advice)}
}
