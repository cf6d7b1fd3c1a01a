package main

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/internal/format"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry/explain"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry/ndjson"
)

var topCommand = command{
	name: "top",
	args: "[-f] [flags] [file...]",
	does: "list the slowest or latest statements, and keep the list up to date",
	about: `With -f files are followed as they grow, are rotated or cut short; a file need not exist
yet. On a terminal the table is drawn anew as records arrive, until Ctrl-C; elsewhere each
statement becomes a line. With --json, what is listed are the records, as they were written.

  dbtel top app.ndjson
  dbtel top -f --by latest app.ndjson
  app 2>&1 >/dev/null | dbtel top -f
  dbtel top -n 1 --json app.ndjson | jq .verdict
`,
	setup: func(flags *flag.FlagSet) func(context.Context, *call) error {
		var follow bool
		flags.BoolVar(&follow, "f", false, "follow the files, as tail -F does")
		by := flags.String("by", "slowest", "`order`: slowest or latest (slowest)")
		n := flags.Int("n", 20, "`statements` to list (20)")
		return func(ctx context.Context, c *call) error {
			order, ok := orders[*by]
			if !ok {
				return usageError(fmt.Sprintf("--by takes slowest or latest, not %q", *by))
			}
			if *n < 1 || *n > 10_000 {
				return usageError(fmt.Sprintf("-n takes 1 to 10000, not %d", *n))
			}
			c.input.follow = follow
			list := &ranking{order: order, most: *n}
			switch {
			case follow && (c.json || !c.screen.terminal):
				return c.stream(ctx)
			case follow:
				return c.live(ctx, list)
			}
			if err := c.input.each(ctx, c.args, list.take); err != nil {
				return err
			}
			if c.json {
				sink := ndjson.New(c.out)
				for _, s := range list.statements {
					sink.StatementFinished(s)
				}
				return sink.Err()
			}
			list.print(c.out, c.screen)
			return nil
		}
	},
}

var orders = map[string]func(a, b *telemetry.Statement) int{
	"slowest": func(a, b *telemetry.Statement) int { return cmp.Compare(b.Total, a.Total) },
	"latest": func(a, b *telemetry.Statement) int {
		return b.Started.Add(b.Total).Compare(a.Started.Add(a.Total))
	},
}

// ranking keeps the first statements in an order, and counts all of them.
type ranking struct {
	order      func(a, b *telemetry.Statement) int
	most       int
	statements []*telemetry.Statement // in order

	failed int64
	times  histogram
}

func (r *ranking) take(record any) error {
	s, ok := record.(*telemetry.Statement)
	if !ok {
		return nil
	}
	r.times.add(s.Total)
	if s.Failed() {
		r.failed++
	}
	at, _ := slices.BinarySearchFunc(r.statements, s, func(a, b *telemetry.Statement) int {
		return cmp.Or(r.order(a, b), -1) // behind its equals
	})
	if at < r.most {
		r.statements = slices.Insert(r.statements, at, s)
		r.statements = r.statements[:min(len(r.statements), r.most)]
	}
	return nil
}

func (r *ranking) print(w io.Writer, on screen) {
	if r.times.n == 0 {
		fmt.Fprintln(w, "No statements.")
		return
	}
	fmt.Fprintln(w, fit(r.heading(), on.width))
	fmt.Fprintln(w)
	listing(r.statements).print(w, on)
}

func (r *ranking) heading() string {
	text := format.Plural(r.times.n, "statement")
	if r.failed > 0 {
		text += ", " + format.Count(r.failed) + " failed"
	}
	return text + fmt.Sprintf(" · p50 %s · p95 %s · max %s", format.Duration(r.times.quantile(.5)),
		format.Duration(r.times.quantile(.95)), format.Duration(r.times.most))
}

// listing is a table of statements, one line each.
func listing(statements []*telemetry.Statement) *table {
	t := &table{columns: []column{
		{title: "STARTED", rank: 2},
		{title: "TOTAL", right: true},
		{title: "KIND", rank: 3},
		{title: "ROWS", right: true, rank: 4},
		{title: "STATEMENT", rank: 1},
		{title: "WHERE THE TIME WENT"},
		{title: "TEXT", flex: true, rank: 5},
	}}
	for _, s := range statements {
		rows := cell{}
		if n, ok := s.RowsRead.Get(); ok {
			rows.text = format.Count(n)
		}
		text := ""
		if s.Query != "" {
			text = strings.Join(strings.Fields(clean(s.Query)), " ")
		}
		t.add(cell{s.Started.Local().Format("15:04:05"), dim}, cell{format.Duration(s.Total), bold}, cell{text: kindOf(s)}, rows,
			cell{shortID(s.StatementID), dim}, reason(s), cell{text, dim})
	}
	return t
}

func kindOf(s *telemetry.Statement) string {
	if s.Internal {
		return "ping"
	}
	return strings.ToLower(clean(string(s.Kind)))
}

// shortID is enough of an id to find the statement by. The service makes ids of the time:
// those of a minute begin alike.
func shortID(id string) string { return clean(id[:min(len(id), 13)]) }

// reason is what is to be said about a statement in a few words: what it failed of, or the
// two largest parts of its time.
func reason(s *telemetry.Statement) cell {
	if s.Failed() {
		return cell{"✗ " + failureOf(s), red}
	}
	parts := explain.PartsOf(s)
	slices.SortStableFunc(parts, func(a, b explain.Part) int { return cmp.Compare(b.Time, a.Time) })
	var words []string
	for _, p := range parts[:min(2, len(parts))] {
		if p.Share >= .05 {
			words = append(words, format.Percent(p.Share)+" "+p.Name)
		}
	}
	return cell{text: strings.Join(words, ", ")}
}

// failureOf names a failure.
func failureOf(s *telemetry.Statement) string {
	words := []string{string(s.Failure.Category), s.Failure.SQLState}
	if s.Outcome == telemetry.OutcomeCanceled {
		words = append([]string{"canceled:"}, words...)
	}
	return or(clean(strings.Join(strings.Fields(strings.Join(words, " ")), " ")), "failed")
}

// stream writes each statement as it comes.
func (c *call) stream(ctx context.Context) error {
	sink := ndjson.New(c.out)
	err := c.input.each(ctx, c.args, func(record any) error {
		s, ok := record.(*telemetry.Statement)
		if !ok {
			return nil
		}
		if c.json {
			sink.StatementFinished(s)
		} else {
			fmt.Fprintln(c.out, line(s))
		}
		return c.out.Flush()
	})
	if ctx.Err() != nil {
		return nil // to be interrupted is how following ends
	}
	return err
}

// line is a statement for those who read lines.
func line(s *telemetry.Statement) string {
	words := []string{
		s.Started.Local().Format(time.RFC3339), fmt.Sprintf("%8s", format.Duration(s.Total)), or(kindOf(s), "-"), or(clean(s.StatementID), "-"),
	}
	if s.Failed() {
		words = append(words, "failed: "+failureOf(s))
	} else if v := explain.Of(s).Sentence; v != "" {
		words = append(words, v)
	}
	return strings.Join(words, "  ")
}
