package sidebyside

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/integration/workspace"
)

// RequireSame checks that two runs cannot be told apart by what the programs print, the files they
// leave, and the statements and calls that their workspaces received.
func RequireSame(t *testing.T, was, is Outcome) {
	t.Helper()
	require.Equal(t, was.Exit, is.Exit, "%s%s", is.Stdout, is.Stderr)
	require.Equal(t, lines(was.Stdout), lines(is.Stdout))
	require.Equal(t, lines(was.Stderr), lines(is.Stderr))
	require.Equal(t, was.Files, is.Files)
	require.Equal(t, statements(was.Workspace), statements(is.Workspace))
	require.Equal(t, calls(was.Workspace), calls(is.Workspace))
}

// statements lists the statements that a workspace received, with their tags, outcome and result.
func statements(ws *workspace.Workspace) (asked []string) {
	for _, s := range ws.Statements() {
		tags := ""
		if v := s.Overlay["query_tags"]; v != "" {
			tags = " [" + strings.Join(slices.Sorted(strings.SplitSeq(v, ",")), ",") + "]" // the driver writes a map, in any order
		}
		asked = append(asked, fmt.Sprintf("%s%s: %s, %d of %d rows as %s, closed by %s",
			s.SQL, tags, s.State, s.RowsSent, s.Rows, s.Format, s.ClosedBy))
	}
	return asked
}

// calls lists the RPCs that a workspace answered, in order. Equal neighbors are listed once,
// because the number of polls of a running statement depends on time.
func calls(ws *workspace.Workspace) (made []string) {
	for _, r := range ws.Requests() {
		if r.Thrift != "" {
			made = append(made, fmt.Sprintf("%s: %d", r.Thrift, r.Status))
		}
	}
	return slices.Compact(made)
}

// RequireReportedOnce checks that every session and statement of the workspace was reported to
// it exactly once, in valid events.
func RequireReportedOnce(t *testing.T, ws *workspace.Workspace) {
	t.Helper()
	require.Empty(t, ws.TelemetryErrors())
	want := map[string]int{}
	for _, s := range ws.Sessions() {
		want["CREATE_SESSION "+s.ID]++
		if s.CloseAttempts > 0 { // some programs leave their sessions to the server
			want["DELETE_SESSION "+s.ID]++
		}
	}
	for _, s := range ws.Statements() {
		want["EXECUTE_STATEMENT "+s.ID]++
		if s.ClosedBy == workspace.ClosedByClient {
			want["CLOSE_STATEMENT "+s.ID]++
		}
		if s.Canceled {
			want["CANCEL_STATEMENT "+s.ID]++
		}
	}
	got := map[string]int{}
	for _, event := range ws.Telemetry() {
		require.Equal(t, 1, event.Accepted)
		log := event.Log()
		id := log.StatementID
		if id == "" {
			id = log.SessionID
		}
		got[log.SQLOperation.OperationDetail.OperationType+" "+id]++
	}
	require.Equal(t, want, got)
}
