package explain_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/internal/breakdown"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry/explain"
)

// A deadline passes while the statement runs: the driver cancels and closes it, which takes 2 s each. It has no rows.
func TestCancelingAndClosingAreBlamedTogether(t *testing.T) {
	s := &telemetry.Statement{
		Total: 5 * second, Kind: telemetry.KindUpdate, Outcome: telemetry.OutcomeCanceled, Failure: &telemetry.Failure{Category: telemetry.CategoryTimeout}, State: "RUNNING", Polling: polls(1),
		RPCs: rpcs(
			telemetry.RPC{Method: "GetOperationStatus", Calls: 1, LastStatus: 200},
			telemetry.RPC{Method: "CancelOperation", Calls: 1, LastStatus: 200, Slowest: 2 * second, Latency: 2 * second},
			telemetry.RPC{Method: "CloseOperation", Calls: 1, LastStatus: 200, Slowest: 2 * second, Latency: 2 * second},
		),
		Calls: []telemetry.Call{executed, call("GetOperationStatus", 900, 1000, -1), call("CancelOperation", 1000, 3000, -1), call("CloseOperation", 3000, 5000, -1)},
		Split: telemetry.Split{telemetry.PartServer: second, telemetry.PartClose: 4 * second},
	}
	v := explain.Of(s)
	require.Equal(t, "close-bound: 80 % of 5.0 s canceling and closing the statement: CancelOperation took 2.0 s, CloseOperation 2.0 s", v.Sentence)
	require.NotContains(t, v.Advice, "select less")

	for at, sentence := range map[int]string{
		2: "CancelOperation took 2.0 s (failed, last status 503), CloseOperation 2.0 s",
		3: "CancelOperation took 2.0 s, CloseOperation 2.0 s (failed, last status 503)",
	} {
		failed := *s
		failed.Calls = slices.Clone(s.Calls)
		failed.Calls[at].Failed, failed.Calls[at].Status = true, 503
		v := explain.Of(&failed)
		require.Contains(t, v.Sentence, "canceling and closing the statement: ")
		require.Contains(t, v.Sentence, sentence)
		require.Equal(t, "The workspace answered with errors: look at its status, and at proxies on the way.", v.Advice)
	}
}

// The time of closing is no call's: what is closed, and what it may have waited for, is in the record.
func TestClosingIsOfWhatTheStatementHas(t *testing.T) {
	inline := telemetry.Statement{
		Total: 4 * second, Kind: telemetry.KindQuery, Outcome: telemetry.OutcomeClosedEarly, RPCs: observed, State: "FINISHED", Polling: polls(0), Close: known(3 * second),
		Split: telemetry.Split{telemetry.PartServer: second, telemetry.PartClose: 3 * second},
	}
	files, exec, wrapped := inline, inline, inline
	files.CloudFetch = &telemetry.CloudFetch{Present: 4, Downloaded: 1, Abandoned: 3}
	exec.Kind, exec.Close = telemetry.KindUpdate, telemetry.Maybe[time.Duration]{}
	wrapped.RPCs = nil
	inline.Result.Format, files.Result.Format = telemetry.FormatInlineArrow, telemetry.FormatExternalLinks
	for _, c := range []struct {
		of        telemetry.Statement
		what      string
		downloads bool
	}{{inline, "closing the rows, in the driver, between its requests", false}, {files, "closing the rows", true}, {exec, "closing the statement, in the driver, between its requests", false}, {wrapped, "closing the rows", true}} {
		v := explain.Of(&c.of)
		require.Equal(t, "close-bound: 75 % of 4.0 s "+c.what, v.Sentence)
		require.Equal(t, c.downloads, strings.Contains(v.Advice, "downloads"), v.Advice)
	}
}

