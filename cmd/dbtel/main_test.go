package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry/ndjson"
)

// sample is what an application wrote that ran some twenty statements against a simulated
// workspace: polled, downloaded, read slowly, repeated, canceled and failed ones.
const sample = "testdata/sample.ndjson"

func TestMain(m *testing.M) {
	time.Local = time.UTC //nolint:gosmopolitan // golden files have one time zone
	flag.Parse()
	os.Exit(m.Run())
}

// outcome is what a run of dbtel leaves behind.
type outcome struct {
	code     int
	out, err string
}

func dbtel(t *testing.T, stdin string, args ...string) outcome {
	t.Helper()
	var out, err bytes.Buffer
	code := run(t.Context(), args, strings.NewReader(stdin), &out, &err)
	return outcome{code, out.String(), err.String()}
}

// golden holds text against a file.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", "golden", name)
	if os.Getenv("UPDATE_GOLDEN") != "" {
		require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
		require.NoError(t, os.WriteFile(file, []byte(got), 0o644))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, string(want), got)
}

func TestWhatIsPrinted(t *testing.T) {
	for name, args := range map[string][]string{
		"help.txt":                     {"help"},
		"help_top.txt":                 {"help", "top"},
		"help_show.txt":                {"show", "-h"},
		"help_summary.txt":             {"help", "summary"},
		"top.txt":                      {"top", sample},
		"top_wide.txt":                 {"top", sample},
		"top_latest.txt":               {"top", "-n", "3", "--by", "latest", sample},
		"top_json.txt":                 {"top", "-n", "2", "--json", sample},
		"show_slowest.txt":             {"show", "slowest", sample},
		"show_downloads.txt":           {"show", "e095d433", sample},
		"show_downloads_wide.txt":      {"show", "e095d433", "--files", sample},
		"show_downloads_in_colour.txt": {"show", "e095d433", "--color", "always", sample},
		"show_failed.txt":              {"show", "failed", sample},
		"show_canceled.txt":            {"show", "df524d7a", sample},
		"show_failed_file.txt":         {"show", "0875aa72", sample},
		"show_retried.txt":             {"show", "ab4c6dc6", sample},
		"show_json.txt":                {"show", "0875aa72", "--json", sample},
		"summary.txt":                  {"summary", sample},
		"summary_wide.txt":             {"summary", sample},
		"summary_narrow.txt":           {"summary", sample},
		"summary_first.txt":            {"summary", "-n", "2", sample},
		"summary_by_error.txt":         {"summary", "--by", "error", sample},
		"summary_by_format.txt":        {"summary", "--by", "format", sample},
		"summary_by_kind.txt":          {"summary", "--by", "kind", sample},
		"summary_by_server.txt":        {"summary", "--by", "server", sample},
		"summary_by_verdict.txt":       {"summary", "--by", "verdict", sample},
		"summary_json.txt":             {"summary", "--by", "kind", "--json", sample},
	} {
		t.Run(name, func(t *testing.T) {
			width := "80"
			switch {
			case strings.Contains(name, "wide"):
				width = "140"
			case strings.Contains(name, "narrow"):
				width = "50"
			}
			t.Setenv("COLUMNS", width)
			got := dbtel(t, "", args...)
			require.Equal(t, outcome{code: exitOK, out: got.out}, got)
			golden(t, name, got.out)
		})
	}
}

func TestNoLineIsWiderThanTheScreen(t *testing.T) {
	for _, width := range []int{50, 57, 80, 133} {
		for _, args := range [][]string{{"top", sample}, {"show", "e095d433", sample}, {"show", "0875aa72", sample}, {"show", "195200bf", sample}, {"summary", sample}} {
			t.Setenv("COLUMNS", strconv.Itoa(width))
			for line := range strings.Lines(dbtel(t, "", args...).out) {
				require.LessOrEqual(t, length(strings.TrimSuffix(line, "\n")), width, "dbtel %v:\n%s", args, line)
			}
		}
	}
}

func TestWithoutAFileStandardInputIsRead(t *testing.T) {
	records, err := os.ReadFile(sample)
	require.NoError(t, err)
	want := dbtel(t, "", "summary", sample)
	require.Equal(t, want, dbtel(t, string(records), "summary"))
	require.Equal(t, want, dbtel(t, string(records), "summary", "-"))
	require.Equal(t, dbtel(t, "", "top", sample), dbtel(t, string(records)), "top is what is meant when nothing is said")
	require.Equal(t, "No statements.\n", dbtel(t, "").out)
	require.Equal(t, outcome{out: "No statements.\n"}, dbtel(t, "", "summary"))
}

