package views

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// compareLog compares the log with the records, message by message, and the brief one by counts.
func (l *ledger) compareLog() {
	t := l.t
	l.records = decode(t, l.lines.String())
	logged := decode(t, l.full.String())
	records := slices.DeleteFunc(slices.Clone(l.records), func(f fields) bool { return f.text("event") == "pool" })
	require.Len(t, logged, len(records))
	named := func(f fields) string { // records of the same moment may come in another order
		return fmt.Sprint(f.text("started"), f.text("statement_id"), f.text("session_id"), f.object("attributes"), f.has("outcome"), f.has("lifetime_ms"), f.has("status"))
	}
	unmatched := groups(logged, named)
	slow := float64(l.slow) / 1e6
	want, got := map[string]int{}, map[string]int{}
	key := func(level, message string, f fields) string {
		if level == "INFO" {
			return message
		}
		shape := f.text("query_shape")
		if f.has("query_text") {
			shape = telemetry.ShapeOf(f.text("query_text"))
		}
		return fmt.Sprint(level, message, f.text("server"), f.text("error_category"), f.text("sqlstate"), f.text("status"), shape)
	}
	for _, f := range records {
		require.NotEmpty(t, unmatched[named(f)], "%v", f)
		line := unmatched[named(f)][0]
		unmatched[named(f)] = unmatched[named(f)][1:]
		level, message, verdict := "INFO", "databricks statement", ""
		switch f.text("event") {
		case "statement":
			switch {
			case f.failed():
				level, message = "WARN", "databricks statement failed"
				if f.number("total_ms") >= slow || f.bound() == "retry-bound" {
					verdict = f.text("verdict")
				}
			case f.number("total_ms") >= slow:
				level, message, verdict = "WARN", "databricks statement was slow", f.text("verdict")
			case f["internal"] == true:
				level = "DEBUG"
			}
		case "session_opened":
			message = "databricks session opened"
			if f.failed() {
				level, message = "ERROR", "databricks session could not be opened"
			}
		case "session_closed":
			message = "databricks session closed"
		case "server_report":
			message = "databricks server report"
			if f.text("status") == "FAILED" || f.number("server_total_ms") >= slow {
				level = "WARN"
			}
			verdict = line.text("verdict") // NDJSON has none
		}
		what := fmt.Sprintf("%v\n%v", f, line)
		require.Equal(t, message, line.text("msg"), what)
		require.Equal(t, level, line.text("level"), what)
		require.Equal(t, verdict, line.text("verdict"), what)
		expected := scalars(f)
		for _, own := range []string{"time", "level", "msg", "verdict"} {
			delete(line, own)
		}
		require.Equal(t, expected, line, what)
		if level != "DEBUG" {
			want[key(level, message, f)]++
		}
	}
	for _, f := range decode(t, l.brief.String()) {
		n := 1
		if f.has("repeated") {
			n = int(f.number("repeated"))
		}
		require.LessOrEqual(t, len(f), 3+12)
		l.isGrammatical(f.text("verdict"))
		got[key(f.text("level"), f.text("msg"), f)] += n
	}
	require.Equal(t, want, got)
}

// dbtel runs the command on the records.
func (l *ledger) dbtel(args ...string) string {
	out, err := exec.CommandContext(l.t.Context(), os.Getenv("PROGRAM_DBTEL"), append(args, filepath.Join(l.dir, "app.ndjson"))...).CombinedOutput()
	require.NoError(l.t, err, "%v: %s", args, out)
	return string(out)
}

