package main

import (
	"bufio"
	"cmp"
	"context"
	"flag"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/internal/format"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry/explain"
)

var summaryCommand = command{
	name:    "summary",
	args:    "[flags] [file...]",
	summary: "count statements by what they have in common, with percentiles of their time",
	details: `Groups are ordered by their total time. The shape of a statement is its
text without literals, where the application kept the text (telemetry_query_text=true), and
its kind and result format where not. Percentiles are of the total time, from the call until
the rows were closed, and right within 1 %.

  dbtel summary app.ndjson
  dbtel summary --by verdict app.ndjson app.ndjson.1
  dbtel summary --by error --json app.ndjson | jq '.groups[].name'
`,
	setup: func(flags *flag.FlagSet) func(context.Context, *invocation) error {
		by := flags.String("by", "shape", "`what` makes a group: "+strings.Join(groupingNames(), ", ")+" (shape)")
		n := flags.Int("n", 20, "`groups` to show, 0 for all (20)")
		return func(ctx context.Context, inv *invocation) error {
			groupOf, ok := groupings[*by]
			if !ok {
				return usageError(fmt.Sprintf("--by takes %s, not %q", strings.Join(groupingNames(), ", "), *by))
			}
			s := summary{By: *by, groupOf: groupOf, groups: map[string]*group{}}
			if err := inv.input.each(ctx, inv.args, s.add); err != nil {
				return err
			}
			s.finish(*n)
			if inv.json {
				return printJSON(inv.out, &s)
			}
			s.print(inv.out, inv.screen)
			return nil
		}
	},
}

// groupings return the group of a statement, by the value of --by.
var groupings = map[string]func(*telemetry.Statement) string{
	"shape":  shapeOf,
	"format": func(s *telemetry.Statement) string { return cmp.Or(string(s.Result.Format), "none") },
	"kind": func(s *telemetry.Statement) string {
		return cmp.Or(strings.TrimSpace(string(s.Kind)+" "+s.Volume), "unknown")
	},
	"server":  func(s *telemetry.Statement) string { return cmp.Or(s.Server, "unknown") },
	"verdict": func(s *telemetry.Statement) string { return cmp.Or(explain.Of(s).Bound, "none") },
	"error": func(s *telemetry.Statement) string {
		if s.Failure == nil {
			return "none"
		}
		return strings.TrimSpace(cmp.Or(string(s.Failure.Category), "unknown") + " " + s.Failure.SQLState)
	},
}

func groupingNames() []string {
	all := make([]string, 0, len(groupings))
	for name := range groupings {
		all = append(all, name)
	}
	slices.Sort(all)
	return all
}

// summary is what dbtel summary counts, and prints with --json.
type summary struct {
	By         string    `json:"by"`
	Statements int64     `json:"statements"`
	Failed     int64     `json:"failed"`
	First      time.Time `json:"first,omitzero"` // started
	Last       time.Time `json:"last,omitzero"`  // finished
	Sessions   struct {
		Opened int64 `json:"opened"`
		Failed int64 `json:"failed"`
	} `json:"sessions"`
	Groups  []*group `json:"groups"`
	Omitted int      `json:"omitted"` // groups that are counted and not shown

	groupOf func(*telemetry.Statement) string
	groups  map[string]*group
}

// group is a group of statements. Times are in ms.
type group struct {
	Name       string `json:"name"`
	Statements int64  `json:"statements"`
	Failed     int64  `json:"failed"`
	Rows       int64  `json:"rows"`  // read by the application
	Bytes      int64  `json:"bytes"` // received: answers and files

	Total millis `json:"total_ms"`
	P50   millis `json:"p50_ms"`
	P90   millis `json:"p90_ms"`
	P95   millis `json:"p95_ms"`
	P99   millis `json:"p99_ms"`
	Max   millis `json:"max_ms"`

	times histogram
}

// maxGroups bounds memory: further groups are counted as one, otherGroups.
const (
	maxGroups   = 1000
	otherGroups = "(others)"
)

func (s *summary) add(record any) error {
	switch r := record.(type) {
	case *telemetry.SessionOpened:
		s.Sessions.Opened++
		if r.Failed() {
			s.Sessions.Failed++
		}
	case *telemetry.Statement:
		s.statement(r)
	}
	return nil
}

