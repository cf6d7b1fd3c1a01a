package explain

import (
	"fmt"
	"slices"
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
		return serverReason(s, took).withFailedCall(s)
	case telemetry.PartPoll:
		return pollReason(s, took).withFailedCall(s)
	case telemetry.PartRetry:
		return retryReason(s)
	case telemetry.PartPage:
		return pageReason(s, took).withFailedCall(s)
	case telemetry.PartFile:
		return fileReason(s)
	case telemetry.PartTransfer:
		return transferReason(s)
	case telemetry.PartDecode:
		return reason{
			"in the driver, which turned bytes into rows" + rowsOf(s),
			"Select fewer columns. Where rows are read one by one, Arrow batches (GetArrowBatches) save turning them into single values.",
		}
	case telemetry.PartApplication:
		return applicationReason(s).withFailedFiles(s).withFailedCall(s)
	case telemetry.PartClose:
		return closeReason(s, took)
	case telemetry.PartNetwork:
		return networkReason(s, took).withFailedCall(s)
	}
	return unknownReason(s)
}

// most reports whether d explains most of a part.
func most(d, of time.Duration) bool { return d > of/2 }

// rpcOf returns the sums of a method, zero where it was not called.
func rpcOf(s *telemetry.Statement, method string) *telemetry.RPC {
	for i := range s.RPCs {
		if s.RPCs[i].Method == method {
			return &s.RPCs[i]
		}
	}
	return &telemetry.RPC{}
}

// Unanswered returns the method of the latest call of a statement, and how long the call has waited
// for the first byte of an answer. ok is false where an answer came, or where calls are not known.
func Unanswered(s *telemetry.Statement) (method string, since time.Duration, ok bool) {
	c, since, ok := silent(s)
	return c.Method, since, ok
}

// silent returns the latest call and its silence; ok is false where an answer came, or without calls.
func silent(s *telemetry.Statement) (c *telemetry.Call, since time.Duration, ok bool) {
	if len(s.Calls) == 0 {
		return &telemetry.Call{}, 0, false
	}
	c = &s.Calls[len(s.Calls)-1]
	since, ok = silenceOf(s, c)
	return c, since, ok
}

// silenceOf is how long the latest attempt of a call has waited for the first byte of an answer: until
// now, or until the call ended. ok is false where an answer came, or where there is no call.
func silenceOf(s *telemetry.Statement, c *telemetry.Call) (since time.Duration, ok bool) {
	_, answered := c.FirstByte.Get()
	begun := max(c.Start, c.Latest)
	if n := len(c.Retried); n > 0 {
		begun = max(begun, c.Retried[n-1].End) // older versions do not write Latest
	}
	return c.End.Or(s.Total) - begun, !answered && c.Method != ""
}

func silence(method string, since time.Duration) string {
	return "no byte of an answer to " + method + " for " + format.Duration(since)
}

// support says what Databricks support can look up: the slowest listed call of a method, where
// the server gave it an identifier.
func support(s *telemetry.Statement, method string) string {
	id, slowest := "", time.Duration(-1)
	for i := range s.Calls {
		c := &s.Calls[i]
		if took := c.End.Or(s.Total) - c.Start; c.Method == method && c.RequestID != "" && took > slowest {
			id, slowest = c.RequestID, took
		}
	}
	return lookUp(id)
}

func lookUp(id string) string {
	if id == "" {
		return ""
	}
	return " Databricks support can look up the request " + id + "."
}

