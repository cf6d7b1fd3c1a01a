package views

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/integration/workspace"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry/debugpage"
)

// page returns a page as JSON, and reads it as HTML, too.
func (l *ledger) page(path string) (page fields) {
	html := httptest.NewRecorder()
	debugpage.Handler().ServeHTTP(html, httptest.NewRequest(http.MethodGet, "http://localhost/"+path, nil))
	require.Equal(l.t, http.StatusOK, html.Code, path)
	require.NotContains(l.t, html.Body.String(), "NaN", path)
	l.isGrammatical(tags.ReplaceAllString(html.Body.String(), " | "))
	return l.json(path)
}

func (l *ledger) json(path string) (page fields) {
	w := httptest.NewRecorder()
	separator := "?"
	if strings.Contains(path, "?") {
		separator = "&"
	}
	debugpage.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "http://localhost/"+path+separator+"format=json", nil))
	require.Equal(l.t, http.StatusOK, w.Code, "%s %v", path, telemetry.ReadStats().Contained)
	require.NoError(l.t, json.Unmarshal(w.Body.Bytes(), &page), path)
	return page
}

var (
	tags   = regexp.MustCompile("<[^>]*>")
	plural = regexp.MustCompile(`(?:^|[^0-9.,:] |[("])1 (?:more )?(?:are|were|have|statements|connections|files|calls|attempts|requests|results|records|events|rows|sessions|connectors|responses|messages|retries|pages|groups|times)\b|\ball 1 [a-z]`)
)

// isGrammatical checks that a text speaks of one as of one.
func (l *ledger) isGrammatical(text string) {
	l.t.Helper()
	if at := plural.FindStringIndex(text); at != nil {
		require.Fail(l.t, "plural of one", text[max(0, at[0]-100):min(len(text), at[1]+100)])
	}
}

// since is when the page's period of that length began, which ends now: at a multiple of 10 s, or at a whole minute.
func since(length time.Duration) time.Time {
	from := time.Now().Truncate(10 * time.Second).Add(10*time.Second - length)
	if length > 5*time.Minute {
		from = from.Add(time.Minute - 1).Truncate(time.Minute)
	}
	return from
}

// ended is when what a record is about ended.
func (f fields) ended(t *testing.T) time.Time {
	if !f.has("started") {
		return time.Time{}
	}
	return f.started(t).Add(time.Duration(math.Round((f.number("total_ms")+f.number("open_ms"))*1000)) * time.Microsecond)
}

