package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// selected returns how many statements and sessions of the records are selected.
func selected(t *testing.T, args ...string) (statements, sessions int) {
	t.Helper()
	got := dbtel(t, "", append([]string{"summary", "--json", belonging}, args...)...)
	require.Equal(t, outcome{out: got.out}, got)
	var s struct {
		Statements int
		Sessions   struct{ Opened int }
	}
	require.NoError(t, json.Unmarshal([]byte(got.out), &s))
	return s.Statements, s.Sessions.Opened
}

func TestFlagsSelectStatements(t *testing.T) {
	for _, c := range []struct {
		args                 string
		statements, sessions int
	}{
		{"", 4, 2},
		{"--since|2026-02-28T23:00:01Z", 4, 1}, // the first ended at 23:00:01.2
		{"--since|2026-02-28T23:00:02Z", 3, 1},
		{"--until|2026-03-01T02:30:00Z", 1, 2}, // started before
		{"--since|2026-03-01T02:30:09Z|--until|2026-03-01 02:30:10 UTC", 1, 0},
		{"--outcome|failed", 2, 0},
		{"--outcome|Cancelled, closed-early", 1, 0},
		{"--category|cancelled", 1, 0},
		{"--category|canceled,execute_statement_canceled", 2, 0},
		{"--category|execute_statement_cancelled HY008", 1, 0}, // as summary --by error names it
		{"--category|nothing", 0, 0},
		{"--shape|from ORDERS", 2, 0},
		{"--shape|SELECT * FROM orders WHERE id = 7", 2, 0}, // the text that a log has
		{"--shape|SELECT * FROM or…", 2, 0},                 // as a narrow table shows it
		{"--shape|…", 4, 2},
		{"--shape|-- nothing", 0, 0},
		{"--server|ADB-2", 1, 1},
		{"--server|adb|--outcome|failed|--shape|select", 1, 0},
	} {
		args := strings.FieldsFunc(c.args, func(r rune) bool { return r == '|' })
		statements, sessions := selected(t, args...)
		require.Equal(t, []int{c.statements, c.sessions}, []int{statements, sessions}, c.args)
	}
}

// Processes that keep no text write the hash of a statement's text without literals.
func TestStatementsWithoutATextAreGroupedAndSelectedByTheHashOfIt(t *testing.T) {
	orders := telemetry.ShapeOf("SELECT * FROM orders WHERE id = ?")
	line := func(shape, more string) string {
		return fmt.Sprintf(`{"event":"statement","started":"2026-03-01T08:00:00Z","query_shape":"%s","kind":"QUERY","outcome":"completed","total_ms":5%s}`+"\n", shape, more)
	}
	// "decade" are digits, too, but not the first of the other hash
	lines := line(orders, "") + line(orders, `,"result_format":"EXTERNAL_LINKS"`) + line("00decade00112233", "") +
		line(telemetry.ShapeOf("SELECT decade"), `,"query_text":"SELECT decade"`) +
		line("453a69b4317903c4", `,"query_text":"SELECT 7"`) + line("64d3ba5cc7905eec", `,"query_text":"SELECT 7 + b5"`)
	require.Contains(t, dbtel(t, lines, "summary").out, "shape "+orders)
	require.Contains(t, dbtel(t, lines, "top").out, "shape "+orders)
	require.Contains(t, dbtel(t, lines, "show", "last", "--shape", orders).out, "shape      "+orders)
	for want, statements := range map[string]int{
		orders: 2, "shape " + orders: 2, strings.ToUpper(orders[:8]): 2, "SELECT * FROM orders -- mine\nWHERE id = 7": 2, "shape": 0,
		"decade": 1, "00decade": 1, "select DECADE": 1, telemetry.ShapeOf("SELECT decade"): 1,
		"00dec":            0,                                                             // too short for the beginning of a hash
		"453a69b4317903c4": 1, "shape 64d3ba": 1, "SELECT 8": 2, "?": 2, "7": 0, "'x'": 0, // hashes and literals are no shapes
	} {
		require.Contains(t, dbtel(t, lines, "summary", "--json", "--shape", want).out, fmt.Sprintf(`"statements":%d,`, statements), want)
	}
}

func TestEveryCommandHasTheFlags(t *testing.T) {
	require.Contains(t, dbtel(t, "", "top", "--server", "adb-2", belonging).out, "1 statement, 1 failed")
	require.Contains(t, dbtel(t, "", "show", "last", "--until", "2026-03-01", belonging).out, "01f0d2e4-7c1a-1d2e-8000-000000000002\n")
	require.Equal(t, "No statement matches; 4 were left out.\n", dbtel(t, "", "top", "--since", "1h", "--shape", "x", belonging).out)
	require.Equal(t, "No statement matches; 4 were left out.\n", dbtel(t, "", "summary", "--server", "x", belonging).out)
	require.Equal(t, "dbtel show: No statement matches; 4 were left out.\n", dbtel(t, "", "show", "slowest", "--server", "x", belonging).err)
	require.Equal(t, "No statement matches; 1 was left out.\n", dbtel(t, recordOf("id-1"), "top", "--server", "x").out)
	got := dbtel(t, recordOf("id-1")+recordOf("id-2"), "top", "-f", "--outcome", "failed")
	require.Equal(t, outcome{}, got)
}

