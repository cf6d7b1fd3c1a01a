package explain_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry/explain"
)

// The server has ended the statement: with and without a report, no warehouse is large enough.
func TestAStatementThatTheServerEndedNeedsNoLargerWarehouseWithAReport(t *testing.T) {
	at := telemetry.Known[time.Duration]
	for _, state := range []string{"ERROR", "CANCELED"} {
		s := &telemetry.Statement{
			StatementID: "01f0a1b2-0000-1000-8000-000000000001", Outcome: telemetry.OutcomeFailed, State: state, Failure: &telemetry.Failure{Category: telemetry.CategoryStatementFailed},
			Total: 12 * time.Second, Execute: 12 * time.Second, Split: telemetry.Split{telemetry.PartServer: 12 * time.Second}, Polling: telemetry.Known(telemetry.Polling{Calls: 12}),
			RPCs: []telemetry.RPC{{Method: "ExecuteStatement", Calls: 1, LastStatus: 200}, {Method: "GetOperationStatus", Calls: 12, LastStatus: 200}},
		}
		r := &telemetry.ServerReport{StatementID: s.StatementID, Status: map[string]string{"ERROR": "FAILED", "CANCELED": "CANCELED"}[state], Final: true, Total: at(12 * time.Second), Executing: at(11800 * time.Millisecond), Compiling: at(200 * time.Millisecond)}
		require.NotContains(t, explain.Of(s).Advice, "larger warehouse")
		v := explain.WithReport(s, r)
		require.NotContains(t, v.Advice, "larger warehouse", state)
	}
}

// A record of a version that did not write when the latest attempt began.
func TestTheSlowestPageOfAnOlderRecordIsWithoutItsRepetition(t *testing.T) {
	at := telemetry.Known[time.Duration]
	s := &telemetry.Statement{
		Outcome: telemetry.OutcomeCompleted, State: "FINISHED", Total: 30 * time.Second, Execute: time.Second,
		Split: telemetry.Split{telemetry.PartServer: time.Second, telemetry.PartPage: 20 * time.Second, telemetry.PartRetry: 9 * time.Second}, Polling: telemetry.Known(telemetry.Polling{}),
		Result: telemetry.Result{Pages: telemetry.Known[int64](10)},
		RPCs:   []telemetry.RPC{{Method: "ExecuteStatement", Calls: 1, LastStatus: 200}, {Method: "FetchResults", Calls: 10, Retries: 1, Latency: 20 * time.Second, Backoff: 9 * time.Second, Slowest: 11 * time.Second, FailedStatus: 503, LastStatus: 200}},
		Calls:  []telemetry.Call{{Method: "ExecuteStatement", End: at(time.Second), Status: 200, Attempts: 1}},
	}
	now := time.Second
	for i := range 10 {
		c := telemetry.Call{Method: "FetchResults", Start: now, Status: 200, Attempts: 1, Rows: telemetry.Known[int64](1)}
		if i == 4 {
			c.Attempts, c.Retried = 2, []telemetry.Attempt{{Start: now, End: now, Status: 503}}
			now += 9 * time.Second
		}
		now += 2 * time.Second
		c.End = at(now)
		s.Calls = append(s.Calls, c)
	}
	v := explain.Of(s)
	require.NotContains(t, v.Sentence, "slowest 11 s")
}

// The driver gave up because the server does not know the state: nothing is known of what would help.
func TestAStatementOfUnknownStateNeedsNoLargerWarehouse(t *testing.T) {
	v := explain.Of(&telemetry.Statement{
		Outcome: telemetry.OutcomeFailed, State: "UNKNOWN", Failure: &telemetry.Failure{Category: telemetry.CategoryStatementFailed},
		Total: 12 * time.Second, Execute: 12 * time.Second, Split: telemetry.Split{telemetry.PartServer: 12 * time.Second}, Polling: telemetry.Known(telemetry.Polling{Calls: 12}),
	})
	require.NotContains(t, v.Advice, "larger warehouse")
}
