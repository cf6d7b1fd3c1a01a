package main

import (
	"bufio"
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// The first attempts were answered with 503 and no body; the caller gave up the third.
func TestAStatementThatTheServerRefusedWasAnswered(t *testing.T) {
	at := telemetry.Known[time.Duration]
	require.NotEqual(t, "a statement that the server did not answer", withoutID(&telemetry.Statement{
		Outcome: telemetry.OutcomeCanceled,
		RPCs:    []telemetry.RPC{{Method: "ExecuteStatement", Calls: 1, Retries: 2, FailedStatus: 503}},
		Calls:   []telemetry.Call{{Method: "ExecuteStatement", Attempts: 3, End: at(time.Minute), Failed: true, Retried: []telemetry.Attempt{{Status: 503}, {Status: 503}}}},
	}))
	for _, answered := range []telemetry.RPC{{Calls: 1, LastStatus: 200}, {Calls: 1, BytesIn: 7}} {
		require.Equal(t, "a statement without an id", withoutID(&telemetry.Statement{RPCs: []telemetry.RPC{answered, {Method: "CloseOperation", Calls: 1}}}))
	}
}

// shown is what dbtel show prints of a statement.
func shown(s *telemetry.Statement) string {
	var b bytes.Buffer
	w := bufio.NewWriter(&b)
	(&view{statement: s, w: w, screen: screen{width: 200}}).print()
	_ = w.Flush()
	return b.String()
}

// A record lists 256 files; the slowest may be another.
func TestTheSlowestFilesAreThoseOfTheListed(t *testing.T) {
	at := telemetry.Known[time.Duration]
	c := &telemetry.CloudFetch{Present: 300, Downloaded: 300, Attempts: 300, Slowest: 90 * time.Second, Sum: 120 * time.Second}
	for i := range 256 {
		c.Files = append(c.Files, telemetry.File{Index: int64(i), State: "DOWNLOADED", Attempts: 1, Start: at(time.Duration(i) * 100 * time.Millisecond), End: at(time.Duration(i+1) * 100 * time.Millisecond)})
	}
	text := shown(&telemetry.Statement{Outcome: telemetry.OutcomeCompleted, Total: 120 * time.Second, Split: telemetry.Split{telemetry.PartFile: 120 * time.Second}, CloudFetch: c})
	require.Contains(t, text, "FILES: 10 SLOWEST OF 256 LISTED", "the slowest took 90 s, and is not listed")

	c.Files = nil
	require.NotContains(t, shown(&telemetry.Statement{Outcome: telemetry.OutcomeCompleted, Total: 120 * time.Second, CloudFetch: c}), "FILES")
}

// The speed of a file is that of the attempt that brought it.
func TestTheSpeedOfAFileIsWithoutItsRepetition(t *testing.T) {
	at := telemetry.Known[time.Duration]
	f := telemetry.File{State: "DOWNLOADED", Attempts: 2, Bytes: 10e6, Received: 10e6, Start: at(0), Latest: 9 * time.Second, FirstByte: at(9 * time.Second), End: at(10 * time.Second), Retried: []telemetry.Attempt{{Status: 503}}}
	of := func(f telemetry.File) string {
		return shown(&telemetry.Statement{Outcome: telemetry.OutcomeCompleted, Total: 10 * time.Second, Split: telemetry.Split{telemetry.PartRetry: 9 * time.Second, telemetry.PartFile: time.Second},
			CloudFetch: &telemetry.CloudFetch{Present: 1, Downloaded: 1, Attempts: 2, Retries: 1, Retried: 1, MostAttempts: 2, RetryStatus: 503, Slowest: 10 * time.Second, Sum: 10 * time.Second, Files: []telemetry.File{f}}})
	}
	require.Contains(t, of(f), " 10 MB/s", "10 MB came within 1 s")
	require.Contains(t, of(f), "1, 1 downloaded, 0 B of 0 B, repeated once, slowest 10 s, 10 s on average")
	f.Latest = 0 // as in a record of an older version
	require.NotContains(t, of(f), "B/s")
	f.Latest, f.Start = 9*time.Second, telemetry.Maybe[time.Duration]{}
	require.NotContains(t, of(f), "10 s      10 MB/s", "when it was requested first is not known")
	f.End = telemetry.Maybe[time.Duration]{}
	require.NotContains(t, of(f), "B/s")
}

func TestFactsOfAStatement(t *testing.T) {
	text := strings.Join(strings.Fields(shown(&telemetry.Statement{
		Outcome: telemetry.OutcomeCompleted, Total: time.Second, Prepared: true, RowsAffected: telemetry.Known[int64](3),
		Result:       telemetry.Result{Format: telemetry.FormatInlineArrow, Compressed: telemetry.Known(true), Evidence: telemetry.EvidenceInferred},
		CloseFailure: &telemetry.Failure{Category: telemetry.CategoryConnection}, CancelError: telemetry.CategoryTimeout,
	})), " ")
	require.Contains(t, text, "result INLINE_ARROW, compressed, as far as can be inferred, affected 3, prepared closing failed: connection_error canceling failed: timeout")
}

func TestALongFailureIsWrapped(t *testing.T) {
	got := dbtel(t, `{"event":"statement","outcome":"failed","error_category":"`+strings.Repeat("category_of_a_newer_version ", 5)+`","total_ms":1}`, "show", "last")
	for line := range strings.Lines(got.out) {
		require.LessOrEqual(t, textWidth(strings.TrimRight(line, "\n")), defaultWidth)
	}
}

// Reading failed after 20 s, and the rows were closed in 50 µs: both end in one character.
func TestAFailureIsNotHiddenByAShortBar(t *testing.T) {
	at := telemetry.Known[time.Duration]
	text := shown(&telemetry.Statement{
		Outcome: telemetry.OutcomeFailed, Failure: &telemetry.Failure{Category: telemetry.CategoryConnection}, Total: 20*time.Second + 50*time.Microsecond,
		Execute: time.Second, FirstRow: at(time.Second), Consume: at(18 * time.Second), Close: at(50 * time.Microsecond),
		Split: telemetry.Split{telemetry.PartServer: 20 * time.Second, telemetry.PartClose: 50 * time.Microsecond},
	})
	_, timeline, _ := strings.Cut(text, "OVER TIME")
	_, rows, _ := strings.Cut(timeline, "\nrows")
	rows, _, _ = strings.Cut(rows, "\n")
	require.Contains(t, rows, "✗")
}

// An id that another one begins with can be shown, too.
func TestAWholeIDIsThatStatement(t *testing.T) {
	for _, records := range []string{recordOf("id-1") + recordOf("id-12") + recordOf("id-13"), recordOf("id-12") + recordOf("id-1") + recordOf("id-13"), recordOf("id-13") + recordOf("id-12") + recordOf("id-1")} {
		got := dbtel(t, records, "show", "id-1")
		require.Equal(t, exitOK, got.code, got.err)
		require.True(t, strings.HasPrefix(got.out, "id-1\n"), got.out)
	}
	got := dbtel(t, recordOf("id-12")+recordOf("id-13"), "show", "id-1")
	require.Equal(t, exitFailed, got.code)
	require.Equal(t, exitOK, dbtel(t, recordOf("id-12")+recordOf("id-12"), "show", "id-1").code, "a file that is read twice has one statement")
}

// Files may be given in any order.
func TestTheLastStatementIsTheOneThatFinishedLast(t *testing.T) {
	at := func(id, started string) string {
		return `{"event":"statement","statement_id":"` + id + `","started":"2026-03-01T` + started + `Z","outcome":"failed","total_ms":5000}` + "\n"
	}
	for _, which := range []string{"last", "failed"} {
		require.Contains(t, dbtel(t, at("first", "11:00:00")+at("last", "11:00:02")+at("second", "11:00:01"), "show", which).out, "last\n")
		require.Contains(t, dbtel(t, at("first", "11:00:00")+at("second", "11:00:00"), "show", which).out, "second\n")
	}
}
