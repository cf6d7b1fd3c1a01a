package explain_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry/explain"
)

const ms = time.Millisecond

// sketch writes a timeline as text, in ms.
func sketch(t explain.Timeline) string {
	var b strings.Builder
	for _, lane := range t.Lanes {
		b.WriteString(lane.Name + ":")
		for _, bar := range lane.Bars {
			fmt.Fprintf(&b, " %s %d-%d", bar.Label, bar.Start.Milliseconds(), bar.End.Milliseconds())
			if bar.Note != "" {
				fmt.Fprintf(&b, " (%s)", bar.Note)
			}
			if bar.Failed {
				b.WriteString("!")
			}
			if bar.Open {
				b.WriteString("…")
			}
		}
		b.WriteString("\n")
	}
	return b.String() + t.Missing
}

// call, file and at take milliseconds from the start; a negative time is unknown.
func call(method string, start, end int, rows int64) telemetry.Call {
	c := telemetry.Call{Method: method, Start: time.Duration(start) * ms, End: at(end)}
	if rows >= 0 {
		c.Rows = known(rows)
	}
	return c
}

func file(index int64, state string, queued, start, first, end int) telemetry.File {
	return telemetry.File{Index: index, State: state, Rows: 10, Bytes: 2000, Attempts: 1, Queued: at(queued), Start: at(start), FirstByte: at(first), End: at(end)}
}

func at(n int) telemetry.Maybe[time.Duration] {
	if n < 0 {
		return telemetry.Maybe[time.Duration]{}
	}
	return known(time.Duration(n) * ms)
}

func TestTimelineHasLanesForCallsFilesAndRows(t *testing.T) {
	s := &telemetry.Statement{
		Execute: 40 * ms, FirstRow: at(20), Consume: at(30), Close: at(5), Total: 100 * ms, RowsRead: known[int64](30),
		RPCs: observed, Polling: known(telemetry.Polling{Calls: 2}), Result: telemetry.Result{Pages: known[int64](2), Direct: known(true)},
		Calls: []telemetry.Call{
			call("ExecuteStatement", 1, 10, 0), call("GetOperationStatus", 12, 14, -1), call("GetOperationStatus", 30, 33, -1),
			call("FetchResults", 41, 50, 30), call("GetResultSetMetadata", 60, 61, -1),
		},
		CloudFetch: &telemetry.CloudFetch{Present: 5, Files: []telemetry.File{
			file(0, "DOWNLOADED", 50, 51, 53, 60), file(1, "FAILED", 50, 55, -1, 62), file(2, "DOWNLOADED", 50, 60, 61, 70),
			file(3, "ABANDONED", 50, 62, 63, -1), file(4, "ABANDONED", 50, -1, -1, -1),
		}},
	}
	s.Calls[3].Files = 5
	s.CloudFetch.Files[1].Attempts, s.CloudFetch.Files[1].Status = 3, 403
	require.Equal(t, strings.Join([]string{
		"call: call 0-40",
		"execute: ExecuteStatement 1-10 (0 rows)",
		"polls: poll 1 12-14 poll 2 30-33",
		"pages: page 1 41-50 (30 rows in 5 files)",
		"files 1: file 0 51-60 (10 rows, 2.0 kB) file 2 60-70 (10 rows, 2.0 kB)",
		"files 2: file 1 55-62 (10 rows, 2.0 kB, 3 attempts, failed with HTTP 403)! file 3 62-100 (10 rows, 2.0 kB, given up)",
		"rows: first row 40-60 reading 60-90 (30 rows)",
		"close: close 95-100",
		"",
	}, "\n"), sketch(explain.TimelineOf(s)))
}

