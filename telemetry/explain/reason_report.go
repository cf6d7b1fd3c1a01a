package explain

import (
	"slices"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/internal/format"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

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
	working := workOf(r)
	worked := sumOf(working)
	wentOn := max(0, min(worked, r.Total.Or(worked))-s.Total-toleranceOf(working)) // after the statement had ended, in a phase that is not known
	var why reason
	switch causes := causesOf(r, inspectExecution(s)); {
	case len(causes) > 0 && causes[0].Phase != PhaseFetch && most(worked, took) && (wentOn == 0 || most(causes[0].Time-wentOn, took)):
		why, reported = reason{"waiting for the server: " + causes[0].Sentence, causes[0].Advice}, true
	case len(working) > 0 && noticedLate(s, took) && wentOn == 0 && r.Final: // else it may have worked longer
		why = reason{"waiting for the server, which worked for " + format.Duration(worked) + " as the query history says, until a status call noticed" + pollsOf(s), pollFaster}
	default:
		return because, false
	}
	with := why.withFailure(s)
	return with, reported && with == why
}

// contradicts reports whether a report cannot be right about a statement: it contradicts itself, or its phases
// take longer than a statement that the client did not give up, or those before its first result longer than
// what that statement left for them.
func contradicts(r *telemetry.ServerReport, s *telemetry.Statement) bool {
	givenUp := s.Outcome == telemetry.OutcomeCanceled || s.Outcome == telemetry.OutcomeRunning || s.Outcome == telemetry.OutcomeAbandoned || s.Failed() && unfinished(s)
	return contradictsItself(r) || !givenUp && (exceed(PhasesOf(r), s.Total) || exceed(beforeExecution(r), beforeResult(s)))
}

// beforeExecution returns the phases in which the server had nothing of a result.
func beforeExecution(r *telemetry.ServerReport) []PhaseTime {
	return slices.DeleteFunc(PhasesOf(r), func(p PhaseTime) bool { return p.Phase >= PhaseExecute })
}

// beforeResult is the time of the statement without the parts that there are only once the server has a result.
func beforeResult(s *telemetry.Statement) time.Duration {
	split := SplitOf(s)
	for _, p := range []telemetry.Part{telemetry.PartPoll, telemetry.PartPage, telemetry.PartFile, telemetry.PartTransfer, telemetry.PartDecode, telemetry.PartApplication} {
		split[p] = 0
	}
	return split.Total()
}

// contradictsItself reports whether the server worked for longer than it says it took. Whether that includes the
// client's fetching is not documented for all of its totals.
func contradictsItself(r *telemetry.ServerReport) bool {
	total, known := r.Total.Get()
	return known && exceed(workOf(r), total)
}

// askHistory holds whether the setting is on or off: a record does not say which.
const askHistory = "With telemetry_query_history=slow, Databricks' own record of slow statements, fetched seconds after they end, says which phase took the time."
