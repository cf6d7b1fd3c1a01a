package explain

import (
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/internal/format"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

func serverReason(s *telemetry.Statement, took time.Duration) reason {
	const lead = "waiting for the server: "
	status := rpcOf(s, "GetOperationStatus")
	reported, told := s.ServerTime.Get() // then the time until the driver noticed is in PartPoll
	c, since, waiting := silent(s)
	asked := lastCall(s, "GetOperationStatus") // not always the latest call: the driver closes a statement that it gave up
	unansweredFor, unanswered := silenceOf(s, asked)
	switch {
	case waiting && c.Method == "ExecuteStatement":
		waits, is, runs := "waited", "was", "ran"
		if s.Outcome == telemetry.OutcomeRunning {
			waits, is, runs = "waits", "is", "runs"
		}
		return reason{
			lead + silence(c.Method, since, took),
			"The statement " + waits + " for a warehouse that " + is + " starting or full (see its monitoring page), or it " + runs +
				" (see the query history); if neither knows it, the request did not arrive. A deadline on the context bounds the wait.",
		}
	case waitedToAsk(s, status, took):
		return reason{lead + connecting(status), keepConnections + " The query history says how long the statement ran."}
	case unanswered && most(unansweredFor, took):
		return reason{lead + silence(asked.Method, unansweredFor, took), "The query history says how long the server works on the statement. " + beyondDeadlines}
	case most(unrepeated(s, status, status.Backoff), took):
		return reason{lead + repeated(s, status), retryAdvice(theWorkspace, repeatedStatus(s, status)) + " The query history says how long the statement ran."}
	case !told && answeredLate(s, status, took):
		return reason{
			lead + "a status call itself took " + format.Duration(status.Slowest),
			"The workspace answered a status call late; the query history says how long the statement ran." + support(s, "GetOperationStatus"),
		}
	case s.Outcome == telemetry.OutcomeRunning && unfinished(s):
		return reason{lead + "still " + s.State + lastSeen(s), inspectUnfinished(s)}
	case s.Failed() && unfinished(s):
		return reason{"waiting for the server, which had not finished: last seen " + s.State + lastSeen(s), inspectLost(s)}
	case noticedLate(s, took):
		return reason{
			"waiting for the server, which may have finished up to " + format.Duration(unseen(s)) + " before a status call noticed" + pollsOf(s),
			"The query history says how long the server worked. " + pollFaster,
		}
	}
	if told {
		return reason{"waiting for the server, which reports " + format.Duration(reported) + " of work", inspectEnded(s)}
	}
	return reason{"waiting for the server, as seen on the wire" + pollsOf(s), inspectEnded(s)}
}

// inspectEnded returns advice on a statement that the server has ended. It does not suggest a larger
// warehouse for a statement that the server refused.
func inspectEnded(s *telemetry.Statement) string {
	switch f := s.Failure; {
	case f == nil || s.State == "FINISHED":
	case s.StatementID == "" && (f.SQLState != "" || s.State == "ERROR"):
		return "The server ended the statement with an error, which says why."
	case f.SQLState != "" || s.State == "ERROR":
		return "The server ended the statement with an error, which says why; the query profile shows how far it came."
	case s.State == "CANCELED", s.State == "CLOSED", s.State == "TIMEDOUT":
		return "The server ended the statement before it was complete: the query history says why, or who did it."
	case s.State == "UNKNOWN":
		return "The server did not know the state of the statement: the query history says what became of it."
	}
	return inspectKind(s)
}

// inspectKind returns advice on a statement that took the server long, or still does.
func inspectKind(s *telemetry.Statement) string {
	if littleWork(s) {
		return "Such a statement is little work for the server: its warehouse may have been starting or full. Look at the monitoring page of the warehouse."
	}
	return inspectExecution(s)
}

// inspectExecution returns advice on a statement whose execution took long, apart from any wait before it.
func inspectExecution(s *telemetry.Statement) string {
	switch {
	case littleWork(s):
		return "Such a statement is little work for the server: look at the query profile of the statement, and at the load of the warehouse on its monitoring page."
	case s.Kind == telemetry.KindUpdate:
		return "Look at the query profile of the statement; a larger warehouse or a better layout of the tables helps."
	}
	return inspect
}

// littleWork reports whether a statement is a ping, which is a SELECT 1, or is for a file of a volume, for which the
// server only returns the address.
func littleWork(s *telemetry.Statement) bool { return s.Internal || s.Kind == telemetry.KindVolume }

const inspect = "Look at the query profile of the statement; a larger warehouse, a better layout of the tables or a smaller result help."

// inspectUnfinished returns advice on a statement that was last seen running or waiting to run.
func inspectUnfinished(s *telemetry.Statement) string {
	if s.State == "RUNNING" {
		return inspectKind(s)
	}
	return "The server had not begun to run the statement when last asked: its warehouse was starting or full. Look at the monitoring page of the warehouse, and at the query profile of the statement."
}

// inspectLost returns advice on a statement that failed although it was last seen unfinished. An error with a
// SQLSTATE comes from the server, which may no longer know the statement, for example because its warehouse has
// stopped. If the driver could not sign in or connect for the next call, the warehouse did not cause the failure.
func inspectLost(s *telemetry.Statement) string {
	if s.Outcome != telemetry.OutcomeFailed {
		return inspectUnfinished(s)
	}
	if s.Failure.SQLState != "" {
		return "The server answered a later call with an error, which says why; the query history says what became of the statement."
	}
	return unsentAdvice(s, inspectUnfinished(s))
}

// unfinished reports whether, by its last known state, the server still works on the statement.
func unfinished(s *telemetry.Statement) bool {
	switch s.State {
	case "INITIALIZED", "PENDING", "RUNNING":
		return true
	}
	return false
}

// lastSeen says which answer reported the last known state of an unfinished statement. A status call
// that is not listed may have had no answer.
func lastSeen(s *telemetry.Statement) string {
	status := rpcOf(s, "GetOperationStatus")
	answered := status.Calls
	if p, ok := s.Polling.Get(); ok {
		answered = p.Calls
	}
	listed, open := int64(0), false
	for c := range callsOf(s, "GetOperationStatus") {
		_, ended := c.End.Get()
		listed, open = listed+1, !ended || c.Failed
	}
	later := ""
	if listed < answered {
		open = true
		if status.FailedStatus == 0 || status.FailedStatus != status.LastStatus { // otherwise the latest call failed
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

func pollReason(s *telemetry.Statement, took time.Duration) reason {
	status := rpcOf(s, "GetOperationStatus")
	switch {
	case most(unrepeated(s, status, status.Backoff), took):
		return reason{"after the server had finished: " + repeated(s, status), retryAdvice(theWorkspace, repeatedStatus(s, status))}
	case most(unrepeated(s, status, status.Connecting), took):
		return reason{"after the server had finished: " + connecting(status), keepConnections}
	case answeredLate(s, status, took):
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

const pollFaster = "Statements faster than the poll interval gain from a shorter one, where the driver's version has the setting."

// answeredLate reports whether a status call itself took most of a part. It is false after retries, which
// include pauses.
func answeredLate(s *telemetry.Statement, status *telemetry.RPC, took time.Duration) bool {
	return status.Retries == 0 && most(answering(s, status, status.Slowest), took)
}

// waitedToAsk reports whether a part was mostly a wait of status calls for a network connection, and no later answer
// found the server at work.
func waitedToAsk(s *telemetry.Statement, status *telemetry.RPC, took time.Duration) bool {
	asked := lastCall(s, status.Method)
	meanwhile := s.Polling.Or(telemetry.Polling{}).Unseen
	if _, ended := asked.End.Get(); asked.Method != "" && (!ended || asked.Failed) {
		meanwhile = lastAttempt(s, asked)
	} else if unfinished(s) {
		return false
	}
	return most(unrepeated(s, status, min(status.Connecting, meanwhile)), took)
}

func connecting(status *telemetry.RPC) string {
	text := "a status call waited for a network connection for "
	if status.Calls > 1 {
		text = "status calls waited for network connections for "
	}
	return text + format.Duration(status.Connecting)
}

// noticedLate reports whether the server may have finished long before the status call that noticed.
func noticedLate(s *telemetry.Statement, took time.Duration) bool {
	status := rpcOf(s, "GetOperationStatus")
	if _, told := s.ServerTime.Get(); told {
		return false // then the time until the driver noticed is in PartPoll
	}
	return !unfinished(s) && most(unseen(s), took) && !most(unrepeated(s, status, status.Slowest), took)
}

// unseen returns for how long the server may have been finished before a status call noticed, counting only
// time that is certainly neither in PartRetry nor in PartUnknown.
func unseen(s *telemetry.Statement) time.Duration {
	return unrepeated(s, rpcOf(s, "GetOperationStatus"), s.Polling.Or(telemetry.Polling{}).Unseen) - s.Split[telemetry.PartUnknown]
}

func pollsOf(s *telemetry.Statement) string {
	if calls := s.Polling.Or(telemetry.Polling{}).Calls; calls > 0 {
		return " (" + format.Plural(calls, "status call") + ")"
	}
	return ""
}

// repeated says that status calls were repeated, and how long the driver paused in between.
func repeated(s *telemetry.Statement, status *telemetry.RPC) string {
	return "status calls failed and were repeated after pauses of " + format.Duration(status.Backoff) +
		" (" + format.Plural(status.Retries, "retry") + lastStatus(repeatedStatus(s, status)) + ")"
}