// withReport is why a server took its time: as its report says where the report accounts for most of
// the time, and as the record says otherwise. Without a report, the advice says how to get one.
func (because reason) withReport(s *telemetry.Statement, r *telemetry.ServerReport, took time.Duration) (_ reason, reported bool) {
	if r == nil {
		if s.StatementID != "" || s.Outcome == telemetry.OutcomeRunning { // the query history knows statements by their id
			because.advice += " " + askHistory
		}
		return because, false
	}
	if contradicts(r, s) {
		return because, false
	}
	working := slices.DeleteFunc(PhasesOf(r), func(p PhaseTime) bool { return p.Phase == PhaseFetch })
	worked := sumOf(working)
	wentOn := max(0, min(worked, r.Total.Or(worked))-s.Total-toleranceOf(working)) // after the statement had ended, in a phase that is not known
	var why reason
	switch causes := OfReport(r); {
	case len(causes) > 0 && causes[0].Phase != PhaseFetch && most(worked, took) && (wentOn == 0 || most(causes[0].Time-wentOn, took)):
		why, reported = reason{"waiting for the server: " + causes[0].Sentence, causes[0].Advice}, true
	case len(working) > 0 && noticedLate(s, took) && wentOn == 0:
		why = reason{"waiting for the server, which worked for " + format.Duration(worked) + " as the query history says, until a status call noticed" + pollsOf(s), pollFaster}
	default:
		return because, false
	}
	with := why.withFailedCall(s)
	return with, reported && with == why
}

// contradicts reports whether a report cannot be right about a statement: its phases take longer than the
// server says it took, or than a statement that the client did not give up.
func contradicts(r *telemetry.ServerReport, s *telemetry.Statement) bool {
	phases := PhasesOf(r)
	givenUp := s.Outcome == telemetry.OutcomeCanceled || s.Outcome == telemetry.OutcomeRunning || s.Outcome == telemetry.OutcomeAbandoned || s.Failed() && unfinished(s)
	return exceed(phases, r.Total.Or(sumOf(phases))) || !givenUp && exceed(phases, s.Total)
}

// askHistory holds whether the setting is on or off: a record does not say which.
const askHistory = "With telemetry_query_history=slow, Databricks' own record of slow statements, fetched seconds after they end, says which phase took the time."

const pollFaster = "Statements faster than the poll interval gain from a shorter one, where the driver's version has the setting."

const inspect = "Look at the query profile of the statement; a larger warehouse, a better layout of the tables or a smaller result help."

// outsideRetry is how much of d, a time of status calls that were repeated, is certainly not in
// PartRetry: their failed attempts and pauses are, unless the call then said that the server was still
// at work.
func outsideRetry(s *telemetry.Statement, d time.Duration) time.Duration {
	return d - max(0, s.Split[telemetry.PartRetry])
}

// slowest is how long the slowest call of a method took, as far as that is certainly not in PartRetry.
func slowest(s *telemetry.Statement, r *telemetry.RPC) time.Duration {
	if r.Retries == 0 {
		return r.Slowest
	}
	return outsideRetry(s, r.Slowest)
}

func serverReason(s *telemetry.Statement, took time.Duration) reason {
	const lead = "waiting for the server: "
	status := rpcOf(s, "GetOperationStatus")
	c, since, waiting := silent(s)
	asked := lastCall(s, "GetOperationStatus") // not always the latest: the driver closes what it gave up
	unansweredFor, unanswered := silenceOf(s, asked)
	switch {
	case waiting && c.Method == "ExecuteStatement" && s.Outcome == telemetry.OutcomeRunning:
		return reason{
			lead + silence(c.Method, since),
			"The statement waits for a warehouse that is starting or full (see its monitoring page), or it runs (see the query history); if neither knows it, the request did not arrive. A deadline on the context bounds the wait.",
		}
	case waiting && c.Method == "ExecuteStatement":
		return reason{
			lead + silence(c.Method, since),
			"The statement waited for a warehouse that was starting or full (see its monitoring page), or it ran (see the query history); if neither knows it, the request did not arrive. A deadline on the context bounds the wait.",
		}
	case unanswered && most(unansweredFor, took):
		return reason{lead + silence(asked.Method, unansweredFor), "The query history says how long the server works on the statement. A deadline on the context bounds the wait."}
	case most(outsideRetry(s, status.Backoff), took):
		return reason{lead + repeated(s, status), retryAdvice("The workspace", repeatedStatus(s, status)) + " The query history says how long the statement ran."}
	case most(slowest(s, status), took):
		return reason{
			lead + "a status call itself took " + format.Duration(status.Slowest),
			"The workspace answered a status call late; the query history says how long the statement ran." + support(s, "GetOperationStatus"),
		}
	case s.Outcome == telemetry.OutcomeRunning && unfinished(s):
		return reason{lead + "still " + s.State + lastSeen(s), inspectUnfinished(s)}
	case s.Failed() && unfinished(s):
		return reason{"waiting for the server, which had not finished: last seen " + s.State + lastSeen(s), inspectUnfinished(s)}
	case noticedLate(s, took):
		return reason{
			"waiting for the server, which may have finished up to " + format.Duration(unseen(s)) + " before a status call noticed" + pollsOf(s),
			"The query history says how long the server worked. " + pollFaster,
		}
	}
	if reported, ok := s.ServerTime.Get(); ok {
		return reason{"waiting for the server, which reports " + format.Duration(reported) + " of work", inspectEnded(s)}
	}
	return reason{"waiting for the server, as seen on the wire" + pollsOf(s), inspectEnded(s)}
}

