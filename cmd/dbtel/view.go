package main

import (
	"bufio"
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/internal/breakdown"
	"github.com/seed-01322ee7/databricks-telemetry/internal/format"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry/explain"
)

// view prints a statement.
type view struct {
	statement *telemetry.Statement
	report    *telemetry.ServerReport // nil without one
	w         *bufio.Writer
	screen    screen
	allFiles  bool
}

func (v *view) print() {
	v.title()
	v.verdict()
	v.parts()
	v.phases()
	v.timeline()
	v.facts()
	v.profile()
	v.files()
	v.text()
}

// shownTime is the layout in which times are shown. parseWhen accepts it.
const shownTime = "2006-01-02 15:04:05.000 MST"

func (v *view) title() {
	s := v.statement
	v.line(v.screen.paint(bold, truncate(cmp.Or(clean(s.StatementID), withoutID(s)), v.screen.width)))
	v.paragraph(plain, format.JoinKnown(" · ", cmp.Or(kindOf(s), "statement"), strings.ReplaceAll(clean(string(s.Outcome)), "_", " "),
		format.Duration(s.Total), startOf(s, shownTime)))
	if s.Failed() {
		v.line("")
		v.paragraph(red, "✗ "+failureOf(s))
		for _, l := range wrap(clean(s.Failure.Message), v.screen.width-2) {
			v.line("  " + l)
		}
	}
}

// withoutID returns a name for a statement without an id, which says how far it got.
func withoutID(s *telemetry.Statement) string {
	var calls int64
	answered := false
	for _, r := range s.RPCs {
		calls += r.Calls
		answered = answered || r.LastStatus != 0 || r.FailedStatus != 0 || r.BytesIn > 0
	}
	switch {
	case s.RPCs == nil || answered:
		return "a statement without an id"
	case calls == 0:
		return "a statement that never reached the server"
	}
	return "a statement that the server did not answer"
}

func (v *view) verdict() {
	verdict := explain.WithReport(v.statement, v.report)
	if verdict.Sentence == "" || v.statement.Failed() && v.statement.Total < time.Second {
		return // the time of a statement that failed at once explains nothing
	}
	v.line("")
	v.paragraph(bold, verdict.Sentence)
	v.paragraph(plain, verdict.Advice)
	if verdict.Part == telemetry.PartServer {
		v.causes(verdict)
	}
}

// minShare is the smallest share that gets a bar.
const minShare = .005

// parts draws the parts of the time as bars.
func (v *view) parts() {
	var shares []share
	for _, p := range breakdown.PartsOf(v.statement) {
		shares = append(shares, share{p.String(), partStyles[p.Part], p.Time, p.Share})
	}
	v.shares("WHERE THE TIME WENT", shares)
}

// share is a share of the time, drawn as a bar.
type share struct {
	name     string
	style    style
	time     time.Duration
	fraction float64 // 0 to 1
}

func (v *view) shares(title string, shares []share) {
	shares = slices.DeleteFunc(shares, func(s share) bool { return s.fraction < minShare })
	if len(shares) == 0 {
		return
	}
	v.heading(title)
	name, took := 0, 8
	for _, s := range shares {
		name, took = max(name, textWidth(s.name)), max(took, textWidth(format.Duration(s.time)))
	}
	room := v.screen.width - name - took - len("   ") - len("  100 %")
	for _, s := range shares {
		b := bar(s.fraction * float64(room))
		v.line(fmt.Sprintf("%-*s  %s%s %*s  %5s", name, s.name, v.screen.paint(s.style, b), strings.Repeat(" ", max(0, room-textWidth(b))),
			took, format.Duration(s.time), format.Percent(s.fraction)))
	}
}

func (v *view) timeline() {
	t := explain.TimelineWithReport(v.statement, v.report)
	if t.Total > 0 {
		v.heading("OVER TIME")
		for _, l := range waterfall(t, v.screen) {
			v.line(l)
		}
	}
	v.paragraph(dim, t.PhasesNote)
	v.paragraph(dim, t.Missing)
}

// profile prints the link to the query profile on one line, even if it is wider than the screen, so
// that it can be followed.
func (v *view) profile() {
	if link := clean(v.statement.ProfileURL()); link != "" {
		v.line(v.screen.paint(dim, "profile") + "    " + link)
	}
}

const maxTextLines = 20

func (v *view) text() {
	if v.statement.Query == "" {
		return
	}
	v.heading("TEXT")
	var lines []string
	for l := range strings.Lines(v.statement.Query) {
		lines = append(lines, truncate(strings.TrimRight(clean(strings.ReplaceAll(l, "\t", "  ")), " "), v.screen.width))
	}
	for _, l := range lines[:min(len(lines), maxTextLines)] {
		v.line(l)
	}
	if more := len(lines) - maxTextLines; more > 0 {
		v.line(v.screen.paint(dim, "… and "+format.Plural(int64(more), "more line")))
	}
}

// heading starts a section.
func (v *view) heading(text string) {
	v.line("")
	v.line(v.screen.paint(dim, text))
}

// paragraph prints text on as many lines as it needs.
func (v *view) paragraph(with style, text string) {
	for _, l := range wrap(text, v.screen.width) {
		v.line(v.screen.paint(with, l))
	}
}

func (v *view) line(text string) { fmt.Fprintln(v.w, strings.TrimRight(text, " ")) }
