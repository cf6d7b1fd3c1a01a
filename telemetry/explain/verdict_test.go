package explain_test

import (
	"database/sql"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry/explain"
)

const second = time.Second

func known[T any](v T) telemetry.Maybe[T] { return telemetry.Known(v) }

// observed is in a record whose requests to Databricks were observed.
var observed = []telemetry.RPC{{Method: "ExecuteStatement", Calls: 1}}

func TestVerdictNamesTheLargestPart(t *testing.T) {
	for _, c := range []struct {
		sentence string
		of       telemetry.Statement
	}{
		{"", telemetry.Statement{}},
		{"", telemetry.Statement{Total: second}}, // only the total is known
		{
			"server-bound: 80 % of 10 s the warehouse worked on the statement",
			telemetry.Statement{Total: 10 * second, Execute: 9 * second, RPCs: observed, Split: telemetry.Split{Server: known(8 * second)}},
		}, {
			// Server times come from another clock and are capped at the length of the call.
			"server-bound: 90 % of 10 s the warehouse worked on the statement",
			telemetry.Statement{Total: 10 * second, Execute: 9 * second, RPCs: observed, Split: telemetry.Split{Server: known(80 * second)}},
		}, {
			"poll-bound: 67 % of 1.5 s the result was ready before a status call noticed (2 status calls)",
			telemetry.Statement{
				Total: 1500 * time.Millisecond, Execute: 1500 * time.Millisecond, RPCs: observed, Polling: known(telemetry.Polling{Calls: 2}),
				Split: telemetry.Split{Server: known(500 * time.Millisecond), PollWait: known(second)},
			},
		}, {
			"retry-bound: 60 % of 5.0 s between calls that failed and their repetition, 1 retry of ExecuteStatement, 3 retries of FetchResults",
			telemetry.Statement{
				Total: 5 * second, Execute: 4 * second, Split: telemetry.Split{Server: known(second), Retries: known(3 * second)},
				RPCs: []telemetry.RPC{{Method: "ExecuteStatement", Calls: 1, Retries: 1}, {Method: "FetchResults", Calls: 3, Retries: 3}},
			},
		}, {
			"page-bound: 70 % of 10 s waiting for 12 result pages",
			telemetry.Statement{
				Total: 10 * second, Execute: second, RPCs: observed, Result: telemetry.Result{Pages: known[int64](12)},
				Split: telemetry.Split{Server: known(second), Pages: known(7 * second), Reading: known(2 * second)},
			},
		}, {
			"download-bound: 71 % of 4.2 s waiting for 20 files, slowest 900 ms",
			telemetry.Statement{
				Total: 4200 * time.Millisecond, Execute: second, RPCs: observed,
				CloudFetch: &telemetry.CloudFetch{Present: 20, Downloaded: 20, Slowest: 900 * time.Millisecond},
				Split:      telemetry.Split{Server: known(second), Files: known(3 * second)},
			},
		}, {
			"download-bound: 100 % of 3.0 s waiting for 1 file, 4 retries",
			telemetry.Statement{
				Total: 3 * second, RPCs: observed, CloudFetch: &telemetry.CloudFetch{Present: 1, Failed: 1, Retries: 4},
				Split: telemetry.Split{Files: known(3 * second)},
			},
		}, {
			"reader-bound: 90 % of 60 s decoding rows and in the application between them (1,000,000 rows)",
			telemetry.Statement{Total: 60 * second, Execute: second, RPCs: observed, RowsRead: known[int64](1e6), Split: telemetry.Split{Server: known(second), Reading: known(54 * second)}},
		}, {
			// Without a time for reading, it is what waiting for pages and files leaves.
			"reader-bound: 60 % of 10 s decoding rows and in the application between them (1 row)",
			telemetry.Statement{
				Total: 10 * second, Execute: second, RPCs: observed, RowsRead: known[int64](1), FirstRow: known(second), Consume: known(7 * second),
				Split: telemetry.Split{Server: known(second), Pages: known(2 * second)},
			},
		}, {
			"close-bound: 80 % of 5.0 s closing the rows",
			telemetry.Statement{Total: 5 * second, Execute: second, RPCs: observed, Close: known(4 * second), Split: telemetry.Split{Server: known(second)}},
		}, {
			"network-bound: 99 % of 1.0 s in none of these: network, and the driver itself",
			telemetry.Statement{Total: second, Execute: second, RPCs: observed, Split: telemetry.Split{Server: known(10 * time.Millisecond)}},
		}, {
			"execute-bound: 100 % of 1.0 s until the call returned; server, polling and network cannot be told apart",
			telemetry.Statement{Total: second, Execute: second},
		}, {
			// Pauses that lie within the call are not counted twice.
			"reader-bound: 50 % of 10 s decoding rows and in the application between them",
			telemetry.Statement{
				Total: 10 * second, Execute: 5 * second, Split: telemetry.Split{Retries: known(3 * second), Reading: known(5 * second)},
				RPCs: []telemetry.RPC{{Method: "ExecuteStatement", Calls: 1, Retries: 2, Backoff: 3 * second}},
			},
		}, {
			// Pauses outside the call do not shorten it.
			"execute-bound: 50 % of 10 s until the call returned; server, polling and network cannot be told apart",
			telemetry.Statement{
				Total: 10 * second, Execute: 5 * second, Split: telemetry.Split{Retries: known(3 * second), Reading: known(2 * second)},
				RPCs: []telemetry.RPC{{Method: "ExecuteStatement", Calls: 1}, {Method: "FetchResults", Calls: 1, Retries: 2, Backoff: 3 * second}},
			},
		}, {
			// A statement whose call has not returned.
			"execute-bound: 100 % of 3.0 s until the call returned; server, polling and network cannot be told apart",
			telemetry.Statement{Total: 3 * second, Outcome: telemetry.OutcomeRunning},
		},
	} {
		v := explain.Of(&c.of)
		require.Equal(t, c.sentence, v.Sentence)
		require.Equal(t, c.sentence == "", v.Bound == explain.BoundNone)
		require.Equal(t, c.sentence == "", v.Advice == "", "every verdict has advice")
	}
}

