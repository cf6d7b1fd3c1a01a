package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/internal/format"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry/explain"
)

var showCommand = command{
	name: "show",
	args: "[flags] <statement> [file...]",
	does: "show one statement over time, and why it took so long",
	about: `A statement is an id, or enough of one's beginning to be the only one; or "last" for the one
that finished last, "slowest", or "failed" for the last that failed.

  dbtel show slowest app.ndjson
  dbtel show 01f0d2e4-7c1a app.ndjson app.ndjson.1
  dbtel show last --json app.ndjson | jq .verdict

In the picture ░ is waiting, for the first row or a file's first byte, █ or ▓ is what was
waited for, and ✗ an end in failure.
`,
	setup: func(flags *flag.FlagSet) func(context.Context, *call) error {
		files := flags.Bool("files", false, "list every file, not only the slowest ten")
		return func(ctx context.Context, c *call) error {
			if len(c.args) == 0 {
				return usageError(`it takes a statement: an id, "last", "slowest" or "failed"`)
			}
			found, err := find(ctx, c, c.args[0], c.args[1:])
			if err != nil {
				return err
			}
			if c.json {
				return printJSON(c.out, documentOf(found))
			}
			p := &portrait{of: found, w: c.out, on: c.screen, allFiles: *files}
			p.print()
			return nil
		}
	},
}

// find reads everything and keeps the one statement that is meant.
func find(ctx context.Context, c *call, which string, files []string) (found *telemetry.Statement, err error) {
	var also string // another statement that could be meant
	err = c.input.each(ctx, files, func(record any) error {
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
		case strings.HasPrefix(s.StatementID, which):
			if found != nil && s.StatementID != found.StatementID {
				also = found.StatementID
			}
			found = s
		}
		return nil
	})
	switch {
	case err != nil:
		return nil, err
	case also != "":
		return nil, fmt.Errorf("more than one statement begins with %q, such as %s and %s: give more of the id", which, also, found.StatementID)
	case found == nil && (which == "last" || which == "slowest"):
		return nil, errors.New("there are no statements")
	case found == nil && which == "failed":
		return nil, errors.New("no statement failed")
	case found == nil:
		return nil, fmt.Errorf("there is no statement %q; dbtel top lists what there is", which)
	}
	return found, nil
}

// portrait prints a statement.
type portrait struct {
	of       *telemetry.Statement
	w        *bufio.Writer
	on       screen
	allFiles bool
}

func (p *portrait) print() {
	p.title()
	p.verdict()
	p.parts()
	p.timeline()
	p.facts()
	p.files()
	p.text()
}

func (p *portrait) line(text string) { fmt.Fprintln(p.w, strings.TrimRight(text, " ")) }

// heading begins a section.
func (p *portrait) heading(text string) {
	p.line("")
	p.line(p.on.paint(dim, text))
}

func (p *portrait) title() {
	s := p.of
	words := []string{or(kindOf(s), "statement"), strings.ReplaceAll(clean(string(s.Outcome)), "_", " "), format.Duration(s.Total),
		s.Started.Local().Format("2006-01-02 15:04:05.000 MST")}
	p.line(p.on.paint(bold, or(clean(s.StatementID), "a statement that never reached the server")))
	for _, l := range wrap(strings.Join(words, " · "), p.on.width) {
		p.line(l)
	}
	if s.Failed() {
		p.line("")
		p.line(p.on.paint(red, "✗ "+failureOf(s)))
		for _, l := range wrap(clean(s.Failure.Message), p.on.width-2) {
			p.line("  " + l)
		}
	}
}

func (p *portrait) verdict() {
	v := explain.Of(p.of)
	if v.Sentence == "" || p.of.Failed() && p.of.Total < time.Second {
		return // what failed at once did not fail of its time
	}
	p.line("")
	for _, l := range wrap(v.Sentence, p.on.width) {
		p.line(p.on.paint(bold, l))
	}
	for _, l := range wrap(v.Advice, p.on.width) {
		p.line(l)
	}
}

// leastShare is what is worth a bar.
const leastShare = .005

// parts draws what took time as bars of one scale.
func (p *portrait) parts() {
	parts := slices.DeleteFunc(explain.PartsOf(p.of), func(part explain.Part) bool { return part.Share < leastShare })
	if len(parts) == 0 {
		return
	}
	p.heading("WHERE THE TIME WENT")
	name := 0
	for _, part := range parts {
		name = max(name, length(part.Name))
	}
	room := p.on.width - name - 2 - 9 - 7
	for _, part := range parts {
		b := eighths(part.Share * float64(room))
		p.line(fmt.Sprintf("%-*s  %s%s %8s  %5s", name, part.Name, p.on.paint(styleOf(part.Bound), b), strings.Repeat(" ", max(0, room-length(b))),
			format.Duration(part.Time), format.Percent(part.Share)))
	}
}

