package views

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
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

// fields are those of a line, or of an object on a page.
type fields map[string]any

func (f fields) text(key string) string { s, _ := f[key].(string); return s }

func (f fields) number(key string) float64 { n, _ := f[key].(float64); return n }

// whole is a number without a fraction.
func (f fields) whole(key string) int { return int(f.number(key)) }

func (f fields) has(key string) bool { return f[key] != nil }

func (f fields) list(key string) (all []fields) {
	list, _ := f[key].([]any)
	for _, e := range list {
		all = append(all, e.(map[string]any))
	}
	return all
}

func (f fields) object(key string) fields { o, _ := f[key].(map[string]any); return o }

func (f fields) failed() bool { return f.has("error_category") }

func (f fields) started(t *testing.T) time.Time {
	at, err := time.Parse(time.RFC3339Nano, f.text("started"))
	require.NoError(t, err)
	return at
}

// bound is the name at the beginning of a verdict.
func (f fields) bound() string {
	bound, _, _ := strings.Cut(f.text("verdict"), ": ")
	return bound
}

// shape is the group of a statement by shape.
func (f fields) shape() string {
	switch {
	case f["internal"] == true:
		return "ping"
	case f.has("query_shape"):
		return f.text("query_shape")
	}
	return strings.Join(strings.Fields(f.text("kind")+" "+f.text("volume_operation")+" "+f.text("result_format")), " ")
}

// received are the bytes of answers and files, unknown where nothing is known of the wire.
func (f fields) received() (n float64) {
	for _, r := range f.list("rpcs_by_method") {
		n += r.number("bytes_in")
	}
	return n + f.number("file_bytes_received")
}

// pick returns the fields that have one of the names.
func (f fields) pick(names ...string) fields {
	some := fields{}
	for _, n := range names {
		if f.has(n) {
			some[n] = f[n]
		}
	}
	return some
}

func decode(t *testing.T, lines string) (all []fields) {
	for line := range strings.Lines(lines) {
		var f fields
		require.NoError(t, json.Unmarshal([]byte(line), &f), line)
		all = append(all, f)
	}
	return all
}

func (l *ledger) of(event string) (all []fields) {
	for _, f := range l.records {
		if f.text("event") == event {
			all = append(all, f)
		}
	}
	return all
}

func count(all []fields, is func(fields) bool) (n int) {
	for _, f := range all {
		if is(f) {
			n++
		}
	}
	return n
}

// facts are the workspaces' facts of each step; a step that did not reach its workspace has none. If the server had
// ended a session, database/sql has run the statement again.
func (l *ledger) facts() map[int]workspace.StatementFacts {
	all := map[int]workspace.StatementFacts{}
	for _, s := range l.servers {
		for _, f := range s.Statements() {
			var n int
			if _, err := fmt.Sscanf(f.SQL, "/* step %d.", &n); err == nil {
				require.Empty(l.t, all[n].ID, "ran twice")
				all[n] = f
			}
		}
	}
	return all
}

// categories are those of the SQLSTATEs of programs.
var categories = map[string]string{"42601": "syntax_error", "42P01": "not_found"}

// category is that of a step's failure; empty if the step does not decide it.
func (s *step) category(f workspace.StatementFacts) string {
	switch {
	case s.Do == "deadline":
		return "timeout"
	case s.Outcome == "canceled":
		return "cancelled"
	case f.SQLState != "":
		return cmp.Or(categories[f.SQLState], f.SQLState)
	case s.pool.wrapped:
		return ""
	case s.Do == "unreadable" && s.pool.on.files:
		return "chunk_download_error"
	case s.Do == "unreadable":
		return "not_found"
	}
	return "execute_statement_failed" // a file is missing, here or there
}

