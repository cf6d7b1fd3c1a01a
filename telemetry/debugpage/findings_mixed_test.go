package debugpage

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// found returns the texts of the findings of an incident.
func found(t *testing.T, happens func(*fixture)) (all string) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture()
		happens(f)
		var o struct{ Findings []finding }
		f.json(t, "/?format=json", &o)
		for _, x := range o.Findings {
			all += x.Text + " // " + x.Advice + "\n"
		}
	})
	return all
}

func TestAPageThatIsRepeatedWithoutAnAnswerHasNotTheStatusOfAnotherCall(t *testing.T) {
	s := func(rpcs ...telemetry.RPC) func(*fixture) {
		return func(f *fixture) {
			s := refusedFor(4 * time.Minute)
			s.RPCs = rpcs
			s.Calls = []telemetry.Call{
				{Method: "ExecuteStatement", Attempts: 1, FirstByte: telemetry.Known(ms(9)), End: telemetry.Known(ms(10)), Status: 200},
				{Method: "FetchResults", Attempts: 4, Start: ms(11), Latest: 230 * time.Second, End: telemetry.Known(239 * time.Second), Failed: true, Retried: []telemetry.Attempt{{}, {}, {}}},
			}
			f.run(s, 1)
		}
	}
	// The first was repeated once, after 503; for 4 min pages break off.
	require.NotContains(t, found(t, s(telemetry.RPC{Method: "ExecuteStatement", Calls: 1, Retries: 1, Backoff: time.Second, FailedStatus: 503, LastStatus: 200}, telemetry.RPC{Method: "FetchResults", Calls: 1, Retries: 3, Backoff: 3 * time.Minute})), "last HTTP 503")
	// What describes the rows was refused, which the driver does not repeat.
	require.NotContains(t, found(t, s(telemetry.RPC{Method: "ExecuteStatement", Calls: 1, LastStatus: 200}, telemetry.RPC{Method: "GetResultSetMetadata", Calls: 1, FailedStatus: 403, LastStatus: 403}, telemetry.RPC{Method: "FetchResults", Calls: 1, Retries: 3, Backoff: 3 * time.Minute})), "last HTTP 403")
}

func TestRetriesHaveTheStatusOfTheLatestStatement(t *testing.T) {
	text := found(t, func(f *fixture) {
		f.memory.StatementFinished(repeated())
		time.Sleep(time.Second)
		for range 20 { // later ones broke off
			s := repeated()
			s.RPCs[0].FailedStatus = 0
			f.memory.StatementFinished(s)
		}
	})
	require.Contains(t, text, "63 requests of statements")
	require.Contains(t, text, "Requests fail on the way")
	require.NotContains(t, text, "last HTTP 503", "the last 60 had no answer")
	require.NotContains(t, text, "refuses requests", "60 of 63 had no answer")
}

func TestTheStatusOfRepeatedRequestsIsNotThatOfALastCallThatFailed(t *testing.T) {
	text := found(t, func(f *fixture) {
		for range 2 {
			s := repeated()
			s.Total, s.Split = 4*time.Second, telemetry.Split{telemetry.PartServer: ms(20), telemetry.PartRetry: ms(3980)}
			s.RPCs = append(s.RPCs, telemetry.RPC{Method: "CloseOperation", Calls: 1, FailedStatus: 404, LastStatus: 404})
			s.Calls = []telemetry.Call{{Method: "CloseOperation", Start: ms(3990), End: telemetry.Known(ms(3999)), Status: 404, Attempts: 1, Failed: true}}
			f.memory.StatementFinished(s)
		}
	})
	require.Contains(t, text, "6 requests of statements that ended in the last 5 min failed and were repeated, last HTTP 503")
	require.Contains(t, text, "refuses requests")
	require.NotContains(t, text, "2 statements of the last 5 min spent", "retries have their own finding")
}

