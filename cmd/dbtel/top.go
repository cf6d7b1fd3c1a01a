package main

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"strings"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/internal/format"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry/explain"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry/ndjson"
)

var topCommand = command{
	name:    "top",
	args:    "[-f] [flags] [file...]",
	summary: "list the slowest or latest statements, and keep the list up to date",
	details: `With -f, files are followed as they grow, also when they are rotated or truncated; a file need
not exist yet. On a terminal, the table is redrawn as records arrive, until Ctrl-C; elsewhere each
statement is printed as one line, and -n and --by have no effect. With --json, each record is
printed with its verdict.

  dbtel top app.ndjson
  dbtel top -f --by latest app.ndjson
  app 2>&1 >/dev/null | dbtel top -f
  dbtel top -n 1 --json app.ndjson | jq .verdict
`,
	setup: func(flags *flag.FlagSet) func(context.Context, *invocation) error {
		follow := flags.Bool("f", false, "follow the files, as tail -F does")
		by := flags.String("by", "slowest", "`order`: slowest or latest (slowest)")
		n := flags.Int("n", 20, "`statements` to list (20)")
		return func(ctx context.Context, inv *invocation) error {
			order, ok := orders[*by]
			if !ok {
				return usageError(fmt.Sprintf("--by takes slowest or latest, not %q", *by))
			}
			if *n < 1 || *n > 10_000 {
				return usageError(fmt.Sprintf("-n takes 1 to 10000, not %d", *n))
			}
			inv.input.follow = *follow
			list := &ranking{order: order, limit: *n, filter: inv.input.filter}
			switch {
			case *follow && (inv.json || !inv.screen.terminal):
				return inv.stream(ctx)
			case *follow:
				return inv.live(ctx, list)
			}
			if err := inv.input.each(ctx, inv.args, list.add); err != nil {
				return err
			}
			if inv.json {
				sink := ndjson.New(inv.out)
				for _, s := range list.statements {
					sink.StatementFinished(s)
				}
				return sink.Err()
			}
			list.print(inv.out, inv.screen)
			return nil
		}
	},
}

// stream prints each statement as soon as it is read.
func (inv *invocation) stream(ctx context.Context) error {
	sink := ndjson.New(inv.out)
	err := inv.input.each(ctx, inv.args, func(record any) error {
		s, ok := record.(*telemetry.Statement)
		if !ok {
			return nil
		}
		if inv.json {
			sink.StatementFinished(s)
		} else {
			fmt.Fprintln(inv.out, line(s))
		}
		return inv.out.Flush()
	})
	if ctx.Err() != nil {
		return nil // interrupting is the way to end following
	}
	return err
}

// line returns a statement on one line.
func line(s *telemetry.Statement) string {
	words := []string{
		cmp.Or(startOf(s, time.RFC3339), "-"), fmt.Sprintf("%8s", format.Duration(s.Total)), cmp.Or(kindOf(s), "-"), cmp.Or(clean(s.StatementID), "-"),
	}
	if s.Failed() {
		words = append(words, "failed: "+failureOf(s))
	} else if v := explain.Of(s).Sentence; v != "" {
		words = append(words, clean(v))
	}
	return strings.Join(words, "  ")
}
