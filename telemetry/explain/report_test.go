package explain_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry/explain"
)

func TestAReportIsExplained(t *testing.T) {
	d, n := telemetry.Known[time.Duration], telemetry.Known[int64]
	for _, test := range []struct {
		report telemetry.ServerReport
		want   []string
		advice string // in the first advice
	}{
		{telemetry.ServerReport{}, nil, ""},
		{telemetry.ServerReport{Total: d(time.Second)}, nil, ""},
		{telemetry.ServerReport{Total: d(14 * time.Second), WaitingForCompute: d(11 * time.Second), Compiling: d(time.Second), Executing: d(time.Second)}, []string{"waited 11 s of 14 s for the warehouse to start"}, "serverless"},
		{telemetry.ServerReport{Total: d(5 * time.Second), QueuedAtCapacity: d(4 * time.Second)}, []string{"queued 4.0 s at capacity"}, "clusters"},
		{telemetry.ServerReport{Total: d(2600 * time.Millisecond), Compiling: d(2100 * time.Millisecond), Executing: d(400 * time.Millisecond)}, []string{"compiled 2.1 s of 2.6 s", "executed 400 ms of 2.6 s"}, "OPTIMIZE"},
		{telemetry.ServerReport{Executing: d(time.Second), BytesRead: n(40e9), BytesReadCache: n(8e8), FilesPruned: n(0), FilesRead: n(9)}, []string{"read 40 GB, 2 % from cache, no file pruned"}, "clustering"},
		{telemetry.ServerReport{Executing: d(time.Second), BytesRead: n(40e9), FilesPruned: n(1000), FilesRead: n(400), BytesSpilled: n(12e9)}, []string{"spilled 12 GB", "read 40 GB, 1,000 of 1,400 files pruned"}, "larger warehouse"},
		{telemetry.ServerReport{Executing: d(time.Second), BytesRead: n(2e9)}, []string{"read 2.0 GB"}, "columns"},
		{telemetry.ServerReport{Executing: d(time.Second), BytesRead: n(1e6), FilesPruned: n(0), BytesSpilled: n(1e6)}, []string{"executed 1.0 s"}, "query profile"},
		{telemetry.ServerReport{Total: d(10 * time.Second), ResultFetch: d(9 * time.Second)}, []string{"the client fetched the result for 9.0 s"}, "client"},
		{telemetry.ServerReport{Total: d(10 * time.Second), Executing: d(3 * time.Second), ResultFetch: d(7 * time.Second), Compiling: d(2 * time.Second)}, []string{"executed 3.0 s of 10 s", "compiled 2.0 s of 10 s", "the client fetched the result for 7.0 s"}, "query profile"},
	} {
		causes := explain.CausesOf(nil, &test.report)
		var got []string
		for _, c := range causes {
			got = append(got, c.Sentence)
			require.NotEmpty(t, c.Advice)
			require.Positive(t, c.Time)
			require.LessOrEqual(t, c.Share, 1.0)
		}
		require.Equal(t, test.want, got)
		if len(causes) > 0 {
			require.Contains(t, causes[0].Advice, test.advice)
		}
	}
}

// Of a report that cannot be right nothing is said, also where it is shown without its statement, as in the log.
func TestAReportThatContradictsItselfNamesNoCause(t *testing.T) {
	require.Empty(t, explain.CausesOf(nil, &telemetry.ServerReport{Total: known(19 * second), WaitingForCompute: known(50 * second), Executing: known(18 * second)}))
	require.Empty(t, explain.CausesOf(nil, &telemetry.ServerReport{Total: known(2 * second), Executing: known(3 * second), BytesSpilled: known[int64](4e9)}))
	require.NotEmpty(t, explain.CausesOf(nil, &telemetry.ServerReport{Total: known(2 * second), Executing: known(2*second + time.Millisecond)}), "times are whole milliseconds")
}

// The total of the system table leaves the fetching of the result out, and that of the query history may.
func TestAReportMayLeaveTheFetchingOutOfItsTotal(t *testing.T) {
	s := &telemetry.Statement{
		StatementID: "id", Total: 66 * second, Outcome: telemetry.OutcomeCompleted, RPCs: observed,
		Split: telemetry.Split{telemetry.PartServer: 40 * second, telemetry.PartFile: 26 * second},
	}
	r := &telemetry.ServerReport{Final: true, Total: known(39 * second), WaitingForCompute: known(30 * second), Executing: known(9 * second), ResultFetch: known(25 * second)}
	v := explain.WithReport(s, r)
	require.True(t, v.Reported)
	require.Contains(t, v.Sentence, "waited 30 s of 39 s for the warehouse to start")
	require.Contains(t, explain.TimelineWithReport(s, r).PhasesNote, "in their usual order")
}