func TestTimelineHasOneFileLanePerParallelDownload(t *testing.T) {
	s := &telemetry.Statement{Total: 100 * ms, RPCs: observed, CloudFetch: &telemetry.CloudFetch{Present: 4, Files: []telemetry.File{
		file(0, "DOWNLOADED", 0, 50, 50, 60), file(1, "DOWNLOADED", 0, 0, 0, 30), file(2, "DOWNLOADED", 0, 40, 40, 55), file(3, "DOWNLOADED", 0, 30, 30, 40),
	}}}
	require.Equal(t, strings.Join([]string{
		"call: call 0-0",
		"files 1: file 1 0-30 (10 rows, 2.0 kB) file 3 30-40 (10 rows, 2.0 kB) file 2 40-55 (10 rows, 2.0 kB)",
		"files 2: file 0 50-60 (10 rows, 2.0 kB)",
		"",
	}, "\n"), sketch(explain.TimelineOf(s)))
}

func TestARunningStatementHasOpenBars(t *testing.T) {
	s := &telemetry.Statement{Outcome: telemetry.OutcomeRunning, Total: 70 * ms, RPCs: observed, Calls: []telemetry.Call{call("ExecuteStatement", 1, -1, -1)}}
	require.Equal(t, "call: call 0-70…\nexecute: ExecuteStatement 1-70…\n", sketch(explain.TimelineOf(s)))

	s.Execute, s.Calls[0] = 40*ms, call("ExecuteStatement", 1, 40, 100)
	require.Equal(t, "call: call 0-40\nexecute: ExecuteStatement 1-40 (100 rows)\nrows: first row 40-70…\n", sketch(explain.TimelineOf(s)))

	s.FirstRow, s.Consume, s.RowsRead = at(10), at(20), known[int64](3)
	s.CloudFetch = &telemetry.CloudFetch{Present: 1, Files: []telemetry.File{file(0, "DOWNLOADING", 40, 41, 42, -1)}}
	require.Equal(t, strings.Join([]string{
		"call: call 0-40", "execute: ExecuteStatement 1-40 (100 rows)",
		"files 1: file 0 41-70 (10 rows, 2.0 kB)…", "rows: first row 40-50 reading 50-70 (3 rows)…", "",
	}, "\n"), sketch(explain.TimelineOf(s)))
}

func TestTimelineBehindWrapShowsCallAndRowsOnly(t *testing.T) {
	s := &telemetry.Statement{Execute: 40 * ms, FirstRow: at(20), Consume: at(30), Total: 90 * ms}
	require.Equal(t, "call: call 0-40\nrows: first row 40-60 reading 60-90\n"+
		"Requests to Databricks were not observed (driverwrap.Wrap): only what database/sql shows is here.", sketch(explain.TimelineOf(s)))
}

func TestTimelineSaysWhenCallsOrFilesAreNotListed(t *testing.T) {
	missing := "More calls or files were made than a record lists; the sums count all of them."
	for name, s := range map[string]telemetry.Statement{
		"files": {CloudFetch: &telemetry.CloudFetch{Present: 2, Files: make([]telemetry.File, 1)}},
		"polls": {Polling: known(telemetry.Polling{Calls: 1})},
		"pages": {Result: telemetry.Result{Pages: known[int64](2), Direct: known(true)}},
	} {
		s.RPCs = observed
		require.Equal(t, missing, explain.TimelineOf(&s).Missing, name)
	}
}

func TestTimelineMarksWhatFailed(t *testing.T) {
	s := &telemetry.Statement{Outcome: telemetry.OutcomeFailed, Failure: &telemetry.Failure{}, Execute: 10 * ms, Total: 10 * ms, RPCs: observed}
	require.Equal(t, "call: call 0-10!\n", sketch(explain.TimelineOf(s)))
	s.Total = 50 * ms // it failed later, while rows were read
	require.Equal(t, "call: call 0-10\n", sketch(explain.TimelineOf(s)))
	s.Consume = at(30)
	require.Equal(t, "call: call 0-10\nrows: reading 10-40!\n", sketch(explain.TimelineOf(s)))
	s.Consume = at(-1)
	s.Close, s.CloseFailure = at(5), &telemetry.Failure{}
	require.Equal(t, "call: call 0-10\nclose: close 45-50!\n", sketch(explain.TimelineOf(s)))
}