// compareRecords compares NDJSON with the ledger.
func (l *ledger) compareRecords() {
	t := l.t
	facts := l.facts()
	by := map[int][]fields{}
	for _, f := range l.of("statement") {
		n := int(f.object("attributes").number("step"))
		by[n] = append(by[n], f)
	}
	for _, s := range l.steps {
		if !s.Called() {
			require.NotContains(t, by, s.Number, "%s", s.Do)
			continue
		}
		by[s.Number] = slices.DeleteFunc(by[s.Number], func(f fields) bool { return f.text("error_category") == "session_closed" && !f.has("statement_id") })
		require.Len(t, by[s.Number], 1, "step %d %s %v", s.Number, s.Do, by[s.Number])
		f, seen := by[s.Number][0], facts[s.Number]
		what := fmt.Sprintf("step %d %s: %v\n%v", s.Number, s.Do, s.Err, f)
		kind := s.Kind
		if s.pool.wrapped && kind == "VOLUME" {
			kind = "UPDATE" // the wire says what it is
		}
		require.Equal(t, kind, f.text("kind"), what)
		if s.pool.wrapped && s.Do == "row" && f.text("outcome") == "closed_early" {
			s.Outcome = "closed_early" // it is not known that there are no more rows
		}
		require.Equal(t, s.Outcome, f.text("outcome"), what)
		require.Equal(t, s.Outcome == "failed" || s.Outcome == "canceled", f.failed(), what)
		if c := s.category(seen); f.failed() && c != "" && (!s.pool.wrapped || f.has("sqlstate") || s.Outcome == "canceled") {
			require.Equal(t, c, f.text("error_category"), what)
		}
		require.Equal(t, s.Ping, f["internal"] == true, what)
		require.Equal(t, s.Prepared, f["prepared"] == true, what)
		if s.Do == "held" || s.Kind == "QUERY" && s.Err == nil && !s.Ping {
			require.True(t, f.has("rows_read"), what)
			require.EqualValues(t, s.Read, f.whole("rows_read"), what)
		}
		if s.Affected > 0 {
			require.EqualValues(t, s.Affected, f.whole("rows_affected"), what)
		}
		if !s.Ping {
			require.Equal(t, telemetry.ShapeOf(s.SQL), f.text("query_shape"), what)
		}
		if s.pool.text && !s.Ping {
			require.Equal(t, s.SQL, f.text("query_text"), what)
		} else {
			require.False(t, f.has("query_text"), what)
		}
		if f.has("statement_id") && !s.Ping {
			require.Equal(t, seen.ID, f.text("statement_id"), what)
			require.Equal(t, seen.SessionID, f.text("session_id"), what)
		}
		if !s.pool.wrapped {
			require.Equal(t, s.pool.on.name, f.text("server"), what)
			require.Equal(t, s.pool.warehouse, f.text("warehouse_id"), what)
			if f.has("result_format") && !s.Ping && s.Err == nil && s.Kind != "VOLUME" {
				require.Equal(t, string(seen.Format), f.text("result_format"), what)
			}
		}
		elapsed := float64(s.ended.Sub(s.began)) / 1e6
		require.LessOrEqual(t, f.number("total_ms"), elapsed+0.001, what)
		if s.Outcome == "completed" && seen.CacheResult != "HIT" {
			require.GreaterOrEqual(t, f.number("total_ms"), float64(s.takes)/1e6, what)
		}
		parts := 0.0
		for key := range f {
			if strings.HasPrefix(key, "time_") {
				parts += f.number(key)
			}
		}
		require.InDelta(t, f.number("total_ms"), parts, 0.006, what)
		delete(by, s.Number)
	}
	require.Empty(t, by)

	opened := 0
	for _, s := range l.servers {
		for _, f := range s.Sessions() {
			if f.UserAgent != "" {
				opened++
			}
		}
	}
	require.Equal(t, opened, count(l.of("session_opened"), func(f fields) bool { return !f.failed() }))
	require.Equal(t, l.denied, count(l.of("session_opened"), fields.failed))
	require.Len(t, l.of("session_closed"), opened)
	sum := 0
	for _, f := range l.of("session_closed") {
		sum += f.whole("statements")
	}
	require.Len(t, l.of("statement"), sum)

	ended := map[string]bool{}
	for _, f := range l.of("statement") {
		ended[f.text("statement_id")] = true
	}
	for _, f := range l.of("server_report") {
		require.True(t, ended[f.text("statement_id")], "a report twice, or of no statement: %v", f)
		delete(ended, f.text("statement_id"))
	}
	waits, last := map[string]float64{}, map[string]fields{}
	for _, f := range l.of("pool") {
		waits[f.text("pool")] += f.number("waits")
		last[f.text("pool")] = f
	}
	for _, p := range l.pools {
		if p.unnamed != nil {
			require.Equal(t, p.db.Stats().MaxOpenConnections, last[p.name].whole("max_open"))
			require.LessOrEqual(t, waits[p.name], float64(p.db.Stats().WaitCount))
		} else {
			require.NotContains(t, last, p.name)
		}
	}
}

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

// isQuantile checks a quantile of totals to within a share.
func (l *ledger) isQuantile(q, got, within float64, of []fields) {
	l.t.Helper()
	var all []float64
	for _, f := range of {
		all = append(all, f.number("total_ms"))
	}
	slices.Sort(all)
	exact := all[max(0, int(math.Ceil(q*float64(len(all))))-1)]
	if exact <= 0.1 {
		require.LessOrEqual(l.t, got, 0.101)
		return
	}
	require.InDelta(l.t, exact, got, exact*within+0.002, "%v of %v", q, all)
}

func sumOf(all []fields, key string) (sum float64) {
	for _, f := range all {
		sum += f.number(key)
	}
	return sum
}

func most(all []fields, key string) (n float64) {
	for _, f := range all {
		n = max(n, f.number(key))
	}
	return n
}

// rowsOf are the rows that a statement read or, if none are, changed.
func rowsOf(f fields) float64 {
	if f.has("rows_read") {
		return f.number("rows_read")
	}
	return f.number("rows_affected")
}

func groups(all []fields, of func(fields) string) map[string][]fields {
	by := map[string][]fields{}
	for _, f := range all {
		by[of(f)] = append(by[of(f)], f)
	}
	return by
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
