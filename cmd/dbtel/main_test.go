package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// sample has the records of an application that ran some twenty statements against a simulated
// workspace: polled, downloaded, slowly read, retried, canceled and failed ones.
const sample = "testdata/sample.ndjson"

// belonging has records that say what they belong to, of two days and two servers, and statements that
// have no id: one that was canceled before a request, one without an answer, one behind Wrap.
const belonging = "testdata/context.ndjson"

// reports has statements about which the workspace's query history was asked, and one about which it
// was not.
const reports = "testdata/reports.ndjson"

// pools has samples of the pools of two processes, with a statement of each.
const pools = "testdata/pools.ndjson"

func TestMain(m *testing.M) {
	if args := os.Getenv(asCommand); args != "" {
		os.Args = append([]string{"dbtel"}, strings.Fields(args)...)
		main()
	}
	time.Local = time.UTC //nolint:gosmopolitan // golden files have one time zone
	flag.Parse()
	os.Exit(m.Run())
}

// asCommand is a variable with the arguments of a test program that is to be dbtel.
const asCommand = "DBTEL_ARGS"

func TestAPipeThatIsClosedEarlyIsNoFailure(t *testing.T) {
	file := filepath.Join(t.TempDir(), "long.ndjson")
	record := `{"event":"statement","started":"2026-03-01T10:00:00Z","outcome":"completed","total_ms":5}` + "\n"
	require.NoError(t, os.WriteFile(file, []byte(strings.Repeat(record, 20_000)), 0o600))
	for _, args := range []string{"top -n 10000 ", "top -n 10000 --json "} {
		cmd := exec.CommandContext(t.Context(), os.Args[0]) //nolint:gosec // this program
		cmd.Env = append(os.Environ(), asCommand+"="+args+file)
		var stderr strings.Builder
		cmd.Stderr = &stderr
		out, err := cmd.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, cmd.Start())
		_, err = io.ReadFull(out, make([]byte, 10))
		require.NoError(t, err)
		require.NoError(t, out.Close())
		require.NoError(t, cmd.Wait(), stderr.String())
		require.Empty(t, stderr.String())
	}
}

// outcome is the exit code and the output of dbtel.
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

// golden compares text with a file.
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