// compareCommands compares what dbtel prints with the records.
func (l *ledger) compareCommands() {
	t := l.t
	require.NoError(t, os.WriteFile(filepath.Join(l.dir, "app.ndjson"), []byte(l.lines.String()), 0o600))
	all := l.of("statement")
	errorOf := func(f fields) string {
		if !f.failed() {
			return "none"
		}
		return strings.TrimSpace(f.text("error_category") + " " + f.text("sqlstate"))
	}
	for by, of := range map[string]func(fields) string{
		"kind": func(f fields) string { return strings.TrimSpace(f.text("kind") + " " + f.text("volume_operation")) }, "error": errorOf,
		"format": func(f fields) string { return cmp.Or(f.text("result_format"), "none") },
		"server": func(f fields) string { return cmp.Or(f.text("server"), "unknown") }, "verdict": func(f fields) string { return cmp.Or(f.bound(), "none") },
		"shape": nil,
	} {
		var s fields
		require.NoError(t, json.Unmarshal([]byte(l.dbtel("summary", "--json", "-n", "0", "--by", by)), &s))
		require.Equal(t, len(all), s.whole("statements"))
		require.Equal(t, count(all, fields.failed), s.whole("failed"))
		require.Equal(t, len(l.of("session_opened")), s.object("sessions").whole("opened"))
		require.Equal(t, l.denied, s.object("sessions").whole("failed"))
		require.InDelta(t, l.denied, sumOf(s.object("sessions").list("failures"), "sessions"), 0)
		require.Equal(t, len(l.of("server_report")), s.object("server").whole("statements"))
		require.InDelta(t, sumOf(l.of("server_report"), "bytes_read"), s.object("server").number("bytes_read"), 0)
		pools := groups(l.of("pool"), func(f fields) string { return f.text("pool") })
		require.Len(t, s.list("pools"), len(pools))
		for _, p := range s.list("pools") {
			of := pools[p.text("name")]
			require.Equal(t, len(of), p.whole("samples"))
			require.InDelta(t, sumOf(of, "waits"), p.number("waits"), 0)
			require.InDelta(t, most(of, "in_use"), p.number("in_use"), 0)
			require.InDelta(t, sumOf(of, "waited_ms"), p.number("waited_ms"), 0.001*float64(len(of)))
		}
		require.InDelta(t, len(all), sumOf(s.list("groups"), "statements"), 0)
		require.InDelta(t, count(all, fields.failed), sumOf(s.list("groups"), "failed"), 0)
		l.isGrammatical(l.dbtel("summary", "--by", by))
		if of == nil {
			continue
		}
		by := groups(all, of)
		require.Len(t, s.list("groups"), len(by))
		for _, g := range s.list("groups") {
			of := by[g.text("name")]
			require.Equal(t, len(of), g.whole("statements"), g.text("name"))
			require.Equal(t, count(of, fields.failed), g.whole("failed"))
			require.InDelta(t, sumOf(of, "rows_read"), g.number("rows"), 0)
			bytes := 0.0
			for _, f := range of {
				bytes += f.received()
			}
			require.InDelta(t, bytes, g.number("bytes"), 0)
			require.InDelta(t, most(of, "total_ms"), g.number("max_ms"), 0)
			require.InDelta(t, sumOf(of, "total_ms"), g.number("total_ms"), 0.001*float64(len(of)))
			l.isQuantile(.5, g.number("p50_ms"), 0.0101, of)
			l.isQuantile(.95, g.number("p95_ms"), 0.0101, of)
		}
	}
	top := func(want []fields, flags ...string) {
		t.Helper()
		slices.SortStableFunc(want, func(a, b fields) int { return cmp.Compare(b.number("total_ms"), a.number("total_ms")) })
		got := decode(t, l.dbtel(append([]string{"top", "--json", "-n", "10000"}, flags...)...))
		require.Len(t, got, len(want), "%v", flags)
		for i := range got {
			require.Equal(t, want[i], got[i])
		}
		if len(want) > 0 {
			text := l.dbtel(append([]string{"top", "-n", "10000"}, flags...)...)
			head := fmt.Sprintf("%d statements", len(want))
			if len(want) == 1 {
				head = "1 statement"
			}
			if n := count(want, fields.failed); n > 0 {
				head += fmt.Sprintf(", %d failed", n)
			}
			require.True(t, strings.HasPrefix(text, head+" · p50 "), "%v: %s", flags, text)
			require.Equal(t, len(want)+3, strings.Count(text, "\n"), "%v: %s", flags, text)
		}
	}
	some := func(is func(fields) bool) (found []fields) {
		for _, f := range all {
			if is(f) {
				found = append(found, f)
			}
		}
		return found
	}
	top(some(func(fields) bool { return true }))
	for _, outcome := range []string{"completed", "closed_early", "failed", "canceled", "abandoned"} {
		top(some(func(f fields) bool { return f.text("outcome") == outcome }), "--outcome", outcome)
	}
	for category := range groups(all, errorOf) {
		top(some(func(f fields) bool { return errorOf(f) == category || strings.HasPrefix(errorOf(f), category+" ") }), "--category", category)
	}
	for _, s := range l.servers {
		top(some(func(f fields) bool { return strings.Contains(f.text("server"), s.name) }), "--server", s.name)
	}
	asked := 0
	for id, p := range l.shown {
		if asked++; asked > 5 && (p.object("server_report") == nil || asked > 15) {
			continue
		}
		var got fields
		require.NoError(t, json.Unmarshal([]byte(l.dbtel("show", "--json", id)), &got))
		require.Equal(t, p.text("verdict"), got.object("verdict").text("sentence"))
		require.Equal(t, p.text("bound"), got.object("verdict").text("bound"))
		require.Equal(t, p.text("advice"), got.object("verdict").text("advice"))
		require.Equal(t, p.object("server_report") == nil, got.object("report") == nil)
		causes := got.list("causes")
		require.Len(t, p.object("server_report").list("causes"), len(causes))
		for i, c := range p.object("server_report").list("causes") {
			require.Equal(t, c.text("sentence"), causes[i].text("sentence"))
			require.Equal(t, c.text("advice"), causes[i].text("advice"))
		}
		l.isGrammatical(l.dbtel("show", id))
	}
	for range 3 {
		f := all[l.random.IntN(len(all))]
		if id := f.text("statement_id"); id != "" {
			var got fields
			require.NoError(t, json.Unmarshal([]byte(l.dbtel("show", "--json", id)), &got))
			require.Equal(t, f, got.object("statement"))
			l.dbtel("show", id)
		}
		if shape := f.text("query_shape"); shape != "" {
			top(some(func(f fields) bool { return f.text("query_shape") == shape }), "--shape", shape)
		}
		since := f.text("started")
		at := f.started(t)
		top(some(func(f fields) bool {
			return !f.started(t).Add(time.Duration(math.Round(f.number("total_ms")*1000)) * time.Microsecond).Before(at)
		}), "--since", since)
		top(some(func(f fields) bool { return f.started(t).Before(at) }), "--until", since)
	}
}
