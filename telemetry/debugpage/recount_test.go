package debugpage

import (
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/internal/breakdown"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry/explain"
)

// ledger has every record that a memory was given, and counts anew from the records what a page says.
type ledger struct {
	t       *testing.T
	page    *fixture
	random  *rand.Rand
	since   time.Time // when the page began to count
	entries []entry   // oldest first
	running []*telemetry.Statement
	made    int // statements
}

// entry is a record, of a statement or of a connection, with the time when the page got it.
type entry struct {
	at     time.Time
	ended  *telemetry.Statement
	opened *telemetry.SessionOpened
}

func pick[T any](r *rand.Rand, all ...T) T { return all[r.IntN(len(all))] }

// statement is a statement of random properties that ended now, after total.
func (l *ledger) statement(total time.Duration) *telemetry.Statement {
	l.made++
	time.Sleep(time.Nanosecond) // so that no two start at the same time
	r := l.random
	s := &telemetry.Statement{
		Started: time.Now().Add(-total), Connector: int64(l.made), Total: total, StatementID: fmt.Sprintf("id-%d", l.made), Outcome: telemetry.OutcomeCompleted,
		Kind: pick(r, telemetry.KindQuery, telemetry.KindUpdate), Shape: fmt.Sprint("shape", r.IntN(12)), RPCs: []telemetry.RPC{{Method: "ExecuteStatement", BytesIn: r.Int64N(1000), Calls: 1}},
		Result: telemetry.Result{Format: pick(r, telemetry.FormatInlineArrow, telemetry.FormatExternalLinks, "")},
	}
	if r.IntN(3) > 0 {
		s.RowsRead = telemetry.Known(r.Int64N(1000))
	}
	if r.IntN(10) == 0 {
		s.Internal, s.Shape = true, ""
	}
	if r.IntN(6) == 0 {
		s.StatementID = ""
	}
	if r.IntN(4) == 0 {
		s.RPCs[0].Retries = r.Int64N(3)
		s.RPCs[0].FailedStatus = pick(r, 503, 429)
	}
	rest := total
	for rest > 0 {
		p := telemetry.Parts[r.IntN(len(telemetry.Parts))]
		d := min(rest, 1+time.Duration(r.Int64N(int64(total))))
		s.Split[p] += d
		rest -= d
	}
	return s
}

// end gives the page a statement with a random outcome.
func (l *ledger) end(s *telemetry.Statement) {
	r := l.random
	switch r.IntN(6) {
	case 0:
		s.Outcome, s.Failure = telemetry.OutcomeFailed, &telemetry.Failure{Category: pick(r, telemetry.CategoryAuth, telemetry.CategorySyntax, telemetry.CategoryTimeout), SQLState: pick(r, "", "42601"), Message: pick(r, "", "m")}
	case 1:
		s.Outcome, s.Failure = telemetry.OutcomeCanceled, &telemetry.Failure{Category: pick(r, telemetry.CategoryCanceled, telemetry.CategoryTimeout)}
	case 2:
		s.Outcome = telemetry.OutcomeClosedEarly
	}
	if r.IntN(3) == 0 {
		time.Sleep(time.Duration(r.Int64N(int64(2 * time.Second)))) // delivered late
	}
	l.page.memory.StatementFinished(s)
	l.entries = append(l.entries, entry{at: time.Now(), ended: s})
}

// duration is as often between 1 and 10 ms as between 1 and 10 s.
func (l *ledger) duration() time.Duration {
	longest := pick(l.random, time.Second, time.Second, time.Minute, time.Minute, 3*time.Hour)
	return time.Duration(math.Exp(l.random.Float64() * math.Log(float64(longest))))
}