// inspectEnded is advice on a statement that the server has ended. No warehouse is large enough for one that
// it refused.
func inspectEnded(s *telemetry.Statement) string {
	if f := s.Failure; f != nil && (f.SQLState != "" || s.State == "ERROR") {
		return "The server ended the statement with an error, which says why; the query profile shows how far it came."
	}
	return inspect
}

// noticedLate reports whether the server may have finished long before the status call that noticed.
func noticedLate(s *telemetry.Statement, took time.Duration) bool {
	return !unfinished(s) && most(unseen(s), took) && !most(slowest(s, rpcOf(s, "GetOperationStatus")), took)
}

// unseen is how long before a status call noticed the server may have finished, as far as that is certainly not
// in PartRetry.
func unseen(s *telemetry.Statement) time.Duration {
	d := s.Polling.Or(telemetry.Polling{}).Unseen
	if rpcOf(s, "GetOperationStatus").Retries == 0 {
		return d
	}
	return outsideRetry(s, d)
}

// unfinished reports whether the last known state of the statement is that the server works on it.
func unfinished(s *telemetry.Statement) bool {
	switch s.State {
	case "INITIALIZED", "PENDING", "RUNNING":
		return true
	}
	return false
}

// inspectUnfinished is advice on a statement that was last seen running or waiting to run.
func inspectUnfinished(s *telemetry.Statement) string {
	if s.State == "RUNNING" {
		return inspect
	}
	return "The server had not begun to run the statement when last asked: its warehouse was starting or full. Look at the monitoring page of the warehouse, and at the query profile of the statement."
}

// lastSeen says which answer had the last known state of an unfinished statement. A status call
// that is not listed may have had no answer.
func lastSeen(s *telemetry.Statement) string {
	status := rpcOf(s, "GetOperationStatus")
	answered := status.Calls
	if p, ok := s.Polling.Get(); ok {
		answered = p.Calls
	}
	listed, open := int64(0), false
	for i := range s.Calls {
		if c := &s.Calls[i]; c.Method == "GetOperationStatus" {
			_, ended := c.End.Get()
			listed, open = listed+1, !ended || c.Failed
		}
	}
	later := ""
	if listed < answered {
		open = true
		if status.FailedStatus == 0 || status.FailedStatus != status.LastStatus { // else the latest failed
			later = " or later"
		}
	}
	if open {
		answered--
	}
	if answered <= 0 {
		return " in the answer to ExecuteStatement" + later
	}
	return " at poll " + format.Count(answered) + later
}

func pollsOf(s *telemetry.Statement) string {
	if p, ok := s.Polling.Get(); ok && p.Calls > 0 {
		return " (" + format.Plural(p.Calls, "status call") + ")"
	}
	return ""
}

func pollReason(s *telemetry.Statement, took time.Duration) reason {
	status := rpcOf(s, "GetOperationStatus")
	switch {
	case most(outsideRetry(s, status.Backoff), took):
		return reason{"after the server had finished: " + repeated(s, status), retryAdvice("The workspace", repeatedStatus(s, status))}
	case most(slowest(s, status), took):
		return reason{
			"after the server had finished: a status call itself took " + format.Duration(status.Slowest),
			"The workspace answered a status call late." + support(s, "GetOperationStatus"),
		}
	}
	return reason{
		"after the server had finished, until a status call noticed" + pollsOf(s),
		"The driver asks once per poll interval: statements that are faster than that gain from a shorter one, where the driver's version has the setting.",
	}
}

