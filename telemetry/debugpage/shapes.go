package debugpage

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/internal/sqltext"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry/explain"
)

const (
	shapesKept = 64  // shapes that are counted apart
	shapeText  = 200 // characters of a shape
)

// shapes counts statements by their shape: their text without literals or, where they have no text,
// their kind and the format of their result.
type shapes struct {
	timeline

	mu  sync.Mutex
	all groups[string, shapeTally] // by shapeIDOf; guarded by mu
}

// shapeTally is what is counted about the statements of one shape.
type shapeTally struct {
	statements, failed, canceled, rows int64

	slowest time.Duration
	example string // key of the slowest; the latest of several
	times   telemetry.Split
	took    [buckets]uint32
}

func (t *shapeTally) add(other *shapeTally) {
	t.statements += other.statements
	t.failed += other.failed
	t.canceled += other.canceled
	t.rows += other.rows
	if other.slowest >= t.slowest {
		t.slowest, t.example = other.slowest, cmp.Or(other.example, t.example)
	}
	for p, d := range other.times {
		t.times[p] += d
	}
	for i, n := range other.took {
		t.took[i] += n
	}
}

// addStatement counts a statement that ended.
func (g *shapes) addStatement(now time.Time, s *telemetry.Statement) {
	times, bucket := explain.SplitOf(s), bucketOf(s.Total)
	g.mu.Lock()
	defer g.mu.Unlock()
	of := g.all.at(shapeIDOf(s), now)
	if of.name == "" {
		of.name = shapeOf(s)
	}
	of.count(g.interval(now), func(t *shapeTally) {
		t.statements++
		t.rows += rowsOf(s).Or(0)
		t.took[bucket]++
		if s.Total >= t.slowest {
			t.slowest, t.example = s.Total, keyOf(s)
		}
		for p, d := range times {
			t.times[p] += d
		}
		if s.Failed() {
			t.failed++
		}
		if s.Outcome == telemetry.OutcomeCanceled {
			t.canceled++
		}
	}, (*shapeTally).add)
}

const ping = "ping" // the shape of the driver's own statements

// shapeIDOf identifies the shape of a statement in an address. The hash of its text is the same in
// other processes, in the log and in files.
func shapeIDOf(s *telemetry.Statement) string {
	switch {
	case s.Internal:
		return ping
	case s.Shape != "":
		return s.Shape
	case s.Query != "":
		return telemetry.ShapeOf(s.Query)
	}
	return kindOf(s)
}

// shapeOf names the shape of a statement for people.
func shapeOf(s *telemetry.Statement) string {
	switch {
	case s.Internal:
		return ping
	case s.Query != "":
		return cmp.Or(sqltext.Shape(s.Query, shapeText), "empty text")
	case s.Shape != "":
		return hashed(s.Shape)
	}
	return kindOf(s) + " (text is unknown)"
}

// hashed names a shape whose text is unknown.
func hashed(shape string) string { return "shape " + shape }

// kindOf is the shape of statements that have neither a text nor its hash.
func kindOf(s *telemetry.Statement) string {
	words := strings.Fields(fmt.Sprint(s.Kind, " ", s.Volume, " ", s.Result.Format))
	return cmp.Or(strings.Join(words, " "), "unknown kind")
}

// shapeView is a shape in a list.
type shapeView struct {
	ID          string   `json:"id"`
	Text        string   `json:"shape"`
	Statements  count    `json:"statements"` // that ended
	Running     count    `json:"running"`
	Share       share    `json:"share_of_time"`
	Time        duration `json:"time_ms"`
	P50         duration `json:"p50_ms"`
	P95         duration `json:"p95_ms"`
	Slowest     duration `json:"slowest_ms"`
	Failed      count    `json:"failed"`
	Canceled    count    `json:"canceled"`
	FailedShare share    `json:"failed_share"`
	Rows        count    `json:"rows"`
	Bound       string   `json:"bound,omitempty"`
	Split       split    `json:"split"`
	Example     string   `json:"slowest_statement,omitempty"` // empty where it is no longer kept
}

// Count is the number of statements that ended and, after a plus, that run.
func (v shapeView) Count() string {
	if v.Running == 0 {
		return v.Statements.String()
	}
	return v.Statements.String() + " + " + v.Running.String()
}

// Quantile is a quantile for people: there is none before a statement has ended.
func (v shapeView) Quantile(d duration) string { return rates{Statements: v.Statements}.Quantile(d) }

// URL is the list of the statements of the shape.
func (v shapeView) URL() string { return link("statements", "shape", v.ID) }

// ExampleURL is the page of the slowest statement of the shape.
func (v shapeView) ExampleURL() string { return link("statement", "id", v.Example) }

// ofRunning is what running statements of a shape add to those that ended.
type ofRunning struct {
	statements count
	times      telemetry.Split
	oldest     *telemetry.Statement
}

