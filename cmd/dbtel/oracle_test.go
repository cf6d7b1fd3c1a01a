package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry/ndjson"
)

// TestNumbersAreThoseOfTheRecords compares what the commands print as JSON with what a second, simple
// implementation finds in the lines of a file: of random records, with random flags.
func TestNumbersAreThoseOfTheRecords(t *testing.T) {
	for seed := range uint64(3) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 3)) //nolint:gosec // the same records every time
			o := newOracle(t, r)
			for range 10 {
				q := randomQuery(r, o.lines)
				want := o.selected(q)
				o.checkSummary(t, q, want, pick(r, "error", "format", "server", "verdict", "kind", "shape"))
				o.checkTop(t, q, want, 1+r.IntN(30), pick(r, "slowest", "latest"))
				for _, which := range []string{"last", "slowest", "failed", fmt.Sprintf("%08d", r.IntN(oracleStatements))} {
					o.checkShow(t, q, want, which)
				}
			}
		})
	}
}

func pick[T any](r *rand.Rand, all ...T) T { return all[r.IntN(len(all))] }

// fields are those of a line.
type fields map[string]any

func (f fields) text(key string) string { s, _ := f[key].(string); return s }

func (f fields) number(key string) float64 { n, _ := f[key].(float64); return n }

func (f fields) time(key string) time.Time {
	at, err := time.Parse(time.RFC3339Nano, f.text(key))
	if err != nil {
		panic(err)
	}
	return at
}

func (f fields) duration(key string) time.Duration {
	return time.Duration(math.Round(f.number(key)*1000)) * time.Microsecond
}

func (f fields) end() time.Time { return f.time("started").Add(f.duration("total_ms")) }

func (f fields) failed() bool { return f["error_category"] != nil }

// bytes are those that were received.
func (f fields) bytes() int64 {
	n := f.number("file_bytes_received")
	rpcs, _ := f["rpcs_by_method"].([]any)
	for _, rpc := range rpcs {
		n += fields(rpc.(map[string]any)).number("bytes_in")
	}
	return int64(n)
}

// oracle has a file of random records, and its lines.
type oracle struct {
	file  string
	lines []fields
}

const oracleStatements = 200

var oracleBegin = time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)

func newOracle(t *testing.T, r *rand.Rand) *oracle {
	var b bytes.Buffer
	sink := ndjson.New(&b)
	var later []*telemetry.ServerReport
	for i := range oracleStatements {
		s := randomStatement(r, i)
		report := randomReport(r, s)
		switch r.IntN(9) {
		case 0: // before its statement, as in rotated files
			sink.ServerReported(report)
		case 1:
			later = append(later, report)
		case 2:
			later = slices.Insert(later, 0, report)
		}
		sink.StatementFinished(s)
		if r.IntN(5) == 0 && len(later) > 0 {
			sink.ServerReported(later[0])
			later = later[1:]
		}
		switch r.IntN(10) {
		case 0:
			opened := &telemetry.SessionOpened{Started: s.Started, Latency: time.Second, Server: s.Server}
			if r.IntN(2) == 0 {
				opened.Failure = &telemetry.Failure{Category: telemetry.CategoryAuth}
			}
			sink.SessionOpened(opened)
		case 1:
			fmt.Fprintf(&b, `{"event":"pool","sampled":%q,"pool":%q,"max_open":4,"open":4,"in_use":%d,"waits":%d,"waited_ms":%d,"over_ms":30000}`+"\n",
				s.Started.Format(time.RFC3339Nano), pick(r, "p", "q"), r.IntN(5), r.IntN(3), r.IntN(5000))
		}
	}
	for _, report := range later {
		sink.ServerReported(report)
	}
	require.NoError(t, sink.Err())
	o := &oracle{file: filepath.Join(t.TempDir(), "app.ndjson")}
	require.NoError(t, os.WriteFile(o.file, b.Bytes(), 0o600))
	o.lines = linesOf(t, b.String())
	return o
}

func linesOf(t *testing.T, text string) (all []fields) {
	for line := range strings.Lines(text) {
		var f fields
		require.NoError(t, json.Unmarshal([]byte(line), &f))
		all = append(all, f)
	}
	return all
}