// repeated says that status calls were repeated, and how long the driver paused before.
func repeated(s *telemetry.Statement, status *telemetry.RPC) string {
	return "status calls failed and were repeated after pauses of " + format.Duration(status.Backoff) +
		" (" + format.Plural(status.Retries, "retry") + lastStatus(repeatedStatus(s, status)) + ")"
}

func pageReason(s *telemetry.Statement, took time.Duration) reason {
	c, since, waiting := silent(s)
	if waiting && (c.Method == "FetchResults" || c.Method == "GetResultSetMetadata") && most(since, took) {
		return reason{"waiting for the result: " + silence(c.Method, since), "A deadline on the context bounds the wait."}
	}
	if d := directTime(s); most(d, took) {
		return reason{
			"waiting for the rest of the answer to ExecuteStatement, which took " + format.Duration(d) + " from its first byte to its last",
			"Look at the line to the workspace, and at proxies on the way; a smaller result helps where the answer has rows." + support(s, "ExecuteStatement"),
		}
	}
	metadata := rpcOf(s, "GetResultSetMetadata")
	described := max(metadata.Slowest, metadata.Latency)
	if metadata.Retries > 0 {
		described = outsideRetry(s, described)
	}
	if d := described; most(d, took) {
		text := "waiting for what describes the result: GetResultSetMetadata took " + format.Duration(d)
		if metadata.Calls > 1 {
			text += " in " + format.Plural(metadata.Calls, "call")
		}
		return reason{text, "The workspace answered late." + support(s, "GetResultSetMetadata")}
	}
	text, fetch := "waiting for result pages", rpcOf(s, "FetchResults")
	if n, ok := s.Result.Pages.Get(); ok && n > 0 {
		text = "waiting for " + format.Plural(n, "result page")
	}
	if fetch.Slowest > 0 {
		text += ", slowest " + format.Duration(fetch.Slowest)
	}
	if s.Result.Format == telemetry.FormatExternalLinks {
		return reason{text, "The links of files come page after page, a round trip each: a smaller result or a nearer region helps." + support(s, "FetchResults")}
	}
	return reason{text, "Results come page after page. CloudFetch downloads large ones in parallel; a smaller result or a nearer region helps, too." + support(s, "FetchResults")}
}

// directTime is how long the answer to the latest ExecuteStatement took to arrive once it had begun; 0 where it
// brought no rows or links and pages came later, because then that is no time of pages.
func directTime(s *telemetry.Statement) (took time.Duration) {
	paged := rpcOf(s, "FetchResults").Calls > 0
	for i := range s.Calls {
		c := &s.Calls[i]
		first, begun := c.FirstByte.Get()
		_, rows := c.Rows.Get()
		if c.Method == "ExecuteStatement" && begun && (rows || c.Files > 0 || !paged) {
			took = c.End.Or(s.Total) - first
		}
	}
	return took
}

func fileReason(s *telemetry.Statement) reason {
	c := s.CloudFetch
	if c == nil {
		return reason{"waiting for files", fileAdvice}
	}
	text := "waiting for " + format.Plural(c.Present, "file")
	switch {
	case s.Outcome == telemetry.OutcomeRunning:
		text += onTheWay(s)
	case c.Downloaded > 0 && c.Failed > 0:
		text += ", slowest complete " + format.Duration(c.Slowest)
	case c.Downloaded > 0:
		text += ", slowest " + format.Duration(c.Slowest)
	}
	if failedFiles(s) > 0 {
		status := int(c.FailedStatus.Or(0))
		return reason{text + "; " + format.Plural(c.Failed, "file") + " failed" + lastStatus(status), failedAdvice(s, "The storage", status)}
	}
	if c.Retries > 0 {
		text += ", " + format.Plural(c.Retries, "retry")
	}
	if c.Present > 1 {
		return reason{text, fileAdvice}
	}
	return reason{text, "Storage or the line to it is the limit: a nearer region, a proxy out of the way, fewer columns."}
}

