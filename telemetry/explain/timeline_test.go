package explain_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/internal/breakdown"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry/explain"
)

const ms = time.Millisecond

// sketch writes a timeline as text, in ms.
func sketch(t explain.Timeline) string {
	var b strings.Builder
	for _, lane := range t.Lanes {
		if lane.Within != "" {
			b.WriteString(lane.Within + "/")
		}
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
	c := telemetry.Call{Method: method, Start: time.Duration(start) * ms, FirstByte: at(end), End: at(end), Attempts: 1}
	if end >= 0 {
		c.Status = 200
	}
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
		Execute: 40 * ms, FirstRow: at(20), Consume: at(25), Close: at(5), Total: 100 * ms, RowsRead: known[int64](30), Polling: polls(2),
		Application: telemetry.Application{Before: 6 * ms, Between: 11 * ms, After: 8 * ms},
		RPCs:        []telemetry.RPC{{Method: "ExecuteStatement", Calls: 7}},
		Calls: []telemetry.Call{
			call("ExecuteStatement", 1, 10, 0), call("GetOperationStatus", 12, 14, -1), call("GetOperationStatus", 30, 33, -1),
			call("GetResultSetMetadata", 34, 36, -1), call("FetchResults", 41, 50, 30), call("CancelOperation", 90, 92, -1), call("CloseOperation", 95, 99, -1),
		},
		CloudFetch: &telemetry.CloudFetch{Present: 5, Files: []telemetry.File{
			file(0, "DOWNLOADED", 50, 51, 53, 60), file(1, "FAILED", 50, 55, -1, 62), file(2, "DOWNLOADED", 50, 60, 61, 70),
			file(3, "ABANDONED", 50, 62, 63, -1), file(4, "ABANDONED", 50, -1, -1, -1),
		}},
	}
	s.Calls[4].Files = 5
	s.CloudFetch.Files[1].Status = 403
	require.Equal(t, strings.Join([]string{
		"call: call 0-40",
		"execute: ExecuteStatement 1-10 (0 rows)",
		"polls: poll 1 12-14 poll 2 30-33",
		"metadata: GetResultSetMetadata 34-36",
		"pages: page 1 41-50 (30 rows in 5 files)",
		"files 1: file 0 51-60 (10 rows, 2.0 kB) file 2 60-70 (10 rows, 2.0 kB)",
		"files 2: file 1 55-62 (10 rows, 2.0 kB, failed with HTTP 403)! file 3 62-100 (10 rows, 2.0 kB, given up)",
		"rows: application 40-46 (before the first row) reading 46-85 (30 rows, 11 ms in the application) application 87-95 (after the last row) closing 95-100",
		"cancel: CancelOperation 90-92",
		"close: CloseOperation 95-99",
		"",
	}, "\n"), sketch(explain.TimelineOf(s)))
}

func TestAnAnswerThatIsAnErrorIsWhole(t *testing.T) {
	refused := call("ExecuteStatement", 0, 100, -1)
	refused.Failed, refused.Status = true, 200
	s := &telemetry.Statement{
		Execute: 100 * ms, Total: 100 * ms, Outcome: telemetry.OutcomeFailed, Failure: &telemetry.Failure{SQLState: "42601"}, Polling: polls(0),
		RPCs: []telemetry.RPC{{Method: "ExecuteStatement", Calls: 1, LastStatus: 200}}, Calls: []telemetry.Call{refused},
	}
	require.Contains(t, sketch(explain.TimelineOf(s)), "execute: ExecuteStatement 0-100 (answered with an error)!")
	s.RPCs[0].FailedStatus = 200
	require.Contains(t, sketch(explain.TimelineOf(s)), "execute: ExecuteStatement 0-100 (failed without a complete answer)!")
}

