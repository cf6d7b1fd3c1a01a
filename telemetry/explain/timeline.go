package explain

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/internal/format"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// Timeline is what happened during a statement, as bars over time.
type Timeline struct {
	// Total is the length of the whole, which every bar lies within.
	Total time.Duration
	// Lanes are the rows of the picture, from top to bottom. Bars of a lane do not overlap.
	Lanes []Lane
	// Missing says what is not in the picture and why; empty when nothing is known to be.
	Missing string
}

// Lane is a row of the picture.
type Lane struct {
	Name string
	Bars []Bar // in the order they began
}

// Kind is what a bar stands for. It decides its colour.
type Kind string

// The kinds of bar.
const (
	Call    Kind = "call"    // the application waited for Query or Exec to return
	Execute Kind = "execute" // ExecuteStatement
	Poll    Kind = "poll"    // one GetOperationStatus
	Page    Kind = "page"    // one FetchResults
	File    Kind = "file"    // one CloudFetch file
	First   Kind = "first"   // the application waited for its first row
	Reading Kind = "reading" // from the first row to the last
	Close   Kind = "close"   // closing the rows
)

// Bar is one stretch of time.
type Bar struct {
	Kind Kind
	// Label names it, such as "file 3".
	Label string
	// Start and End count from the statement's start.
	Start, End time.Duration
	// Queued is when a file's link was handed out, FirstByte when its content began.
	Queued, FirstByte telemetry.Maybe[time.Duration]
	// Note has what else is known, such as "2,048 rows"; may be empty.
	Note string
	// Failed is true when it ended in an error, Open when it has not ended.
	Failed, Open bool
}

// TimelineOf lays out a statement. It may still be running.
func TimelineOf(s *telemetry.Statement) Timeline {
	t := Timeline{Total: max(0, s.Total)}
	t.call(s)
	t.calls(s)
	t.files(s)
	t.rows(s)
	switch {
	case s.RPCs == nil:
		t.Missing = "The wire was not read (driverwrap.Wrap): only what database/sql shows is here."
	case len(t.Lanes) > 0 && clipped(s):
		t.Missing = "More calls or files were made than a record lists; the sums count all of them."
	}
	return t
}

// clipped reports whether there were more calls or files than are listed.
func clipped(s *telemetry.Statement) bool {
	if s.CloudFetch != nil && int64(len(s.CloudFetch.Files)) < s.CloudFetch.Present {
		return true
	}
	var polls, pages int64
	if s.Result.Direct.Or(false) {
		pages++ // came with the answer to ExecuteStatement
	}
	for _, c := range s.Calls {
		switch c.Method {
		case "GetOperationStatus":
			polls++
		case "FetchResults":
			pages++
		}
	}
	return polls < s.Polling.Or(telemetry.Polling{}).Calls || pages < s.Result.Pages.Or(0)
}

// lane adds a row of the picture, or several where bars overlap: each bar goes into the first
// that is free when it starts, so that there are as many rows as things happened at once. The
// first has a number only if numbered.
func (t *Timeline) lane(name string, numbered bool, bars ...Bar) {
	for i := range bars {
		t.within(&bars[i])
	}
	slices.SortStableFunc(bars, func(a, b Bar) int { return cmp.Compare(a.Start, b.Start) })
	first := len(t.Lanes)
	for _, b := range bars {
		i := first
		for i < len(t.Lanes) && t.Lanes[i].end() > b.Start {
			i++
		}
		if i == len(t.Lanes) {
			t.Lanes = append(t.Lanes, Lane{Name: name})
			if numbered || i > first {
				t.Lanes[i].Name = fmt.Sprintf("%s %d", name, i-first+1)
			}
		}
		t.Lanes[i].Bars = append(t.Lanes[i].Bars, b)
	}
}

func (l Lane) end() time.Duration { return l.Bars[len(l.Bars)-1].End }

// within keeps a bar inside the picture: clocks are read one after the other.
func (t *Timeline) within(b *Bar) {
	b.Start = min(max(0, b.Start), t.Total)
	b.End = min(max(b.Start, b.End), t.Total)
}

