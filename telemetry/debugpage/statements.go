package debugpage

import (
	"cmp"
	"encoding/hex"
	"errors"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/internal/format"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry/explain"
)

// row is a statement in a list.
type row struct {
	Key         string             `json:"key"` // what the page of the statement knows it by
	Started     moment             `json:"started"`
	Kind        telemetry.Kind     `json:"kind,omitempty"`
	Outcome     telemetry.Outcome  `json:"outcome"`
	Category    telemetry.Category `json:"error_category,omitempty"`
	StatementID string             `json:"statement_id,omitempty"`
	Query       string             `json:"query_text,omitempty"`
	Total       duration           `json:"total_ms"`
	Verdict     string             `json:"verdict,omitempty"`
	Bound       explain.Bound      `json:"bound,omitempty"`
	Split       split              `json:"split"`
	Rows        *count             `json:"rows_read,omitempty"`
	Format      string             `json:"result_format,omitempty"`
	Files       *count             `json:"files,omitempty"`
	Bytes       *size              `json:"bytes,omitempty"` // received, over Thrift and as files
	Server      string             `json:"server,omitempty"`
	Internal    bool               `json:"internal,omitempty"`
}

// Running reports whether the statement has not ended.
func (r row) Running() bool { return r.Outcome == telemetry.OutcomeRunning }

// Failed reports whether it ended in an error.
func (r row) Failed() bool {
	return r.Outcome == telemetry.OutcomeFailed || r.Outcome == telemetry.OutcomeCanceled || r.Category != ""
}

// URL leads to the statement's page.
func (r row) URL() string { return "statement?" + url.Values{"id": {r.Key}}.Encode() }

// Name is what stands for the statement where there is little room.
func (r row) Name() string {
	if r.StatementID != "" {
		return shortID(r.StatementID)
	}
	return "no id"
}

// Text is the beginning of the statement's text, on one line.
func (r row) Text() string {
	const most = 120
	text := strings.Join(strings.Fields(r.Query), " ")
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most]) + " …"
	}
	return text
}

// Result says how the rows travelled.
func (r row) Result() string {
	switch telemetry.ResultFormat(r.Format) {
	case telemetry.FormatInlineArrow:
		return "Arrow"
	case telemetry.FormatColumnarInline:
		return "columns"
	case telemetry.FormatInlineJSON:
		return "JSON"
	case telemetry.FormatExternalLinks:
		return "CloudFetch"
	}
	return r.Format
}

// InFiles says in how many files, if any.
func (r row) InFiles() string {
	if r.Files == nil {
		return ""
	}
	return format.Plural(int64(*r.Files), "file")
}

func rowOf(s *telemetry.Statement, now time.Time) row {
	v := explain.Of(s)
	r := row{
		Key: keyOf(s), Started: moment{s.Started, now}, Kind: s.Kind, Outcome: s.Outcome, StatementID: s.StatementID, Query: s.Query,
		Total: duration(s.Total), Verdict: v.Sentence, Bound: v.Bound, Split: splitOf(timesOf(s), s.Total),
		Rows: counted(s.RowsRead), Format: string(s.Result.Format), Server: s.Server, Internal: s.Internal,
	}
	if r.Rows == nil {
		r.Rows = counted(s.RowsAffected)
	}
	if s.Failure != nil {
		r.Category = s.Failure.Category
	}
	if c := s.CloudFetch; c != nil {
		n := count(c.Present)
		r.Files = &n
	}
	if n, ok := received(s); ok {
		r.Bytes = (*size)(&n)
	}
	return r
}

func rowsOf(all []*telemetry.Statement, now time.Time) []row {
	rows := make([]row, len(all))
	for i, s := range all {
		rows[i] = rowOf(s, now)
	}
	return rows
}

// received is what came in, over Thrift and as files; false where nobody counted.
func received(s *telemetry.Statement) (n int64, ok bool) {
	if s.RPCs == nil {
		return 0, false
	}
	for _, r := range s.RPCs {
		n += r.BytesIn
	}
	if c := s.CloudFetch; c != nil {
		n += c.Received
	}
	return n, true
}

// keyOf names a statement in an address. It is the server's id, which an operator may have
// from elsewhere, or, as long as there is none, where and when it began.
func keyOf(s *telemetry.Statement) string {
	if s.StatementID != "" {
		return s.StatementID
	}
	return localKey(s)
}

func localKey(s *telemetry.Statement) string {
	return strconv.FormatInt(s.Connector, 10) + "-" + strconv.FormatInt(s.Started.UnixNano(), 36)
}

func shortID(id string) string {
	if len(id) > 13 {
		return id[:13] + "…"
	}
	return id
}