func TestSeveralFilesAreReadAsOne(t *testing.T) {
	got := dbtel(t, "", "summary", "--json", sample, sample)
	var s struct{ Statements int }
	require.NoError(t, json.Unmarshal([]byte(got.out), &s))
	require.Equal(t, 44, s.Statements)
}

func TestBrokenLinesAreNamedAndTheRestIsShown(t *testing.T) {
	record := `{"event":"statement","started":"2026-03-01T11:30:00Z","outcome":"completed","execute_ms":1,"total_ms":1}` + "\n"
	file := filepath.Join(t.TempDir(), "app.ndjson")
	require.NoError(t, os.WriteFile(file, []byte(record+"panic: \x1b[2Jboo\n{}\n"+record+"1\n2\n"+record[:40]), 0o600))
	got := dbtel(t, "", "top", file)
	require.Equal(t, exitBroken, got.code)
	require.Contains(t, got.out, "2 statements")
	require.Equal(t, "dbtel: "+file+":2: not JSON: invalid character 'p' looking for beginning of value\n"+
		"dbtel: "+file+`:3: not a record: it has no "event"`+"\n"+
		"dbtel: "+file+`:5: not a record: it has no "event"`+"\n"+
		"dbtel: 5 lines left out: no records\n", got.err)

	require.NoError(t, os.WriteFile(file, []byte(record+record[:40]), 0o600))
	require.Equal(t, "dbtel: "+file+":2: the last line is cut off: the application is still writing it, or was killed\n", dbtel(t, "", "top", file).err)
}

func TestErrorsSayWhatToDo(t *testing.T) {
	for _, c := range []struct {
		code int
		err  string
		args []string
	}{
		{exitUsage, `dbtel: there is no command "tip": it is one of top, show, summary; dbtel help says more`, []string{"tip"}},
		{exitUsage, `dbtel help: there is no command "tip": it is one of top, show, summary`, []string{"help", "tip"}},
		{exitUsage, `dbtel top: --by takes slowest or latest, not "name"; dbtel help top says more`, []string{"top", "--by", "name"}},
		{exitUsage, `dbtel top: -n takes 1 to 10000, not 0; dbtel help top says more`, []string{"top", "-n", "0"}},
		{exitUsage, `dbtel top: flag provided but not defined: -x; dbtel help top says more`, []string{"top", sample, "-x"}},
		{exitUsage, `dbtel top: --color takes auto, always or never, not "red"; dbtel help top says more`, []string{"top", "--color", "red"}},
		{exitUsage, `dbtel summary: --by takes error, format, kind, server, shape, verdict, not "size"; dbtel help summary says more`, []string{"summary", "--by", "size"}},
		{exitUsage, `dbtel show: it takes a statement: an id, "last", "slowest" or "failed"; dbtel help show says more`, []string{"show"}},
		{exitFailed, `dbtel show: there is no statement "nope"; dbtel top lists what there is`, []string{"show", "nope", sample}},
		{exitFailed, `dbtel show: more than one statement begins with "3", such as 31588657-01d6-4814-8e48-8714acb30419 and 3889bbec-4be9-417f-8c3c-e3feeb1bd5ed: give more of the id`, []string{"show", "3", sample}},
		{exitFailed, `dbtel show: there are no statements`, []string{"show", "last"}},
		{exitFailed, `dbtel show: no statement failed`, []string{"show", "failed"}},
		{exitFailed, `dbtel top: open no/such/file: no such file or directory`, []string{"top", "no/such/file"}},
		{exitFailed, `dbtel top: testdata: read testdata: is a directory`, []string{"top", "testdata"}},
		{exitFailed, `dbtel top: open -x: no such file or directory`, []string{"top", "--", "-x"}},
	} {
		require.Equal(t, outcome{code: c.code, err: c.err + "\n"}, dropOutput(dbtel(t, "", c.args...)))
	}
}

func dropOutput(o outcome) outcome {
	o.out = ""
	return o
}

func TestAnInterruptedRunSaysSo(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out, err bytes.Buffer
	require.Equal(t, exitInterrupted, run(ctx, []string{"summary", sample}, strings.NewReader(""), &out, &err))
	require.Empty(t, out.String()+err.String())
}

// obeys matches what a terminal obeys or hides.
const obeys = "[\x00-\x09\x0b-\x1f\x7f\u0080-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\U000e0001-\U000e007f]"

// hostile is text that would take the terminal over.
const hostile = "\x1b[2J\x1b]0;title\x07\x9b2J\u009b31m\u202eevil\u2066\u200b\u2028\x7f\r\b\t\U000e0041x"

