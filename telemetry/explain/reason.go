package explain

import (
	"cmp"
	"fmt"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/internal/format"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// reason is why a part took its time: the evidence, as the end of the sentence "71 % of 4.2 s ...",
// and advice that fits it.
type reason struct{ evidence, advice string }

func reasonOf(s *telemetry.Statement, p telemetry.Part, took time.Duration) reason {
	switch p {
	case telemetry.PartServer:
		return serverReason(s, took)
	case telemetry.PartPoll:
		return pollReason(s, took)
	case telemetry.PartRetry:
		return retryReason(s)
	case telemetry.PartPage:
		return pageReason(s, took)
	case telemetry.PartFile:
		return fileReason(s)
	case telemetry.PartTransfer:
		return reason{
			"transferring the file of " + cmp.Or(s.Volume, "a volume operation"),
			"The size of the file and the line to the storage decide: send less, compress it, or move the application nearer.",
		}
	case telemetry.PartDecode:
		return reason{
			"the driver turned bytes into rows" + rowsOf(s),
			"Select fewer columns, or read Arrow batches (GetArrowBatches), which the driver does not turn into single values.",
		}
	case telemetry.PartApplication:
		return applicationReason(s)
	case telemetry.PartClose:
		return closeReason(s)
	case telemetry.PartNetwork:
		return networkReason(s, took)
	}
	return unknownReason(s)
}

// most reports whether d explains most of a part.
func most(d, of time.Duration) bool { return d > of/2 }

// rpcOf returns the sums of a method, zero where it was not called.
func rpcOf(s *telemetry.Statement, method string) (sums telemetry.RPC) {
	for i := range s.RPCs {
		if s.RPCs[i].Method == method {
			return s.RPCs[i]
		}
	}
	return
}

// unanswered is the listed call that no byte of an answer has come to.
func unanswered(s *telemetry.Statement) (c telemetry.Call, since time.Duration, ok bool) {
	if s.Outcome != telemetry.OutcomeRunning || len(s.Calls) == 0 {
		return
	}
	c = s.Calls[len(s.Calls)-1]
	_, answered := c.FirstByte.Get()
	_, ended := c.End.Get()
	return c, s.Total - c.Start, !answered && !ended
}

const inspect = "Look at the query profile of the statement; a larger warehouse, a better layout of the tables or a smaller result help."

func serverReason(s *telemetry.Statement, took time.Duration) reason {
	polls := s.Polling.Or(telemetry.Polling{})
	status := rpcOf(s, "GetOperationStatus").Slowest
	c, since, waiting := unanswered(s)
	switch {
	case waiting && c.Method == "ExecuteStatement":
		return reason{
			"no byte of an answer to ExecuteStatement for " + format.Duration(since),
			"The statement waits in the workspace: for a warehouse that starts or is full (see its monitoring page), or it runs (see the query history). A deadline on the context bounds the wait.",
		}
	case most(status, took):
		return reason{
			"the server worked on the statement; a status call itself took " + format.Duration(status),
			"The workspace answered a status call late: look at the query history for how long the statement ran, and give Databricks support the request identifier of the call.",
		}
	case s.Outcome == telemetry.OutcomeRunning && polls.Calls > 0:
		return reason{
			fmt.Sprintf("the server works on the statement: still %s at poll %s", cmp.Or(s.State, "running"), format.Count(polls.Calls)),
			inspect,
		}
	case most(polls.Unseen, took):
		return reason{
			"until a status call found the statement over" + pollsOf(s) + "; it may have been over for up to " + format.Duration(polls.Unseen),
			"Most of the time lies between two status calls: the query history says how long the server worked. Statements faster than the poll interval gain from a shorter one, where the driver's version has the setting.",
		}
	case s.Outcome == telemetry.OutcomeCanceled || s.Outcome == telemetry.OutcomeFailed && s.State != "ERROR":
		return reason{"the server had not finished" + pollsOf(s), inspect}
	}
	if _, reported := s.ServerTime.Get(); reported {
		return reason{"the server worked on the statement, by its own account", inspect}
	}
	return reason{"the server worked on the statement, as the wire shows" + pollsOf(s), inspect}
}

func pollsOf(s *telemetry.Statement) string {
	if p, ok := s.Polling.Get(); ok && p.Calls > 0 {
		return " (" + format.Plural(p.Calls, "status call") + ")"
	}
	return ""
}

func pollReason(s *telemetry.Statement, took time.Duration) reason {
	if status := rpcOf(s, "GetOperationStatus").Slowest; most(status, took) {
		return reason{
			"the server had finished; a status call itself took " + format.Duration(status),
			"The workspace answered a status call late: give Databricks support the request identifier of the call.",
		}
	}
	return reason{
		"the result was ready before a status call noticed" + pollsOf(s),
		"The driver asks once per poll interval: statements that are faster than that gain from a shorter one, where the driver's version has the setting.",
	}
}

func retryReason(s *telemetry.Statement) reason {
	text, status := "", 0
	if c := s.CloudFetch; c != nil && c.Retries > 0 {
		text = fmt.Sprintf("%s needed up to %s", format.Plural(max(1, c.Retried), "file"), format.Plural(c.MostAttempts, "attempt"))
		if c.Retried <= 1 {
			text = "one file needed " + format.Plural(c.MostAttempts, "attempt")
		}
		text, status = text+lastStatus(c.RetryStatus), c.RetryStatus
	}
	for _, r := range s.RPCs {
		if r.Retries == 0 && r.FailedStatus == 0 && r.Backoff == 0 {
			continue
		}
		if text != "" {
			text += "; "
		}
		text += fmt.Sprintf("%s of %s", format.Plural(r.Retries, "retry"), cmp.Or(r.Method, "a call")) + lastStatus(r.FailedStatus)
		status = cmp.Or(status, r.FailedStatus)
	}
	return reason{cmp.Or(text, "a request failed and was to be repeated"), retryAdvice(status)}
}

func lastStatus(status int) string {
	if status == 0 || status == 200 {
		return ", last without a whole answer"
	}
	return fmt.Sprintf(", last status %d", status)
}

func retryAdvice(status int) string {
	switch {
	case status == 429:
		return "The service asked to slow down: run fewer statements at once, or have its rate limit raised."
	case status == 401 || status == 403:
		return "Access was refused: look at the credential, at links that expired, and at the network rules of the storage."
	case status >= 500:
		return "The service answered with errors: look at its status page, and give support the request identifiers of the calls."
	case status >= 400:
		return "The service refused the request: look at the error of the statement."
	}
	return "Connections broke off before the answer was whole: look at proxies, firewalls and idle timeouts on the way."
}

func pageReason(s *telemetry.Statement, took time.Duration) reason {
	if d := rpcOf(s, "GetResultSetMetadata").Slowest; most(d, took) {
		return reason{
			"waiting for what describes the result (GetResultSetMetadata took " + format.Duration(d) + ")",
			"The workspace answered late: give Databricks support the request identifier of the call.",
		}
	}
	text := "waiting for result pages"
	if n, ok := s.Result.Pages.Get(); ok && n > 0 {
		text = "waiting for " + format.Plural(n, "result page")
	}
	if d := rpcOf(s, "FetchResults").Slowest; d > 0 {
		text += ", slowest " + format.Duration(d)
	}
	return reason{text, "Results come page after page. CloudFetch downloads large ones in parallel; a smaller result or a nearer region helps, too."}
}

func fileReason(s *telemetry.Statement) reason {
	c := s.CloudFetch
	if c == nil {
		return reason{"waiting for files", fileAdvice}
	}
	text := "waiting for " + format.Plural(c.Present, "file")
	if c.Downloaded > 0 {
		text += ", slowest " + format.Duration(c.Slowest)
	}
	if c.Failed > 0 {
		status := int(c.FailedStatus.Or(0))
		return reason{text + "; " + format.Plural(c.Failed, "file") + " failed" + lastStatus(status), retryAdvice(status)}
	}
	if c.Retries > 0 {
		text += ", " + format.Plural(c.Retries, "retry")
	}
	return reason{text, fileAdvice}
}

const fileAdvice = "Storage or the line to it is the limit: more download threads (maxDownloadThreads), a nearer region, a proxy out of the way, fewer columns."

func applicationReason(s *telemetry.Statement) reason {
	a := s.Application
	switch {
	case a.Before >= a.Between && a.Before >= a.After:
		return reason{
			"the application did not ask for rows",
			"The result was there: read or close the rows at once after the query. Open rows keep a connection and the result.",
		}
	case a.After >= a.Between:
		return reason{
			"the rows were read, and left open for " + format.Duration(a.After),
			"Close rows when the last is read: until then they keep a connection of the pool.",
		}
	}
	read, counted := s.RowsRead.Get()
	delivered, known := s.Result.Rows.Get()
	switch {
	case counted && known && read < delivered:
		return reason{
			fmt.Sprintf("%s of %s read, and rows left open for %s", format.Count(read), format.Plural(delivered, "row"), format.Duration(a.Between)),
			"Close rows when no more of them are needed, and ask for fewer (LIMIT): until then they keep a connection of the pool.",
		}
	case s.FirstRow != (telemetry.Maybe[time.Duration]{}) && (!counted || s.RowsEvidence == telemetry.EvidenceWire):
		return reason{"in the application between Arrow streams", "The application reads slower than data arrives: do less between streams."}
	}
	return reason{
		"in the application between rows, the driver's decoding of each row included" + rowsOf(s),
		"The application reads slower than rows arrive: do less between rows, select fewer columns, or read Arrow batches.",
	}
}

func rowsOf(s *telemetry.Statement) string {
	if n, ok := s.RowsRead.Get(); ok {
		return " (" + format.Plural(n, "row") + ")"
	}
	return ""
}

func closeReason(s *telemetry.Statement) reason {
	cancel, closing := rpcOf(s, "CancelOperation").Slowest, rpcOf(s, "CloseOperation").Slowest
	switch {
	case cancel > closing:
		return reason{
			"canceling the statement (CancelOperation took " + format.Duration(cancel) + ")",
			"The workspace took its time to cancel: give Databricks support the request identifier of the call.",
		}
	case closing > 0:
		return reason{
			"closing the rows (CloseOperation took " + format.Duration(closing) + ")",
			"Closing is one round trip to the workspace, and waits for downloads under way: read to the end or select less.",
		}
	}
	return reason{"closing the rows", "The driver waits for downloads under way before it closes: read to the end or select less."}
}

func networkReason(s *telemetry.Statement, took time.Duration) reason {
	var connecting time.Duration
	for i := range s.RPCs {
		connecting += s.RPCs[i].Connecting
	}
	switch {
	case most(connecting, took):
		return reason{
			"opening a network connection to the workspace, for " + format.Duration(connecting),
			"Look at DNS, firewalls and proxies on the way to the workspace, and keep connections (SetMaxIdleConns, SetConnMaxIdleTime).",
		}
	case len(s.Calls) > 0 && most(s.Calls[0].Start, took), len(s.Calls) == 0:
		return reason{
			"in the driver before its first request left",
			"The driver signs in before a request: look at the identity provider and at how long its tokens live.",
		}
	}
	return reason{
		"in none of the other parts: the network, and the driver itself",
		"Look at the way to the workspace: distance, proxies, TLS handshakes of new connections (SetMaxIdleConns).",
	}
}

func unknownReason(s *telemetry.Statement) reason {
	if s.RPCs == nil {
		return reason{
			"was not observed: behind driverwrap.Wrap, what the driver waits for cannot be told apart",
			"Open the database with sql.Open or driverwrap.NewConnector to see more.",
		}
	}
	return reason{
		"was not observed: a message of the server could not be decoded, or was not seen",
		"Look at the query history for how long the server worked.",
	}
}
