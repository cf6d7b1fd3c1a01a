package logsink_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry/logsink"
)

var failure = &telemetry.Failure{Category: telemetry.CategorySyntax, SQLState: "42601"}

// messages passes one record of each kind to a sink and returns the messages with their levels.
func messages(sink *logsink.Sink, out *bytes.Buffer) (lines []string) {
	sink.SessionOpened(&telemetry.SessionOpened{Failure: failure})
	sink.SessionOpened(&telemetry.SessionOpened{})
	sink.StatementFinished(&telemetry.Statement{Total: time.Second})
	sink.StatementFinished(&telemetry.Statement{Total: time.Minute})
	sink.StatementFinished(&telemetry.Statement{Failure: failure})
	sink.SessionClosed(&telemetry.SessionClosed{})
	for l := range strings.Lines(out.String()) {
		var r struct{ Level, Msg string }
		_ = json.Unmarshal([]byte(l), &r)
		lines = append(lines, r.Level+" "+strings.TrimPrefix(r.Msg, "databricks "))
	}
	return lines
}

func TestMessagesBelowTheLevelAreNotWritten(t *testing.T) {
	all := []string{
		"ERROR session could not be opened", "INFO session opened", "DEBUG statement",
		"WARN statement was slow", "WARN statement failed", "INFO session closed",
	}
	for level, want := range map[slog.Level][]string{
		slog.LevelDebug: all,
		slog.LevelInfo:  {all[0], all[1], all[3], all[4], all[5]},
		slog.LevelWarn:  {all[0], all[3], all[4]},
		slog.LevelError: {all[0]},
	} {
		var out bytes.Buffer
		logger := slog.New(slog.NewJSONHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug}))
		require.Equal(t, want, messages(logsink.New(logger, level, 0), &out), level)
	}
}

// line is the message of a statement as a text handler writes it, without times.
func line(slow time.Duration, s *telemetry.Statement) string {
	var out bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug, ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey || a.Key == "started" {
			return slog.Attr{}
		}
		return a
	}}))
	logsink.New(logger, slog.LevelDebug, slow).StatementFinished(s)
	return out.String()
}

func TestSlowStatementHasVerdictAndFields(t *testing.T) {
	s := &telemetry.Statement{
		StatementID: "q-1", Kind: telemetry.KindQuery, Outcome: telemetry.OutcomeCompleted, Execute: 1500 * time.Millisecond, Total: 2 * time.Second,
		RowsRead: telemetry.Known[int64](3), RPCs: []telemetry.RPC{},
		Split: telemetry.Split{telemetry.PartServer: 1500 * time.Millisecond, telemetry.PartNetwork: 500 * time.Millisecond},
	}
	require.Equal(t, `level=WARN msg="databricks statement was slow" `+
		`verdict="server-bound: 75 % of 2.0 s waiting for the server, as seen on the wire" `+
		"statement_id=q-1 kind=QUERY outcome=completed execute=1.5s total=2s rows_read=3 rpcs=0 rpc_retries=0 bytes_out=0 bytes_in=0 time_server=1.5s time_network=500ms\n", line(2*time.Second, s))
	require.Equal(t, `level=DEBUG msg="databricks statement" statement_id=q-1 kind=QUERY outcome=completed execute=1.5s total=2s rows_read=3 rpcs=0 rpc_retries=0 bytes_out=0 bytes_in=0 time_server=1.5s time_network=500ms`+"\n",
		line(3*time.Second, s))
}

func TestFailedStatementHasVerdictWhereItTookLong(t *testing.T) {
	s := &telemetry.Statement{Outcome: telemetry.OutcomeFailed, Failure: failure, Execute: 9 * time.Second, Total: 9 * time.Second}
	require.Contains(t, line(9*time.Second, s), ` msg="databricks statement failed" verdict="unknown: `)
	require.NotContains(t, line(0, s), "verdict=", "the time of a fast failure explains nothing")

	s.RPCs = []telemetry.RPC{{Method: "ExecuteStatement", Calls: 1, Retries: 4, FailedStatus: 503}}
	s.Split[telemetry.PartRetry] = 8 * time.Second
	require.Contains(t, line(0, s), `verdict="retry-bound: 89 % of 9.0 s repeating requests: 4 retries of ExecuteStatement, last status 503"`)
}
