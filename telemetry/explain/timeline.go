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
	// Total is the length of the statement. Every bar lies within 0 and Total.
	Total time.Duration
	// Lanes are the rows of the picture, from top to bottom.
	Lanes []Lane
	// Missing says what the picture does not show and why. Empty when nothing is known to be
	// missing.
	Missing string
}

// Lane is a row of the picture. Its bars do not overlap.
type Lane struct {
	Name string
	Bars []Bar // in the order they began
}

// Bar is one stretch of time.
type Bar struct {
	Kind BarKind
	// Label names the bar, such as "file 3".
	Label string
	// Start and End count from the start of the statement.
	Start, End time.Duration
	// Queued is when the link of a file arrived, FirstByte when the content of the file began.
	// Both count from the start of the statement and are unknown for other kinds of bar.
	Queued, FirstByte telemetry.Maybe[time.Duration]
	// Note has what else is known, such as "2,048 rows"; may be empty.
	Note string
	// Failed is true when what the bar shows ended in an error, Open when it has not ended.
	Failed, Open bool
}

// BarKind is what a bar stands for. It decides the colour of the bar.
type BarKind string

// The kinds of bar.
const (
	BarCall     BarKind = "call"    // the application waited for Query or Exec to return
	BarExecute  BarKind = "execute" // one ExecuteStatement
	BarPoll     BarKind = "poll"    // one GetOperationStatus
	BarPage     BarKind = "page"    // one FetchResults
	BarFile     BarKind = "file"    // one CloudFetch file
	BarFirstRow BarKind = "first"   // the application waited for its first row
	BarReading  BarKind = "reading" // from the first row to the last
	BarClose    BarKind = "close"   // closing the rows
)

// TimelineOf lays out a statement, which may still be running.
func TimelineOf(s *telemetry.Statement) Timeline {
	t := Timeline{Total: max(0, s.Total)}
	t.addCall(s)
	t.addRPCs(s)
	t.addFiles(s)
	t.addRows(s)
	t.addClose(s)
	switch {
	case s.RPCs == nil:
		t.Missing = "Requests to Databricks were not observed (driverwrap.Wrap): only what database/sql shows is here."
	case len(t.Lanes) > 0 && incomplete(s):
		t.Missing = "More calls or files were made than a record lists; the sums count all of them."
	}
	return t
}

func (t *Timeline) addCall(s *telemetry.Statement) {
	b := Bar{Kind: BarCall, Label: "call", End: s.Execute, Failed: s.Failed() && s.Total-s.Execute < time.Millisecond}
	if s.Outcome == telemetry.OutcomeRunning && s.Execute == 0 {
		b.End, b.Open = s.Total, true
	}
	t.addLanes("call", false, b)
}

// addRPCs gives each method lanes of its own. One lane each is enough as a rule, because the
// driver makes these calls one after the other.
func (t *Timeline) addRPCs(s *telemetry.Statement) {
	var execute, polls, pages []Bar
	for _, c := range s.Calls {
		end, ended := c.End.Get()
		b := Bar{Label: c.Method, Start: c.Start, End: end, Note: rpcNote(c), Open: !ended}
		if !ended {
			b.End = s.Total
		}
		switch c.Method {
		case "ExecuteStatement":
			b.Kind = BarExecute
			execute = append(execute, b)
		case "GetOperationStatus":
			b.Kind, b.Label = BarPoll, fmt.Sprintf("poll %d", len(polls)+1)
			polls = append(polls, b)
		case "FetchResults":
			b.Kind, b.Label = BarPage, fmt.Sprintf("page %d", len(pages)+1)
			pages = append(pages, b)
		}
	}
	t.addLanes("execute", false, execute...)
	t.addLanes("polls", false, polls...)
	t.addLanes("pages", false, pages...)
}

func rpcNote(c telemetry.Call) string {
	rows, ok := c.Rows.Get()
	switch {
	case ok && c.Files > 0:
		return format.Plural(rows, "row") + " in " + format.Plural(c.Files, "file")
	case ok:
		return format.Plural(rows, "row")
	}
	return ""
}

func (t *Timeline) addFiles(s *telemetry.Statement) {
	if s.CloudFetch == nil {
		return
	}
	var bars []Bar
	for _, f := range s.CloudFetch.Files {
		start, requested := f.Start.Get()
		if !requested {
			continue
		}
		_, ended := f.End.Get()
		bars = append(bars, Bar{
			Kind: BarFile, Label: fmt.Sprintf("file %d", f.Index), Start: start, End: f.End.Or(s.Total), Queued: f.Queued, FirstByte: f.FirstByte,
			Note: fileNote(f), Failed: f.State == "FAILED", Open: !ended && s.Outcome == telemetry.OutcomeRunning,
		})
	}
	t.addLanes("files", true, bars...)
}

func fileNote(f telemetry.File) string {
	note := format.Plural(f.Rows, "row") + ", " + format.Bytes(f.Bytes)
	if f.Attempts > 1 {
		note += ", " + format.Plural(f.Attempts, "attempt")
	}
	switch {
	case f.State == "FAILED" && f.Status != 0:
		note += fmt.Sprintf(", failed with HTTP %d", f.Status)
	case f.State == "FAILED":
		note += ", failed"
	case f.State == "ABANDONED":
		note += ", given up"
	}
	return note
}

func (t *Timeline) addRows(s *telemetry.Statement) {
	var bars []Bar
	at, running := s.Execute, s.Outcome == telemetry.OutcomeRunning
	if first, ok := s.FirstRow.Get(); ok {
		bars = append(bars, Bar{Kind: BarFirstRow, Label: "first row", Start: at, End: at + first})
		at += first
	} else if running && at > 0 {
		bars = append(bars, Bar{Kind: BarFirstRow, Label: "first row", Start: at, End: s.Total, Open: true})
	}
	if consume, ok := s.Consume.Get(); ok {
		b := Bar{Kind: BarReading, Label: "reading", Start: at, End: at + consume, Failed: s.Failed(), Open: running}
		if n, ok := s.RowsRead.Get(); ok {
			b.Note = format.Plural(n, "row")
		}
		bars = append(bars, b)
	}
	t.addLanes("rows", false, bars...)
}

func (t *Timeline) addClose(s *telemetry.Statement) {
	if d, ok := s.Close.Get(); ok {
		t.addLanes("close", false, Bar{Kind: BarClose, Label: "close", Start: s.Total - d, End: s.Total, Failed: s.CloseFailure != nil})
	}
}

// addLanes adds a lane for the bars, or several where bars overlap: each bar goes into the
// first lane that is free when the bar starts, so that there are as many lanes as things
// happened at once. The first lane has a number in its name only if numbered is true.
func (t *Timeline) addLanes(name string, numbered bool, bars ...Bar) {
	for i := range bars {
		// Clocks are read one after the other, so that a bar may reach beyond the statement.
		b := &bars[i]
		b.Start = min(max(0, b.Start), t.Total)
		b.End = min(max(b.Start, b.End), t.Total)
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

// incomplete reports whether there were more calls or files than the record lists.
func incomplete(s *telemetry.Statement) bool {
	if s.CloudFetch != nil && int64(len(s.CloudFetch.Files)) < s.CloudFetch.Present {
		return true
	}
	var polls, pages int64
	if s.Result.Direct.Or(false) {
		pages++ // arrived with the answer to ExecuteStatement
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