func (s *summary) statement(r *telemetry.Statement) {
	s.Statements++
	if s.First.IsZero() || r.Started.Before(s.First) {
		s.First = r.Started
	}
	if end := r.Started.Add(r.Total); end.After(s.Last) {
		s.Last = end
	}
	g := s.group(clean(s.groupOf(r)))
	g.Statements++
	if r.Failed() {
		s.Failed++
		g.Failed++
	}
	g.Rows += r.RowsRead.Or(0)
	g.Bytes += bytesOf(r)
	g.times.add(r.Total)
}

func (s *summary) group(name string) *group {
	g, ok := s.groups[name]
	if !ok && len(s.groups) >= maxGroups {
		name = otherGroups
		g, ok = s.groups[name]
	}
	if !ok {
		g = &group{Name: name}
		s.groups[name] = g
	}
	return g
}

// bytesOf is how much was received for a statement.
func bytesOf(r *telemetry.Statement) (n int64) {
	for _, rpc := range r.RPCs {
		n += rpc.BytesIn
	}
	if r.CloudFetch != nil {
		n += r.CloudFetch.Received
	}
	return n
}

// finish sorts the groups and keeps the first of them.
func (s *summary) finish(n int) {
	s.Groups = []*group{}
	for _, g := range s.groups {
		h := &g.times
		g.Total, g.Max = millis(h.sum), millis(h.max)
		g.P50, g.P90, g.P95, g.P99 = millis(h.quantile(.5)), millis(h.quantile(.9)), millis(h.quantile(.95)), millis(h.quantile(.99))
		s.Groups = append(s.Groups, g)
	}
	slices.SortFunc(s.Groups, func(a, b *group) int {
		return cmp.Or(cmp.Compare(b.Total, a.Total), cmp.Compare(b.Statements, a.Statements), cmp.Compare(a.Name, b.Name))
	})
	if n > 0 && len(s.Groups) > n {
		s.Omitted = len(s.Groups) - n
		s.Groups = s.Groups[:n]
	}
}

func (s *summary) print(w *bufio.Writer, on screen) {
	if s.Statements == 0 {
		fmt.Fprintln(w, "No statements.")
		return
	}
	for _, l := range wrap(s.heading(), on.width) {
		fmt.Fprintln(w, l)
	}
	fmt.Fprintln(w)
	t := table{columns: []column{
		{title: strings.ToUpper(s.By), flex: true},
		{title: "COUNT", right: true},
		{title: "FAILED", right: true, rank: 1},
		{title: "P50", right: true},
		{title: "P90", right: true, rank: 5},
		{title: "P95", right: true},
		{title: "P99", right: true, rank: 4},
		{title: "MAX", right: true, rank: 2},
		{title: "TOTAL", right: true},
		{title: "ROWS", right: true, rank: 6},
		{title: "RECEIVED", right: true, rank: 7},
	}}
	for _, g := range s.Groups {
		failed := cell{format.Count(g.Failed), red}
		if g.Failed == 0 {
			failed = cell{"-", dim}
		}
		t.add(cell{g.Name, bold}, number(g.Statements), failed,
			duration(g.P50), duration(g.P90), duration(g.P95), duration(g.P99), duration(g.Max), duration(g.Total),
			number(g.Rows), cell{text: format.Bytes(g.Bytes)})
	}
	t.print(w, on)
	if s.Omitted > 0 {
		fmt.Fprintf(w, "\n%s more groups; -n 0 shows all.\n", format.Count(int64(s.Omitted)))
	}
}

func (s *summary) heading() string {
	text := format.Plural(s.Statements, "statement")
	if s.Failed > 0 {
		text += ", " + format.Count(s.Failed) + " failed"
	}
	text += fmt.Sprintf(", in %s from %s", format.Duration(s.Last.Sub(s.First)), s.First.Local().Format("2006-01-02 15:04:05"))
	if s.Sessions.Opened > 0 {
		text += "; " + format.Plural(s.Sessions.Opened, "session") + " opened"
	}
	if s.Sessions.Failed > 0 {
		text += fmt.Sprintf(" (%s failed)", format.Count(s.Sessions.Failed))
	}
	return text
}