func TestOutput(t *testing.T) {
	for name, args := range map[string][]string{
		"help.txt":                    {"help"},
		"help_top.txt":                {"help", "top"},
		"help_show.txt":               {"show", "-h"},
		"help_summary.txt":            {"help", "summary"},
		"top.txt":                     {"top", sample},
		"top_wide.txt":                {"top", sample},
		"top_latest.txt":              {"top", "-n", "3", "--by", "latest", sample},
		"top_json.txt":                {"top", "-n", "2", "--json", sample},
		"show_slowest.txt":            {"show", "slowest", sample},
		"show_downloads.txt":          {"show", "e095d433", sample},
		"show_downloads_wide.txt":     {"show", "e095d433", "--files", sample},
		"show_downloads_in_color.txt": {"show", "e095d433", "--color", "always", sample},
		"show_failed.txt":             {"show", "failed", sample},
		"show_canceled.txt":           {"show", "df524d7a", sample},
		"show_failed_file.txt":        {"show", "0875aa72", sample},
		"show_retried.txt":            {"show", "ab4c6dc6", sample},
		"show_retried_files.txt":      {"show", "9c156449", sample},
		"show_retried_in_color.txt":   {"show", "9c156449", "--color", "always", sample},
		"show_json.txt":               {"show", "0875aa72", "--json", sample},
		"summary.txt":                 {"summary", sample},
		"summary_wide.txt":            {"summary", sample},
		"summary_narrow.txt":          {"summary", sample},
		"summary_first.txt":           {"summary", "-n", "2", sample},
		"summary_by_error.txt":        {"summary", "--by", "error", sample},
		"summary_by_format.txt":       {"summary", "--by", "format", sample},
		"summary_by_kind.txt":         {"summary", "--by", "kind", sample},
		"summary_by_server.txt":       {"summary", "--by", "server", sample},
		"summary_by_verdict.txt":      {"summary", "--by", "verdict", sample},
		"summary_json.txt":            {"summary", "--by", "kind", "--json", sample},
		"top_60.txt":                  {"top", sample},
		"top_120.txt":                 {"top", sample},
		"top_200.txt":                 {"top", sample},
		"show_60.txt":                 {"show", "9c156449", sample},
		"show_200.txt":                {"show", "0875aa72", sample},
		"summary_60.txt":              {"summary", sample},
		"summary_120.txt":             {"summary", sample},
		"summary_200.txt":             {"summary", sample},
		"context_top.txt":             {"top", belonging},
		"context_top_60.txt":          {"top", belonging},
		"context_show.txt":            {"show", "01f0d2e4", belonging},
		"context_show_60.txt":         {"show", "01f0d2e4", belonging},
		"context_canceled.txt":        {"show", "failed", "--outcome", "canceled", belonging},
		"context_unanswered.txt":      {"show", "failed", "--server", "adb-2", belonging},
		"context_unobserved.txt":      {"show", "failed", "--category", "execute_statement_canceled", belonging},
		"reports_top.txt":             {"top", reports},
		"reports_top_120.txt":         {"top", reports},
		"reports_show.txt":            {"show", "01f0d2e5-0000-1000-8000-00000000000a", reports},
		"reports_show_60.txt":         {"show", "slowest", reports},
		"reports_show_json.txt":       {"show", "01f0d2e5-0000-1000-8000-00000000000a", "--json", reports},
		"reports_summary.txt":         {"summary", reports},
		"reports_summary_60.txt":      {"summary", reports},
		"reports_summary_200.txt":     {"summary", reports},
		"reports_summary_json.txt":    {"summary", "--json", reports},
		"pools_summary.txt":           {"summary", pools},
		"pools_summary_60.txt":        {"summary", pools},
		"pools_summary_until.txt":     {"summary", "--until", "2026-03-01 08:00:25", pools},
		"pools_summary_json.txt":      {"summary", "--json", pools},
		"context_by_error.txt":        {"summary", "--by", "error", belonging},
	} {
		t.Run(name, func(t *testing.T) {
			width := "80"
			if at := regexp.MustCompile(`_([0-9]+)\.txt$`).FindStringSubmatch(name); at != nil {
				width = at[1]
			}
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
	for _, width := range []int{50, 57, 60, 80, 120, 133, 200} {
		for _, args := range [][]string{
			{"top", sample}, {"show", "e095d433", sample}, {"show", "0875aa72", sample}, {"show", "195200bf", sample}, {"summary", sample},
			{"top", belonging}, {"show", "01f0d2e4", belonging}, {"show", "failed", belonging}, {"summary", "--by", "error", belonging},
			{"top", reports}, {"show", "slowest", reports}, {"summary", reports},
		} {
			t.Setenv("COLUMNS", strconv.Itoa(width))
			for line := range strings.Lines(dbtel(t, "", args...).out) {
				if strings.HasPrefix(line, "profile    https://") {
					continue // a link that is broken is none
				}
				require.LessOrEqual(t, textWidth(strings.TrimSuffix(line, "\n")), width, "dbtel %v:\n%s", args, line)
			}
		}
	}
}

func TestWithoutFileStandardInputIsRead(t *testing.T) {
	records, err := os.ReadFile(sample)
	require.NoError(t, err)
	want := dbtel(t, "", "summary", sample)
	require.Equal(t, want, dbtel(t, string(records), "summary"))
	require.Equal(t, want, dbtel(t, string(records), "summary", "-"))
	require.Equal(t, dbtel(t, "", "top", sample), dbtel(t, string(records)), "top is the default command")
	require.Equal(t, "No statements.\n", dbtel(t, "").out)
	require.Equal(t, outcome{out: "No statements.\n"}, dbtel(t, "", "summary"))
}

func TestSessionsThatCannotBeOpenedAreSummedWithoutStatements(t *testing.T) {
	const failed = `{"event":"session_opened","started":"2026-03-01T11:30:00Z","open_ms":5,"error_category":%q}` + "\n"
	var records string
	for _, category := range []string{"auth_error", "connection_error", "connection_error", "timeout", "cancelled"} {
		records += fmt.Sprintf(failed, category)
	}
	require.Equal(t, "No statements. Sessions: 0 opened, 5 failed (2 connection_error, 1 auth_error, 1\ncanceled, …).\n", dbtel(t, records, "summary").out)
	require.Equal(t, "No statements. Sessions: 2 opened.\n", dbtel(t, `{"event":"session_opened"}{"event":"session_opened"}`, "summary").out)
	refused := fmt.Sprintf(failed, `not_found","sqlstate":"42704`)
	require.Contains(t, dbtel(t, strings.ReplaceAll(refused, `\"`, `"`), "summary").out, "1 failed (not_found 42704)")
	require.Contains(t, dbtel(t, records, "summary", "--json").out, `"failures":[{"name":"connection_error","sessions":2},{"name":"auth_error","sessions":1},{"name":"cancelled","sessions":1}`)
}

// One call began to wait; an hour of others ended, which began before the sample.
func TestWaitsForAPoolAreNotDividedByOthers(t *testing.T) {
	got := dbtel(t, `{"event":"pool","sampled":"2026-03-01T08:00:00Z","pool":"orders","max_open":4,"open":4,"in_use":4,"waits":1,"waited_ms":3600000}`, "summary")
	require.Equal(t, 1, strings.Count(got.out, "60 min"), got.out)
}

// Behind Wrap, answers are not seen, and of Arrow streams no rows.
func TestASummaryDoesNotCountWhatIsUnknownAsNone(t *testing.T) {
	t.Setenv("COLUMNS", "140")
	line := func(shape, more string) string {
		return fmt.Sprintf(`{"event":"statement","query_shape":%q,"kind":"QUERY","outcome":"completed","total_ms":5%s}`+"\n", shape, more)
	}
	out := dbtel(t, line("a", "")+line("b", `,"rows_read":0,"rpcs_by_method":[{"method":"ExecuteStatement","bytes_in":0}]`)+line("b", ""), "summary").out
	require.Regexp(t, `shape a .* -         -\n`, out)
	require.Regexp(t, `shape b .* 0       0 B\n`, out)
}

func TestAPoolWithoutANameHasALine(t *testing.T) {
	require.Contains(t, dbtel(t, `{"event":"pool","sampled":"2026-03-01T08:00:02Z","in_use":4,"waits":3}`, "summary").out, "(unnamed)")
}

func TestSeveralFilesAreReadAsOne(t *testing.T) {
	got := dbtel(t, "", "summary", "--json", sample, sample)
	var s struct{ Statements int }
	require.NoError(t, json.Unmarshal([]byte(got.out), &s))
	require.Equal(t, 46, s.Statements)
}

func TestBrokenLinesAreReportedAndTheRestIsShown(t *testing.T) {
	record := `{"event":"statement","started":"2026-03-01T11:30:00Z","outcome":"completed","execute_ms":1,"total_ms":1}` + "\n"
	file := filepath.Join(t.TempDir(), "app.ndjson")
	require.NoError(t, os.WriteFile(file, []byte(record+"panic: \x1b[2Jboo\n{}\n"+record+"1\n2\n"+record[:40]), 0o600))
	got := dbtel(t, "", "top", file)
	require.Equal(t, exitLineErrors, got.code)
	require.Contains(t, got.out, "2 statements")
	require.Equal(t, "dbtel: "+file+":2: not JSON: invalid character 'p' looking for beginning of value\n"+
		"dbtel: "+file+`:3: not a record: it has no "event"`+"\n"+
		"dbtel: "+file+`:5: not a record: it has no "event"`+"\n"+
		"dbtel: 5 lines skipped: not records\n", got.err)

	require.NoError(t, os.WriteFile(file, []byte(record+record[:40]), 0o600))
	require.Equal(t, "dbtel: "+file+":2: the line is incomplete: the application is still writing it, or was killed\n", dbtel(t, "", "top", file).err)
}

func TestTheClientsFetchingIsNoPhaseOfTheServersShare(t *testing.T) {
	got := dbtel(t, `{"event":"statement","started":"2026-03-01T11:30:00Z","statement_id":"a","outcome":"completed","execute_ms":30000,"total_ms":66000,"time_server_ms":30000,"time_file_ms":20000,"time_application_ms":16000}
{"event":"server_report","statement_id":"a","server_total_ms":64000,"executing_ms":29000,"result_fetch_ms":35000}
`, "top")
	require.Contains(t, got.out, "45 % server (29 s executing), 30 % file\n")
	got = dbtel(t, `{"event":"statement","started":"2026-03-01T11:30:00Z","statement_id":"a","outcome":"completed","execute_ms":30000,"total_ms":66000,"time_server_ms":66000}
{"event":"server_report","statement_id":"a","final":true,"server_total_ms":64000,"result_fetch_ms":63000}
`, "top")
	require.Contains(t, got.out, "100 % server\n")
}

func TestAReportThatContradictsItselfExplainsNoServersShare(t *testing.T) {
	records := `{"event":"statement","started":"2026-03-01T08:00:00Z","statement_id":"a","outcome":"completed","total_ms":20000,"time_server_ms":20000}
{"event":"server_report","statement_id":"a","final":true,"server_total_ms":19000,"waiting_for_compute_ms":50000,"executing_ms":18000}`
	require.NotContains(t, dbtel(t, records, "top").out, "waiting for compute")
	require.NotContains(t, dbtel(t, records, "show", "a").out, "for the warehouse to start")
}

// What the service leaves out takes no meaning from what it says.
func TestFactsOfAReportNameWhatTheyAreAbout(t *testing.T) {
	statement := `{"event":"statement","started":"2026-03-01T08:00:00Z","server":"h:443","statement_id":"a","outcome":"completed","total_ms":3000,"time_server_ms":3000}` + "\n"
	for report, want := range map[string]string{
		`"server_total_ms":2900,"bytes_read_cache":8000000,"files_pruned":3,"rows_produced":7`: "took 2.9 s, read from cache 8.0 MB, files pruned 3, rows produced 7",
		`"bytes_read":5000000,"bytes_read_cache":8000000,"server_rows_read":9`:                 "read 5.0 MB, read from cache 8.0 MB, rows read 9",
		`"bytes_read":9000000,"bytes_read_cache":8000000,"files_read":4,"files_pruned":3`:      "read 9.0 MB, of it from cache 8.0 MB, files 4, pruned 3",
		`"status":"FAILED","from_cache":true,"bytes_spilled":1000,"bytes_written":2000`:        "status FAILED, result from cache, spilled 1.0 kB, written 2.0 kB",
	} {
		got := dbtel(t, statement+`{"event":"server_report","statement_id":"a","final":true,`+report+`}`, "show", "a").out
		require.Contains(t, strings.Join(strings.Fields(got), " "), "history "+want+" profile ")
	}
}

// A statement that was complete after 3 s did not wait 45 s.
func TestAReportThatCannotBeRightExplainsNoServersShare(t *testing.T) {
	records := `{"event":"statement","started":"2026-03-01T08:00:00Z","statement_id":"a","outcome":"completed","total_ms":3000,"time_server_ms":3000}
{"event":"server_report","statement_id":"a","final":true,"server_total_ms":50000,"waiting_for_compute_ms":45000,"executing_ms":5000}`
	require.NotContains(t, dbtel(t, records, "top").out, "waiting for compute")
	require.NotContains(t, dbtel(t, records, "show", "a").out, "for the warehouse to start")
	require.NotContains(t, dbtel(t, records, "show", "a", "--json").out, "for the warehouse to start")
}

// Of one statement it is not known what it read from the cache.
func TestWhatIsReadFromTheCacheIsNotSaidOfStatementsThatDoNotSay(t *testing.T) {
	got := dbtel(t, `{"event":"server_report","statement_id":"a","bytes_read":1000000,"bytes_read_cache":1000000}
{"event":"server_report","statement_id":"b","bytes_read":3000000}`, "summary")
	require.Contains(t, got.out, "read 4.0 MB")
	require.NotContains(t, got.out, "from cache")
}

func TestRotatedFilesThatAreCompressedAreRead(t *testing.T) {
	record := `{"event":"statement","started":"2026-03-01T11:30:00Z","outcome":"completed","execute_ms":1,"total_ms":1}` + "\n"
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	_, err := w.Write([]byte(record + record))
	require.NoError(t, err)
	require.NoError(t, w.Close())
	file := filepath.Join(t.TempDir(), "app.ndjson.1.gz")
	require.NoError(t, os.WriteFile(file, packed.Bytes(), 0o600))
	got := dbtel(t, packed.String(), "top", file, "-")
	require.Equal(t, exitOK, got.code, got.err)
	require.Contains(t, got.out, "4 statements")

	for kept, statements := range map[int]string{packed.Len() - 12: "4 statements", 6: "2 statements"} { // 6 bytes are a part of the header
		require.NoError(t, os.WriteFile(file, packed.Bytes()[:kept], 0o600))
		got = dbtel(t, packed.String(), "top", file, "-")
		require.Equal(t, exitLineErrors, got.code, "what was shown is not all")
		require.Equal(t, "dbtel: "+file+": the file is cut off: it is still being written, or was not copied whole; what it has was read\n", got.err)
		require.Contains(t, got.out, statements, "what the files hold counts")
	}

	wrongSum := bytes.Clone(packed.Bytes())
	wrongSum[len(wrongSum)-8] ^= 1
	for name, damaged := range map[string][]byte{"padding": append(bytes.Clone(packed.Bytes()), make([]byte, 512)...), "checksum": wrongSum} {
		require.NoError(t, os.WriteFile(file, damaged, 0o600))
		got = dbtel(t, packed.String(), "top", file, "-")
		require.Equal(t, exitLineErrors, got.code, name)
		require.Equal(t, "dbtel: "+file+": the rest of the file is damaged and not read\n", got.err, name)
		require.Contains(t, got.out, "4 statements", name)
	}

	got = dbtel(t, "no\nno\nno\n", "top", file, "-")
	require.NotContains(t, got.err, "skipped", "each of the three lines is printed, and damage is no line")

	require.NoError(t, os.WriteFile(file, []byte("\x1f\x8b and more that is not gzip"), 0o600))
	got = dbtel(t, "", "top", file)
	require.Equal(t, exitFailed, got.code)
	require.Equal(t, "dbtel top: "+file+": gzip: invalid header\n", got.err)
}

// Where a compressed file is cut off does not decide whether the record before that is read, of which only the
// newline is missing.
func TestEveryRecordBeforeTheEndOfACutOffFileIsRead(t *testing.T) {
	record := `{"event":"statement","started":"2026-03-01T11:30:00Z","outcome":"completed","execute_ms":1,"total_ms":1}`
	for text, statements := range map[string]string{record + "\n" + record: "2 statements", record + "\n" + record[:len(record)-1]: "1 statement "} {
		var packed bytes.Buffer
		w := gzip.NewWriter(&packed)
		_, err := w.Write([]byte(text))
		require.NoError(t, err)
		require.NoError(t, w.Flush())
		got := dbtel(t, packed.String(), "top")
		require.Equal(t, exitLineErrors, got.code)
		require.Equal(t, "dbtel: standard input: the file is cut off: it is still being written, or was not copied whole; what it has was read\n", got.err)
		require.Contains(t, got.out, statements)
	}
}

func TestAFileOfAnotherFormatIsNamedAndTheOthersAreRead(t *testing.T) {
	record := `{"event":"statement","started":"2026-03-01T11:30:00Z","outcome":"completed","execute_ms":1,"total_ms":1}` + "\n"
	file := filepath.Join(t.TempDir(), "app.ndjson.1")
	for begin, says := range map[string]string{
		"(\xb5/\xfd\x04\n":    "compressed with zstd and not read: unpack it first, as with zstd -dc",
		"BZh91AY&SY\n":        "compressed with bzip2 and not read: unpack it first, as with bzip2 -dc",
		"\xfd7zXZ\x00\x00\n":  "compressed with xz and not read: unpack it first, as with xz -dc",
		"\x04\"M\x18d@\n":     "compressed with lz4 and not read: unpack it first, as with lz4 -dc",
		"PK\x03\x04\x14\n":    "compressed with zip and not read: unpack it first, as with unzip -p",
		"\xff\xfe{\x00\n\x00": "UTF-16 and not read: convert it to UTF-8 first, as with iconv -f UTF-16 -t UTF-8",
		"\xfe\xff\x00{\x00\n": "UTF-16 and not read: convert it to UTF-8 first, as with iconv -f UTF-16 -t UTF-8",
	} {
		require.NoError(t, os.WriteFile(file, []byte(begin), 0o600))
		got := dbtel(t, record, "top", file, "-")
		require.Equal(t, exitLineErrors, got.code)
		require.Equal(t, "dbtel: "+file+": it is "+says+"\n", got.err)
		require.Contains(t, got.out, "1 statement")
	}
}

func TestErrorsOfTheCommandLine(t *testing.T) {
	for _, c := range []struct {
		code int
		err  string
		args []string
	}{
		{exitUsage, `dbtel: there is no command "tip": it is one of top, show, summary; dbtel help says more`, []string{"tip"}},
		{exitUsage, `dbtel help: there is no command "tip": it is one of top, show, summary`, []string{"help", "tip"}},
		{exitUsage, `dbtel top: --by takes slowest or latest, not "name"; dbtel help top says more`, []string{"top", "--by", "name"}},
		{exitUsage, `dbtel top: -n takes 1 to 10000, not 0; dbtel help top says more`, []string{"top", "-n", "0"}},
		{exitUsage, `dbtel summary: -n takes 0 or more, not -5; dbtel help summary says more`, []string{"summary", "-n", "-5"}},
		{exitUsage, `dbtel top: -n takes 1 to 10000, not 0; dbtel help top says more`, []string{"top", "--shape", "--", sample, "-n", "0"}},
		{exitUsage, `dbtel top: flag provided but not defined: -x; dbtel help top says more`, []string{"top", sample, "-x"}},
		{exitUsage, `dbtel top: --color takes auto, always or never, not "red"; dbtel help top says more`, []string{"top", "--color", "red"}},
		{exitUsage, `dbtel summary: --by takes error, format, kind, server, shape, verdict, not "size"; dbtel help summary says more`, []string{"summary", "--by", "size"}},
		{exitUsage, `dbtel show: name a statement: an id, "last", "slowest" or "failed"; dbtel help show says more`, []string{"show"}},
		{exitUsage, `dbtel show: name a statement: an id, "last", "slowest" or "failed"; dbtel help show says more`, []string{"show", "", sample}},
		{exitFailed, `dbtel show: there is no statement "nope"; dbtel top lists what there is`, []string{"show", "nope", sample}},
		{exitFailed, `dbtel show: more than one statement begins with "3", such as 31588657-01d6-4814-8e48-8714acb30419 and 3889bbec-4be9-417f-8c3c-e3feeb1bd5ed: give more of the id`, []string{"show", "3", sample}},
		{exitFailed, `dbtel show: there are no statements`, []string{"show", "last"}},
		{exitFailed, `dbtel show: there are no statements`, []string{"show", "slowest"}},
		{exitFailed, `dbtel show: no statement failed`, []string{"show", "failed"}},
		{exitFailed, `dbtel show: open no/such/file: no such file or directory`, []string{"show", "last", sample, "no/such/file"}},
		{exitFailed, `dbtel top: testdata: read testdata: is a directory`, []string{"top", "-f", "testdata"}},
		{exitFailed, `dbtel top: open no/such/file: no such file or directory`, []string{"top", "no/such/file"}},
		{exitFailed, `dbtel top: testdata: read testdata: is a directory`, []string{"top", "testdata"}},
		{exitFailed, `dbtel top: open -x: no such file or directory`, []string{"top", "--", "-x"}},
		{exitFailed, `dbtel top: open -x: no such file or directory`, []string{"top", "--", sample, "-x"}},
	} {
		require.Equal(t, outcome{code: c.code, err: c.err + "\n"}, withoutOutput(dbtel(t, "", c.args...)))
	}
}

// A program that reads the JSON need not ask whether a list is there.
func TestAListOfNothingIsEmptyInJSON(t *testing.T) {
	require.Contains(t, dbtel(t, "", "summary", "--json").out, `"groups":[]`)
	require.Contains(t, dbtel(t, `{"event":"statement","statement_id":"u","outcome":"completed","total_ms":0}`, "show", "u", "--json").out, `"parts":[]`)
}

func withoutOutput(o outcome) outcome {
	o.out = ""
	return o
}

func TestInterruptedRunHasItsExitCode(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out, err bytes.Buffer
	require.Equal(t, exitInterrupted, run(ctx, []string{"summary", sample}, strings.NewReader(""), &out, &err))
	require.Empty(t, out.String()+err.String())
}

func TestASummaryBeginsWithTheFirstTimeThatIsKnown(t *testing.T) {
	at := func(started string) string { return `{"event":"statement",` + started + `"total_ms":5}` + "\n" }
	first, unknown, last := at(`"started":"2026-03-01T10:00:00Z",`), at(""), at(`"started":"2026-03-01T12:00:00Z",`)
	for _, records := range []string{first + unknown + last, unknown + last + first, last + first + unknown} {
		require.Contains(t, dbtel(t, records, "summary").out, "in 2 h 00 min from 2026-03-01 10:00:00")
	}
	require.NotContains(t, dbtel(t, unknown, "summary").out, "0001")
}

// A record that lacks when it started is neither in the year 1 nor before a time.
func TestATimeThatIsUnknownIsNotShown(t *testing.T) {
	unknown := `{"event":"statement","statement_id":"u","kind":"QUERY","outcome":"completed","execute_ms":7,"total_ms":7}` + "\n"
	records := unknown + `{"event":"statement","started":"2026-03-01T11:30:00Z","statement_id":"k","kind":"QUERY","outcome":"completed","execute_ms":6,"total_ms":6}` + "\n"
	require.Contains(t, dbtel(t, records, "top").out, "\n-         7.0 ms  query  u")
	require.Contains(t, dbtel(t, records, "top").out, "\n11:30:00  6.0 ms  query  k")
	require.Contains(t, dbtel(t, unknown, "top").out, "\n-        7.0 ms  query  u")
	for _, args := range [][]string{{"top"}, {"top", "-f"}, {"top", "--json"}, {"show", "u"}, {"show", "u", "--json"}} {
		got := dbtel(t, records, args...)
		require.Equal(t, exitOK, got.code)
		require.NotRegexp(t, `0001-|01-01|00:00`, got.out, args)
	}
	require.Contains(t, dbtel(t, records, "show", "u").out, "\nquery · completed · 7.0 ms\n")
	require.Contains(t, dbtel(t, `{"event":"statement","statement_id":"u","total_ms":7}`, "show", "u").out, "\nstatement · 7.0 ms\n", "nor is the outcome known")
	require.Contains(t, dbtel(t, unknown, "top", "-f").out, "-    7.0 ms  query  u")
	for _, bound := range []string{"--since", "--until"} {
		require.Contains(t, dbtel(t, unknown+`{"event":"session_opened","latency_ms":5}`, "summary", bound, "2026-03-01").out, "No statement matches; 1 was left out.\n")
	}
}

func TestTheLimitOfAPoolIsTheHighest(t *testing.T) {
	for want, limits := range map[string][]int{`"max_open":8,`: {5, 8, 3}, `"max_open":9,`: {9, 5}, `"max_open":0,`: {5, 0, 8}} {
		var lines strings.Builder
		for _, limit := range limits {
			fmt.Fprintf(&lines, `{"event":"pool","sampled":"2026-03-01T08:00:00Z","pool":"orders","max_open":%d}`+"\n", limit)
		}
		require.Contains(t, dbtel(t, lines.String(), "summary", "--json").out, want, limits)
	}
}

func TestTheShareOfTheCacheIsThatOfAllReports(t *testing.T) {
	report := func(id, read string) string {
		return `{"event":"server_report","started":"2026-03-01T08:00:00Z","statement_id":"` + id + `","final":true` + read + "}\n"
	}
	known, none := report("a", `,"bytes_read":1000,"bytes_read_cache":500`), report("b", "")
	require.Equal(t, "No statements.\n\nQuery history of 2 statements, read 1.0 kB, 50 % of it from cache.\n", dbtel(t, known+none, "summary").out)
	require.Equal(t, "No statements.\n\nQuery history of 1 statement.\n", dbtel(t, none, "summary").out)
	impossible := report("d", `,"bytes_read":1000,"bytes_read_cache":2000`)
	require.NotContains(t, dbtel(t, impossible+known, "summary").out, "from cache")
	unknown := report("c", `,"bytes_read":1000`)
	require.NotContains(t, dbtel(t, known+unknown, "summary").out, "from cache")
	require.NotContains(t, dbtel(t, unknown+known, "summary").out, "from cache")
}

func TestAFailureIsOnTheLineOfItsStatement(t *testing.T) {
	failed := `{"event":"statement","started":"2026-03-01T08:00:00Z","outcome":"failed","error_category":"permission_error","total_ms":5,"server_ms":5}` + "\n"
	require.Contains(t, dbtel(t, failed, "top", "-f").out, "failed: permission_error")
	require.Contains(t, dbtel(t, `{"event":"statement","outcome":"canceled","total_ms":5}`, "top", "-f").out, "failed: canceled\n")
}

func TestTheTimeOfAStatementThatFailedAtOnceHasNoVerdict(t *testing.T) {
	record := func(end string) string {
		return `{"event":"statement","started":"2026-03-01T08:00:00Z","total_ms":5` + end + "}\n"
	}
	require.Contains(t, dbtel(t, record(`,"outcome":"completed"`), "show", "last").out, "100 % of 5.0 ms")
	require.NotContains(t, dbtel(t, record(`,"outcome":"failed","error_category":"permission_error"`), "show", "last").out, "100 % of 5.0 ms")
}

func TestGroupsThatAreTooManyAreCountedTogether(t *testing.T) {
	var lines strings.Builder
	for n := range maxGroups + 3 {
		fmt.Fprintf(&lines, `{"event":"statement","started":"2026-03-01T08:00:00Z","outcome":"completed","total_ms":5,"server":"s%d"}`+"\n", n)
	}
	lines.WriteString(lines.String())
	var got struct {
		Groups []struct {
			Name       string
			Statements int64
		}
	}
	require.NoError(t, json.Unmarshal([]byte(dbtel(t, lines.String(), "summary", "--by", "server", "-n", "0", "--json").out), &got))
	require.Len(t, got.Groups, maxGroups+1)
	for _, g := range got.Groups {
		want := int64(2)
		if g.Name == otherGroups {
			want = 6
		}
		require.Equal(t, want, g.Statements, g.Name)
	}
}