// from is when a stretch of time of a length begins that ends now: at an interval, or at a whole minute where it is long.
func (l *ledger) from(length time.Duration) time.Time {
	now := time.Now()
	if length == 0 {
		return l.since.Add(-1000 * time.Hour)
	}
	origin := l.since.Truncate(time.Minute)
	f := origin.Add(now.Sub(origin).Truncate(10*time.Second) + 10*time.Second - length)
	if length > 5*time.Minute {
		up := f.Truncate(time.Minute)
		if up.Before(f) {
			up = up.Add(time.Minute)
		}
		f = up
	}
	return f
}

// overlapped is the share of a statement's time that passed between two moments.
func overlapped(s *telemetry.Statement, from, to time.Time) float64 {
	b, e := s.Started, s.Started.Add(s.Total)
	if b.Before(from) {
		b = from
	}
	if e.After(to) {
		e = to
	}
	if !e.After(b) {
		return 0
	}
	return float64(e.Sub(b)) / float64(s.Total)
}

// ended are the statements that the page got since a moment.
func (l *ledger) ended(from time.Time) (all []*telemetry.Statement) {
	for _, x := range l.entries {
		if x.ended != nil && !x.at.Before(from) {
			all = append(all, x.ended)
		}
	}
	return all
}

// opens counts the connections that were opened since a moment, and those that were not.
func (l *ledger) opens(from time.Time) (ok, bad int64) {
	for _, x := range l.entries {
		if x.opened != nil && !x.at.Before(from) {
			if x.opened.Failed() {
				bad++
			} else {
				ok++
			}
		}
	}
	return ok, bad
}

// quantile checks a quantile, which the page takes from buckets.
func (l *ledger) quantile(q, got float64, all []*telemetry.Statement) {
	l.t.Helper()
	if len(all) == 0 {
		require.Zero(l.t, got)
		return
	}
	var ds []time.Duration
	for _, s := range all {
		ds = append(ds, s.Total)
	}
	slices.Sort(ds)
	exact := float64(ds[max(0, int(math.Ceil(q*float64(len(ds))))-1)]) / 1e6
	if exact <= 0.1 {
		require.LessOrEqual(l.t, got, 0.101)
		return
	}
	require.LessOrEqual(l.t, math.Abs(got-exact), exact*0.0906+0.0006, "%v %v of %d", got, exact, len(ds))
}

func failedOf(all []*telemetry.Statement) (n, canceled int64) {
	for _, s := range all {
		if s.Failed() {
			n++
		}
		if s.Outcome == telemetry.OutcomeCanceled {
			canceled++
		}
	}
	return
}

type jsonSplit struct {
	Total float64 `json:"total_ms"`
	Parts []struct {
		Name string
		Time float64 `json:"time_ms"`
	}
}