func TestAdviceDependsOnWhetherRequestsWereObserved(t *testing.T) {
	wrapped := explain.Of(&telemetry.Statement{Total: second, Execute: second})
	require.Contains(t, wrapped.Advice, "driverwrap.Wrap")
	read := explain.Of(&telemetry.Statement{Total: second, Execute: second, RPCs: observed})
	require.Contains(t, read.Advice, "query profile")
}

func TestPartsAreInTheOrderOfAStatementsLife(t *testing.T) {
	parts := explain.PartsOf(&telemetry.Statement{
		Total: 10 * second, Execute: 4 * second, FirstRow: known(second), Consume: known(4 * second), Close: known(second), RPCs: observed,
		Split: telemetry.Split{
			Server: known(2 * second), PollWait: known(second), Pages: known(time.Duration(0)), Files: known(3 * second), Reading: known(2 * second),
		},
	})
	require.Equal(t, []explain.Part{
		{Bound: explain.BoundServer, Name: "warehouse", Time: 2 * second, Share: .2},
		{Bound: explain.BoundPoll, Name: "poll wait", Time: second, Share: .1},
		{Bound: explain.BoundDownload, Name: "downloads", Time: 3 * second, Share: .3},
		{Bound: explain.BoundReader, Name: "reading", Time: 2 * second, Share: .2},
		{Bound: explain.BoundClose, Name: "close", Time: second, Share: .1},
		{Bound: explain.BoundNetwork, Name: "network and driver", Time: second, Share: .1},
	}, parts)
}

func TestPoolVerdictCoversTheTimeBetweenTwoReadings(t *testing.T) {
	before := sql.DBStats{WaitCount: 10, WaitDuration: 10 * second, MaxOpenConnections: 4}
	require.Equal(t, explain.Verdict{}, explain.OfPool("main", before, before))
	now := sql.DBStats{WaitCount: 13, WaitDuration: 16 * second, MaxOpenConnections: 4}
	v := explain.OfPool("main", before, now)
	require.Equal(t, explain.BoundPool, v.Bound)
	require.Equal(t, "pool-bound: 3 calls waited 2.0 s on average for a connection of pool main, which may open 4", v.Sentence)
	require.NotEmpty(t, v.Advice)
}
