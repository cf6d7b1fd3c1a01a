package debugpage

import (
	"cmp"
	"slices"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/internal/sqltext"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

const (
	errorsKept    = 64  // kinds that are counted separately
	messageLength = 300 // characters of an error's message
)

// failures counts the errors of statements and of connections that could not be opened, by kind.
type failures struct {
	groups[errorKind, int64]
}

// errorKind is the key by which errors are counted together.
type errorKind struct {
	Of       string             `json:"of"` // "statement" or "connection"
	Category telemetry.Category `json:"error_category"`
	SQLState string             `json:"sqlstate,omitempty"`
	Message  string             `json:"error_message,omitempty"`
}

const (
	ofStatement  = "statement"
	ofConnection = "connection"
)

// add counts an error; example is the key of the statement, empty for a connection.
func (g *failures) add(now time.Time, of string, f *telemetry.Failure, example string) {
	message := sqltext.Bounded(f.Message, 4*messageLength+4) // if it is cut here, still more than messageLength characters
	kind := errorKind{of, f.Category, f.SQLState, shortened(message, messageLength, "…")}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.count(now, kind, func(n *int64) { *n++ }).example = example
}

// errorView is a kind of error in a list.
type errorView struct {
	errorKind
	Count   count  `json:"count"`
	Last    moment `json:"last"`
	Example string `json:"latest_statement,omitempty"` // its key; empty for connections, and if it is no longer kept
	Listed  bool   `json:"-"`                          // a statement that failed with this category is kept
}

// views returns the errors in a period that ends now, the most frequent first.
func (g *failures) views(now time.Time, length time.Duration) []errorView {
	g.mu.Lock()
	defer g.mu.Unlock()
	all := []errorView{}
	for kind, of := range g.all {
		if n := g.over(now, length, of); n > 0 {
			all = append(all, errorView{kind, count(n), moment{of.last, now}, of.example, false})
		}
	}
	slices.SortFunc(all, func(a, b errorView) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Category, b.Category), cmp.Compare(a.Message, b.Message),
			cmp.Compare(a.Of, b.Of), cmp.Compare(a.SQLState, b.SQLState))
	})
	return all
}

// errorsPage is the list of errors.
type errorsPage struct {
	Window  string      `json:"window"`
	Errors  []errorView `json:"errors"`
	Windows []tab       `json:"-"`
}

// errorViews returns the errors of a period, with links to statements that are kept.
func (req *request) errorViews(p period, kept []*telemetry.Statement) []errorView {
	all := req.memory.failures.views(req.now, p.length)
	present := keysOf(kept)
	for i := range all {
		e := &all[i]
		if !present[e.Example] {
			e.Example = ""
		}
		e.Listed = e.Of == ofStatement && slices.ContainsFunc(kept, func(s *telemetry.Statement) bool { return categoryOf(s) == e.Category })
	}
	return all
}

func (req *request) errors() (string, model) {
	p := req.period(lastHour)
	return "Errors", errorsPage{p.key, req.errorViews(p, req.memory.snapshot().all), req.windows("errors", p)}
}