func TestTheClientsFetchingIsNotWhyItWaitedForTheServer(t *testing.T) {
	d := telemetry.Known[time.Duration]
	s := &telemetry.Statement{StatementID: "id", Total: 66 * time.Second, RPCs: observed, Split: telemetry.Split{
		telemetry.PartServer: 30 * time.Second, telemetry.PartFile: 20 * time.Second, telemetry.PartApplication: 16 * time.Second,
	}}
	v := explain.WithReport(s, &telemetry.ServerReport{Total: d(64 * time.Second), Executing: d(29 * time.Second), ResultFetch: d(35 * time.Second)})
	require.True(t, v.Reported)
	require.Equal(t, "server-bound: 45 % of 66 s waiting for the server: executed 29 s of 64 s", v.Sentence)

	v = explain.WithReport(s, &telemetry.ServerReport{Total: d(36 * time.Second), Executing: d(time.Second), ResultFetch: d(35 * time.Second)})
	require.False(t, v.Reported, "most of the server's part is not in the report")
	require.Equal(t, "server-bound: 45 % of 66 s waiting for the server, as seen on the wire", v.Sentence)
}

func TestAReportSaysHowLongAStatementWaitedToBeNoticed(t *testing.T) {
	d := telemetry.Known[time.Duration]
	s := &telemetry.Statement{
		StatementID: "id", Total: time.Second, RPCs: observed, State: "FINISHED", Polling: telemetry.Known(telemetry.Polling{Calls: 1, Unseen: 990 * time.Millisecond}),
		Split: telemetry.Split{telemetry.PartServer: time.Second},
	}
	v := explain.WithReport(s, &telemetry.ServerReport{Final: true, Total: d(time.Second), Compiling: d(4 * time.Millisecond), Executing: d(2 * time.Millisecond), ResultFetch: d(994 * time.Millisecond)})
	require.Equal(t, "server-bound: 100 % of 1.0 s waiting for the server, which worked for 6.0 ms as the query history says, until a status call noticed (1 status call)", v.Sentence)
	require.NotContains(t, v.Advice, "query history", "it has been asked")
	require.Contains(t, v.Advice, "poll interval")
	require.False(t, v.Reported)

	s.State = "RUNNING"
	require.NotContains(t, explain.WithReport(s, &telemetry.ServerReport{Executing: d(time.Millisecond)}).Sentence, "noticed", "none did")
	s.State = "FINISHED"
	v = explain.WithReport(s, &telemetry.ServerReport{Total: d(time.Second)})
	require.Contains(t, v.Sentence, "which may have finished up to 990 ms before", "the report does not say when")
}

// A report about time after the statement had ended: it ended (its status calls were refused) while it
// still waited for the warehouse, and the server went on.
func TestAReportThatGoesOnAfterTheStatementBlamesNoLaterPhase(t *testing.T) {
	s := &telemetry.Statement{
		StatementID: "q-1", Total: 10 * second, Outcome: telemetry.OutcomeCanceled, Failure: &telemetry.Failure{}, State: "PENDING", Polling: polls(1),
		RPCs:  rpcs(telemetry.RPC{Method: "GetOperationStatus", Calls: 1, LastStatus: 200}),
		Calls: []telemetry.Call{executed, call("GetOperationStatus", 1000, 1010, -1)},
		Split: telemetry.Split{telemetry.PartServer: 10 * second},
	}
	r := &telemetry.ServerReport{Status: "FINISHED", Final: true, Total: known(53 * second), WaitingForCompute: known(13 * second), Executing: known(40 * second)}
	require.NotContains(t, explain.WithReport(s, r).Sentence, "executed", "it was PENDING all the time, and the server waited for compute until after its end")

	r = &telemetry.ServerReport{Status: "CANCELED", Final: true, Total: known(10200 * time.Millisecond), WaitingForCompute: known(10200 * time.Millisecond)}
	require.Contains(t, explain.WithReport(s, r).Sentence, "for the warehouse to start", "all but the 200 ms that it took to cancel")
}

