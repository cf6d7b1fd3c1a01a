package main

import (
	"cmp"
	"flag"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/internal/format"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// filter selects records by the flags that every command has. It is used by one goroutine.
type filter struct {
	text struct{ since, until, outcome, category, shape, server string } // as on the command line

	since, until         time.Time // zero without a bound
	outcomes, categories []string  // nil for any
	shapes               []string  // parts of shapes, lower case; nil for any
	hash                 string    // ShapeOf the value of --shape, which may be a statement's text
	digits               string    // the value of --shape, if it may be the beginning of a hash

	left     int64                           // number of statements that were left out
	selected latest[struct{}]                // statements, for their reports
	early    latest[*telemetry.ServerReport] // reports that came before their statements
}

func (f *filter) flags(flags *flag.FlagSet) {
	flags.StringVar(&f.text.since, "since", "", "only what ended at or after a `time`: 2026-03-01T15:04, 15:04, 15m (ago)")
	flags.StringVar(&f.text.until, "until", "", "only what started before a `time`")
	flags.StringVar(&f.text.outcome, "outcome", "", "only statements with these `outcomes`, such as failed,canceled")
	flags.StringVar(&f.text.category, "category", "", "only statements with these error `categories`")
	flags.StringVar(&f.text.shape, "shape", "", "only statements with this `text` in their shape or its hash (see summary)")
	flags.StringVar(&f.text.server, "server", "", "only servers with this `text` in their name")
}

// outcomes are the outcomes that records have.
var outcomes = []string{
	string(telemetry.OutcomeCompleted), string(telemetry.OutcomeClosedEarly), string(telemetry.OutcomeFailed), string(telemetry.OutcomeCanceled),
	string(telemetry.OutcomeAbandoned),
}

// parse reads the flags. Errors are usage errors.
func (f *filter) parse(now time.Time) (err error) {
	for _, bound := range []struct {
		name, text string
		at         *time.Time
	}{{"since", f.text.since, &f.since}, {"until", f.text.until, &f.until}} {
		if bound.text == "" {
			continue
		}
		ofDay := false
		if *bound.at, ofDay, err = parseWhen(bound.text, now); err != nil {
			return usageError(fmt.Sprintf("--%s takes %v, not %q", bound.name, err, bound.text))
		}
		if ofDay && bound.at.Before(f.since) {
			*bound.at = bound.at.AddDate(0, 0, 1) // the first such time of day after --since
		}
	}
	if !f.until.IsZero() && !f.since.Before(f.until) {
		return usageError(fmt.Sprintf("--since %s is not before --until %s", f.text.since, f.text.until))
	}
	for _, o := range words(f.text.outcome) {
		o = strings.NewReplacer("-", "_", " ", "_").Replace(o)
		if !slices.Contains(outcomes, o) {
			return usageError(fmt.Sprintf("--outcome takes %s, not %q", strings.Join(outcomes, ", "), o))
		}
		f.outcomes = append(f.outcomes, o)
	}
	f.categories = words(f.text.category)
	switch { // commas alone
	case f.text.outcome != "" && f.outcomes == nil:
		return usageError(fmt.Sprintf("--outcome takes %s, not %q", strings.Join(outcomes, ", "), f.text.outcome))
	case f.text.category != "" && f.categories == nil:
		return usageError(fmt.Sprintf("--category takes error categories, as summary --by error shows them, not %q", f.text.category))
	}
	if want := strings.TrimRight(strings.TrimSpace(f.text.shape), "… "); want != "" {
		f.shapes, f.hash = []string{strings.ToLower(want)}, telemetry.ShapeOf(want)
		if digits := strings.TrimPrefix(f.shapes[0], shapePrefix); len(digits) >= leastDigits && strings.Trim(digits, "0123456789abcdef") == "" {
			f.digits = digits
		}
		if shape := withoutLiterals(want); shape != "" && shape != "?" && f.digits == "" { // a hash and a literal alone are in no shape
			f.shapes = append(f.shapes, strings.ToLower(shape))
		}
	}
	return nil
}

// words splits a list at its commas.
func words(list string) (all []string) {
	for word := range strings.SplitSeq(list, ",") {
		if word = strings.TrimSpace(format.OneSpelling(strings.ToLower(word))); word != "" {
			all = append(all, word)
		}
	}
	return all
}

// selects reports whether a record should be shown.
func (f *filter) selects(record any) bool {
	switch r := record.(type) {
	case *telemetry.Statement:
		if f.covers(r.Started, r.Total) && f.names(r.Server) && f.describes(r) {
			f.remember(r.StatementID)
			return true
		}
		f.left++
		return false
	case *telemetry.SessionOpened:
		return f.selectsAnyKind() && f.covers(r.Started, r.Latency) && f.names(r.Server)
	case *telemetry.PoolSample:
		return f.selectsAnyKind() && f.text.server == "" && f.covers(r.Sampled.Add(-r.Over), r.Over)
	case *telemetry.ServerReport:
		if r.StatementID == "" {
			return false
		}
		if f.selectsAll() || f.selected.has(r.StatementID) {
			return true
		}
		f.keep(r)
	}
	return false // no command shows the end of a session
}

// selectsAll reports whether everything is selected.
func (f *filter) selectsAll() bool {
	return f.selectsAnyKind() && f.since.IsZero() && f.until.IsZero() && f.text.server == ""
}

// Bounds on memory. A report follows its statement within minutes. It comes before its statement if a
// log was rotated between the two, because app.ndjson* names the newest file first.
const (
	maxRemembered = 50_000
	maxEarly      = 5_000
)

// remember keeps the id of a statement for its report.
func (f *filter) remember(id string) {
	if !f.selectsAll() {
		f.selected.put(id, struct{}{}, maxRemembered)
	}
}

// keep keeps a report whose statement may still come.
func (f *filter) keep(r *telemetry.ServerReport) { f.early.put(r.StatementID, r, maxEarly) }

// covers reports whether something that began at started and lasted for took was under way between
// since and until. Without a start, that is not known.
func (f *filter) covers(started time.Time, took time.Duration) bool {
	if started.IsZero() {
		return f.since.IsZero() && f.until.IsZero()
	}
	return (f.since.IsZero() || !started.Add(took).Before(f.since)) && (f.until.IsZero() || started.Before(f.until))
}

func (f *filter) names(server string) bool {
	return strings.Contains(strings.ToLower(server), strings.ToLower(f.text.server))
}

// selectsAnyKind reports whether no flag is set that only statements can satisfy. Sessions and pools
// are then selected, too.
func (f *filter) selectsAnyKind() bool {
	return f.outcomes == nil && f.categories == nil && f.shapes == nil
}

func (f *filter) describes(s *telemetry.Statement) bool {
	return (f.outcomes == nil || slices.Contains(f.outcomes, string(s.Outcome))) &&
		(f.categories == nil || f.hasCategory(s)) && (f.shapes == nil || f.hasShape(s))
}

func (f *filter) hasCategory(s *telemetry.Statement) bool {
	return slices.Contains(f.categories, format.OneSpelling(strings.ToLower(errorOf(s.Failure)))) ||
		s.Failure != nil && slices.Contains(f.categories, format.OneSpelling(string(s.Failure.Category)))
}

// leastDigits is the smallest number of digits that are taken for the beginning of a hash. Fewer may
// be a word.
const leastDigits = 6

func (f *filter) hasShape(s *telemetry.Statement) bool {
	if s.Shape != "" && (s.Shape == f.hash || f.digits != "" && strings.HasPrefix(s.Shape, f.digits)) {
		return true
	}
	shape := strings.ToLower(shapeOf(s))
	return !strings.HasPrefix(shape, shapePrefix) && slices.ContainsFunc(f.shapes, func(want string) bool { return strings.Contains(shape, want) })
}

// nothing returns the text that there are no statements to show.
func (f *filter) nothing() string {
	if f.left == 0 {
		return "No statements."
	}
	return "No statement matches; " + format.Choose(f.left, "was left out.", "were left out.")
}

// errorOf returns the category and the SQLSTATE of a failure, or "none" without one.
func errorOf(f *telemetry.Failure) string {
	if f == nil {
		return "none"
	}
	return strings.TrimSpace(cmp.Or(string(f.Category), "unknown") + " " + f.SQLState)
}