func TestTheCategoryOfAFailingShapeIsThatOfAllThatFailed(t *testing.T) {
	text := found(t, func(f *fixture) {
		fail := func(n, took int, c telemetry.Category) {
			for range n {
				s := quick(took)
				s.Query, s.Outcome, s.Failure = "INSERT INTO exports VALUES (1)", telemetry.OutcomeFailed, &telemetry.Failure{Category: c}
				f.memory.StatementFinished(s)
			}
		}
		fail(900, 3, telemetry.CategoryPermission)
		time.Sleep(time.Second)
		fail(300, 20, telemetry.CategoryRateLimit)
	})
	require.Contains(t, text, "1,200 of 1,200")
	require.NotContains(t, text, "1,200 of 1,200, rate_limit", "900 were refused permission")

	text = found(t, func(f *fixture) {
		for n := range recentKept + 1 {
			s := quick(20)
			s.Query, s.Outcome, s.Failure = "INSERT INTO exports VALUES (1)", telemetry.OutcomeFailed, &telemetry.Failure{Category: telemetry.CategoryRateLimit}
			if n == 0 {
				s.Total, s.Failure.Category = ms(3), telemetry.CategoryPermission
			}
			f.memory.StatementFinished(s)
		}
	})
	require.Contains(t, text, "257 of 257.", "the first one was refused permission, and is not kept")

	text = found(t, func(f *fixture) {
		for n := range 20 {
			s := quick(20)
			s.Query, s.Outcome, s.Failure = "INSERT INTO exports VALUES (1)", telemetry.OutcomeFailed, &telemetry.Failure{Category: telemetry.CategoryRateLimit}
			if n%2 == 0 {
				s.Query, s.Failure.Category = "INSERT INTO imports VALUES (1)", telemetry.CategoryPermission
			}
			f.memory.StatementFinished(s)
		}
	})
	require.Contains(t, text, "10 of 10, rate_limit_exceeded.", "the others have their own finding")
}

func TestOneSlowStatementDoesNotMakeThreeHundredSlow(t *testing.T) {
	text := found(t, func(f *fixture) {
		for n := range 300 {
			s := quick(3)
			if n == 7 {
				s = quick(900_000)
			}
			s.Split = telemetry.Split{telemetry.PartFile: s.Total}
			f.memory.StatementFinished(s)
		}
	})
	require.NotContains(t, text, "3.0 s each", "one waited for 15 min, 299 for 3 ms")
}

func TestTheOldestThatRunsIsTheOldest(t *testing.T) {
	text := found(t, func(f *fixture) {
		f.memory.StatementFinished(quick(3))
		time.Sleep(12 * time.Minute)
		f.all = []telemetry.Connector{&connector{info: telemetry.ConnectorInfo{ID: 1}, running: []*telemetry.Statement{heldOpen(20 * time.Minute), atWorkFor(6 * time.Minute), atWorkFor(6 * time.Minute)}}}
	})
	require.NotContains(t, text, "3 are running, the oldest for 6 min", "one has been running for 20 min")
}

func TestTheOldestIsNotWhoWaitsLongest(t *testing.T) {
	for _, finished := range []time.Duration{time.Second, 12 * time.Minute} { // ago
		text := found(t, func(f *fixture) {
			f.memory.StatementFinished(quick(3))
			time.Sleep(finished)
			polled := waitingFor(20 * time.Minute) // its latest status call began 20 s ago
			polled.Calls = append(polled.Calls, telemetry.Call{Method: "GetOperationStatus", Start: 20*time.Minute - 20*time.Second, Attempts: 1})
			polled.Calls[0].FirstByte, polled.Calls[0].End = telemetry.Known(ms(1000)), telemetry.Known(ms(1001))
			f.all = []telemetry.Connector{&connector{running: []*telemetry.Statement{polled, waitingFor(4 * time.Minute)}}}
		})
		require.Contains(t, text, "one of them for 4 min without an answer")
		require.NotContains(t, text, "the oldest for 4 min")
	}
}