// The advice is about the call that ended the statement, with a report and without.
func TestAReportDoesNotHideTheCallThatAStatementFailedWith(t *testing.T) {
	s := &telemetry.Statement{
		StatementID: "q-1", Total: 10 * second, Outcome: telemetry.OutcomeFailed, Failure: &telemetry.Failure{Category: telemetry.CategoryPermission}, State: "RUNNING", Polling: polls(1),
		RPCs:  rpcs(telemetry.RPC{Method: "GetOperationStatus", Calls: 2, LastStatus: 403, FailedStatus: 403}),
		Calls: []telemetry.Call{executed, call("GetOperationStatus", 1000, 1010, -1), {Method: "GetOperationStatus", Start: 9 * second, FirstByte: known(10 * second), End: known(10 * second), Status: 403, Failed: true, Attempts: 1}},
		Split: telemetry.Split{telemetry.PartServer: 10 * second},
	}
	r := &telemetry.ServerReport{Status: "CANCELED", Final: true, Total: known(10 * second), Executing: known(9 * second)}
	before := explain.Of(s)
	require.Contains(t, before.Sentence, "GetOperationStatus failed, last status 403")
	require.Contains(t, before.Advice, "credential")
	after := explain.WithReport(s, r)
	require.Contains(t, after.Sentence, "GetOperationStatus failed, last status 403", after.Advice)
}

func TestAReportDoesNotHideTheFilesThatAStatementFailedWith(t *testing.T) {
	s := &telemetry.Statement{
		StatementID: "q-1", Total: 10 * second, Outcome: telemetry.OutcomeFailed, Failure: &telemetry.Failure{Category: telemetry.CategoryChunkDownload}, State: "FINISHED",
		RPCs: observed, Polling: polls(0), CloudFetch: &telemetry.CloudFetch{Present: 2, Failed: 1, FailedStatus: known[int64](403)},
		Split: telemetry.Split{telemetry.PartServer: 10 * second},
	}
	v := explain.WithReport(s, &telemetry.ServerReport{Status: "FINISHED", Final: true, Total: known(9 * second), Executing: known(9 * second)})
	require.Contains(t, v.Sentence, "executed 9.0 s")
	require.Contains(t, v.Sentence, "1 file failed, last status 403")
	require.Contains(t, v.Advice, "links that expired")
	require.False(t, v.Reported, "the advice is not that of the cause")
}

// A statement that was complete after 3 s did not wait 50 s, whatever a report says; one that the client gave up
// may have gone on.
func TestAReportThatCannotBeRightIsNoCause(t *testing.T) {
	s := telemetry.Statement{
		Outcome: telemetry.OutcomeCompleted, State: "FINISHED", Total: 3 * second, Execute: 3 * second, StatementID: "x",
		RPCs: []telemetry.RPC{{Method: "ExecuteStatement", Calls: 1, Latency: 3 * second}}, Split: telemetry.Split{telemetry.PartServer: 3 * second},
		Calls: []telemetry.Call{{Method: "ExecuteStatement", FirstByte: known(3 * second), End: known(3 * second), Attempts: 1}},
	}
	for _, r := range []telemetry.ServerReport{
		{Final: true, Total: known(50 * second), WaitingForCompute: known(50 * second)},
		{Final: true, Total: known(2 * second), WaitingForCompute: known(2 * second), Executing: known(2 * second)},
	} {
		v := explain.WithReport(&s, &r)
		require.False(t, v.Reported, v.Sentence)
		require.NotContains(t, v.Sentence, "waited")
	}
	long := s
	long.Total, long.Split[telemetry.PartFile] = 60*second, 57*second
	r := &telemetry.ServerReport{Final: true, Total: known(50 * second), WaitingForCompute: known(50 * second)}
	require.NotContains(t, explain.WithReport(&long, r).Sentence, "waited", "there were files after 3 s")
	require.Empty(t, explain.CausesOf(&long, r))
	r.WaitingForCompute, r.Executing = known(2*second), known(48*second) // while files were on their way
	require.Equal(t, explain.CausesOf(nil, r), explain.CausesOf(&long, r))
	require.Empty(t, explain.CausesOf(&s, r))
	require.Empty(t, explain.CausesOf(&s, nil))

	given := s
	given.Outcome, given.State = telemetry.OutcomeCanceled, "PENDING"
	require.True(t, explain.WithReport(&given, &telemetry.ServerReport{Final: true, Total: known(3 * second), WaitingForCompute: known(3 * second)}).Reported)
}

