package explain

import (
	"fmt"
	"time"

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
	t := Timeline{Total: s.Total}
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
	for i := range t.Lanes {
		for j := range t.Lanes[i].Bars {
			t.within(&t.Lanes[i].Bars[j])
		}
	}
	return t
}

// clipped reports whether there were more calls or files than are listed.
func clipped(s *telemetry.Statement) bool {
	if s.CloudFetch != nil && int64(len(s.CloudFetch.Files)) < s.CloudFetch.Present {
		return true
	}
	listed := map[string]int64{}
	for _, c := range s.Calls {
		listed[c.Method]++
	}
	for _, r := range s.RPCs {
		switch r.Method {
		case "ExecuteStatement", "GetOperationStatus", "FetchResults":
			if listed[r.Method] < r.Calls {
				return true
			}
		}
	}
	return false
}

func (t *Timeline) add(lane string, bars ...Bar) {
	if len(bars) > 0 {
		t.Lanes = append(t.Lanes, Lane{Name: lane, Bars: bars})
	}
}

// within keeps a bar inside the picture: clocks are read one after the other.
func (t *Timeline) within(b *Bar) {
	b.Start = min(max(0, b.Start), t.Total)
	b.End = min(max(b.Start, b.End), t.Total)
}

func (t *Timeline) call(s *telemetry.Statement) {
	b := Bar{Kind: Call, Label: "call", End: s.Execute, Failed: s.Failed() && s.Total-s.Execute < time.Millisecond}
	if s.Outcome == telemetry.Unfinished && s.Execute == 0 {
		b.End, b.Open = s.Total, true
	}
	t.add("call", b)
}

// calls gives each method a lane of its own: the driver makes them one after the other.
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
	t.add("execute", execute...)
	t.add("polls", polls...)
	t.add("pages", pages...)
}

func noteOf(c telemetry.Call) string {
	rows, ok := c.Rows.Get()
	switch {
	case ok && c.Files > 0:
		return plural(rows, "row") + " in " + plural(c.Files, "file")
	case ok:
		return plural(rows, "row")
	}
	return ""
}

// files puts each file into the first lane that is free when it starts, so that there are as
// many lanes as files were downloaded at once.
func (t *Timeline) files(s *telemetry.Statement) {
	if s.CloudFetch == nil {
		return
	}
	first := len(t.Lanes)
	var free []time.Duration // when each lane is
	for _, f := range s.CloudFetch.Files {
		start, asked := f.Start.Get()
		if !asked {
			continue
		}
		end, ended := f.End.Get()
		open := !ended && s.Outcome == telemetry.Unfinished
		if !ended {
			end = s.Total
		}
		b := Bar{Kind: File, Label: fmt.Sprintf("file %d", f.Index), Start: start, End: end, Queued: f.Queued, FirstByte: f.FirstByte,
			Note: fileNote(f), Failed: f.State == "FAILED", Open: open}
		lane := 0
		for lane < len(free) && free[lane] > start {
			lane++
		}
		if lane == len(free) {
			free = append(free, 0)
			t.add(fmt.Sprintf("files %d", lane+1), b)
		} else {
			t.Lanes[first+lane].Bars = append(t.Lanes[first+lane].Bars, b)
		}
		free[lane] = end
	}
}

func fileNote(f telemetry.File) string {
	note := plural(f.Rows, "row") + ", " + Bytes(f.Bytes)
	if f.Attempts > 1 {
		note += ", " + plural(f.Attempts, "attempt")
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
	}
	if consume, ok := s.Consume.Get(); ok {
		b := Bar{Kind: Reading, Label: "reading", Start: at, End: at + consume, Open: s.Outcome == telemetry.Unfinished}
		if n, ok := s.RowsRead.Get(); ok {
			b.Note = plural(n, "row")
		}
		bars = append(bars, b)
	}
	t.add("rows", bars...)
	if d, ok := s.Close.Get(); ok {
		t.add("close", Bar{Kind: Close, Label: "close", Start: s.Total - d, End: s.Total, Failed: s.CloseFailure != nil})
	}
}
