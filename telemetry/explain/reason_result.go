package explain

import (
	"fmt"
	"slices"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/internal/format"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

func pageReason(s *telemetry.Statement, took time.Duration) reason {
	c, since, waiting := silent(s)
	if waiting && (c.Method == "FetchResults" || c.Method == "GetResultSetMetadata") && mostlySilent(s, c, since, took) {
		return reason{"waiting for the result: " + silence(c.Method, since, took), beyondDeadlines}
	}
	if d := directTime(s); most(d, took) {
		return reason{
			"waiting for the rest of the answer to ExecuteStatement, which took " + format.Duration(d) + " from its first byte to its last",
			"Look at the network to the workspace, and at proxies on the way; a smaller result helps where the answer has rows." + support(s, "ExecuteStatement"),
		}
	}
	metadata := rpcOf(s, "GetResultSetMetadata")
	if d := answering(s, metadata, max(metadata.Slowest, metadata.Latency)); most(d, took) {
		text := "waiting for what describes the result: GetResultSetMetadata took " + format.Duration(latestTook(s, metadata, d, took))
		if metadata.Calls > 1 {
			text += " in " + format.Plural(metadata.Calls, "call")
		}
		return reason{text, "The workspace answered late." + support(s, "GetResultSetMetadata")}
	}
	text, fetch := "waiting for result pages", rpcOf(s, "FetchResults")
	if n := s.Result.Pages.Or(0); n > 0 {
		text = "waiting for " + format.Plural(n, "result page")
	}
	if slowest := slowestPage(s, fetch); slowest > 0 {
		text += ", slowest " + format.Duration(slowest)
	}
	advice := "Results come page after page. CloudFetch downloads large ones in parallel; a smaller result or a nearer region helps, too."
	switch {
	case s.Kind == telemetry.KindVolume, s.Kind == telemetry.KindUpdate, s.Internal,
		s.Result.Rows.Or(-1) == 0 && s.Outcome != telemetry.OutcomeRunning: // the result cannot be smaller
		advice = "The workspace answered late."
	case s.Result.Format == telemetry.FormatExternalLinks:
		advice = "The links of files come page after page, a round trip each: a smaller result or a nearer region helps."
	}
	return reason{text, advice + support(s, "FetchResults")}
}

// slowestPage returns how long the slowest call for a page took, without attempts that were repeated. It returns
// 0 if that is not known, or if pages arrived but not with that call.
func slowestPage(s *telemetry.Statement, fetch *telemetry.RPC) (slowest time.Duration) {
	if fetch.Connecting > 0 {
		return 0
	}
	if fetch.Retries == 0 {
		slowest = fetch.Slowest
	} else if !listsCallsOf(s, fetch) {
		return 0
	}
	none := false // the slowest call returned no page
	for c := range callsOf(s, "FetchResults") {
		switch took := lastAttempt(s, c); {
		case latestUnknown(c.Attempts, c.Latest):
			return 0
		case took >= slowest:
			_, brought := c.Rows.Get()
			slowest, none = took, !brought
		}
	}
	if none && s.Outcome != telemetry.OutcomeRunning && s.Result.Pages.Or(0) > 0 {
		return 0
	}
	return slowest
}

// latestUnknown reports whether a record of an older version does not say when the latest of several attempts
// began. Times in a file have microsecond precision, so a shorter time means that there is none.
func latestUnknown(attempts int64, latest time.Duration) bool {
	return attempts > 1 && latest < time.Microsecond
}

// directTime returns how long the answer to the latest ExecuteStatement took from its first byte to its last.
// It returns 0 if the answer had no rows or links and other calls followed for them, because the time is not in
// PartPage then.
func directTime(s *telemetry.Statement) (took time.Duration) {
	later := rpcOf(s, "FetchResults").Calls > 0 || rpcOf(s, "GetResultSetMetadata").Calls > 0
	for c := range callsOf(s, "ExecuteStatement") {
		first, begun := c.FirstByte.Get()
		_, rows := c.Rows.Get()
		if begun && (rows || c.Files > 0 || !later) {
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
	text, slowest := "waiting for "+format.Plural(c.Present, "file"), slowestFile(c)
	switch {
	case s.Outcome == telemetry.OutcomeRunning:
		text += onTheWay(s)
	case slowest == 0:
	case c.Failed > 0 || gaveUpFile(c):
		text += ", slowest complete " + format.Duration(slowest)
	default:
		text += ", slowest " + format.Duration(slowest)
	}
	if failedFiles(s) > 0 {
		return reason{text + "; " + filesFailed(s), failedAdvice(s, "The storage", int(c.FailedStatus.Or(0)))}
	}
	if c.Retries > 0 {
		text += ", " + format.Plural(c.Retries, "retry")
	}
	if c.Present > 1 {
		return reason{text, fileAdvice}
	}
	return reason{text, fileLimit + quickerFiles}
}

// gaveUpFile reports whether a listed file was on its way when the rows were closed.
func gaveUpFile(c *telemetry.CloudFetch) bool {
	return slices.ContainsFunc(c.Files, func(f telemetry.File) bool {
		_, requested := f.Start.Get()
		return requested && f.State == "ABANDONED"
	})
}

// slowestFile returns how long the slowest complete file took, without attempts that were repeated and the pauses
// after them, which are in PartRetry. It returns 0 if that is not known.
func slowestFile(c *telemetry.CloudFetch) (slowest time.Duration) {
	switch {
	case c.Downloaded == 0, c.Retries > 0 && c.Present > int64(len(c.Files)):
		return 0
	case c.Retries == 0:
		return c.Slowest
	}
	for _, f := range c.Files {
		if latestUnknown(f.Attempts, f.Latest) {
			return 0
		}
		if f.State == "DOWNLOADED" {
			slowest = max(slowest, f.End.Or(0)-max(f.Start.Or(0), f.Latest))
		}
	}
	return slowest
}

const (
	fileAdvice   = fileLimit + "more download threads (maxDownloadThreads), " + quickerFiles
	fileLimit    = "The storage or the network path to it is the limit, or MaxConnsPerHost of the application's own transport, if it has one: "
	quickerFiles = "a nearer region, a proxy out of the way, fewer columns."
)

// onTheWay names the oldest download of a running statement that is not complete, among the listed
// files.
func onTheWay(s *telemetry.Statement) string {
	since, index := s.Total, int64(-1)
	for _, f := range s.CloudFetch.Files {
		if start := f.Start.Or(since); f.State == "DOWNLOADING" && start < since {
			since, index = start, f.Index
		}
	}
	text := ", " + format.Count(s.CloudFetch.Downloaded) + " complete"
	if index >= 0 {
		text += fmt.Sprintf(", file %d on its way for ", index) + format.Duration(s.Total-since)
	}
	return text
}

func transferReason(s *telemetry.Statement) reason {
	text, decides, remedy := "in a volume operation", "The size of the file", "send less, compress it"
	switch s.Volume {
	case "PUT":
		text = "sending a file to the volume (PUT)"
	case "GET":
		text = "fetching a file from the volume (GET)"
		remedy = "fetch less"
	case "DELETE":
		text = "deleting a file of the volume (REMOVE)"
		decides, remedy = "The storage", "at proxies on the way"
	}
	switch s.Outcome {
	case telemetry.OutcomeFailed:
		return reason{text + ", which failed", "Look at the error of the statement, and at the way to the storage: the driver repeats attempts that fail, and that takes time, too."}
	case telemetry.OutcomeCanceled:
		return reason{text + "; the statement was canceled", "The transfer was slow, or attempts failed, which the driver repeats: look at the way to the storage."}
	}
	// The attempts are not observed.
	return reason{text, decides + ", the network path to the storage and attempts that fail, which the driver repeats, decide: " +
		"look at the status of the storage, " + remedy + ", or move the application nearer."}
}
