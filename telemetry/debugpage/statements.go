package debugpage

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/internal/format"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry/explain"
)

// statementsPage is the list of statements.
type statementsPage struct {
	Filter  filter `json:"filter"`
	Problem string `json:"problem,omitempty"` // what is wrong with the filter
	Sort    string `json:"sort"`
	Window  string `json:"window"`
	Shape   string `json:"shape,omitempty"` // that the filter selects
	Found   count  `json:"found"`           // statements that the filter selects
	Kept    count  `json:"kept"`            // statements from which it selects: running or kept
	Running count  `json:"running"`
	Rows    []row  `json:"statements"`
	presence

	Headings []heading     `json:"-"`
	Tabs     []tab         `json:"-"`
	Selects  []selectField `json:"-"`
	Windows  []tab         `json:"-"`
	All      string        `json:"-"` // address of the list with all rows; empty when all are shown
}

const rowsShown = 100 // unless the request asks for all, so that the page loads quickly

func (req *request) statements() (string, model) {
	running, kept := req.present()
	all := slices.Concat(running, kept.all)
	f, err := filterOf(req.query)
	l := statementsPage{Filter: f, Kept: count(len(all)), Running: count(len(running)), presence: req.presence(len(all))}
	if err != nil {
		l.Problem = err.Error()
	}
	p := req.period(sinceStart)
	l.Window, l.Windows = p.key, req.windows("statements", p)
	found := slices.DeleteFunc(p.within(req.now, all), func(s *telemetry.Statement) bool { return !f.matches(s) })
	l.Sort, l.Headings = sorted(req, "statements", found, statementColumns)
	if l.Sort == statementColumns[0].key {
		slices.SortStableFunc(found, func(a, b *telemetry.Statement) int { return cmp.Compare(ended(a), ended(b)) })
	}
	l.Found = count(len(found))
	if f.Shape != "" && len(found) > 0 {
		l.Shape = shapeOf(found[0])
	}
	if len(found) > rowsShown && req.query.Get("all") == "" {
		found = found[:rowsShown]
		l.All = req.link("statements", "all", "1", "refresh", "")
	}
	l.Rows = req.rowsOf(found)
	l.Tabs = tabs(f.Outcome, l.Sort)
	l.Selects = selects(f, all)
	return "Statements", l
}

// present returns the running and the kept statements. A statement that ends meanwhile is returned only as kept:
// its total is no shorter than while it ran. A different statement that began at the same tick of the clock, and
// has ended, may be shorter.
func (req *request) present() (running []*telemetry.Statement, kept snapshot) {
	running, kept = req.running(), req.memory.snapshot()
	ended := map[string]time.Duration{}
	for _, s := range kept.all {
		key := localKey(s)
		ended[key] = max(ended[key], s.Total)
	}
	return slices.DeleteFunc(running, func(s *telemetry.Statement) bool {
		total, found := ended[localKey(s)]
		return found && total >= s.Total
	}), kept
}

// running returns the running statements of all connectors, the longest running first. A connector
// that panics is left out.
func (req *request) running() []*telemetry.Statement {
	var all []*telemetry.Statement
	for _, c := range req.connectors() {
		statements, _ := contained(c.Running)
		all = append(all, statements...)
	}
	slices.SortStableFunc(all, func(a, b *telemetry.Statement) int { return a.Started.Compare(b.Started) })
	return all
}

// statementColumns are the columns of lists of statements. In the first order, running statements come first.
var statementColumns = []listColumn[*telemetry.Statement]{
	{"Started", "w1", "started", true, latestFirst},
	{title: "Statement", class: "name"},
	{title: "Outcome", class: "result"},
	{"Total", "n total", "total", true, slowestFirst},
	{title: "Where the time went", class: "time"},
	{"Rows", "n rows", "rows", true, func(a, b *telemetry.Statement) int { return cmp.Compare(rowsOf(b).Or(-1), rowsOf(a).Or(-1)) }},
	{title: "Result", class: "format"},
	{"Received", "n bytes", "bytes", true, func(a, b *telemetry.Statement) int { return cmp.Compare(received(b).Or(0), received(a).Or(0)) }},
}

// ended returns 0 for a running statement, and 1 for one that has ended.
func ended(s *telemetry.Statement) int {
	if s.Outcome == telemetry.OutcomeRunning {
		return 0
	}
	return 1
}

// tab is a link in a row of links, one of which may be chosen.
type tab struct {
	Name, URL string
	Chosen    bool
}

// tabs returns links to the lists that are wanted most often. The one that a list with this outcome and order belongs
// to is chosen.
func tabs(outcome, sort string) []tab {
	return []tab{
		{"Latest", "statements", outcome == "" && sort == statementColumns[0].key},
		{"Running", "statements?outcome=running", outcome == string(telemetry.OutcomeRunning)},
		{"Slowest", "statements?sort=total", outcome == "" && sort == "total"},
		{"Failed", "statements?outcome=" + problem, outcome == problem},
	}
}

// selectField is a drop-down list of the form.
type selectField struct {
	Name, Label string
	Options     []option
}

type option struct {
	Value, Label string
	Chosen       bool
}

// selects returns the drop-down lists, with the values that occur in the statements and the value of
// the filter.
func selects(f filter, all []*telemetry.Statement) []selectField {
	of := func(name, label, chosen, none string, read func(*telemetry.Statement) string, first ...option) selectField {
		s := selectField{Name: name, Label: label, Options: append([]option{{"", none, chosen == ""}}, first...)}
		var values []string
		for _, statement := range all {
			if value := read(statement); value != "" {
				values = append(values, value)
			}
		}
		if chosen != "" && chosen != problem {
			values = append(values, chosen)
		}
		slices.Sort(values)
		for _, value := range slices.Compact(values) {
			s.Options = append(s.Options, option{value, strings.ReplaceAll(format.OneSpelling(value), "_", " "), chosen == value})
		}
		return s
	}
	return []selectField{
		of("outcome", "Outcome", f.Outcome, "any outcome", func(s *telemetry.Statement) string { return string(s.Outcome) },
			option{problem, "failed or canceled", f.Outcome == problem}),
		of("bound", "Verdict", f.Bound, "any verdict", func(s *telemetry.Statement) string { return explain.Of(s).Bound }),
		of("kind", "Kind", f.Kind, "any kind", func(s *telemetry.Statement) string { return string(s.Kind) }),
		of("result", "Result format", f.Result, "any format", func(s *telemetry.Statement) string { return string(s.Result.Format) }),
		of("category", "Error", f.Category, "any error", func(s *telemetry.Statement) string { return string(categoryOf(s)) }),
	}
}