func randomStatement(r *rand.Rand, i int) *telemetry.Statement {
	longest := pick(r, time.Second, time.Minute, 3*time.Hour)
	total := time.Duration(math.Exp(r.Float64() * math.Log(float64(longest)))).Truncate(time.Microsecond)
	if r.IntN(20) == 0 {
		total = 0
	}
	s := &telemetry.Statement{
		StatementID: fmt.Sprintf("%08d-x", i), Connector: 1, Started: oracleBegin.Add(time.Duration(r.IntN(7200)) * time.Second), Total: total,
		Kind: pick(r, telemetry.KindQuery, telemetry.KindUpdate, ""), Internal: r.IntN(15) == 0, Server: pick(r, "a.example.com:443", "B.example.com:443", ""),
		Outcome: pick(r, telemetry.OutcomeCompleted, telemetry.OutcomeClosedEarly, telemetry.OutcomeAbandoned),
		Result:  telemetry.Result{Format: pick(r, telemetry.FormatInlineArrow, telemetry.FormatExternalLinks, "")},
	}
	if text := pick(r, "", "SELECT 1", "select * from orders where x = 'a'"); text != "" {
		s.Shape, s.Query = telemetry.ShapeOf(text), pick(r, "", text)
	}
	if r.IntN(3) > 0 {
		s.RowsRead = telemetry.Known(r.Int64N(1000))
		s.RPCs = []telemetry.RPC{{Method: "ExecuteStatement", Calls: 1, BytesIn: r.Int64N(5000)}}
	}
	if r.IntN(4) == 0 {
		s.CloudFetch = &telemetry.CloudFetch{Present: 2, Received: r.Int64N(10000)}
	}
	if r.IntN(4) == 0 {
		s.Outcome = pick(r, telemetry.OutcomeFailed, telemetry.OutcomeCanceled)
		s.Failure = &telemetry.Failure{Category: pick(r, telemetry.CategoryCanceled, telemetry.CategoryAuth, telemetry.CategoryTimeout), SQLState: pick(r, "", "42601")}
	}
	for rest := total; rest > 0; {
		took := min(rest, time.Microsecond+time.Duration(r.Int64N(int64(total))).Truncate(time.Microsecond))
		s.Split[telemetry.Parts[r.IntN(len(telemetry.Parts))]] += took
		rest -= took
	}
	return s
}

func randomReport(r *rand.Rand, s *telemetry.Statement) *telemetry.ServerReport {
	seconds := func(most int) telemetry.Maybe[time.Duration] {
		return telemetry.Known(time.Duration(r.IntN(most*1000)) * time.Millisecond)
	}
	return &telemetry.ServerReport{
		StatementID: s.StatementID, Started: s.Started, Reported: s.Started.Add(s.Total), Compiling: seconds(5), Executing: seconds(5),
		Total: telemetry.Known(10 * time.Second), BytesRead: telemetry.Known(r.Int64N(1000)), BytesReadCache: telemetry.Known(r.Int64N(10)),
	}
}

// query is what the flags of every command select.
type query struct {
	args         []string
	since, until time.Time
	server       string
	statements   []func(fields) bool // what only statements can satisfy
}

func randomQuery(r *rand.Rand, lines []fields) *query {
	q := &query{}
	set := func(flag, value string) { q.args = append(q.args, flag, value) }
	i := slices.IndexFunc(lines, func(f fields) bool { return f.text("event") == "statement" })
	someTime := func() time.Time {
		return pick(r, oracleBegin.Add(time.Duration(r.IntN(7200))*time.Second), lines[i].time("started"))
	}
	if r.IntN(2) == 0 {
		q.since = someTime()
		set("--since", q.since.Format(time.RFC3339))
	}
	if r.IntN(2) == 0 {
		q.until = cmp.Or(q.since, oracleBegin).Add(time.Duration(1+r.IntN(7200)) * time.Second)
		set("--until", q.until.Format(time.RFC3339Nano))
	}
	if r.IntN(3) == 0 {
		q.server = pick(r, "A.EX", "b.example", "example")
		set("--server", q.server)
	}
	if r.IntN(4) == 0 {
		outcomes := pick(r, []string{"failed"}, []string{"failed", "canceled"}, []string{"closed_early"}, []string{"completed", "abandoned"})
		set("--outcome", strings.Join(outcomes, ","))
		q.statements = append(q.statements, func(f fields) bool { return slices.Contains(outcomes, f.text("outcome")) })
	}
	if r.IntN(4) == 0 {
		category := pick(r, "canceled", "cancelled", "auth_error", "timeout 42601", "Timeout")
		set("--category", category)
		want := strings.ToLower(strings.ReplaceAll(category, "cancelled", "canceled"))
		q.statements = append(q.statements, func(f fields) bool {
			have := strings.ReplaceAll(f.text("error_category"), "cancelled", "canceled")
			return f.failed() && (have == want || have+" "+f.text("sqlstate") == want)
		})
	}
	if r.IntN(4) == 0 {
		shape := pick(r, "SELECT 1", "from ORDERS", "SELECT * FROM orders WHERE x = 'zzz'")
		set("--shape", shape)
		q.statements = append(q.statements, func(f fields) bool {
			inText := shape != "SELECT 1" && strings.Contains(f.text("query_text"), "from orders") && f["internal"] != true
			return f.text("query_shape") == telemetry.ShapeOf(shape) || inText
		})
	}
	return q
}

