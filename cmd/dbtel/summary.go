package main

import (
	"bufio"
	"cmp"
	"context"
	"flag"
	"fmt"
	"maps"
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
text without literals if the application kept the text (telemetry_query_text=true), otherwise
a hash of that, which is the same in the files of all processes. Percentiles are of the total
time, from the call until the rows were closed, and accurate to within 1 %. Registered pools
are shown with how long calls waited for their connections, and with the share of samples in
which all connections that the pool may open were in use.

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
			if *n < 0 {
				return usageError(fmt.Sprintf("-n takes 0 or more, not %d", *n))
			}
			s := summary{By: *by, filter: inv.input.filter, groupOf: groupOf}
			s.groups, s.pools, s.failures = map[string]*group{}, map[string]*poolSummary{}, map[string]*sessionFailure{}
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

// groupings are the functions that return the group of a statement, by the value of --by.
var groupings = map[string]func(*telemetry.Statement) string{
	"shape":  shapeOf,
	"format": func(s *telemetry.Statement) string { return cmp.Or(string(s.Result.Format), "none") },
	"kind": func(s *telemetry.Statement) string {
		return cmp.Or(strings.TrimSpace(string(s.Kind)+" "+s.Volume), "unknown")
	},
	"server":  func(s *telemetry.Statement) string { return cmp.Or(s.Server, "unknown") },
	"verdict": func(s *telemetry.Statement) string { return cmp.Or(explain.Of(s).Bound, "none") },
	"error":   func(s *telemetry.Statement) string { return errorOf(s.Failure) },
}

func groupingNames() []string { return slices.Sorted(maps.Keys(groupings)) }

// summary is what dbtel summary counts, and prints with --json.
type summary struct {
	By         string    `json:"by"`
	Statements int64     `json:"statements"`
	Failed     int64     `json:"failed"`
	First      time.Time `json:"first,omitzero"` // started
	Last       time.Time `json:"last,omitzero"`  // finished
	Sessions   struct {
		Opened   int64             `json:"opened"`
		Failed   int64             `json:"failed"`
		Failures []*sessionFailure `json:"failures,omitempty"`
	} `json:"sessions"`
	Server  *reportSummary `json:"server,omitempty"`
	Pools   []*poolSummary `json:"pools,omitempty"`
	Groups  []*group       `json:"groups"`
	Omitted int            `json:"omitted"` // groups that are counted but not shown

	filter   *filter // that selected the records
	groupOf  func(*telemetry.Statement) string
	groups   map[string]*group // by their names, like the next two
	pools    map[string]*poolSummary
	failures map[string]*sessionFailure
}

// sessionFailure is how many sessions could not be opened for one reason.
type sessionFailure struct {
	Name     string `json:"name"` // as in groups by error
	Sessions int64  `json:"sessions"`
}

// group is a group of statements. Times are in ms.
type group struct {
	Name       string `json:"name"`
	Statements int64  `json:"statements"`
	Failed     int64  `json:"failed"`
	Rows       int64  `json:"rows"`  // read by the application
	Bytes      int64  `json:"bytes"` // received: answers and files
	spread

	hasRows, hasBytes bool // known for some of them
}

// maxGroups bounds memory. Further groups are counted together, as otherGroups.
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
			counted(s.failures, errorOf(r.Failure), func(name string) *sessionFailure { return &sessionFailure{Name: name} }).Sessions++
		}
	case *telemetry.Statement:
		s.statement(r)
	case *telemetry.ServerReport:
		if s.Server == nil {
			s.Server = &reportSummary{}
		}
		s.Server.add(r)
	case *telemetry.PoolSample:
		counted(s.pools, r.Pool, func(name string) *poolSummary { return &poolSummary{Name: name} }).add(r)
	}
	return nil
}

func (s *summary) statement(r *telemetry.Statement) {
	s.Statements++
	if end := r.Started.Add(r.Total); !r.Started.IsZero() && end.Year() <= 9999 { // JSON cannot have a later time
		if s.First.IsZero() || r.Started.Before(s.First) {
			s.First = r.Started
		}
		if end.After(s.Last) {
			s.Last = end
		}
	}
	g := counted(s.groups, s.groupOf(r), func(name string) *group { return &group{Name: name} })
	g.Statements++
	if r.Failed() {
		s.Failed++
		g.Failed++
	}
	rows, hasRows := r.RowsRead.Get()
	g.Rows, g.hasRows = g.Rows+rows, g.hasRows || hasRows
	g.Bytes, g.hasBytes = g.Bytes+bytesOf(r), g.hasBytes || r.RPCs != nil || r.CloudFetch != nil
	g.times.add(r.Total)
}