// compareRates compares the counts of the latest periods, and the sentences on them.
func (l *ledger) compareRates(o fields, running int) {
	t := l.t
	l.records = decode(t, l.lines.String())
	within := func(event string, length time.Duration) []fields {
		return slices.DeleteFunc(l.of(event), func(f fields) bool { return f.ended(t).Before(since(length)) })
	}
	lengths := []time.Duration{time.Minute, 5 * time.Minute, time.Hour}
	for _, length := range lengths { // the page counts a record when it comes, which may be after the end
		if slices.ContainsFunc(l.records, func(f fields) bool {
			lead := since(length).Sub(f.ended(t))
			return f.has("started") && lead > 0 && lead < 2*time.Second
		}) {
			return
		}
	}
	for i, length := range lengths {
		all, opened, r := within("statement", length), within("session_opened", length), o.list("rates")[i]
		require.Equal(t, len(all), r.whole("statements"))
		require.Equal(t, count(all, fields.failed), r.whole("failed"))
		require.Equal(t, count(opened, fields.failed), r.whole("connections_refused"))
		require.Equal(t, len(opened)-count(opened, fields.failed), r.whole("connections_opened"))
		if len(all) > 0 {
			l.isQuantile(.5, r.number("p50_ms"), 0.0906, all)
			l.isQuantile(.9, r.number("p90_ms"), 0.0906, all)
			l.isQuantile(.99, r.number("p99_ms"), 0.0906, all)
		}
	}
	minutes := within("statement", 5*time.Minute)
	minutesOf := func(is func(fields) bool) int { return count(minutes, is) }
	failed := minutesOf(fields.failed)
	says := fmt.Sprintf("Last 5 min: %d statements, %d failed, ", len(minutes), failed)
	switch len(minutes) {
	case 0:
		says = "Last 5 min: no statement ended."
	case 1:
		says = fmt.Sprintf("Last 5 min: 1 statement, %d failed, ", failed)
	}
	require.True(t, strings.HasPrefix(o.text("summary"), says), "%s: %s", says, o.text("summary"))
	canceled := minutesOf(func(f fields) bool { return f.text("outcome") == "canceled" && f["internal"] != true })
	own := minutesOf(func(f fields) bool { return f["internal"] != true })
	opened := within("session_opened", 5*time.Minute)
	for _, f := range o.list("findings") {
		l.isGrammatical(f.text("text"))
		var n, of int
		if _, err := fmt.Sscanf(f.text("text"), "%d of %d statements of the last 5 min were canceled", &n, &of); err == nil && strings.Contains(f.text("text"), "canceled") {
			require.Equal(t, []int{canceled, own}, []int{n, of}, f.text("text"))
		}
		if _, err := fmt.Sscanf(f.text("text"), "%d of %d connections could not", &n, &of); err == nil && strings.Contains(f.text("text"), "could not") {
			require.Equal(t, []int{count(opened, fields.failed), len(opened)}, []int{n, of}, f.text("text"))
		}
		if _, err := fmt.Sscanf(f.text("text"), "%d of %d connections of the last", &n, &of); err == nil && strings.Contains(f.text("text"), "to open") {
			slow := count(opened, func(f fields) bool { return !f.failed() && f.number("open_ms") >= 1000 })
			require.Equal(t, []int{slow, len(opened) - count(opened, fields.failed)}, []int{n, of}, f.text("text"))
		}
		if _, err := fmt.Sscanf(f.text("text"), "%d requests of statements", &n); err == nil {
			require.InDelta(t, sumOf(minutes, "rpc_retries")+sumOf(minutes, "file_retries"), n, 0, f.text("text"))
		}
	}
	var n int
	if _, err := fmt.Sscanf(o.text("headline"), "%d statement", &n); err == nil && strings.Contains(o.text("headline"), "finished in the last 5 min") {
		require.Equal(t, len(minutes), n, o.text("headline"))
		require.Equal(t, failed == 0, strings.Contains(o.text("headline"), "none failed"), o.text("headline"))
	}
	if running > 0 && o.text("severity") == "healthy" {
		is := fmt.Sprintf("; %d are running.", running)
		if running == 1 {
			is = "; 1 is running."
		}
		require.True(t, strings.HasSuffix(o.text("headline"), is), o.text("headline"))
	}
	for period, length := range map[string]time.Duration{"5m": 5 * time.Minute, "1h": time.Hour} {
		recent := count(l.of("statement"), func(f fields) bool { return time.Since(f.ended(t)) <= length })
		require.Equal(t, recent+running, l.page("statements?window="+period).whole("found"))
		require.InDelta(t, len(within("statement", length)), sumOf(l.page("shapes?window="+period).list("shapes"), "statements"), 0)
		require.InDelta(t, count(within("statement", length), fields.failed)+count(within("session_opened", length), fields.failed), sumOf(l.page("errors?window="+period).list("errors"), "count"), 0)
	}
}

// compareRunning compares the pages with the statements that are held open.
func (l *ledger) compareRunning(held []*step) {
	t := l.t
	o := l.page("?window=all")
	require.Equal(t, len(held), o.whole("running"))
	l.compareRates(o, len(held))
	list := l.page("statements?outcome=running")
	require.Equal(t, len(held), list.whole("found"))
	require.Equal(t, len(held), list.whole("running"))
	var totals, want []float64
	for _, r := range list.list("statements") {
		require.Equal(t, "running", r.text("outcome"))
		totals = append(totals, r.number("total_ms"))
	}
	for _, s := range held {
		want = append(want, float64(time.Since(s.began))/1e6)
	}
	slices.Sort(totals)
	slices.Sort(want)
	for i := range totals {
		require.LessOrEqual(t, totals[i], want[i]+0.001)
	}
	running := 0.0
	for _, s := range l.page("shapes?window=all").list("shapes") {
		running += s.number("running")
	}
	require.InDelta(t, len(held), running, 0)
	sessions, atWork, open, pools := 0.0, 0.0, 0, map[string]*pool{}
	for _, c := range o.list("connectors") {
		sessions += c.number("sessions")
		atWork += c.number("running")
	}
	for _, p := range l.pools {
		open += p.db.Stats().OpenConnections
		if p.unnamed != nil {
			pools[p.name] = p
		}
	}
	require.InDelta(t, len(held), atWork, 0)
	require.InDelta(t, open, sessions, 0)
	require.Len(t, o.list("pools"), len(pools))
	for _, v := range o.list("pools") {
		stats := pools[v.text("name")].db.Stats()
		require.Equal(t, []float64{float64(stats.OpenConnections), float64(stats.InUse), float64(stats.Idle), float64(stats.MaxOpenConnections), float64(stats.WaitCount)},
			[]float64{v.number("open"), v.number("in_use"), v.number("idle"), v.number("max_open"), v.number("waits")})
		require.InDelta(t, float64(stats.WaitDuration)/1e6, v.number("waited_ms"), 0.001)
	}
}