func (q *query) covers(started time.Time, took time.Duration) bool {
	return (q.since.IsZero() || !started.Add(took).Before(q.since)) && (q.until.IsZero() || started.Before(q.until))
}

func (q *query) names(f fields) bool {
	return strings.Contains(strings.ToLower(f.text("server")), strings.ToLower(q.server))
}

// selected returns the statements that a query selects.
func (o *oracle) selected(q *query) (want []fields) {
	for _, f := range o.lines {
		if f.text("event") != "statement" || !q.covers(f.time("started"), f.duration("total_ms")) || !q.names(f) {
			continue
		}
		if !slices.ContainsFunc(q.statements, func(satisfies func(fields) bool) bool { return !satisfies(f) }) {
			want = append(want, f)
		}
	}
	return want
}

// jsonOf runs a command on the file, which must succeed.
func (o *oracle) jsonOf(t *testing.T, q *query, args ...string) string {
	got := dbtel(t, "", slices.Concat(args, []string{"--json"}, q.args, []string{o.file})...)
	require.Equal(t, exitOK, got.code, "%v %v: %s", args, q.args, got.err)
	return got.out
}

// groupOf returns the name of a statement's group, empty for a grouping whose names are not compared.
func groupOf(f fields, by string) string {
	switch by {
	case "format":
		return cmp.Or(f.text("result_format"), "none")
	case "server":
		return cmp.Or(f.text("server"), "unknown")
	case "error":
		return cmp.Or(strings.TrimSpace(f.text("error_category")+" "+f.text("sqlstate")), "none")
	case "verdict":
		bound, _, _ := strings.Cut(cmp.Or(f.text("verdict"), "none"), ":")
		return bound
	}
	return ""
}

func (o *oracle) checkSummary(t *testing.T, q *query, want []fields, by string) {
	var got summary
	require.NoError(t, json.Unmarshal([]byte(withoutMillis(t, o.jsonOf(t, q, "summary", "-n", "0", "--by", by))), &got))
	message := fmt.Sprint("summary --by ", by, " ", q.args)
	require.Len(t, want, int(got.Statements), message)
	o.checkOthers(t, q, want, &got, message)
	groups := map[string][]fields{}
	for _, f := range want {
		groups[groupOf(f, by)] = append(groups[groupOf(f, by)], f)
	}
	counted := int64(0)
	for _, g := range got.Groups {
		counted += g.Statements
		if members := groups[g.Name]; len(members) > 0 {
			checkGroup(t, g, members, message)
		} else {
			require.NotEmpty(t, groups[""], "%s: %s", message, g.Name)
		}
	}
	require.Equal(t, got.Statements, counted, message)
	if len(want) > 0 {
		earliest := slices.MinFunc(want, func(a, b fields) int { return a.time("started").Compare(b.time("started")) })
		last := slices.MaxFunc(want, func(a, b fields) int { return a.end().Compare(b.end()) })
		require.True(t, earliest.time("started").Equal(got.First), message)
		require.True(t, last.end().Equal(got.Last), message)
	}
}

// withoutMillis makes durations in ms what package time reads: nanoseconds.
func withoutMillis(t *testing.T, text string) string {
	var document any
	require.NoError(t, json.Unmarshal([]byte(text), &document))
	var convert func(any)
	convert = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			for key, member := range v {
				if ms, ok := member.(float64); ok && strings.HasSuffix(key, "_ms") {
					v[key] = int64(math.Round(ms*1000)) * 1000
				}
				convert(member)
			}
		case []any:
			for _, element := range v {
				convert(element)
			}
		}
	}
	convert(document)
	converted, err := json.Marshal(document)
	require.NoError(t, err)
	return string(converted)
}