// The server may have gone on with a statement that the client gave up: however it did that.
func TestAReportMayGoOnAfterAStatementThatTheClientGaveUp(t *testing.T) {
	r := &telemetry.ServerReport{Final: true, Total: known(9 * second), WaitingForCompute: known(9 * second)}
	s := telemetry.Statement{StatementID: "x", Total: 3 * second, Execute: 3 * second, State: "FINISHED", RPCs: observed, Split: telemetry.Split{telemetry.PartServer: 3 * second}}
	for _, given := range []telemetry.Outcome{telemetry.OutcomeCanceled, telemetry.OutcomeRunning, telemetry.OutcomeAbandoned} {
		s.Outcome = given
		require.NotEmpty(t, explain.CausesOf(&s, r), given)
	}
	s.Outcome, s.Failure = telemetry.OutcomeFailed, &telemetry.Failure{}
	require.Empty(t, explain.CausesOf(&s, r), "the server had ended it")
	s.State = "PENDING"
	require.NotEmpty(t, explain.CausesOf(&s, r), "the server had not ended it")
	s.Outcome, s.Failure = telemetry.OutcomeCompleted, nil
	require.Empty(t, explain.CausesOf(&s, r))
}

// Before the execution the server had no result, so that no time with a result was spent on the phases before.
func TestNoPhaseBeforeTheExecutionTookTimeWithAResult(t *testing.T) {
	r := &telemetry.ServerReport{Final: true, Total: known(9 * second), Compiling: known(9 * second)}
	with := []telemetry.Part{telemetry.PartPoll, telemetry.PartPage, telemetry.PartFile, telemetry.PartTransfer, telemetry.PartDecode, telemetry.PartApplication}
	for _, p := range telemetry.Parts {
		s := &telemetry.Statement{StatementID: "x", Outcome: telemetry.OutcomeCompleted, State: "FINISHED", Total: 10 * second, RPCs: observed}
		s.Split[p] = 10 * second
		require.Equal(t, slices.Contains(with, p), explain.CausesOf(s, r) == nil, p)
	}
}

// No phase alone takes most of the time here, but the server did.
func TestTheLongestOfSeveralPhasesIsWhyAStatementWaited(t *testing.T) {
	s := &telemetry.Statement{StatementID: "x", Outcome: telemetry.OutcomeCompleted, State: "FINISHED", Total: 10 * second, RPCs: observed, Split: telemetry.Split{telemetry.PartServer: 10 * second}}
	r := &telemetry.ServerReport{Final: true, Total: known(10 * second), WaitingForCompute: known(3 * second), Compiling: known(3 * second), Executing: known(4 * second)}
	require.Contains(t, explain.WithReport(s, r).Sentence, "executed 4.0 s of 10 s")

	s.Split = telemetry.Split{telemetry.PartServer: second, telemetry.PartFile: 900 * ms, telemetry.PartApplication: 900 * ms, telemetry.PartPage: 900 * ms}
	r = &telemetry.ServerReport{Final: true, Total: known(10 * second), Executing: known(900 * ms), ResultFetch: known(9100 * ms)}
	s.Split[telemetry.PartDecode], s.Split[telemetry.PartNetwork], s.Split[telemetry.PartTransfer] = 900*ms, 900*ms, 900*ms
	s.Split[telemetry.PartPoll], s.Split[telemetry.PartClose], s.Split[telemetry.PartRetry], s.Split[telemetry.PartUnknown] = 900*ms, 900*ms, 900*ms, 900*ms
	v := explain.WithReport(s, r)
	require.Equal(t, telemetry.PartServer, v.Part)
	require.NotContains(t, v.Sentence, "the client fetched", "the fetching is the only phase that took long, and the server did not take it")
}

// What the report does not explain further is advised on by the kind of the statement, in the verdict as among the causes.
func TestTheAdviceOnExecutionFitsTheStatement(t *testing.T) {
	r := &telemetry.ServerReport{Final: true, Total: known(3 * second), Executing: known(3 * second)}
	for about, s := range map[string]telemetry.Statement{
		"a smaller result":     {Kind: telemetry.KindQuery},
		"layout of the tables": {Kind: telemetry.KindUpdate},
		"little work":          {Kind: telemetry.KindQuery, Internal: true},
		"the load of the":      {Kind: telemetry.KindVolume},
	} {
		s.Outcome, s.State, s.StatementID = telemetry.OutcomeCompleted, "FINISHED", "x"
		s.Total, s.Execute, s.Split[telemetry.PartServer] = 3*second, 3*second, 3*second
		causes := explain.CausesOf(&s, r)
		require.Len(t, causes, 1)
		require.Contains(t, causes[0].Advice, about)
		v := explain.WithReport(&s, r)
		require.True(t, v.Reported)
		require.Contains(t, v.Advice, causes[0].Advice)
	}
	require.Contains(t, explain.CausesOf(nil, r)[0].Advice, "a smaller result")
}