func TestAttemptsAndPausesHaveBars(t *testing.T) {
	execute := call("ExecuteStatement", 0, 100, 0)
	execute.FirstByte, execute.RequestID, execute.Attempts, execute.Latest = at(95), requestID, 3, 90*ms
	execute.Retried = []telemetry.Attempt{{Start: 0, End: 10 * ms, Status: 503, RequestID: "first"}, {Start: 30 * ms, End: 40 * ms}}
	broken := call("FetchResults", 110, 120, -1)
	broken.FirstByte, broken.Failed, broken.Status, broken.Attempts, broken.Latest = at(-1), true, 200, 20, 118*ms
	broken.Retried = []telemetry.Attempt{{Start: 110 * ms, End: 112 * ms, Status: 429}}
	retried := file(0, "DOWNLOADED", 100, 101, 158, 160)
	retried.Attempts, retried.Latest, retried.Retried = 2, 150*ms, []telemetry.Attempt{{Start: 101 * ms, End: 105 * ms, Status: 503}}
	beside := file(1, "DOWNLOADED", 100, 120, 121, 130)
	s := &telemetry.Statement{
		Execute: 200 * ms, Total: 200 * ms, Polling: polls(0),
		RPCs:       []telemetry.RPC{{Method: "ExecuteStatement", Calls: 2, Retries: 3}},
		Calls:      []telemetry.Call{execute, broken},
		CloudFetch: &telemetry.CloudFetch{Present: 2, Retries: 1, Files: []telemetry.File{retried, beside}},
	}
	timeline := explain.TimelineOf(s)
	require.Equal(t, strings.Join([]string{
		"call: call 0-200",
		"execute: ExecuteStatement 0-10 (attempt 1, failed with HTTP 503, request first)! pause 10-30" +
			" ExecuteStatement 30-40 (attempt 2, failed without a complete answer)! pause 40-90" +
			" ExecuteStatement 90-100 (attempt 3, 0 rows, request " + requestID + ")",
		"pages: page 1 110-112 (attempt 1, failed with HTTP 429)! page 1 112-118 (18 further attempts)" +
			" page 1 118-120 (attempt 20, failed without a complete answer)!",
		"files 1: file 0 101-105 (attempt 1, failed with HTTP 503)! pause 105-150 file 0 150-160 (attempt 2, 10 rows, 2.0 kB, 2 attempts)",
		"files 2: file 1 120-130 (10 rows, 2.0 kB)",
		"",
	}, "\n"), sketch(timeline), "a file keeps its lane during a pause")
	kinds := []string{}
	for _, b := range timeline.Lanes[1].Bars {
		kinds = append(kinds, b.Kind)
	}
	require.Equal(t, []string{breakdown.BarRetry, breakdown.BarPause, breakdown.BarRetry, breakdown.BarPause, breakdown.BarExecute}, kinds)
	require.Equal(t, at(100), timeline.Lanes[3].Bars[0].Queued, "its link came before the first attempt")
	require.Equal(t, at(-1), timeline.Lanes[3].Bars[1].Queued)
}

func TestBarsAreWaitingUntilTheFirstByte(t *testing.T) {
	for want, b := range map[time.Duration]explain.Bar{
		0:       {Kind: breakdown.BarPoll, End: 10 * ms},
		4 * ms:  {Kind: breakdown.BarPage, Start: 10 * ms, FirstByte: at(14), End: 20 * ms},
		7 * ms:  {Kind: breakdown.BarFile, End: 7 * ms, FirstByte: at(9)},
		10 * ms: {Kind: breakdown.BarExecute, End: 10 * ms, Open: true},
		20 * ms: {Kind: breakdown.BarRetry, End: 20 * ms, Failed: true},
	} {
		require.Equal(t, want, b.Waited())
	}
	require.Zero(t, explain.Bar{Kind: breakdown.BarCall, End: 10 * ms, Open: true}.Waited())
	require.Zero(t, explain.Bar{Kind: breakdown.BarFile, Start: 5 * ms, FirstByte: at(1), End: 10 * ms}.Waited())
}

func TestTimelineHasOneFileLanePerParallelDownload(t *testing.T) {
	s := &telemetry.Statement{Total: 100 * ms, RPCs: observed, Calls: []telemetry.Call{executed}, Polling: polls(0), CloudFetch: &telemetry.CloudFetch{Present: 4, Files: []telemetry.File{
		file(0, "DOWNLOADED", 0, 50, 50, 60), file(1, "DOWNLOADED", 0, 0, 0, 30), file(2, "DOWNLOADED", 0, 40, 40, 55), file(3, "DOWNLOADED", 0, 30, 30, 40),
	}}}
	require.Equal(t, strings.Join([]string{
		"call: call 0-0",
		"execute: ExecuteStatement 0-100",
		"files 1: file 1 0-30 (10 rows, 2.0 kB) file 3 30-40 (10 rows, 2.0 kB) file 2 40-55 (10 rows, 2.0 kB)",
		"files 2: file 0 50-60 (10 rows, 2.0 kB)",
		"",
	}, "\n"), sketch(explain.TimelineOf(s)))
}