// check compares all pages with the ledger, for every stretch of time.
func (l *ledger) check() {
	t := l.t
	now := time.Now()
	var running []*telemetry.Statement
	for _, s := range l.running {
		c := *s
		c.Total = now.Sub(s.Started)
		c.Split = telemetry.Split{telemetry.PartServer: c.Total / 3, telemetry.PartFile: c.Total - c.Total/3}
		running = append(running, &c)
	}
	l.page.all = []telemetry.Connector{&connector{info: telemetry.ConnectorInfo{ID: 1}, running: running}}
	for _, p := range periods { // in a fixed order: the checks draw random numbers
		key, length := p.key, p.length
		var o struct {
			Findings []finding
			Running  int64
			Rates    []struct {
				Window     string
				Over       float64 `json:"over_ms"`
				Statements int64
				PerSecond  float64 `json:"per_second"`
				Failed     int64
				P50        float64 `json:"p50_ms"`
				P90        float64 `json:"p90_ms"`
				P99        float64 `json:"p99_ms"`
				Opened     int64   `json:"connections_opened"`
				Refused    int64   `json:"connections_refused"`
			}
			Split   jsonSplit
			Latency *struct {
				Buckets []struct {
					UpTo  float64 `json:"up_to_ms"`
					Count int64
				}
			}
			Chart *struct {
				Columns []struct {
					Began              time.Time
					Length             float64 `json:"length_ms"`
					Statements, Failed int64
					AtOnce             float64 `json:"at_once"`
					Split              jsonSplit
				}
			}
			Slowest []struct {
				Key   string
				Total float64 `json:"total_ms"`
			}
		}
		l.page.json(t, "/?format=json&window="+key, &o)
		require.EqualValues(t, len(running), o.Running)
		for i, length := range []time.Duration{time.Minute, 5 * time.Minute, time.Hour} {
			from := l.from(length)
			all := l.ended(from)
			failed, _ := failedOf(all)
			g := o.Rates[i]
			require.EqualValues(t, len(all), g.Statements, g.Window)
			require.Equal(t, failed, g.Failed)
			over := max(time.Second, min(now.Sub(from), now.Sub(l.since)))
			require.InDelta(t, float64(over)/1e6, g.Over, 0.002)
			require.InDelta(t, float64(len(all))/over.Seconds(), g.PerSecond, 0.0001)
			ok, bad := l.opens(from)
			require.Equal(t, ok, g.Opened)
			require.Equal(t, bad, g.Refused)
			l.quantile(.5, g.P50, all)
			l.quantile(.9, g.P90, all)
			l.quantile(.99, g.P99, all)
		}
		from := l.from(length)
		var want telemetry.Split
		for _, s := range slices.Concat(l.statements(), running) {
			x := overlapped(s, from, now)
			for p, d := range s.Split {
				want[p] += time.Duration(float64(d) * x)
			}
		}
		l.sameSplit("split "+key, want, o.Split)
		all := l.ended(from)
		var n int64
		if o.Latency != nil {
			for i, b := range o.Latency.Buckets {
				n += b.Count
				low := 0.0
				if i > 0 {
					low = o.Latency.Buckets[i-1].UpTo
				}
				var c int64
				for _, s := range all {
					if d := float64(s.Total) / 1e6; d <= b.UpTo && (d > low || i == 0) {
						c++
					}
				}
				require.InDelta(t, c, b.Count, 1, "bucket %v", b)
			}
		}
		require.EqualValues(t, len(all), n)
		if o.Chart != nil {
			for i, c := range o.Chart.Columns {
				to := c.Began.Add(time.Duration(c.Length * 1e6))
				var want telemetry.Split
				for _, s := range slices.Concat(l.statements(), running) {
					x := overlapped(s, c.Began, to)
					for p, d := range s.Split {
						want[p] += time.Duration(float64(d) * x)
					}
				}
				l.sameSplit(fmt.Sprint("column ", i, " ", c.Began), want, c.Split)
				var n, failed int64
				for _, x := range l.entries {
					if x.ended != nil && !x.at.Before(c.Began) && (x.at.Before(to) || i == len(o.Chart.Columns)-1) {
						n++
						if x.ended.Failed() {
							failed++
						}
					}
				}
				require.Equal(t, n, c.Statements)
				require.Equal(t, failed, c.Failed)
			}
		}
		l.checkShapes(key, length, running)
		l.checkErrors(key, length)
		l.checkStatements(key, length, running)
		l.checkFindings(o.Findings)
		require.NotContains(t, l.page.html(t, pick(l.random, "/", "/statements", "/shapes", "/errors", "/telemetry")+"?window="+key), "NaN")
	}
	for _, x := range l.entries[max(0, len(l.entries)-3):] {
		if x.ended != nil {
			require.Equal(t, http.StatusOK, l.page.get(t, "/statement?id="+keyOf(x.ended)).Code)
		}
	}
}

func (l *ledger) statements() (all []*telemetry.Statement) {
	return l.ended(time.Time{})
}

func (l *ledger) sameSplit(what string, want telemetry.Split, got jsonSplit) {
	l.t.Helper()
	require.InDelta(l.t, float64(want.Total())/1e6, got.Total, 0.05, what)
	for _, p := range got.Parts {
		i := slices.IndexFunc(telemetry.Parts[:], func(q telemetry.Part) bool { return q.String() == p.Name })
		require.InDelta(l.t, float64(want[telemetry.Parts[i]])/1e6, p.Time, 0.05, what+p.Name)
	}
}

