package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"strings"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

var showCommand = command{
	name:    "show",
	args:    "[flags] <statement> [file...]",
	summary: "show one statement over time, and why it took so long",
	details: `<statement> is an id, or an unambiguous prefix of one; "last", for the one that finished last;
"slowest"; or "failed", for the last one that failed.

  dbtel show slowest app.ndjson
  dbtel show 01f0d2e4-7c1a app.ndjson app.ndjson.1
  dbtel show last --json app.ndjson | jq .verdict

In the picture, ░ is a wait: for the first byte of an answer or file, for the first row, or
before a request is repeated. █ or ▓ is what was waited for, and ✗ is a failure.
`,
	setup: func(flags *flag.FlagSet) func(context.Context, *invocation) error {
		files := flags.Bool("files", false, "list every file, not only the slowest ten")
		return func(ctx context.Context, inv *invocation) error {
			if len(inv.args) == 0 || inv.args[0] == "" { // as from a script with an empty variable; every id begins with ""
				return usageError(`name a statement: an id, "last", "slowest" or "failed"`)
			}
			found, report, err := find(ctx, inv, inv.args[0], inv.args[1:])
			if err != nil {
				return err
			}
			if inv.json {
				return printJSON(inv.out, documentOf(found, report))
			}
			v := &view{statement: found, report: report, w: inv.out, screen: inv.screen, allFiles: *files}
			v.print()
			return nil
		}
	},
}

// find reads all records and returns the statement that which selects and the report on it, each nil
// if there is none.
func find(ctx context.Context, inv *invocation, which string, files []string) (found *telemetry.Statement, report *telemetry.ServerReport, err error) {
	var also string // another statement that matches
	whole := false  // which is the whole id of found
	err = inv.input.each(ctx, files, func(record any) error {
		if r, ok := record.(*telemetry.ServerReport); ok {
			if found != nil && r.StatementID == found.StatementID {
				report = r
			} else {
				inv.input.filter.keep(r)
			}
		}
		s, ok := record.(*telemetry.Statement)
		if !ok {
			return nil
		}
		switch {
		case which == "last", which == "failed" && s.Failed():
			if found == nil || orders["latest"](s, found) <= 0 {
				found = s
			}
		case which == "failed":
		case which == "slowest":
			if found == nil || s.Total > found.Total {
				found = s
			}
		case s.StatementID == which:
			found, whole = s, true
		case strings.HasPrefix(s.StatementID, which) && !whole:
			if found != nil && s.StatementID != found.StatementID {
				also = found.StatementID
			}
			found = s
		}
		return nil
	})
	switch {
	case err != nil:
		return nil, nil, err
	case also != "" && !whole:
		return nil, nil, fmt.Errorf("more than one statement begins with %q, such as %s and %s: give more of the id", which, also, found.StatementID)
	case found == nil && inv.input.filter.left > 0:
		return nil, nil, errors.New(inv.input.filter.nothing())
	case found == nil && (which == "last" || which == "slowest"):
		return nil, nil, errors.New("there are no statements")
	case found == nil && which == "failed":
		return nil, nil, errors.New("no statement failed")
	case found == nil:
		return nil, nil, fmt.Errorf("there is no statement %q; dbtel top lists what there is", which)
	}
	if report == nil || report.StatementID != found.StatementID { // the report is on a statement that was found earlier
		report = inv.input.filter.early.take(found.StatementID)
	}
	return found, report, nil
}