// counted returns the counts for a name, which first creates for a new name. Beyond maxGroups names, it
// returns the counts of otherGroups.
func counted[V any](all map[string]*V, name string, first func(name string) *V) *V {
	name = clean(name)
	if all[name] == nil && len(all) >= maxGroups {
		name = otherGroups
	}
	if all[name] == nil {
		all[name] = first(name)
	}
	return all[name]
}

// bytesOf returns the number of bytes received for a statement, over Thrift and as files.
func bytesOf(r *telemetry.Statement) (n int64) {
	for _, rpc := range r.RPCs {
		n += rpc.BytesIn
	}
	if r.CloudFetch != nil {
		n += r.CloudFetch.Received
	}
	return n
}

// finish sorts the groups and keeps the first n.
func (s *summary) finish(n int) {
	s.Sessions.Failures = slices.SortedFunc(maps.Values(s.failures), func(a, b *sessionFailure) int {
		return cmp.Or(cmp.Compare(b.Sessions, a.Sessions), cmp.Compare(a.Name, b.Name))
	})
	if s.Server != nil {
		s.Server.finish()
	}
	s.Pools = slices.SortedFunc(maps.Values(s.pools), func(a, b *poolSummary) int {
		return cmp.Or(cmp.Compare(b.Waited, a.Waited), cmp.Compare(b.Waits, a.Waits), cmp.Compare(a.Name, b.Name))
	})
	s.Groups = []*group{}
	for _, g := range s.groups {
		g.finish()
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
	on.printWrapped(w, s.heading()+s.sessions())
	s.printGroups(w, on)
	printPools(w, s.Pools, on)
	if s.Server != nil {
		fmt.Fprintln(w)
		s.Server.print(w, on)
	}
}

func (s *summary) printGroups(w *bufio.Writer, on screen) {
	if s.Statements == 0 {
		return
	}
	fmt.Fprintln(w)
	t := table{columns: slices.Concat(
		[]column{{title: strings.ToUpper(s.By), least: leastText}, {title: "COUNT", right: true}, {title: "FAILED", right: true, rank: 1}},
		spreadColumns,
		[]column{{title: "ROWS", right: true, rank: 6}, {title: "RECEIVED", right: true, rank: 7}},
	)}
	for _, g := range s.Groups {
		failed := cellIf(g.Failed != 0, cell{format.Count(g.Failed), red})
		name := g.Name
		if s.By == "error" {
			name = format.OneSpelling(name)
		}
		t.add(slices.Concat([]cell{{name, bold}, number(g.Statements), failed}, g.cells(),
			[]cell{cellIf(g.hasRows, number(g.Rows)), cellIf(g.hasBytes, cell{text: format.Bytes(g.Bytes)})})...)
	}
	t.print(w, on)
	if s.Omitted > 0 {
		fmt.Fprintf(w, "\n%s; -n 0 shows all.\n", format.Plural(int64(s.Omitted), "more group"))
	}
}

func (s *summary) heading() string {
	if s.Statements == 0 {
		return s.filter.nothing()
	}
	text := statementCount(s.Statements, s.Failed)
	if s.First.IsZero() {
		return text + "."
	}
	return text + fmt.Sprintf(", in %s from %s.", format.Duration(s.Last.Sub(s.First)), s.First.Local().Format(time.DateTime))
}

// sessions returns a text with the number of opened sessions, and the most frequent errors of those
// that could not be opened.
func (s *summary) sessions() string {
	if s.Sessions.Opened == 0 {
		return ""
	}
	text := " Sessions: " + format.Count(s.Sessions.Opened-s.Sessions.Failed) + " opened"
	if s.Sessions.Failed == 0 {
		return text + "."
	}
	const most = 3
	var failures []string
	for _, f := range s.Sessions.Failures[:min(most, len(s.Sessions.Failures))] {
		failures = append(failures, textIf(len(s.Sessions.Failures) > 1, format.Count(f.Sessions)+" ")+format.OneSpelling(f.Name))
	}
	return fmt.Sprintf("%s, %s failed (%s%s).", text, format.Count(s.Sessions.Failed), strings.Join(failures, ", "), textIf(len(s.Sessions.Failures) > most, ", …"))
}