// checkShapes compares the shapes in one order.
func (l *ledger) checkShapes(key string, length time.Duration, running []*telemetry.Statement) {
	t := l.t
	sort := pick(l.random, shapeColumns[1:8]...) // those with an order
	var o struct {
		Shapes []struct {
			ID                     string
			Statements, Running    int64
			Share                  float64 `json:"share_of_time"`
			Time                   float64 `json:"time_ms"`
			P50                    float64 `json:"p50_ms"`
			P95                    float64 `json:"p95_ms"`
			Slowest                float64 `json:"slowest_ms"`
			Failed, Canceled, Rows int64
			Example                string  `json:"slowest_statement"`
			FailedShare            float64 `json:"failed_share"`
			Split                  jsonSplit
		}
	}
	l.page.json(t, "/shapes?format=json&window="+key+"&sort="+sort.key, &o)
	by := map[string][]*telemetry.Statement{}
	for _, s := range l.ended(l.from(length)) {
		by[shapeIDOf(s)] = append(by[shapeIDOf(s)], s)
	}
	run := map[string][]*telemetry.Statement{}
	for _, s := range running {
		run[shapeIDOf(s)] = append(run[shapeIDOf(s)], s)
		by[shapeIDOf(s)] = by[shapeIDOf(s)]
	}
	require.Len(t, o.Shapes, len(by))
	share := 0.0
	for _, g := range o.Shapes {
		all := by[g.ID]
		failed, canceled := failedOf(all)
		require.EqualValues(t, len(all), g.Statements)
		require.EqualValues(t, len(run[g.ID]), g.Running)
		require.Equal(t, failed, g.Failed)
		require.Equal(t, canceled, g.Canceled)
		var took, slowest time.Duration
		var rows int64
		for _, s := range all {
			took += s.Total
			slowest = max(slowest, s.Total)
			rows += s.RowsRead.Or(0)
		}
		for _, s := range run[g.ID] {
			if length == 0 {
				took += s.Total
			} else {
				took += min(s.Total, length)
			}
			slowest = max(slowest, s.Total)
		}
		require.InDelta(t, float64(took)/1e6, g.Time, 0.01)
		require.InDelta(t, float64(slowest)/1e6, g.Slowest, 0.001)
		require.Equal(t, rows, g.Rows)
		l.quantile(.5, g.P50, all)
		l.quantile(.95, g.P95, all)
		share += g.Share
		if g.Example != "" {
			require.Equal(t, http.StatusOK, l.page.get(t, "/statement?id="+g.Example).Code)
		}
	}
	if len(o.Shapes) > 0 {
		require.InDelta(t, 1, share, 0.01)
	}
	for i := 1; i < len(o.Shapes); i++ {
		a, b := o.Shapes[i-1], o.Shapes[i]
		require.True(t, map[string]bool{"share": a.Time >= b.Time, "count": a.Statements >= b.Statements, "p50": a.P50 >= b.P50, "p95": a.P95 >= b.P95, "max": a.Slowest >= b.Slowest, "failed": a.Failed >= b.Failed, "rows": a.Rows >= b.Rows}[sort.key])
	}
}