func TestReportsAreThoseOfTheSelectedStatements(t *testing.T) {
	for args, want := range map[string]string{
		"--json": `"server":{"statements":2,`, "--json --shape events": `"server":{"statements":1,"bytes_read":2000000000,`, "--json --since 2026-03-01T08:00:15Z": `"server":{"statements":1,`,
		"--json --until 2026-03-01T08:00:15Z":  `"server":{"statements":1,`,
		"--json --shape events --server adb-1": `"server":{"statements":1,`,
	} {
		require.Contains(t, dbtel(t, "", append([]string{"summary", reports}, strings.Fields(args)...)...).out, want, args)
	}
	require.NotContains(t, dbtel(t, "", "summary", reports, "--json", "--server", "adb-2").out, `"server":{`)

	f := &filter{outcomes: []string{"failed"}}
	for i := range 2*maxRemembered + 1 {
		f.remember(fmt.Sprint(i))
	}
	require.Equal(t, []bool{false, true, true}, []bool{f.selected.has("0"), f.selected.has(fmt.Sprint(maxRemembered)), f.selected.has(fmt.Sprint(2 * maxRemembered))})
}

// A pool has no server, and a report without an id is on no statement that has none.
func TestWhatBelongsToNoStatementIsNotCounted(t *testing.T) {
	records := `{"event":"statement","started":"2026-03-01T08:00:00Z","server":"adb-1:443","outcome":"failed","total_ms":5}` + "\n" +
		`{"event":"server_report","bytes_read":7}` + "\n" + `{"event":"pool","sampled":"2026-03-01T08:00:02Z","pool":"orders","in_use":4}` + "\n"
	require.Contains(t, dbtel(t, records, "summary", "--json").out, `"pools":[`)
	require.NotContains(t, dbtel(t, records, "summary", "--json").out, `"server":`)
	for _, args := range [][]string{{"--server", "adb-1"}, {"--outcome", "failed"}} {
		got := dbtel(t, records, append([]string{"summary", "--json"}, args...)...).out
		require.Contains(t, got, `"statements":1,"failed":1`)
		require.NotContains(t, got, `"server":`, args)
		require.NotContains(t, got, `"pools":`, args)
	}
}

// The statement that is found may change after the report of the one before has come.
func TestAReportIsShownWithItsOwnStatement(t *testing.T) {
	records, err := os.ReadFile(reports)
	require.NoError(t, err)
	lines := strings.SplitAfter(string(records), "\n")
	require.NotContains(t, dbtel(t, lines[0]+lines[2]+lines[1], "show", "slowest").out, "query history")
	require.Contains(t, dbtel(t, lines[0]+lines[2]+lines[1], "top").out, "99 % server (11 s wait")
	require.NotContains(t, dbtel(t, lines[0]+lines[2]+lines[1], "top", "-n", "1").out, "11 s wait")
}

func TestUntilATimeOfDayIsTheFirstBehindSince(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // it is midnight
		f := &filter{}
		f.text.since, f.text.until = "22:00", "01:00"
		now := time.Now().In(time.UTC)
		require.NoError(t, f.parse(now))
		require.Equal(t, now.Add(-2*time.Hour), f.since)
		require.Equal(t, now.Add(time.Hour), f.until)
	})
}

func TestFlagsThatSelectNothingAreErrors(t *testing.T) {
	for want, args := range map[string][]string{
		`--since takes a time such as 15:04, 2026-03-01 or 2026-03-01T15:04:05Z, or how long ago, such as 90s, 15m, 2h or 3d, not "noon"`: {"--since", "noon"},
		`--outcome takes completed, closed_early, failed, canceled, abandoned, not "broken"`:                                              {"--outcome", "failed,broken"},
		`--outcome takes completed, closed_early, failed, canceled, abandoned, not ","`:                                                   {"--outcome", ","},
		`--category takes error categories, as summary --by error shows them, not ", "`:                                                   {"--category", ", "},
		`--since 5m is not before --until 15m`:                                                                                            {"--since", "5m", "--until", "15m"},
		`--since 2026-03-02 is not before --until 2026-03-01`:                                                                             {"--since", "2026-03-02", "--until", "2026-03-01"},
	} {
		require.Equal(t, outcome{code: exitUsage, err: "dbtel top: " + want + "; dbtel help top says more\n"}, dbtel(t, "", append([]string{"top"}, args...)...))
	}
}

// The groups of summary --by error are values of --category, that of the statements without an error, too.
func TestEveryGroupByErrorIsACategory(t *testing.T) {
	type counts struct {
		Statements int
		Groups     []struct {
			Name       string
			Statements int
		}
	}
	read := func(args ...string) (c counts) {
		require.NoError(t, json.Unmarshal([]byte(dbtel(t, "", append([]string{"summary", "--json", sample}, args...)...).out), &c))
		return c
	}
	groups := read("--by", "error").Groups
	require.Len(t, groups, 5)
	for _, g := range groups {
		require.Equal(t, g.Statements, read("--category", g.Name).Statements, g.Name)
	}
}

func TestASummaryReachesTheLastYearOfJSON(t *testing.T) {
	line := `{"event":"statement","started":"9999-12-31T23:59:59Z","kind":"QUERY","outcome":"completed","total_ms":5000}` + "\n"
	require.Contains(t, dbtel(t, line, "summary", "--json").out, `"statements":1,`)
	require.Contains(t, dbtel(t, line, "summary").out, "1 statement.\n", "it ended in a year that has no name")
}