// The third request for a file failed, and the driver pauses before the fourth.
func TestAFileOfAStatementThatRunsMayBeRequestedAgain(t *testing.T) {
	s := &telemetry.Statement{
		Total: 10 * second, Outcome: telemetry.OutcomeRunning, RPCs: observed, State: "FINISHED", Polling: polls(0),
		CloudFetch: &telemetry.CloudFetch{Present: 4, Downloaded: 3, Failed: 1, Attempts: 6, Retries: 2, Retried: 1, MostAttempts: 3, RetryStatus: 503, FailedStatus: known[int64](503)},
		Split:      telemetry.Split{telemetry.PartServer: second, telemetry.PartRetry: 9 * second},
	}
	require.Equal(t, "retry-bound: 90 % of 10 s repeating requests: one file needed 3 attempts, last status 503, and the latest request for 1 file failed", explain.Of(s).Sentence)
	s.CloudFetch = &telemetry.CloudFetch{Present: 4, Downloaded: 2, Failed: 2, Attempts: 4, FailedStatus: known[int64](429)}
	require.Equal(t, "retry-bound: 90 % of 10 s repeating requests: the latest request for 2 files failed (the first of them: last status 429)", explain.Of(s).Sentence)
	s.Outcome, s.Failure = telemetry.OutcomeFailed, &telemetry.Failure{Category: telemetry.CategoryChunkDownload}
	require.Equal(t, "retry-bound: 90 % of 10 s repeating requests: 2 files failed (the first of them: last status 429)", explain.Of(s).Sentence)
}

// The connection broke, and the driver pauses before it tries again.
func TestTheCallThatIsRepeatedNextIsNamed(t *testing.T) {
	s := &telemetry.Statement{
		Total: 2 * second, Outcome: telemetry.OutcomeRunning,
		RPCs:  []telemetry.RPC{{Method: "ExecuteStatement", Calls: 1}},
		Calls: []telemetry.Call{{Method: "ExecuteStatement", End: known(second / 2), Failed: true, Attempts: 1}},
		Split: telemetry.Split{telemetry.PartServer: second / 2, telemetry.PartRetry: 3 * second / 2},
	}
	v := explain.Of(s)
	require.Equal(t, "retry-bound: 75 % of 2.0 s repeating requests: ExecuteStatement failed, last without a complete answer", v.Sentence)
	require.Contains(t, v.Advice, "No complete answer came")
}

// Rows that were dropped are a leak, and not closed late.
func TestRowsThatWereNeverClosedAreSaidToBe(t *testing.T) {
	for _, c := range []struct {
		application telemetry.Application
		read        int64
		failure     *telemetry.Failure
		sentence    string
	}{
		{telemetry.Application{Before: 9 * second}, 0, nil, ", before it asked for rows or left them, and the rows were never closed"},
		{telemetry.Application{After: 9 * second}, 40, nil, ", after the rows had ended, and the rows were never closed"},
		{telemetry.Application{After: 9 * second}, 20, &telemetry.Failure{}, ", after reading had failed, and the rows were never closed"},
		{telemetry.Application{Between: 9 * second}, 40, nil, " between rows, or after the last it read, and the rows were never closed (40 rows)"},
		{telemetry.Application{Between: 9 * second}, 1, nil, ": 1 of at least 40 rows read, then left open for 9.0 s"},
	} {
		s := &telemetry.Statement{
			Total: 10 * second, Outcome: telemetry.OutcomeAbandoned, RPCs: observed, State: "FINISHED", Polling: polls(0), Failure: c.failure,
			RowsRead: known(c.read), Result: telemetry.Result{Rows: known[int64](40)}, Application: c.application,
			Split: telemetry.Split{telemetry.PartServer: second, telemetry.PartApplication: 9 * second},
		}
		if c.failure != nil {
			s.Outcome = telemetry.OutcomeFailed
		}
		require.Equal(t, "application-bound: 90 % of 10 s in the application"+c.sentence, explain.Of(s).Sentence)
	}
}

// A smaller result is no advice for an UPDATE, and better tables are none for a ping.
func TestAdviceOnTheServerFitsTheStatement(t *testing.T) {
	of := func(kind telemetry.Kind, internal bool) telemetry.Statement {
		return telemetry.Statement{
			Total: 4 * second, StatementID: "id", Kind: kind, Internal: internal, Outcome: telemetry.OutcomeCompleted, RPCs: observed, State: "FINISHED", Polling: polls(0),
			Split: telemetry.Split{telemetry.PartServer: 4 * second},
		}
	}
	query, update, volume, ping := of(telemetry.KindQuery, false), of(telemetry.KindUpdate, false), of(telemetry.KindVolume, false), of(telemetry.KindQuery, true)
	require.Contains(t, explain.Of(&query).Advice, "smaller result")
	require.NotContains(t, explain.Of(&update).Advice, "smaller result")
	for _, s := range []telemetry.Statement{volume, ping} {
		require.NotContains(t, explain.Of(&s).Advice, "tables")
		require.Contains(t, explain.Of(&s).Advice, "monitoring page of the warehouse")
	}
}