func TestStatementsThatWentOnAreNotRepeatingRequests(t *testing.T) {
	text := found(t, func(f *fixture) {
		f.memory.StatementFinished(quick(3))
		s := heldOpen(4 * time.Minute) // rows are read since the third attempt was answered
		s.Split = telemetry.Split{telemetry.PartRetry: 150 * time.Second, telemetry.PartApplication: 90 * time.Second}
		s.RPCs = []telemetry.RPC{{Method: "ExecuteStatement", Calls: 1, Retries: 2, FailedStatus: 503, LastStatus: 200}}
		s.Calls = []telemetry.Call{{Method: "ExecuteStatement", Attempts: 3, Latest: 150 * time.Second, FirstByte: telemetry.Known(150 * time.Second), End: telemetry.Known(150 * time.Second), Status: 200, Retried: []telemetry.Attempt{{Status: 503}, {Start: 70 * time.Second, End: 70 * time.Second, Status: 503}}}}
		s.Execute, s.FirstRow, s.RowsRead = 150*time.Second, telemetry.Known(ms(1)), telemetry.Known[int64](1000)
		f.run(s, 2)
	})
	require.NotContains(t, text, "are repeating requests")
}

func TestTheTimeOfRepetitionIsThatOfTheRequestsThatAreCounted(t *testing.T) {
	text := found(t, func(f *fixture) {
		for range 2 { // one request each, repeated within a millisecond
			s := quick(1000)
			s.RPCs = []telemetry.RPC{{Method: "ExecuteStatement", Calls: 1, Retries: 1, FailedStatus: 503, LastStatus: 200, Backoff: ms(1)}}
			s.Split = telemetry.Split{telemetry.PartServer: ms(999), telemetry.PartRetry: ms(1)}
			f.memory.StatementFinished(s)
		}
		f.run(refusedFor(4*time.Minute), 1)
	})
	require.NotContains(t, text, "2 requests of statements that ended in the last 5 min failed and were repeated, last HTTP 503: that took 99 %")
}

func TestFindingsOnStatementsThatAreNotKeptLeadToTheirShape(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture()
		f.all = []telemetry.Connector{&connector{}}
		add := func(shape string, n int, took time.Duration, outcome telemetry.Outcome) {
			for range n {
				time.Sleep(time.Millisecond)
				s := quick(1)
				s.Started, s.Total, s.Shape, s.Outcome = time.Now().Add(-took), took, shape, outcome
				s.Split = telemetry.Split{telemetry.PartFile: took}
				if outcome == telemetry.OutcomeFailed {
					s.Failure = &telemetry.Failure{Category: telemetry.CategorySyntax}
				}
				f.memory.StatementFinished(s)
			}
		}
		add("rare", 2, ms(1), telemetry.OutcomeFailed)
		add("frequent", recentKept, ms(2), telemetry.OutcomeFailed)
		add("rare", 1, ms(1), telemetry.OutcomeCompleted)
		var o struct{ Findings []finding }
		f.json(t, "/?format=json", &o)
		require.Len(t, o.Findings, 2)
		for _, x := range o.Findings {
			require.NotContains(t, f.html(t, "/"+x.Link), "No statement matches", x.Text)
		}
	})
}

// The driver tells database/sql that the connection is bad, which then takes another.
func TestStatementsOfSessionsThatTheServerEndedNeedNotHaveFailedForTheApplication(t *testing.T) {
	lost := func(f *fixture, n int, shapes ...string) {
		for i := range n {
			for _, outcome := range []telemetry.Outcome{telemetry.OutcomeFailed, telemetry.OutcomeCompleted} {
				s := &telemetry.Statement{Started: time.Now(), Kind: telemetry.KindQuery, Outcome: outcome, Shape: shapes[i%len(shapes)]}
				if outcome == telemetry.OutcomeFailed {
					s.Failure = &telemetry.Failure{Category: telemetry.CategorySessionClosed}
				}
				f.memory.StatementFinished(s)
			}
		}
	}
	const advice = "database/sql runs such a statement again on another connection"
	require.Contains(t, found(t, func(f *fixture) { lost(f, 3, "orders") }), "3 of 6, session_closed. // The server had ended their sessions. The application need not have noticed: "+advice)
	require.Contains(t, found(t, func(f *fixture) { lost(f, 3, "a", "b", "c") }), "3 of 6 statements of the last 5 min failed, session_closed. // The server had ended their sessions.")
	require.NotContains(t, found(t, func(f *fixture) {
		lost(f, 3, "orders")
		f.memory.StatementFinished(&telemetry.Statement{Started: time.Now(), Outcome: telemetry.OutcomeFailed, Shape: "orders", Failure: &telemetry.Failure{Category: telemetry.CategoryAuth}})
	}), advice)
}
