package debugpage

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/internal/sqltext"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

const (
	shapesKept = 64  // shapes that are counted separately
	shapeText  = 200 // characters of a shape's name
)

// shapes counts statements by their shape: their text without literals or, if there is no text, their
// kind and the format of their result.
type shapes struct {
	groups[string, counted] // by shapeIDOf
}

// addStatement counts a statement that ended.
func (g *shapes) addStatement(now time.Time, s *telemetry.Statement) {
	t, bucket := tallyOf(s), bucketOf(s.Total)
	t.example = keyOf(s)
	g.mu.Lock()
	defer g.mu.Unlock()
	of := g.count(now, shapeIDOf(s), func(c *counted) {
		c.tally.add(&t)
		c.took[bucket]++
	})
	if of.name == "" {
		of.name = shapeOf(s)
	}
}

const ping = "ping" // the shape of the driver's own statements

// shapeIDOf returns the id of a statement's shape in addresses. The hash of a text is the same in
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

// shapeOf returns the name of a statement's shape, for people.
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

// hashed returns the name of a shape whose text is unknown.
func hashed(shape string) string { return "shape " + shape }

// kindOf returns the shape of statements that have neither a text nor its hash.
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
	Example     string   `json:"slowest_statement,omitempty"` // empty if it is no longer kept
}

// Count returns the number of statements that ended and, after a plus sign, of those that are
// running.
func (v shapeView) Count() string {
	if v.Running == 0 {
		return v.Statements.String()
	}
	return v.Statements.String() + " + " + v.Running.String()
}

// Quantile formats a quantile for people. There is none before a statement has ended.
func (v shapeView) Quantile(d duration) string { return rates{Statements: v.Statements}.Quantile(d) }

// URL returns the address of the list of the shape's statements.
func (v shapeView) URL() string { return link("statements", "shape", v.ID) }

// ExampleURL returns the address of the page of the shape's slowest statement.
func (v shapeView) ExampleURL() string { return link("statement", "id", v.Example) }

// shapeWindow has the counts of a shape in a period.
type shapeWindow struct {
	window                       // its times include running statements
	name    string               // for people
	running count                // statements
	oldest  *telemetry.Statement // of the running statements
}

// views returns the shapes that occurred in a period that ends now, those that took the most time
// first. running must be sorted, oldest first.
func (g *shapes) views(now time.Time, length time.Duration, running ...*telemetry.Statement) []shapeView {
	g.mu.Lock()
	defer g.mu.Unlock()
	found := map[string]*shapeWindow{}
	for shape, of := range g.all {
		if c := g.over(now, length, of); c.statements > 0 {
			found[shape] = &shapeWindow{name: of.name}
			found[shape].add(&c)
		}
	}
	for _, s := range running {
		shape := shapeIDOf(s)
		w := found[shape]
		if w == nil {
			w = &shapeWindow{name: shapeOf(s)}
			if of := g.all[shape]; of != nil {
				w.name = of.name
			}
			found[shape] = w
		}
		w.running++
		w.oldest = cmp.Or(w.oldest, s)
		addRunning(&w.times, cmp.Or(length, allTime), 0, s)
	}
	all := make([]shapeView, 0, len(found))
	var total time.Duration
	for shape, w := range found {
		all = append(all, w.view(shape))
		total += w.times.Total()
	}
	for i := range all {
		all[i].Share = shareOf(time.Duration(all[i].Time), total)
	}
	slices.SortFunc(all, func(a, b shapeView) int {
		return cmp.Or(cmp.Compare(b.Time, a.Time), cmp.Compare(a.Text, b.Text), cmp.Compare(a.ID, b.ID))
	})
	return all
}

// view describes the shape, without its share of all time. Percentiles are those of statements that ended.
func (w *shapeWindow) view(id string) shapeView {
	v := shapeView{
		ID: id, Text: w.name, Statements: count(w.statements), Running: w.running, Time: duration(w.times.Total()),
		P50: duration(w.quantile(0.5)), P95: duration(w.quantile(0.95)), Slowest: duration(w.slowest), Example: w.example,
		Failed: count(w.failed), Canceled: count(w.canceled), FailedShare: share(float64(w.failed) / float64(max(1, w.statements))),
		Rows: count(w.rows), Split: splitOf(w.times),
	}
	if w.oldest != nil && w.oldest.Total > w.slowest {
		v.Slowest, v.Example = duration(w.oldest.Total), keyOf(w.oldest)
	}
	if largest := v.Split.Largest(); largest != nil {
		v.Bound = largest.Bound
	}
	return v
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

// shapeColumns are the columns of the list of shapes.
var shapeColumns = []listColumn[shapeView]{
	{title: "Shape", class: "name"},
	{"Share of time", "n", "share", false, func(a, b shapeView) int { return cmp.Compare(b.Time, a.Time) }},
	{"Statements", "n", "count", false, func(a, b shapeView) int { return cmp.Compare(b.Statements, a.Statements) }},
	{"p50", "n", "p50", false, func(a, b shapeView) int { return cmp.Compare(b.P50, a.P50) }},
	{"p95", "n", "p95", false, func(a, b shapeView) int { return cmp.Compare(b.P95, a.P95) }},
	{"Slowest", "n", "max", false, func(a, b shapeView) int { return cmp.Compare(b.Slowest, a.Slowest) }},
	{"Failed", "n", "failed", false, func(a, b shapeView) int { return cmp.Compare(b.Failed, a.Failed) }},
	{"Rows", "n", "rows", false, func(a, b shapeView) int { return cmp.Compare(b.Rows, a.Rows) }},
	{title: "Mostly", class: "bound"},
}

// shapeViews returns the shapes of a period. A shape whose slowest statement is no longer kept names
// none.
func (req *request) shapeViews(p period, running, kept []*telemetry.Statement) []shapeView {
	present := keysOf(slices.Concat(running, kept))
	all := req.memory.shapes.views(req.now, p.length, running...)
	for i := range all {
		if !present[all[i].Example] {
			all[i].Example = ""
		}
	}
	return all
}

func (req *request) shapes() (string, model) {
	running, kept := req.present()
	p := req.period(lastHour)
	l := shapesPage{Window: p.key, Shapes: req.shapeViews(p, running, kept.all), Windows: req.windows("shapes", p), presence: req.presence(len(running) + len(kept.all))}
	l.Sort, l.Headings = sorted(req, "shapes", l.Shapes, shapeColumns)
	return "By shape", l
}