// running asks every connector for what it is doing, the longest first. A connector that
// panics is left out.
func (v *visit) running() []*telemetry.Statement {
	var all []*telemetry.Statement
	for _, c := range v.connectors() {
		if now, ok := contained(c.Running); ok {
			all = append(all, now...)
		}
	}
	slices.SortStableFunc(all, func(a, b *telemetry.Statement) int { return a.Started.Compare(b.Started) })
	return all
}

// filter is what a list is asked for. The zero value asks for everything.
type filter struct {
	Outcome  string        `json:"outcome,omitempty"`
	Kind     string        `json:"kind,omitempty"`
	Result   string        `json:"result,omitempty"`
	Category string        `json:"category,omitempty"`
	Bound    string        `json:"bound,omitempty"`
	Min      string        `json:"min,omitempty"` // as it was given
	Text     string        `json:"q,omitempty"`
	least    time.Duration // Min understood
}

// filterOf reads a filter from an address; the error says what of it was not understood, and
// the rest holds.
func filterOf(values url.Values) (filter, error) {
	f := filter{
		Outcome: values.Get("outcome"), Kind: values.Get("kind"), Result: values.Get("result"), Category: values.Get("category"),
		Bound: values.Get("bound"), Min: strings.TrimSpace(values.Get("min")), Text: strings.TrimSpace(values.Get("q")),
	}
	if f.Min == "" {
		return f, nil
	}
	least, err := time.ParseDuration(f.Min)
	if n, number := strconv.ParseFloat(f.Min, 64); number == nil && n < 1e9 {
		least, err = time.Duration(n*float64(time.Millisecond)), nil // a plain number is milliseconds
	}
	if err != nil || least < 0 {
		return f, errLeast
	}
	f.least = least
	return f, nil
}

// errLeast does not quote what was written: it stands in the form still.
var errLeast = errors.New("that is no duration: write 500ms, 1.5s or 2m")

// problem is an outcome, too: failed or canceled.
const problem = "problem"

func (f *filter) matches(s *telemetry.Statement) bool {
	category := ""
	if s.Failure != nil {
		category = string(s.Failure.Category)
	}
	return (f.Outcome == "" || f.Outcome == string(s.Outcome) || f.Outcome == problem && s.Failed()) &&
		(f.Kind == "" || f.Kind == string(s.Kind)) &&
		(f.Result == "" || f.Result == string(s.Result.Format)) &&
		(f.Category == "" || f.Category == category) &&
		(f.Bound == "" || f.Bound == string(explain.Of(s).Bound)) &&
		s.Total >= f.least &&
		(f.Text == "" || f.mentionedIn(s))
}

// mentionedIn looks for the text in all that names a statement.
func (f *filter) mentionedIn(s *telemetry.Statement) bool {
	text := strings.ToLower(f.Text)
	in := func(all ...string) bool {
		return slices.ContainsFunc(all, func(one string) bool { return strings.Contains(strings.ToLower(one), text) })
	}
	if s.Failure != nil && in(string(s.Failure.Category), s.Failure.SQLState, s.Failure.Message) {
		return true
	}
	return in(s.StatementID, s.SessionID, s.Server, s.Query, localKey(s)) ||
		s.TraceID != [16]byte{} && in(hex.EncodeToString(s.TraceID[:]), hex.EncodeToString(s.SpanID[:]))
}

// orders are what a list can be sorted by. Each begins with what one looks for first.
var orders = []struct {
	key, title, class string
	compare           func(a, b *telemetry.Statement) int
}{
	{"started", "Started", "w1", latestFirst},
	{"total", "Total", "n", func(a, b *telemetry.Statement) int { return cmp.Compare(b.Total, a.Total) }},
	{"rows", "Rows", "n w2", func(a, b *telemetry.Statement) int { return cmp.Compare(b.RowsRead.Or(-1), a.RowsRead.Or(-1)) }},
	{"bytes", "Received", "n w3", func(a, b *telemetry.Statement) int {
		inA, _ := received(a)
		inB, _ := received(b)
		return cmp.Compare(inB, inA)
	}},
}

// statementList is the page of statements.
type statementList struct {
	Filter  filter `json:"filter"`
	Problem string `json:"problem,omitempty"` // with the filter
	Sort    string `json:"sort"`
	Found   count  `json:"found"`
	Kept    count  `json:"kept"` // of which the filter let through those found
	Running count  `json:"running"`
	Rows    []row  `json:"statements"`
	presence

	Headings map[string]heading `json:"-"`
	Views    []choice           `json:"-"`
	Selects  []selection        `json:"-"`
	All      string             `json:"-"` // leads to those that were left off; empty when none were
}

// heading is the head of a column one can sort by.
type heading struct {
	Title, URL string
	Class      string // of the column
	Sorted     string // ascending, descending or ""
}