// A statement with a syntax error waited for a warehouse, and got no id: there is no query profile of it.
func TestAStatementWithoutAnIdHasNoProfile(t *testing.T) {
	s := &telemetry.Statement{
		Total: 20 * second, Outcome: telemetry.OutcomeFailed, Failure: &telemetry.Failure{Category: telemetry.CategorySyntax, SQLState: "42601"}, RPCs: observed, Polling: polls(0),
		Split: telemetry.Split{telemetry.PartServer: 20 * second},
	}
	require.Equal(t, "The server ended the statement with an error, which says why.", explain.Of(s).Advice)
}

func TestLinksExpireAtTheStorage(t *testing.T) {
	s := &telemetry.Statement{
		Total: 20 * second, Outcome: telemetry.OutcomeFailed, Failure: &telemetry.Failure{}, RPCs: rpcs(telemetry.RPC{Method: "FetchResults", Calls: 1, FailedStatus: 403, LastStatus: 403}), Polling: polls(0), State: "FINISHED",
		Split: telemetry.Split{telemetry.PartPage: 20 * second},
	}
	require.Equal(t, "The workspace refused access: look at the credential, and at network rules.", explain.Of(s).Advice)
	s.RPCs, s.CloudFetch = observed, &telemetry.CloudFetch{Present: 1, Failed: 1, FailedStatus: known[int64](403)}
	require.Equal(t, "The storage refused access: look at links that expired, and at network rules.", explain.Of(s).Advice)
}

// A result without rows was read to its end, and is open.
func TestTheFirstRowIsNotAwaitedAfterTheEnd(t *testing.T) {
	s := &telemetry.Statement{
		Total: 10 * second, Execute: second, Outcome: telemetry.OutcomeRunning, State: "FINISHED", RPCs: observed, Polling: polls(0), RowsRead: known[int64](0),
		Application: telemetry.Application{Before: second, After: 5 * second},
		Split:       telemetry.Split{telemetry.PartServer: second, telemetry.PartPage: 3 * second, telemetry.PartApplication: 6 * second},
	}
	lanes := explain.TimelineOf(s).Lanes
	bars := lanes[len(lanes)-1].Bars
	require.Equal(t, []explain.Bar{
		{Kind: breakdown.BarApplication, Label: "application", Start: second, End: 2 * second, Note: "before the first row"},
		{Kind: breakdown.BarReading, Label: "first row", Start: 2 * second, End: 5 * second},
		{Kind: breakdown.BarApplication, Label: "application", Start: 5 * second, End: 10 * second, Note: "after reading", Open: true},
	}, bars)

	s.Application.Before = 4 * second // and reading took no time
	s.Split[telemetry.PartPage], s.Split[telemetry.PartApplication] = 0, 9*second
	lanes = explain.TimelineOf(s).Lanes
	bars = lanes[len(lanes)-1].Bars
	require.Len(t, bars, 2)
	require.False(t, bars[0].Open)
}

