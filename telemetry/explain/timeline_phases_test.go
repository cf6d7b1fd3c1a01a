package explain_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/internal/breakdown"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry/explain"
)

// started waited for its warehouse to start, after a first request that failed.
func started() *telemetry.Statement {
	execute := call("ExecuteStatement", 0, 9500, 100)
	execute.Attempts, execute.Latest, execute.Retried = 2, 100*ms, []telemetry.Attempt{{End: 40 * ms, Status: 503}}
	return &telemetry.Statement{
		StatementID: "id", Outcome: telemetry.OutcomeCompleted, Execute: 9600 * ms, Total: 10 * second, RPCs: observed, Polling: polls(0), Calls: []telemetry.Call{execute},
		Split: telemetry.Split{telemetry.PartServer: 9400 * ms, telemetry.PartNetwork: 600 * ms},
	}
}

func reportOf(total, compute, capacity, compile, execute, fetch int) *telemetry.ServerReport {
	return &telemetry.ServerReport{
		StatementID: "id", Total: at(total), WaitingForCompute: at(compute), QueuedAtCapacity: at(capacity), Compiling: at(compile), Executing: at(execute), ResultFetch: at(fetch),
	}
}

const phasesNote = "The query history reports how long the server's phases took, not when: they are drawn in their usual order, from the request on."

func TestTheServersLaneOpensIntoItsPhases(t *testing.T) {
	timeline := explain.TimelineWithReport(started(), reportOf(9000, 7000, -1, 500, 1400, 0))
	require.Equal(t, strings.Join([]string{
		"call: call 0-9600",
		"execute: ExecuteStatement 0-40 (attempt 1, failed with HTTP 503)! pause 40-100 ExecuteStatement 100-9500 (attempt 2, 100 rows)",
		"server: server 100-9000 (3 phases of the query history)",
		"server/compute: waiting for compute 100-7100",
		"server/compile: compiling 7100-7600",
		"server/execute: executing 7600-9000",
		"",
	}, "\n"), sketch(timeline))
	require.Equal(t, phasesNote, timeline.PhasesNote)
	require.Equal(t, breakdown.PhaseCompile.Bar(), timeline.Lanes[4].Bars[0].Kind)

	behindWrap := &telemetry.Statement{Execute: 40 * ms, Total: 50 * ms}
	require.Contains(t, sketch(explain.TimelineWithReport(behindWrap, reportOf(-1, -1, 10, -1, 15, 5))), "server/capacity: queued at capacity 0-10\nserver/execute: executing 10-25\nserver/fetch: result fetch 25-30\n")
}

func TestPhasesThatDoNotFitAreNotDrawn(t *testing.T) {
	for want, r := range map[string]*telemetry.ServerReport{
		"": nil,
		"The phases that the query history reports are not drawn: they add up to 60 s, and the statement ended 9.9 s after its request.":               reportOf(61000, 59000, -1, -1, 1000, -1),
		"The phases that the query history reports overlap and are not drawn: they add up to 9.0 s, and the server took 7.0 s.":                        reportOf(7000, -1, -1, 3000, 6000, -1),
		"The phases that the query history reports are not drawn: they add up to 9.9 s, and the statement ended 9.9 s (10 ms less) after its request.": reportOf(9910, -1, -1, -1, 9910, -1),
		"The phases that the query history reports overlap and are not drawn: they add up to 7.0 s, and the server took 7.0 s (9.0 ms less).":          reportOf(7000, -1, -1, 3000, 4009, -1),
	} {
		timeline := explain.TimelineWithReport(started(), r)
		require.Equal(t, want, timeline.PhasesNote)
		timeline.PhasesNote = ""
		require.Equal(t, explain.TimelineOf(started()), timeline)
	}
	require.Empty(t, explain.TimelineWithReport(started(), reportOf(9000, -1, -1, -1, -1, 0)).PhasesNote, "a report without phases")
}

// A statement whose files were on their way after 3 s did not wait for compute until then.
func TestPhasesThatEndAfterAResultCameAreNotDrawn(t *testing.T) {
	s := started()
	s.Split = telemetry.Split{telemetry.PartServer: 3 * second, telemetry.PartFile: 7 * second}
	timeline := explain.TimelineWithReport(s, reportOf(9000, 7000, -1, 500, 1400, -1))
	require.Equal(t, "The phases that the query history reports are not drawn: those before the execution add up to 7.5 s, and the statement had a result after 3.0 s at most.", timeline.PhasesNote)
	require.NotContains(t, sketch(timeline), "compute")
}

// The query history has whole milliseconds.
func TestPhasesMayBeRoundedUp(t *testing.T) {
	timeline := explain.TimelineWithReport(started(), reportOf(9901, -1, -1, 1, 9900, -1))
	require.Equal(t, phasesNote, timeline.PhasesNote)
	require.Contains(t, sketch(timeline), "server/execute: executing 101-10000 (9.9 s reported)\n")
}

func TestAVerdictOnTheServerSaysWhatItsReportDoes(t *testing.T) {
	s := started()
	r := reportOf(9000, 7000, -1, 500, 1400, 0)
	v := explain.WithReport(s, r)
	require.Equal(t, "server-bound: 94 % of 10 s waiting for the server: waited 7.0 s of 9.0 s for the warehouse to start", v.Sentence)
	require.True(t, v.Reported)
	require.Equal(t, explain.CausesOf(nil, r)[0].Advice, v.Advice)

	v = explain.WithReport(s, reportOf(500, -1, -1, 100, 300, 0))
	require.Equal(t, "server-bound: 94 % of 10 s waiting for the server, as seen on the wire", v.Sentence, "most of the time is not in the report")
	require.False(t, v.Reported)
	require.NotContains(t, v.Advice, setting)
	require.NotContains(t, explain.WithReport(s, &telemetry.ServerReport{}).Advice, setting)

	s.Split = telemetry.Split{telemetry.PartFile: 6 * second, telemetry.PartServer: 4 * second}
	require.Equal(t, explain.Of(s), explain.WithReport(s, r), "the server did not take most of the time")
}

const setting = "telemetry_query_history=slow"

func TestAVerdictOnTheServerSaysHowToHaveAReport(t *testing.T) {
	s := started()
	require.Contains(t, explain.Of(s).Advice, "query profile")
	require.Contains(t, explain.Of(s).Advice, setting)

	s.StatementID, s.Calls[0].FirstByte, s.Calls[0].End = "", at(-1), at(-1)
	require.NotContains(t, explain.Of(s).Advice, setting, "the query history does not know it")
	s.Outcome = telemetry.OutcomeRunning
	require.Contains(t, explain.Of(s).Advice, setting, "it may have an id soon")

	s = started()
	s.Split = telemetry.Split{telemetry.PartFile: 6 * second, telemetry.PartServer: 4 * second}
	require.NotContains(t, explain.Of(s).Advice, setting)
}