func TestARunningStatementHasOpenBars(t *testing.T) {
	s := &telemetry.Statement{Outcome: telemetry.OutcomeRunning, Total: 70 * ms, RPCs: observed, Polling: polls(0), Calls: []telemetry.Call{call("ExecuteStatement", 1, -1, -1)}}
	require.Equal(t, "call: call 0-70…\nexecute: ExecuteStatement 1-70 (no byte of an answer yet)…\n", sketch(explain.TimelineOf(s)))

	s.Calls[0].FirstByte = at(50)
	require.Equal(t, "call: call 0-70…\nexecute: ExecuteStatement 1-70 (the answer is not complete)…\n", sketch(explain.TimelineOf(s)))

	s.Execute, s.Calls[0], s.Application.Before = 40*ms, call("ExecuteStatement", 1, 40, 100), 30*ms
	require.Equal(t, "call: call 0-40\nexecute: ExecuteStatement 1-40 (100 rows)\nrows: application 40-70 (before the first row)…\n", sketch(explain.TimelineOf(s)))

	s.Application.Before = 10 * ms
	require.Equal(t, "call: call 0-40\nexecute: ExecuteStatement 1-40 (100 rows)\nrows: application 40-50 (before the first row) first row 50-70…\n", sketch(explain.TimelineOf(s)))

	s.FirstRow, s.Consume, s.RowsRead, s.Application.Before = at(10), at(20), known[int64](3), 0
	s.CloudFetch = &telemetry.CloudFetch{Present: 1, Files: []telemetry.File{file(0, "DOWNLOADING", 40, 41, 42, -1)}}
	require.Equal(t, strings.Join([]string{
		"call: call 0-40", "execute: ExecuteStatement 1-40 (100 rows)",
		"files 1: file 0 41-70 (10 rows, 2.0 kB)…", "rows: reading 40-70 (3 rows)…", "",
	}, "\n"), sketch(explain.TimelineOf(s)))
}

func TestTimelineBehindWrapShowsCallAndRowsOnly(t *testing.T) {
	s := &telemetry.Statement{Execute: 40 * ms, FirstRow: at(20), Consume: at(30), Close: at(5), Total: 95 * ms}
	require.Equal(t, "call: call 0-40\nrows: reading 40-90 closing 90-95\n"+
		"Requests to Databricks were not observed (driverwrap.Wrap): only what database/sql shows is here.", sketch(explain.TimelineOf(s)))
}

func TestTimelineSaysWhatIsMissing(t *testing.T) {
	bounds := "More calls, attempts or files were made than a record lists; the sums and the parts of the time count all of them."
	twice := executed
	twice.Attempts = 2
	for name, s := range map[string]telemetry.Statement{
		"files":            {RPCs: observed, Calls: []telemetry.Call{executed}, CloudFetch: &telemetry.CloudFetch{Present: 2, Files: make([]telemetry.File, 1)}},
		"attempts of file": {RPCs: observed, Calls: []telemetry.Call{executed}, CloudFetch: &telemetry.CloudFetch{Present: 1, Retries: 20, Files: make([]telemetry.File, 1)}},
		"calls":            {RPCs: rpcs(telemetry.RPC{Method: "GetOperationStatus", Calls: 1}), Calls: []telemetry.Call{executed}},
		"attempts":         {RPCs: []telemetry.RPC{{Method: "ExecuteStatement", Calls: 1, Retries: 1}}, Calls: []telemetry.Call{twice}},
	} {
		require.Equal(t, bounds, explain.TimelineOf(&s).Missing, name)
	}
	s := telemetry.Statement{RPCs: observed, Calls: []telemetry.Call{executed}}
	require.Equal(t, "A message of the server was not seen or could not be decoded: there may have been more than is here.", explain.TimelineOf(&s).Missing)
	s.Polling = polls(0)
	require.Empty(t, explain.TimelineOf(&s).Missing)
	require.Empty(t, explain.TimelineOf(&telemetry.Statement{RPCs: []telemetry.RPC{}}).Missing, "no request was made")
}

func TestTimelineMarksWhatFailed(t *testing.T) {
	s := &telemetry.Statement{Outcome: telemetry.OutcomeFailed, Failure: &telemetry.Failure{}, Execute: 10 * ms, Total: 10 * ms, RPCs: []telemetry.RPC{}}
	require.Equal(t, "call: call 0-10!\n", sketch(explain.TimelineOf(s)))
	s.Total = 50 * ms // it failed later, while rows were read
	require.Equal(t, "call: call 0-10\n", sketch(explain.TimelineOf(s)))
	s.Consume = at(30)
	require.Equal(t, "call: call 0-10\nrows: reading 10-40!\n", sketch(explain.TimelineOf(s)))
	s.Consume = at(-1)
	s.Close, s.CloseFailure = at(5), &telemetry.Failure{}
	require.Equal(t, "call: call 0-10\nrows: closing 45-50!\n", sketch(explain.TimelineOf(s)))
	// What failed was the call that followed the last page, and the rows were closed without another.
	s.RPCs = []telemetry.RPC{{Method: "CloseOperation", Calls: 1}}
	s.Calls = []telemetry.Call{{Method: "CloseOperation", Start: 20 * ms, End: at(21), Failed: true, Attempts: 1}}
	require.Contains(t, sketch(explain.TimelineOf(s)), "closing 45-50\n")
}
