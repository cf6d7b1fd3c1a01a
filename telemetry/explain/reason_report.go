package explain

import (
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/internal/breakdown"
	"github.com/seed-01322ee7/databricks-telemetry/internal/format"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// withReport returns why the server took its time, according to the report if that accounts for most
// of the time, and according to the record otherwise. Without a report, the advice says how to get
// one.
func (because reason) withReport(s *telemetry.Statement, r *telemetry.ServerReport, took time.Duration) (_ reason, reported bool) {
	if r == nil {
		if s.StatementID != "" || s.Outcome == telemetry.OutcomeRunning { // the query history identifies statements by their id
			because.advice += " " + askHistory
		}
		return because, false
	}
	if contradicts(r, s) {
		return because, false
	}
	working := phasesBefore(r, breakdown.PhaseFetch)
	worked := sumOf(working)
	wentOn := max(0, min(worked, r.Total.Or(worked))-s.Total-toleranceOf(working)) // work after the statement had ended, in an unknown phase
	var why reason
	switch causes := causesOf(r, inspectExecution(s)); {
	case len(causes) > 0 && causes[0].Phase != breakdown.PhaseFetch.String() && most(worked, took) && (wentOn == 0 || most(causes[0].Time-wentOn, took)):
		why, reported = reason{"waiting for the server: " + causes[0].Sentence, causes[0].Advice}, true
	case len(working) > 0 && noticedLate(s, took) && wentOn == 0 && r.Final: // otherwise the server may have worked longer
		why = reason{"waiting for the server, which worked for " + format.Duration(worked) + " as the query history says, until a status call noticed" + pollsOf(s), pollFaster}
	default:
		return because, false
	}
	with := why.withFailure(s)
	return with, reported && with == why
}

// contradicts reports whether a report cannot be right about a statement. Either it contradicts itself or, for
// a statement that the client did not give up, its phases take longer than the statement, or the phases before
// a result take longer than the statement's time before a result.
func contradicts(r *telemetry.ServerReport, s *telemetry.Statement) bool {
	givenUp := s.Outcome == telemetry.OutcomeCanceled || s.Outcome == telemetry.OutcomeRunning || s.Outcome == telemetry.OutcomeAbandoned || s.Failed() && unfinished(s)
	return contradictsItself(r) ||
		!givenUp && (exceed(breakdown.PhasesOf(r), s.Total) || exceed(phasesBefore(r, breakdown.PhaseExecute), beforeResult(s)))
}

// beforeResult returns the time of the statement without the parts that begin only once the server has a
// result.
func beforeResult(s *telemetry.Statement) time.Duration {
	split := breakdown.SplitOf(s)
	for _, p := range []telemetry.Part{telemetry.PartPoll, telemetry.PartPage, telemetry.PartFile, telemetry.PartTransfer, telemetry.PartDecode, telemetry.PartApplication} {
		split[p] = 0
	}
	return split.Total()
}

// contradictsItself reports whether the server worked for longer than its total. The client's fetching is not
// counted, because it is not documented that every total includes it.
func contradictsItself(r *telemetry.ServerReport) bool {
	total, known := r.Total.Get()
	return known && exceed(phasesBefore(r, breakdown.PhaseFetch), total)
}

// askHistory is true whether the setting is on or off, because a record does not say which.
const askHistory = "With telemetry_query_history=slow, Databricks' own record of slow statements, fetched seconds after they end, says which phase took the time."