// onTheWay says which listed file of a running statement was requested first of those that are not
// complete.
func onTheWay(s *telemetry.Statement) string {
	since, index := s.Total, int64(-1)
	for i := range s.CloudFetch.Files {
		f := &s.CloudFetch.Files[i]
		if start, requested := f.Start.Get(); requested && f.State == "DOWNLOADING" && start < since {
			since, index = start, f.Index
		}
	}
	text := ", " + format.Count(s.CloudFetch.Downloaded) + " complete"
	if index >= 0 {
		text += fmt.Sprintf(", file %d on its way for %s", index, format.Duration(s.Total-since))
	}
	return text
}

const fileAdvice = "Storage or the line to it is the limit: more download threads (maxDownloadThreads), a nearer region, a proxy out of the way, fewer columns."

func transferReason(s *telemetry.Statement) reason {
	text, ok := map[string]string{
		"PUT": "sending a file to the volume (PUT)", "GET": "fetching a file from the volume (GET)", "DELETE": "deleting a file of the volume (REMOVE)",
	}[s.Volume]
	if !ok {
		text = "in a volume operation, between the driver and the storage"
	}
	if s.Outcome == telemetry.OutcomeFailed {
		return reason{text + ", which failed", "Look at the error of the statement, and at the way to the storage: the driver repeats attempts that fail, and that takes time, too."}
	}
	return reason{text, "The size of the file and the line to the storage decide: send less, compress it, or move the application nearer."}
}

func applicationReason(s *telemetry.Statement) reason {
	a := s.Application
	switch {
	case a == telemetry.Application{}: // made by hand, or by an older version
		return reason{"in the application, which had control", "Read rows at once, do less between them, and close them when they end: open rows keep a connection of the pool."}
	case a.Before >= a.Between && a.Before >= a.After && a.Before > 0:
		return reason{
			"in the application, before it asked for rows or closed them",
			"The call had returned: read or close the rows at once. Open rows keep a connection of the pool, and the result.",
		}
	case afterReading(a) && s.Failed():
		return reason{
			"in the application, after reading had failed and before it closed the rows",
			"Close rows when reading fails: until then they keep a connection of the pool.",
		}
	case afterReading(a):
		return reason{
			"in the application, after the rows had ended and before it closed them",
			"Close rows when they end: until then they keep a connection of the pool.",
		}
	}
	read, counted := s.RowsRead.Get()
	delivered, known := s.Result.Rows.Get()
	partly := counted && known && read < delivered
	of := fmt.Sprintf("%s of %s read", format.Count(read), format.Plural(delivered, "row"))
	switch {
	case partly && read <= 1 && s.Outcome == telemetry.OutcomeRunning:
		return reason{"in the application: " + of + ", open for " + format.Duration(a.Between) + " since", closeSooner}
	case partly && read <= 1:
		return reason{"in the application: " + of + ", then left open for " + format.Duration(a.Between), closeSooner}
	case partly && s.Outcome == telemetry.OutcomeClosedEarly:
		return reason{"in the application, between rows and before it closed them (" + of + ")", closeSooner + " Between rows, do less."}
	case partly && s.Outcome == telemetry.OutcomeAbandoned:
		return reason{"in the application, between rows and after it left them (" + of + ")", closeSooner}
	case counted && s.RowsEvidence == telemetry.EvidenceWire:
	case counted && known && read == delivered && a.After == 0 && read <= 1: // it never asked for the end
		return reason{"in the application: " + of + ", then left open for " + format.Duration(a.Between), closeSooner}
	case counted && known && read == delivered && a.After == 0:
		return reason{"in the application between rows, or after the last it read and before it closed them (" + format.Plural(read, "row") + ")", "Close rows as soon as the last is read: open rows keep a connection of the pool. Between rows, do less."}
	case partly:
		return reason{"in the application between rows, where the driver's decoding of rows that are read one by one counts, too (" + of + ")", readFaster}
	}
	switch {
	case (!counted || s.RowsEvidence == telemetry.EvidenceWire) && a.After == 0 && s.Outcome != telemetry.OutcomeRunning:
		return reason{"in the application between the batches it read, or after the last and before it closed them", "Close readers as soon as the last batch is read: they keep a connection of the pool. Between batches, do less."}
	case !counted || s.RowsEvidence == telemetry.EvidenceWire:
		return reason{"in the application between the batches it read", "The application reads slower than data arrives: do less between batches."}
	}
	return reason{"in the application between rows, where the driver's decoding of rows that are read one by one counts, too" + rowsOf(s), readFaster}
}