func (p *portrait) timeline() {
	t := explain.TimelineOf(p.of)
	if t.Total > 0 {
		p.heading("OVER TIME")
		for _, l := range waterfall(t, p.on) {
			p.line(l)
		}
	}
	for _, l := range wrap(t.Missing, p.on.width) {
		p.line(p.on.paint(dim, l))
	}
}

// facts lists the rest of what is worth knowing.
func (p *portrait) facts() {
	p.heading("FACTS")
	for _, f := range factsOf(p.of) {
		lines := wrap(clean(f.text), p.on.width-11)
		for i, l := range lines {
			name := f.name
			if i > 0 {
				name = ""
			}
			p.line(fmt.Sprintf("%s %s", p.on.paint(dim, fmt.Sprintf("%-10s", name)), l))
		}
	}
}

const slowestFiles = 10

// files lists the slowest ones, or all.
func (p *portrait) files() {
	if p.of.CloudFetch == nil || len(p.of.CloudFetch.Files) == 0 {
		return
	}
	files := slices.Clone(p.of.CloudFetch.Files)
	title := "FILES"
	if !p.allFiles && len(files) > slowestFiles {
		title = fmt.Sprintf("FILES: THE SLOWEST %d OF %s (--files LISTS ALL)", slowestFiles, format.Count(p.of.CloudFetch.Present))
		slices.SortStableFunc(files, func(a, b telemetry.File) int { return cmp.Compare(tookOf(b), tookOf(a)) })
		files = files[:slowestFiles]
	}
	p.heading(title)
	t := table{columns: []column{
		{title: "FILE", right: true}, {title: "STATE"}, {title: "ROWS", right: true, rank: 4}, {title: "SIZE", right: true, rank: 2},
		{title: "ASKED FOR", right: true, rank: 1}, {title: "FIRST BYTE", right: true, rank: 3}, {title: "TOOK", right: true}, {title: "SPEED", right: true, rank: 6},
		{title: "ATTEMPTS", right: true, rank: 5}, {title: "HTTP", right: true, rank: 5},
	}}
	for _, f := range files {
		state := cell{text: strings.ToLower(clean(f.State))}
		if f.State == "FAILED" {
			state.style = red
		}
		status := cell{}
		if f.Status != 0 {
			status = cell{fmt.Sprint(f.Status), red}
		}
		speed := cell{}
		if took := tookOf(f); took > 0 && f.Received > 0 {
			speed.text = format.Bytes(int64(float64(f.Received)/took.Seconds())) + "/s"
		}
		first := telemetry.Maybe[time.Duration]{}
		if at, ok := f.FirstByte.Get(); ok {
			first = telemetry.Known(at - f.Start.Or(0))
		}
		t.add(number(f.Index), state, number(f.Rows), cell{text: format.Bytes(f.Bytes)}, moment(f.Start), moment(first),
			cell{orDash(tookOf(f)), bold}, speed, number(f.Attempts), status)
	}
	t.print(p.w, p.on)
}

// tookOf is how long a file took from the first request to its end.
func tookOf(f telemetry.File) time.Duration {
	start, asked := f.Start.Get()
	end, ended := f.End.Get()
	if !asked || !ended {
		return 0
	}
	return end - start
}

func orDash(d time.Duration) string {
	if d <= 0 {
		return "-"
	}
	return format.Duration(d)
}

// moment is a time that may not have come.
func moment(at telemetry.Maybe[time.Duration]) cell {
	if d, ok := at.Get(); ok {
		return cell{text: format.Duration(d)}
	}
	return cell{"-", dim}
}

const linesOfText = 20

func (p *portrait) text() {
	if p.of.Query == "" {
		return
	}
	p.heading("TEXT")
	var lines []string
	for l := range strings.Lines(p.of.Query) {
		lines = append(lines, fit(strings.TrimRight(clean(strings.ReplaceAll(l, "\t", "  ")), " "), p.on.width))
	}
	for _, l := range lines[:min(len(lines), linesOfText)] {
		p.line(l)
	}
	if more := len(lines) - linesOfText; more > 0 {
		p.line(p.on.paint(dim, "… and "+format.Plural(int64(more), "more line")))
	}
}