func hostileRecords() string {
	var b bytes.Buffer
	sink := ndjson.New(&b)
	s := &telemetry.Statement{
		StatementID: hostile, SessionID: hostile, Server: hostile, WorkspaceID: hostile, Query: "SELECT '" + hostile + "'\nFROM\tt", Outcome: hostile, Kind: hostile,
		Failure: &telemetry.Failure{Category: hostile, SQLState: hostile, Message: hostile}, Total: time.Second,
		Result:     telemetry.Result{Format: hostile, Cache: hostile},
		RPCs:       []telemetry.RPC{{Method: hostile, Calls: 1}},
		Calls:      []telemetry.Call{{Method: hostile, End: telemetry.Known(time.Second)}},
		CloudFetch: &telemetry.CloudFetch{Present: 1, Files: []telemetry.File{{State: hostile}}},
	}
	sink.StatementFinished(s)
	again := *s
	again.StatementID += "2"
	sink.StatementFinished(&again)
	return b.String()
}

func TestRecordsCannotCommandTheTerminal(t *testing.T) {
	for _, args := range [][]string{
		{"top"}, {"show", "last"}, {"show", "last", "--files"}, {"show", hostile}, {"show", hostile[:4]}, {"summary"}, {"summary", "--by", "server"}, {"summary", "--by", "error"}, {"summary", "--by", "kind"},
		{"summary", "--by", "format"}, {"summary", "--by", "shape"}, {"summary", "--by", "verdict"}, {"top", "-f"},
		{"top", "--json"}, {"top", "-f", "--json"}, {"show", "last", "--json"}, {"summary", "--json", "--by", "server"},
	} {
		got := dbtel(t, hostileRecords(), args...)
		require.NotRegexp(t, obeys, got.out, "dbtel %q", args)
		require.NotRegexp(t, obeys, got.err, "dbtel %q", args)
		coloured := dbtel(t, hostileRecords(), append(args, "--color", "always")...)
		require.NotRegexp(t, obeys, regexp.MustCompile("\x1b\\[[0-9]+m").ReplaceAllString(coloured.out, ""), "dbtel %q", args)
		require.NotContains(t, coloured.out, "[2J\x1b")
	}
}

func TestJSONKeepsWhatATerminalWouldObeyAsEscapes(t *testing.T) {
	var s struct {
		StatementID string `json:"statement_id"`
	}
	require.NoError(t, json.NewDecoder(strings.NewReader(dbtel(t, hostileRecords(), "top", "--json").out)).Decode(&s))
	require.Equal(t, strings.ToValidUTF8(hostile, "\uFFFD"), strings.TrimSuffix(s.StatementID, "2"))
}

func TestArgumentsCannotCommandTheTerminal(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	name := "a\x1b[2J\n\u202eb"
	require.NoError(t, os.WriteFile(name, []byte("no record\n"), 0o600))
	for _, args := range [][]string{
		{hostile}, {"help", hostile}, {"top", "--" + hostile}, {"top", "--by", hostile}, {"top", "-n", hostile}, {"top", "--color", hostile}, {"summary", "--by", hostile},
		{"show", hostile}, {"top", "no" + hostile}, {"top", name}, {"top", "-f", "--", name}, {"show", hostile, name}, {"top", "--", hostile},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		var out, err bytes.Buffer
		_ = run(ctx, args, strings.NewReader(""), &out, &err)
		cancel()
		require.NotRegexp(t, obeys, out.String(), "dbtel %q", args)
		require.NotRegexp(t, obeys, err.String(), "dbtel %q", args)
		for line := range strings.Lines(err.String()) {
			require.True(t, strings.HasPrefix(line, "dbtel"), "a name made a line of its own: %q", line)
		}
	}
}

func FuzzHarmless(f *testing.F) {
	f.Add(hostile, 3)
	f.Add("plain\n\x1b[31mred\x1b[0m\xff\xe2\x80", 5)
	f.Fuzz(func(t *testing.T, text string, at int) {
		text = strings.ReplaceAll(text, ours, "")
		at = max(0, min(at, len(text)))
		var out bytes.Buffer
		h := &harmless{to: &out, instead: asText}
		for _, part := range []string{text[:at], control("\x1b[1m"), text[at:], control("\x1b[0m") + "end\n"} {
			n, err := h.Write([]byte(part))
			require.NoError(t, err)
			require.Equal(t, len(part), n)
		}
		require.True(t, strings.HasSuffix(out.String(), "\x1b[0mend\n"))
		require.Equal(t, 2, strings.Count(out.String(), "\x1b"))
		require.NotRegexp(t, obeys, strings.ReplaceAll(out.String(), "\x1b", ""))
	})
}