// checkErrors compares the counts of errors, and follows their links.
func (l *ledger) checkErrors(key string, length time.Duration) {
	var o struct {
		Errors []struct {
			Of       string
			Category string `json:"error_category"`
			SQLState string
			Message  string `json:"error_message"`
			Count    int64
			Last     time.Time
			Example  string `json:"latest_statement"`
		}
	}
	l.page.json(l.t, "/errors?format=json&window="+key, &o)
	want := map[string]int64{}
	last := map[string]time.Time{}
	example := map[string]string{}
	from := l.from(length)
	for _, x := range l.entries {
		if x.at.Before(from) {
			continue
		}
		k, e := "", ""
		if x.ended != nil && x.ended.Failed() {
			k, e = fmt.Sprint("statement", *x.ended.Failure), keyOf(x.ended)
		} else if x.opened != nil && x.opened.Failed() {
			k = fmt.Sprint("connection", *x.opened.Failure)
		} else {
			continue
		}
		want[k]++
		last[k] = x.at
		example[k] = e
	}
	require.Len(l.t, o.Errors, len(want))
	for _, e := range o.Errors {
		k := fmt.Sprint(e.Of, telemetry.Failure{Category: telemetry.Category(e.Category), SQLState: e.SQLState, Message: e.Message})
		require.Equal(l.t, want[k], e.Count, k)
		require.True(l.t, last[k].Equal(e.Last), k)
		if e.Example != "" { // it is still kept
			require.Equal(l.t, example[k], e.Example)
			require.Equal(l.t, http.StatusOK, l.page.get(l.t, "/statement?id="+e.Example).Code)
		}
	}
}

// checkStatements compares the list of statements under random filters and in a random order.
func (l *ledger) checkStatements(key string, length time.Duration, running []*telemetry.Statement) {
	t := l.t
	r := l.random
	query := ""
	match := func(*telemetry.Statement) bool { return true }
	add := func(name, v string, m func(*telemetry.Statement) bool) {
		if r.IntN(3) == 0 {
			query += "&" + name + "=" + v
			before := match
			match = func(s *telemetry.Statement) bool { return before(s) && m(s) }
		}
	}
	oc := pick(r, "failed", "canceled", "completed", "running", "closed_early", "problem")
	add("outcome", oc, func(s *telemetry.Statement) bool {
		return string(s.Outcome) == oc || oc == "problem" && s.Failure != nil
	})
	k := pick(r, "QUERY", "UPDATE")
	add("kind", k, func(s *telemetry.Statement) bool { return string(s.Kind) == k })
	m := pick(r, time.Millisecond, time.Second, time.Minute, time.Hour)
	add("min", m.String(), func(s *telemetry.Statement) bool { return s.Total >= m })
	p := telemetry.Parts[r.IntN(len(telemetry.Parts))]
	add("bound", breakdown.Bound(p), func(s *telemetry.Statement) bool {
		v := explain.Of(s)
		return v.Part == p && v.Bound != ""
	})
	sh := fmt.Sprint("shape", r.IntN(12))
	add("shape", sh, func(s *telemetry.Statement) bool { return s.Shape == sh })
	sorts := []string{"started", "-started", "total", "-total", "rows", "-rows", "bytes", "-bytes"}
	sort := pick(r, sorts...)
	var o struct {
		Found, Kept int64
		Sort        string
		Statements  []struct {
			Key     string
			Started time.Time
			Total   float64 `json:"total_ms"`
			Rows    *int64  `json:"rows_read"`
			Bytes   *int64
			Outcome string
		}
	}
	l.page.json(t, "/statements?format=json&all=1&window="+key+query+"&sort="+sort, &o)
	listed := map[string]bool{}
	for _, x := range o.Statements {
		listed[x.Key] = true
	}
	for _, s := range slices.Concat(l.mustBeKept(), running) {
		within := length == 0 || s.Outcome == telemetry.OutcomeRunning || time.Since(s.Started)-s.Total <= length
		require.Equal(t, within && match(s), listed[keyOf(s)], "%s %+v", query, s)
	}
	require.EqualValues(t, len(o.Statements), o.Found)
	for i := 1; i < len(o.Statements); i++ {
		a, b := o.Statements[i-1], o.Statements[i]
		or := func(p *int64) int64 {
			if p == nil {
				return -1
			}
			return *p
		}
		if strings.HasPrefix(sort, "-") {
			a, b = b, a
		}
		switch strings.TrimPrefix(sort, "-") {
		case "started":
			if sort == "started" && (a.Outcome == "running") != (b.Outcome == "running") {
				require.Equal(t, "running", a.Outcome)
				continue
			}
			require.False(t, a.Started.Before(b.Started))
		case "total":
			require.GreaterOrEqual(t, a.Total, b.Total)
		case "rows":
			require.GreaterOrEqual(t, or(a.Rows), or(b.Rows))
		case "bytes":
			require.GreaterOrEqual(t, or(a.Bytes), or(b.Bytes))
		}
	}
}

