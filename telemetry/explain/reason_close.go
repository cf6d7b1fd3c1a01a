package explain

import (
	"strings"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/internal/format"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

func closeReason(s *telemetry.Statement, took time.Duration) reason {
	canceled, closed := rpcOf(s, "CancelOperation"), rpcOf(s, "CloseOperation")
	cancel, closing := answering(s, canceled, canceled.Slowest), answering(s, closed, closed.Slowest)
	what := closingOf(s)
	c, since, waiting := silent(s)
	waiting = waiting && mostlySilent(s, c, since, took)
	switch {
	case waiting && c.Method == "CancelOperation":
		return reason{"canceling the statement: " + silence(c.Method, since, took), "The workspace takes its time to cancel the statement."}
	case waiting && c.Method == "CloseOperation":
		return reason{what + ": " + silence(c.Method, since, took), "The workspace takes its time to close the statement."}
	case cancel > closing && most(cancel, took):
		return reason{
			"canceling the statement: CancelOperation took " + format.Duration(latestTook(s, canceled, cancel, took)),
			"The workspace took its time to cancel the statement." + support(s, "CancelOperation"),
		}.withFailedClosing(s, "CancelOperation")
	case most(closing, took):
		return reason{
			"closing the statement: CloseOperation took " + format.Duration(latestTook(s, closed, closing, took)),
			"Closing is one round trip, and the workspace answered it late." + support(s, "CloseOperation"),
		}.withFailedClosing(s, "CloseOperation")
	}
	switch {
	case most(cancel+closing, took): // neither is most of it alone
		because := reason{advice: "The workspace answered both late."}
		part := func(method, verb string, took time.Duration) string {
			text := method + verb + format.Duration(took)
			if how, advice, failed := failedClosing(s, method); failed {
				because.advice = advice
				text += " (" + how + ")"
			}
			return text
		}
		because.evidence = "canceling and closing the statement: " + part("CancelOperation", " took ", cancel) + ", " + part("CloseOperation", " ", closing)
		return because
	case canceled.Calls > 0:
		what = "canceling or closing the statement"
	case what == closingStatement, s.Internal, s.Result.Format != "" && s.Result.Format != telemetry.FormatExternalLinks:
	default:
		return reason{what, "Closing is one round trip to the workspace, and waits for downloads under way: read to the end, or select less. " + inspectSigningIn}
	}
	if s.RPCs != nil && most(took-canceled.Latency-closed.Latency, took) {
		return reason{what + ", in the driver, between its requests", inspectSigningIn}
	}
	return reason{what, "Closing is one round trip to the workspace."}
}

// withFailedClosing adds how the latest call of a method that closes or cancels failed. The advice is then about the
// failure: what answered may have been a proxy.
func (because reason) withFailedClosing(s *telemetry.Statement, method string) reason {
	how, advice, failed := failedClosing(s, method)
	if !failed {
		return because
	}
	return reason{because.evidence + ", and " + how, advice}
}

// failedClosing returns how the latest call of a method that closes or cancels failed, and what to look at. failed is
// false if the workspace answered the call, if only with an error.
func failedClosing(s *telemetry.Statement, method string) (how, advice string, failed bool) {
	c := lastCall(s, method)
	if !c.Failed || c.Status == 0 || c.Status == 200 && cameWhole(rpcOf(s, method)) {
		return "", "", false
	}
	advice = strings.Replace(retryAdvice(theWorkspace, c.Status), lookAtError, ".", 1) // which is another one, or none
	return "failed" + lastStatus(c.Status), advice + lookUp(c.RequestID), true
}

// closingOf says what is closed: the rows, or the statement itself if it has no rows or failed before it had
// any.
func closingOf(s *telemetry.Statement) string {
	if _, rows := s.Close.Get(); s.Kind == telemetry.KindUpdate || s.Kind == telemetry.KindVolume || s.Failed() && !rows {
		return closingStatement
	}
	return "closing the rows"
}

const closingStatement = "closing the statement"