func (t *Timeline) call(s *telemetry.Statement) {
	b := Bar{Kind: Call, Label: "call", End: s.Execute, Failed: s.Failed() && s.Total-s.Execute < time.Millisecond}
	if s.Outcome == telemetry.OutcomeRunning && s.Execute == 0 {
		b.End, b.Open = s.Total, true
	}
	t.lane("call", false, b)
}

// calls gives each kind of call lanes of its own; one is enough, as the driver makes them one
// after the other.
func (t *Timeline) calls(s *telemetry.Statement) {
	var execute, polls, pages []Bar
	for _, c := range s.Calls {
		end, ended := c.End.Get()
		b := Bar{Label: c.Method, Start: c.Start, End: end, Note: noteOf(c), Open: !ended}
		if !ended {
			b.End = s.Total
		}
		switch c.Method {
		case "ExecuteStatement":
			b.Kind = Execute
			execute = append(execute, b)
		case "GetOperationStatus":
			b.Kind, b.Label = Poll, fmt.Sprintf("poll %d", len(polls)+1)
			polls = append(polls, b)
		case "FetchResults":
			b.Kind, b.Label = Page, fmt.Sprintf("page %d", len(pages)+1)
			pages = append(pages, b)
		}
	}
	t.lane("execute", false, execute...)
	t.lane("polls", false, polls...)
	t.lane("pages", false, pages...)
}

func noteOf(c telemetry.Call) string {
	rows, ok := c.Rows.Get()
	switch {
	case ok && c.Files > 0:
		return format.Plural(rows, "row") + " in " + format.Plural(c.Files, "file")
	case ok:
		return format.Plural(rows, "row")
	}
	return ""
}

func (t *Timeline) files(s *telemetry.Statement) {
	if s.CloudFetch == nil {
		return
	}
	var bars []Bar
	for _, f := range s.CloudFetch.Files {
		start, asked := f.Start.Get()
		if !asked {
			continue
		}
		b := Bar{
			Kind: File, Label: fmt.Sprintf("file %d", f.Index), Start: start, End: f.End.Or(s.Total), Queued: f.Queued, FirstByte: f.FirstByte,
			Note: fileNote(f), Failed: f.State == "FAILED",
		}
		_, ended := f.End.Get()
		b.Open = !ended && s.Outcome == telemetry.OutcomeRunning
		bars = append(bars, b)
	}
	t.lane("files", true, bars...)
}

func fileNote(f telemetry.File) string {
	note := format.Plural(f.Rows, "row") + ", " + format.Bytes(f.Bytes)
	if f.Attempts > 1 {
		note += ", " + format.Plural(f.Attempts, "attempt")
	}
	switch {
	case f.State == "FAILED" && f.Status != 0:
		note += fmt.Sprintf(", failed with HTTP %d", f.Status)
	case f.State == "FAILED", f.State == "ABANDONED":
		note += ", " + map[string]string{"FAILED": "failed", "ABANDONED": "given up"}[f.State]
	}
	return note
}

func (t *Timeline) rows(s *telemetry.Statement) {
	var bars []Bar
	at := s.Execute
	if first, ok := s.FirstRow.Get(); ok {
		bars = append(bars, Bar{Kind: First, Label: "first row", Start: at, End: at + first})
		at += first
	} else if s.Outcome == telemetry.OutcomeRunning && at > 0 {
		bars = append(bars, Bar{Kind: First, Label: "first row", Start: at, End: s.Total, Open: true})
	}
	if consume, ok := s.Consume.Get(); ok {
		b := Bar{Kind: Reading, Label: "reading", Start: at, End: at + consume, Failed: s.Failed(), Open: s.Outcome == telemetry.OutcomeRunning}
		if n, ok := s.RowsRead.Get(); ok {
			b.Note = format.Plural(n, "row")
		}
		bars = append(bars, b)
	}
	t.lane("rows", false, bars...)
	if d, ok := s.Close.Get(); ok {
		t.lane("close", false, Bar{Kind: Close, Label: "close", Start: s.Total - d, End: s.Total, Failed: s.CloseFailure != nil})
	}
}