func TestAdviceOnVolumesFitsTheOperation(t *testing.T) {
	for _, c := range []struct {
		operation        string
		outcome          telemetry.Outcome
		sentence, advice string
	}{
		{"PUT", telemetry.OutcomeCompleted, "sending a file to the volume (PUT)", "send less, compress it"},
		{"GET", telemetry.OutcomeCompleted, "fetching a file from the volume (GET)", "fetch less"},
		{"DELETE", telemetry.OutcomeCompleted, "deleting a file of the volume (REMOVE)", "at proxies on the way"},
		{"PUT", telemetry.OutcomeCanceled, "sending a file to the volume (PUT); the statement was canceled", "The transfer was slow, or attempts failed"},
		{"PUT", telemetry.OutcomeFailed, "sending a file to the volume (PUT), which failed", "error of the statement"},
		{"", telemetry.OutcomeFailed, "in a volume operation, which failed", "error of the statement"},
	} {
		s := &telemetry.Statement{Total: 30 * second, Kind: telemetry.KindVolume, Volume: c.operation, Outcome: c.outcome, RPCs: observed, Split: telemetry.Split{telemetry.PartTransfer: 30 * second}}
		if c.outcome != telemetry.OutcomeCompleted {
			s.Failure = &telemetry.Failure{Category: telemetry.CategoryTimeout}
		}
		v := explain.Of(s)
		require.Equal(t, "transfer-bound: 100 % of 30 s "+c.sentence, v.Sentence)
		require.Contains(t, v.Advice, c.advice)
	}
}

// What an UPDATE affects is one row, and what a ping selects, too.
func TestNoSmallerResultIsAdvisedWhereNoneIsRead(t *testing.T) {
	s := telemetry.Statement{
		Total: 5 * second, Outcome: telemetry.OutcomeCompleted, State: "FINISHED", Polling: polls(0), StatementID: "id",
		RPCs: rpcs(telemetry.RPC{Method: "FetchResults", Calls: 1, LastStatus: 200, Slowest: 5 * second}), Split: telemetry.Split{telemetry.PartPage: 5 * second},
	}
	update, ping := s, s
	update.Kind, ping.Internal = telemetry.KindUpdate, true
	require.Contains(t, explain.Of(&s).Advice, "smaller result")
	require.NotContains(t, explain.Of(&update).Advice, "smaller result")
	require.NotContains(t, explain.Of(&ping).Advice, "smaller result")

	update.Split = telemetry.Split{telemetry.PartServer: 5 * second}
	v := explain.WithReport(&update, &telemetry.ServerReport{Final: true, Executing: known(5 * second), Total: known(5 * second)})
	require.Equal(t, "server-bound: 100 % of 5.0 s waiting for the server: executed 5.0 s of 5.0 s", v.Sentence)
	require.NotContains(t, v.Advice, "smaller result")
}

// Of the time without an answer, the request waited half for a network connection, which the server did not take.
func TestASilenceIsNoLongerThanItsPart(t *testing.T) {
	for method, of := range map[string]telemetry.Part{"ExecuteStatement": telemetry.PartServer, "FetchResults": telemetry.PartPage, "CloseOperation": telemetry.PartClose} {
		s := &telemetry.Statement{
			Total: 10 * second, Outcome: telemetry.OutcomeRunning, StatementID: "id", State: "FINISHED",
			RPCs:  []telemetry.RPC{{Method: method, Calls: 1, Connecting: 4 * second}},
			Calls: []telemetry.Call{{Method: method, Attempts: 1}},
			Split: telemetry.Split{telemetry.PartNetwork: 4 * second},
		}
		s.Split[of] = 6 * second
		require.Contains(t, explain.Of(s).Sentence, "no byte of an answer to "+method+" for 6.0 s")
	}
}

// A page took 5 s; the request for the next has waited for a connection since, and for an answer for 1 s.
func TestAWaitForAConnectionIsNoSilence(t *testing.T) {
	s := &telemetry.Statement{
		Total: 12 * second, Outcome: telemetry.OutcomeRunning, StatementID: "id", State: "FINISHED", Polling: polls(0), Result: telemetry.Result{Pages: known[int64](1), Rows: known[int64](10)},
		RPCs:  rpcs(telemetry.RPC{Method: "FetchResults", Calls: 2, Connecting: 5 * second, LastStatus: 200}),
		Calls: []telemetry.Call{executed, call("FetchResults", 1000, 6000, 10), {Method: "FetchResults", Start: 6 * second, Latest: 6 * second, Attempts: 1}},
		Split: telemetry.Split{telemetry.PartNetwork: 5 * second, telemetry.PartPage: 6 * second, telemetry.PartServer: second},
	}
	require.Equal(t, "page-bound: 50 % of 12 s waiting for 1 result page", explain.Of(s).Sentence)
}