func checkGroup(t *testing.T, g *group, members []fields, message string) {
	message += ": " + g.Name
	var total time.Duration
	var rows, received, failed int64
	var times []time.Duration
	for _, f := range members {
		total += f.duration("total_ms")
		times = append(times, f.duration("total_ms"))
		rows, received = rows+int64(f.number("rows_read")), received+f.bytes()
		if f.failed() {
			failed++
		}
	}
	require.Equal(t, []int64{int64(len(members)), failed, rows, received}, []int64{g.Statements, g.Failed, g.Rows, g.Bytes}, message)
	slices.Sort(times)
	require.Equal(t, []time.Duration{total, times[len(times)-1]}, []time.Duration{time.Duration(g.Total), time.Duration(g.Max)}, message)
	for share, got := range map[float64]millis{.5: g.P50, .9: g.P90, .95: g.P95, .99: g.P99} {
		exact := times[max(1, int(math.Ceil(share*float64(len(times)))))-1]
		require.InDelta(t, exact, time.Duration(got), float64(exact)*.01001+float64(time.Microsecond), "%s: %v", message, share)
	}
}

// checkOthers compares what a summary says of sessions, pools and reports.
func (o *oracle) checkOthers(t *testing.T, q *query, want []fields, got *summary, message string) {
	anyKind := q.statements == nil
	all := anyKind && q.server == "" && q.since.IsZero() && q.until.IsZero()
	var opened, failed, reports, read, samples, full, waits int64
	for _, f := range o.lines {
		switch f.text("event") {
		case "session_opened":
			if anyKind && q.names(f) && q.covers(f.time("started"), time.Second) {
				opened++
				if f.failed() {
					failed++
				}
			}
		case "server_report":
			if all || slices.ContainsFunc(want, func(s fields) bool { return s.text("statement_id") == f.text("statement_id") }) {
				reports, read = reports+1, read+int64(f.number("bytes_read"))
			}
		case "pool":
			if anyKind && q.server == "" && q.covers(f.time("sampled").Add(-30*time.Second), 30*time.Second) {
				samples, waits = samples+1, waits+int64(f.number("waits"))
				if f.number("in_use") == 4 {
					full++
				}
			}
		}
	}
	require.Equal(t, []int64{opened, failed}, []int64{got.Sessions.Opened, got.Sessions.Failed}, message)
	server := reportSummary{}
	if got.Server != nil {
		server = *got.Server
	}
	require.Equal(t, []int64{reports, read}, []int64{server.Statements, server.Read}, message)
	for _, p := range got.Pools {
		samples, full, waits = samples-p.Samples, full-p.Full, waits-p.Waits
	}
	require.Equal(t, []int64{0, 0, 0}, []int64{samples, full, waits}, message)
}

func (o *oracle) checkTop(t *testing.T, q *query, want []fields, n int, by string) {
	sorted := slices.Clone(want)
	slices.SortStableFunc(sorted, func(a, b fields) int {
		if by == "latest" {
			return b.end().Compare(a.end())
		}
		return cmp.Compare(b.duration("total_ms"), a.duration("total_ms"))
	})
	got := linesOf(t, o.jsonOf(t, q, "top", "-n", fmt.Sprint(n), "--by", by))
	require.Len(t, got, min(n, len(sorted)), "%v", q.args)
	for i := range got {
		require.Equal(t, sorted[i], got[i], "top -n %d --by %s %v: %d", n, by, q.args, i)
	}
}

func (o *oracle) checkShow(t *testing.T, q *query, want []fields, which string) {
	var statement, report fields
	for _, f := range want {
		switch {
		case which == "last", which == "failed" && f.failed():
			if statement == nil || !f.end().Before(statement.end()) {
				statement = f
			}
		case which == "slowest":
			if statement == nil || f.number("total_ms") > statement.number("total_ms") {
				statement = f
			}
		case strings.HasPrefix(f.text("statement_id"), which):
			statement = f
		}
	}
	if statement == nil {
		require.Equal(t, exitFailed, dbtel(t, "", slices.Concat([]string{"show", which}, q.args, []string{o.file})...).code)
		return
	}
	for _, f := range o.lines {
		if f.text("event") == "server_report" && f.text("statement_id") == statement.text("statement_id") {
			report = f
		}
	}
	var got struct {
		Statement, Report fields
		Parts             []fields
	}
	require.NoError(t, json.Unmarshal([]byte(o.jsonOf(t, q, "show", which)), &got))
	require.Equal(t, statement, got.Statement, "show %s %v", which, q.args)
	require.Equal(t, report, got.Report, "show %s %v", which, q.args)
	var total time.Duration
	share := 0.0
	for _, p := range got.Parts {
		total, share = total+p.duration("time_ms"), share+p.number("share")
	}
	require.Equal(t, statement.duration("total_ms"), total, "show %s %v", which, q.args)
	if total > 0 {
		require.InDelta(t, 1, share, 1e-9, "show %s %v", which, q.args)
	}
}