// views describes the shapes that occurred in a stretch of time that ends now, those that took the
// most time first.
func (g *shapes) views(now time.Time, length time.Duration, running ...*telemetry.Statement) []shapeView {
	g.mu.Lock()
	defer g.mu.Unlock()
	all := []shapeView{}
	runs := map[string]ofRunning{}
	from := cmp.Or(length, allTime)
	for _, s := range running {
		shape := shapeIDOf(s)
		r := runs[shape]
		r.statements++
		addRunning(&r.times, []*telemetry.Statement{s}, from, 0)
		if r.oldest == nil {
			r.oldest = s
		}
		runs[shape] = r
	}
	tallies := map[string]shapeTally{}
	for shape, of := range g.all.all {
		if t := of.over(g.interval(now), length, (*shapeTally).add); t.statements > 0 {
			tallies[shape] = t
		}
	}
	for shape := range runs {
		if _, ended := tallies[shape]; !ended {
			tallies[shape] = shapeTally{}
		}
	}
	var total time.Duration
	for shape, t := range tallies {
		w := window{tally: tally{statements: t.statements, slowest: t.slowest}} // of those that ended
		for i, n := range t.took {
			w.took[i] = int64(n)
		}
		r, name, example := runs[shape], "", t.example
		for p, d := range r.times {
			t.times[p] += d
		}
		if of := g.all.all[shape]; of != nil {
			name = of.name
		} else {
			name = shapeOf(r.oldest)
		}
		if r.oldest != nil && r.oldest.Total > t.slowest {
			example, t.slowest = keyOf(r.oldest), r.oldest.Total
		}
		v := shapeView{
			ID: shape, Text: name, Statements: count(t.statements), Running: r.statements, Time: duration(t.times.Total()), P50: duration(w.quantile(0.5)), P95: duration(w.quantile(0.95)),
			Slowest: duration(t.slowest), Failed: count(t.failed), Canceled: count(t.canceled), FailedShare: share(float64(t.failed) / float64(max(1, t.statements))),
			Rows: count(t.rows), Split: splitOf(t.times), Example: example,
		}
		if largest := v.Split.Largest(); largest != nil {
			v.Bound = largest.Bound
		}
		total += t.times.Total()
		all = append(all, v)
	}
	for i := range all {
		all[i].Share = shareOf(time.Duration(all[i].Time), total)
	}
	slices.SortFunc(all, func(a, b shapeView) int {
		return cmp.Or(cmp.Compare(b.Time, a.Time), cmp.Compare(a.Text, b.Text), cmp.Compare(a.ID, b.ID))
	})
	return all
}

// shapesPage is the list of shapes.
type shapesPage struct {
	Window   string      `json:"window"`
	Sort     string      `json:"sort"`
	Shapes   []shapeView `json:"shapes"`
	Headings []heading   `json:"-"`
	Windows  []tab       `json:"-"`
	presence
}

// shapeOrders are the orders of the list of shapes.
var shapeOrders = []order[shapeView]{
	{"share", "Share of time", "n", func(a, b shapeView) int { return cmp.Compare(b.Time, a.Time) }},
	{"count", "Statements", "n", func(a, b shapeView) int { return cmp.Compare(b.Statements, a.Statements) }},
	{"p50", "p50", "n", func(a, b shapeView) int { return cmp.Compare(b.P50, a.P50) }},
	{"p95", "p95", "n", func(a, b shapeView) int { return cmp.Compare(b.P95, a.P95) }},
	{"max", "Slowest", "n", func(a, b shapeView) int { return cmp.Compare(b.Slowest, a.Slowest) }},
	{"failed", "Failed", "n", func(a, b shapeView) int { return cmp.Compare(b.Failed, a.Failed) }},
	{"rows", "Rows", "n", func(a, b shapeView) int { return cmp.Compare(b.Rows, a.Rows) }},
}

// shapeViews are the shapes of a period. Those whose slowest statement is no longer kept name none.
func (req *request) shapeViews(p period, running, kept []*telemetry.Statement) []shapeView {
	present := map[string]bool{}
	for _, s := range slices.Concat(running, kept) {
		present[keyOf(s)] = true
	}
	all := req.memory.shapes.views(req.now, p.length, running...)
	for i := range all {
		if !present[all[i].Example] {
			all[i].Example = ""
		}
	}
	return all
}

func (req *request) shapes() (string, model, int) {
	running, kept := req.present()
	p := req.period("1h")
	l := shapesPage{Window: p.key, Shapes: req.shapeViews(p, running, kept.all), Windows: req.windows("shapes", p), presence: req.presence(len(running) + len(kept.all))}
	chosen := max(0, slices.IndexFunc(shapeOrders, func(o order[shapeView]) bool { return o.key == req.query.Get("sort") }))
	l.Sort = shapeOrders[chosen].key
	slices.SortStableFunc(l.Shapes, shapeOrders[chosen].compare)
	for i, o := range shapeOrders {
		h := heading{Title: o.title, Class: o.class, URL: req.link("shapes", "sort", o.key)}
		if i == chosen {
			h.Sorted = "descending"
		}
		l.Headings = append(l.Headings, h)
	}
	return "By shape", l, http.StatusOK
}