// choice is one of several ways to look at a page.
type choice struct {
	Name, URL string
	Chosen    bool
}

// selection is a field of the form that has a list of values.
type selection struct {
	Name, Label string
	Options     []option
}

type option struct {
	Value, Label string
	Chosen       bool
}

// rowsShown keeps a page quick to load; one link shows the rest.
const rowsShown = 100

func (v *visit) statements() (string, any, int) {
	running, kept := v.running(), v.memory.look(v.now)
	all := append(slices.Clone(running), kept.all...)
	f, err := filterOf(v.query)
	l := statementList{Filter: f, Kept: count(len(all)), Running: count(len(running)), presence: v.presence(len(all)), Headings: map[string]heading{}}
	if err != nil {
		l.Problem = err.Error()
	}
	found := slices.DeleteFunc(slices.Clone(all), func(s *telemetry.Statement) bool { return !f.matches(s) })
	l.Sort = v.sort(found, &l)
	l.Found = count(len(found))
	if len(found) > rowsShown && v.query.Get("all") == "" {
		found = found[:rowsShown]
		l.All = v.link("statements", "all", "1", "refresh", "")
	}
	l.Rows = rowsOf(found, v.now)
	l.Views = v.views()
	l.Selects = selects(f, all)
	return "Statements", l, 200
}

// sort orders the list as asked, those that run first where that is by time, and writes the
// headings.
func (v *visit) sort(found []*telemetry.Statement, l *statementList) string {
	by := v.query.Get("sort")
	key, reversed := strings.CutPrefix(by, "-")
	chosen := orders[0]
	for _, o := range orders {
		if o.key == key {
			chosen = o
		}
	}
	if chosen.key != key {
		reversed = false
	}
	slices.SortStableFunc(found, chosen.compare)
	if reversed {
		slices.Reverse(found)
	} else if chosen.key == orders[0].key {
		slices.SortStableFunc(found, func(a, b *telemetry.Statement) int {
			return cmp.Compare(order(b.Outcome == telemetry.OutcomeRunning), order(a.Outcome == telemetry.OutcomeRunning))
		})
	}
	for _, o := range orders {
		h := heading{Title: o.title, Class: o.class, URL: v.link("statements", "sort", o.key)}
		if o.key == chosen.key {
			h.Sorted = "descending"
			h.URL = v.link("statements", "sort", "-"+o.key)
			if reversed {
				h.Sorted, h.URL = "ascending", v.link("statements", "sort", o.key)
			}
		}
		l.Headings[o.key] = h
	}
	if reversed {
		return "-" + chosen.key
	}
	return chosen.key
}

func order(b bool) int {
	if b {
		return 1
	}
	return 0
}

// views are the lists one asks for most.
func (v *visit) views() []choice {
	outcome, sort := v.query.Get("outcome"), v.query.Get("sort")
	all := []choice{
		{"Latest", "statements", outcome == "" && sort != "total"},
		{"Running", "statements?outcome=running", outcome == string(telemetry.OutcomeRunning)},
		{"Slowest", "statements?sort=total", outcome == "" && sort == "total"},
		{"Failed", "statements?outcome=problem", outcome == problem},
	}
	return all
}

// selects offers what there is to choose from, and what is chosen.
func selects(f filter, all []*telemetry.Statement) []selection {
	of := func(name, label, chosen, none string, read func(*telemetry.Statement) string, first ...option) selection {
		s := selection{Name: name, Label: label, Options: append([]option{{"", none, chosen == ""}}, first...)}
		var values []string
		for _, st := range all {
			if value := read(st); value != "" {
				values = append(values, value)
			}
		}
		if chosen != "" && chosen != problem {
			values = append(values, chosen)
		}
		slices.Sort(values)
		for _, value := range slices.Compact(values) {
			s.Options = append(s.Options, option{value, strings.ReplaceAll(value, "_", " "), chosen == value})
		}
		return s
	}
	return []selection{
		of("outcome", "Outcome", f.Outcome, "any outcome", func(s *telemetry.Statement) string { return string(s.Outcome) },
			option{problem, "failed or canceled", f.Outcome == problem}),
		of("bound", "Verdict", f.Bound, "any verdict", func(s *telemetry.Statement) string { return string(explain.Of(s).Bound) }),
		of("kind", "Kind", f.Kind, "any kind", func(s *telemetry.Statement) string { return string(s.Kind) }),
		of("result", "Result format", f.Result, "any format", func(s *telemetry.Statement) string { return string(s.Result.Format) }),
		of("category", "Error", f.Category, "any error", func(s *telemetry.Statement) string {
			if s.Failure == nil {
				return ""
			}
			return string(s.Failure.Category)
		}),
	}
}