// rowFields are the fields that NDJSON and the rows of the page have in common.
var rowFields = []string{"statement_id", "kind", "outcome", "error_category", "query_text", "query_shape", "total_ms", "rows_read", "rows_affected", "result_format", "server", "internal", "verdict"}

// comparePages compares every page with the records, after the program has ended.
func (l *ledger) comparePages() {
	t := l.t
	all := l.of("statement")
	reports := map[string]fields{}
	for _, f := range l.of("server_report") {
		reports[f.text("statement_id")] = f
	}
	list := l.page("statements?all=1")
	require.Equal(t, len(all), list.whole("found"))
	require.Equal(t, len(all), list.whole("kept"))
	require.Len(t, list.list("statements"), len(all))
	var rows, want []string
	row := func(f fields, bytes float64, known bool) string {
		some := f.pick(rowFields...)
		if _, reported := reports[f.text("statement_id")]; reported {
			delete(some, "verdict") // the page's may name a cause
		}
		some["bytes"] = nil
		if known {
			some["bytes"] = bytes
		}
		text, err := json.Marshal(some)
		require.NoError(t, err)
		return string(text)
	}
	for _, r := range list.list("statements") {
		rows = append(rows, row(r, r.number("bytes"), r.has("bytes")))
	}
	for _, f := range all {
		_, known := f["bytes_in"]
		want = append(want, row(f, f.received(), known))
	}
	slices.Sort(rows)
	slices.Sort(want)
	require.Equal(t, want, rows)

	// Filters.
	check := func(query string, is func(fields) bool) {
		t.Helper()
		got := l.json("statements?" + query)
		require.Equal(t, count(all, is), got.whole("found"), query)
		require.Len(t, got.list("statements"), min(100, count(all, is)), query)
	}
	for _, outcome := range []string{"completed", "closed_early", "failed", "canceled", "abandoned"} {
		check("outcome="+outcome, func(f fields) bool { return f.text("outcome") == outcome })
	}
	check("outcome=problem", fields.failed)
	for _, key := range []struct{ parameter, field string }{{"kind", "kind"}, {"result", "result_format"}, {"category", "error_category"}, {"shape", "query_shape"}} {
		for value := range groups(all, func(f fields) string { return f.text(key.field) }) {
			if value != "" && (key.field != "query_shape" || l.often(10)) {
				check(key.parameter+"="+url.QueryEscape(value), func(f fields) bool {
					return f.text(key.field) == value && (key.parameter != "shape" || f["internal"] != true)
				})
			}
		}
	}
	check("category=canceled", func(f fields) bool { return f.text("error_category") == "cancelled" })
	for bound := range groups(all, fields.bound) {
		if bound != "" {
			check("bound="+url.QueryEscape(bound), func(f fields) bool { return f.bound() == bound })
		}
	}
	for _, ms := range []float64{1, 20, 700, 5000} {
		check(fmt.Sprintf("min=%vms", ms), func(f fields) bool { return f.number("total_ms") >= ms })
	}
	for _, key := range []string{"session_id", "warehouse_id", "correlation_id", "server"} {
		f := all[l.random.IntN(len(all))]
		if text := f.text(key); text != "" && key != "correlation_id" {
			check("q="+url.QueryEscape(text), func(f fields) bool { return f.text(key) == text })
		} else if text != "" {
			check("q="+url.QueryEscape(text), func(f fields) bool { return strings.Contains(f.text(key), text) })
		}
	}

	// Statements.
	l.shown = map[string]fields{}
	for _, f := range all {
		id := f.text("statement_id")
		if id == "" {
			continue
		}
		p := l.json("statement?id=" + id)
		if l.often(8) {
			l.page("statement?id=" + id)
		}
		l.shown[id] = p
		got := fields{}
		for _, x := range p.list("fields") {
			got[x.text("name")] = x["value"]
		}
		require.Equal(t, scalars(f), got)
		sum := 0.0
		for _, part := range p.object("split").list("parts") {
			sum += part.number("time_ms")
			require.InDelta(t, f.number("time_"+part.text("name")+"_ms"), part.number("time_ms"), 1e-9)
		}
		require.InDelta(t, f.number("total_ms"), sum, 0.006)
		r := p.object("server_report")
		require.Equal(t, reports[id] != nil, r != nil)
		if r != nil {
			got := fields{}
			for _, x := range r.list("fields") {
				got[x.text("name")] = x["value"]
			}
			require.Equal(t, scalars(reports[id]), got)
		}
	}

	// Shapes and errors.
	shapes := groups(all, fields.shape)
	page := l.page("shapes?window=all").list("shapes")
	require.Len(t, page, min(64, len(shapes)))
	for _, s := range page {
		of := shapes[s.text("id")]
		require.NotEmpty(t, of, s.text("id"))
		rows := 0.0
		for _, f := range of {
			rows += rowsOf(f)
		}
		require.Equal(t, len(of), s.whole("statements"))
		require.Equal(t, count(of, fields.failed), s.whole("failed"))
		require.Equal(t, count(of, func(f fields) bool { return f.text("outcome") == "canceled" }), s.whole("canceled"))
		require.InDelta(t, rows, s.number("rows"), 0)
		require.InDelta(t, sumOf(of, "total_ms"), s.number("time_ms"), 0.001*float64(len(of)))
		require.InDelta(t, most(of, "total_ms"), s.number("slowest_ms"), 0)
		l.isQuantile(.5, s.number("p50_ms"), 0.0906, of)
		l.isQuantile(.95, s.number("p95_ms"), 0.0906, of)
	}
	failed := slices.DeleteFunc(slices.Concat(all, l.of("session_opened")), func(f fields) bool { return !f.failed() })
	errorOf := func(f fields) string {
		message := []rune(f.text("error_message"))
		return fmt.Sprint(f.text("event") == "statement" || f.text("of") == "statement", f.text("error_category"), f.text("sqlstate"), strings.TrimSuffix(string(message[:min(len(message), 300)]), "…")) // as much as is kept
	}
	kinds := groups(failed, errorOf)
	errors := l.page("errors?window=all").list("errors")
	for _, e := range errors {
		e["error_message"] = strings.TrimSuffix(e.text("error_message"), "…")
	}
	require.Len(t, errors, min(64, len(kinds)))
	for _, e := range errors {
		require.Equal(t, len(kinds[errorOf(e)]), e.whole("count"), "%v", e)
	}

	// The overview.
	o := l.page("?window=all")
	require.InDelta(t, sumOf(all, "total_ms"), o.object("split").number("total_ms"), 0.001*float64(len(all)))
	require.InDelta(t, len(all), sumOf(o.object("latency").list("buckets"), "count"), 0)
	require.Zero(t, o.number("running"))
	l.compareRates(o, 0)
	require.Len(t, o.list("refused_connections"), min(4, l.denied))
	slowest := o.list("slowest")
	require.InDelta(t, most(all, "total_ms"), slowest[0].number("total_ms"), 0)
	for _, f := range o.list("findings") {
		if link := f.text("link"); strings.HasPrefix(link, "statements") {
			require.NotZero(t, l.page(link).number("found"), "%v", f)
		}
	}
	l.compareTelemetry()
}