// mustBeKept are the latest statements, the latest that failed, and those that are among the slowest of the hour
// before any moment since they ended. Records come up to 2 s late.
func (l *ledger) mustBeKept() []*telemetry.Statement {
	all := l.statements()
	kept := slices.Clone(all[max(0, len(all)-recentKept):])
	var failed []*telemetry.Statement
	for _, s := range all {
		if s.Failed() {
			failed = append(failed, s)
		}
	}
	kept = append(kept, failed[max(0, len(failed)-failedKept):]...)
	for _, s := range all {
		end, rivals := s.Started.Add(s.Total), 0
		if time.Since(end) > slowestFor {
			continue
		}
		for _, other := range all {
			if other != s && other.Total >= s.Total && end.Sub(other.Started.Add(other.Total)) <= slowestFor+3*time.Second {
				rivals++
			}
		}
		if rivals < slowestKept {
			kept = append(kept, s)
		}
	}
	return kept
}

// checkFindings follows the links of findings to lists.
func (l *ledger) checkFindings(all []finding) {
	for _, f := range all {
		if strings.HasPrefix(f.Link, "statements") {
			var o struct{ Found int64 }
			l.page.json(l.t, with("/"+f.Link, "format=json"), &o)
			require.NotZero(l.t, o.Found, "%s of %q", f.Link, f.Text)
		}
	}
}

// TestPagesSayWhatWasRecorded compares the pages, again and again, with what a ledger counts of the same
// random records by the definitions alone: no intervals, no buckets, no bounds.
func TestPagesSayWhatWasRecorded(t *testing.T) {
	for seed := range uint64(2) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				random := rand.New(rand.NewPCG(seed, 7))
				time.Sleep(time.Duration(random.Int64N(int64(time.Hour))))
				l := &ledger{t: t, page: newFixture(), random: random, since: time.Now()}
				for range 160 {
					l.step()
					if random.IntN(40) == 0 {
						l.check()
					}
				}
				l.check()
			})
		})
	}
}

// step lets one thing happen, or time pass.
func (l *ledger) step() {
	r := l.random
	switch r.IntN(20) {
	case 0, 1:
		s := l.statement(0)
		s.Outcome = telemetry.OutcomeRunning
		l.running = append(l.running, s)
	case 2, 3:
		if len(l.running) == 0 {
			return
		}
		i := r.IntN(len(l.running))
		s := l.running[i]
		l.running = slices.Delete(l.running, i, i+1)
		ended := l.statement(time.Since(s.Started))
		ended.StatementID, ended.Shape, ended.Internal = s.StatementID, s.Shape, s.Internal
		l.end(ended)
	case 4:
		o := &telemetry.SessionOpened{Started: time.Now()}
		if r.IntN(2) == 0 {
			o.Failure = &telemetry.Failure{Category: pick(r, telemetry.CategoryAuth, telemetry.CategoryCanceled)}
		}
		l.page.memory.SessionOpened(o)
		l.entries = append(l.entries, entry{at: time.Now(), opened: o})
	case 5:
		time.Sleep(pick(r, 10*time.Second, 30*time.Second, time.Minute))
	case 6:
		time.Sleep(time.Duration(r.Int64N(int64(pick(r, 90*time.Second, 90*time.Second, 90*time.Minute)))))
	case 7:
		time.Sleep(time.Until(time.Now().Truncate(intervalLength).Add(intervalLength))) // to the edge of an interval
	default:
		for range r.IntN(8) {
			if total := l.duration(); time.Since(l.since) > total {
				l.end(l.statement(total))
			}
			time.Sleep(time.Duration(r.Int64N(int64(2 * time.Second))))
		}
	}
}