const (
	closeSooner = "Close rows when no more of them are needed, and ask for fewer (LIMIT): open rows keep a connection of the pool."
	readFaster  = "The application reads slower than rows arrive: do less between rows, select fewer columns, or, where they are read one by one, read Arrow batches."
)

// afterReading reports whether most of the application's time was after the last row, or after reading had
// failed.
func afterReading(a telemetry.Application) bool {
	return a.After > 0 && a.After >= a.Between && a.After > a.Before
}

func rowsOf(s *telemetry.Statement) string {
	if n, ok := s.RowsRead.Get(); ok {
		return " (" + format.Plural(n, "row") + ")"
	}
	return ""
}

func closeReason(s *telemetry.Statement, took time.Duration) reason {
	cancel, closing := slowest(s, rpcOf(s, "CancelOperation")), slowest(s, rpcOf(s, "CloseOperation"))
	c, since, waiting := silent(s)
	switch {
	case waiting && most(since, took) && c.Method == "CancelOperation":
		return reason{"canceling the statement: " + silence(c.Method, since), "The workspace takes its time to cancel the statement."}
	case waiting && most(since, took) && c.Method == "CloseOperation":
		return reason{"closing the rows: " + silence(c.Method, since), "The workspace takes its time to close the statement."}
	case cancel > closing && most(cancel, took):
		return reason{
			"canceling the statement: CancelOperation took " + format.Duration(cancel),
			"The workspace took its time to cancel the statement." + support(s, "CancelOperation"),
		}
	case most(closing, took):
		return reason{
			"closing the statement: CloseOperation took " + format.Duration(closing),
			"Closing is one round trip, and the workspace answered it late." + support(s, "CloseOperation"),
		}
	}
	return reason{"closing the rows", "Closing is one round trip to the workspace, and waits for downloads under way: read to the end, or select less."}
}

func networkReason(s *telemetry.Statement, took time.Duration) reason {
	var connecting time.Duration
	for i := range s.RPCs {
		r := &s.RPCs[i]
		if r.Method != "GetOperationStatus" && r.Retries == 0 { // else the time may be in PartServer or PartRetry
			connecting += r.Connecting
		}
	}
	switch {
	case most(connecting, took):
		return reason{
			"waiting for a network connection to the workspace, for " + format.Duration(connecting),
			"Look at DNS, firewalls, TLS and proxies on the way to the workspace, and keep connections (SetMaxIdleConns, SetConnMaxIdleTime). The driver's own transport opens at most 100 at a time.",
		}
	case len(s.RPCs) == 0 && s.RPCs != nil, len(s.Calls) > 0 && most(s.Calls[0].Start, took):
		return reason{
			"in the driver, before its first request",
			"Where the driver signs in with OAuth, it does so before a request: look at the identity provider, and at how long its tokens live.",
		}
	}
	return reason{
		"in none of the other parts: the network, and the driver itself",
		"Look at the way to the workspace: distance, proxies, TLS handshakes of new connections (SetMaxIdleConns). Where the driver signs in with OAuth, look at the identity provider, too.",
	}
}

func unknownReason(s *telemetry.Statement) reason {
	switch {
	case s.Split == telemetry.Split{}:
		return reason{"in parts that the record does not have", "An older version wrote the record: its other times may say more."}
	case s.RPCs == nil:
		return reason{
			"not observed: behind driverwrap.Wrap, what the driver waits for cannot be told apart",
			"Open the database with sql.Open or driverwrap.NewConnector to see more.",
		}
	}
	return reason{
		"not observed: a message or the link of a file was not seen, or not understood",
		"The query history says how long the server worked.",
	}
}