// compareTelemetry compares what the library says about itself.
func (l *ledger) compareTelemetry() {
	t := l.t
	p := l.page("telemetry")
	h := p.object("query_history")
	dropped := 0.0
	for _, n := range h.object("dropped") {
		dropped += n.(float64)
	}
	asked, unavailable := 0, 0
	for _, s := range l.servers {
		asked += s.Count(workspace.Endpoint("/api/2.0/sql/history/queries"))
	}
	for _, p := range l.pools {
		if p.wrapped && p.history {
			unavailable++
		}
	}
	require.Equal(t, len(l.of("server_report")), h.whole("reported"))
	require.InDelta(t, h.number("statements"), h.number("reported")+h.number("waiting")+dropped, 0)
	require.Equal(t, asked, h.whole("requests"))
	require.Equal(t, unavailable, h.whole("unavailable"))
	records := count(l.records, func(f fields) bool { return f.text("event") != "pool" })
	require.Len(t, p.object("itself").list("sinks"), 4)
	for _, s := range p.object("itself").list("sinks") {
		require.Equal(t, records, s.whole("delivered"), "%v", s)
		require.Zero(t, s.number("dropped"))
	}
	require.Empty(t, p.object("itself").list("contained"))
	w := p.object("itself").object("wire")
	require.Equal(t, []float64{0, 0, 0}, []float64{w.number("undecoded"), w.number("evicted"), w.number("panics")})
	require.GreaterOrEqual(t, w.number("files"), sumOf(l.of("statement"), "files_downloaded"))
	require.LessOrEqual(t, w.number("files"), sumOf(l.of("statement"), "files"))
	r := p.object("reporting")
	dropped = 0
	for _, n := range r.object("dropped") {
		dropped += n.(float64)
	}
	require.InDelta(t, r.number("recorded"), r.number("sent")+r.number("pending")+dropped, 0)
	events := 0
	for _, s := range l.servers {
		events += len(s.Telemetry())
		require.Empty(t, s.TelemetryErrors())
	}
	require.Equal(t, events, r.whole("sent"))
	require.Len(t, p.list("documents"), min(100, events))
	require.Empty(t, p.list("connectors"))
}

// scalars are the fields of a record that are not lists and not the event.
func scalars(f fields) fields {
	some := maps.Clone(f)
	for _, key := range []string{"event", "verdict", "rpcs_by_method", "calls", "file_list"} {
		delete(some, key)
	}
	return some
}
