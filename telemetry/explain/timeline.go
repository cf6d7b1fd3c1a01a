package explain

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/internal/breakdown"
	"github.com/seed-01322ee7/databricks-telemetry/internal/format"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// Timeline is what happened during a statement, as bars over time.
type Timeline struct {
	// Total is the length of the statement. Every bar lies within 0 and Total.
	Total time.Duration
	// Lanes are the rows of the timeline, from top to bottom.
	Lanes []Lane
	// Missing says what the timeline does not show and why. It is empty when nothing is known to be
	// missing.
	Missing string
	// PhasesNote says how the phases of a ServerReport are drawn, or why they are not. It is empty
	// without a report, or if the report has no phases.
	PhasesNote string
}

// Lane is a row of a timeline. Its bars do not overlap.
type Lane struct {
	// Name is the name of the lane, such as "rows".
	Name string
	// Within is the name of the lane above that this one is a part of; empty for most.
	Within string
	Bars   []Bar // in the order they began
}

// Bar is one stretch of time.
type Bar struct {
	// Kind is what the bar stands for, and decides its color:
	//
	//   - call: the application waited for Query or Exec to return
	//   - execute, poll: one ExecuteStatement, one GetOperationStatus
	//   - page: one FetchResults or GetResultSetMetadata
	//   - file: one CloudFetch file
	//   - retry: an attempt of one of these that failed and was repeated
	//   - pause: from a failed attempt to the next
	//   - application: the application had control, before its first row or after its last
	//   - reading: from the request for the first row to the last row: waiting, decoding, and the
	//     application between rows
	//   - close: closing the rows, one CloseOperation or CancelOperation
	//   - server: all phases that the query history reports
	//   - waiting_for_compute, queued_at_capacity, compiling, executing, result_fetch: one of those phases
	Kind string
	// Label names the bar, such as "file 3".
	Label string
	// Start and End count from the start of the statement.
	Start, End time.Duration
	// Queued is when the link of a file arrived; FirstByte is when the answer to a call, the content
	// of a file, or the first row began to arrive. Both count from the start of the statement. They
	// are unknown if that did not happen, or has no meaning for the kind of bar.
	Queued, FirstByte telemetry.Maybe[time.Duration]
	// Note says what else is known, such as "2,048 rows"; it may be empty.
	Note string
	// Failed is true when what the bar shows ended in an error, Open when it has not ended.
	Failed, Open bool
}

// Waited returns how much of the bar had passed when FirstByte came.
func (b Bar) Waited() time.Duration {
	if at, ok := b.FirstByte.Get(); ok {
		return min(max(0, at-b.Start), b.End-b.Start)
	}
	if (b.Open || b.Failed) && b.Kind != breakdown.BarCall && b.Kind != breakdown.BarPause && b.Kind != breakdown.BarApplication {
		return b.End - b.Start
	}
	return 0
}

// TimelineOf lays out a statement, which may still be running.
func TimelineOf(s *telemetry.Statement) Timeline { return TimelineWithReport(s, nil) }

// TimelineWithReport lays out a statement and its report r from the query history: a lane "server",
// with a lane for each phase within it. r may be nil.
func TimelineWithReport(s *telemetry.Statement, r *telemetry.ServerReport) Timeline {
	t := Timeline{Total: max(0, s.Total)}
	t.addCall(s)
	t.addRPCs(s, "ExecuteStatement", "execute", breakdown.BarExecute, "")
	t.addRPCs(s, "GetOperationStatus", "polls", breakdown.BarPoll, "poll")
	t.addPhases(s, r)
	t.addRPCs(s, "GetResultSetMetadata", "metadata", breakdown.BarPage, "")
	t.addRPCs(s, "FetchResults", "pages", breakdown.BarPage, "page")
	t.addFiles(s)
	t.addRows(s)
	t.addRPCs(s, "CancelOperation", "cancel", breakdown.BarClose, "")
	t.addRPCs(s, "CloseOperation", "close", breakdown.BarClose, "")
	t.Missing = missing(s)
	return t
}

func (t *Timeline) addCall(s *telemetry.Statement) {
	_, returned := s.Close.Get() // the rows were closed
	b := Bar{Kind: breakdown.BarCall, Label: "call", End: s.Execute, Failed: s.Failed() && !returned && s.Total-s.Execute < time.Millisecond}
	if s.Outcome == telemetry.OutcomeRunning && s.Execute == 0 {
		b.End, b.Open = s.Total, true
	}
	t.addLanes("call", false, []Bar{b})
}

// addRPCs adds the lanes of a method. Usually one lane is enough, because the driver makes the calls of
// a method one after the other. With a label, the calls are numbered; without one, they are so few that
// the name of the method says more.
func (t *Timeline) addRPCs(s *telemetry.Statement, method, lane string, kind string, label string) {
	var calls [][]Bar
	paused, until := pauseAfter(s)
	for c := range callsOf(s, method) {
		b := Bar{Kind: kind, Label: method, Start: c.Start, FirstByte: c.FirstByte, Note: rpcNote(c, s), Failed: c.Failed}
		if label != "" {
			b.Label = fmt.Sprintf("%s %d", label, cmp.Or(c.Number, int64(len(calls)+1)))
		}
		b.setEnd(c.End, s)
		bars := attempts(b, c.Retried, c.Attempts, c.Latest)
		if c == paused && endsWith(s, c) {
			bars = append(bars, pauseUntil(until, b.End, s))
		}
		calls = append(calls, bars)
	}
	t.addLanes(lane, false, calls...)
}

// endsWith reports whether what the application waits for ends when the driver gives a call up: it goes on without what
// describes the rows, and without having closed the operation.
func endsWith(s *telemetry.Statement, c *telemetry.Call) bool {
	return c.Method == "FetchResults" || (s.Execute == 0 || c.Start < s.Execute) && (c.Method != "CloseOperation" || s.Kind != telemetry.KindVolume)
}

// pauseUntil is the bar of a pause that a statement is in, or was given up in.
func pauseUntil(until, from time.Duration, s *telemetry.Statement) Bar {
	return Bar{Kind: breakdown.BarPause, Label: "pause", Start: from, End: until, Open: s.Outcome == telemetry.OutcomeRunning}
}

// setEnd sets the end of a bar that ends with the statement at the latest.
func (b *Bar) setEnd(at telemetry.Maybe[time.Duration], s *telemetry.Statement) {
	end, ended := at.Get()
	if b.End = end; !ended {
		b.End, b.Open = s.Total, s.Outcome == telemetry.OutcomeRunning
	}
}

// attempts returns the bars of a call or a file with n attempts: one for each listed attempt that was
// repeated, one for the pause after each, one for all attempts that are not listed, and one for the
// latest attempt, which began at began.
func attempts(latest Bar, retried []telemetry.Attempt, n int64, began time.Duration) []Bar {
	if len(retried) == 0 {
		return []Bar{latest}
	}
	if began == 0 { // a record of an older version
		began = latest.FirstByte.Or(0)
	}
	began = max(began, retried[len(retried)-1].End)
	bars := make([]Bar, 0, 2*len(retried)+1)
	for i, a := range retried {
		note := []string{fmt.Sprintf("attempt %d", i+1), statusNote(a.Status)}
		if a.RequestID != "" {
			note = append(note, "request "+a.RequestID)
		}
		next := Bar{Kind: breakdown.BarPause, Label: "pause", Start: a.End, End: began}
		if unlisted := n - 1 - int64(len(retried)); i+1 < len(retried) {
			next.End = retried[i+1].Start
		} else if unlisted > 0 {
			next.Kind, next.Label, next.Note = breakdown.BarRetry, latest.Label, format.Plural(unlisted, "further attempt")
		}
		bars = append(bars, Bar{Kind: breakdown.BarRetry, Label: latest.Label, Start: a.Start, End: a.End, Note: format.JoinKnown(", ", note...), Failed: true}, next)
	}
	latest.Start, latest.Note = began, format.JoinKnown(", ", fmt.Sprintf("attempt %d", n), latest.Note)
	return append(bars, latest)
}

func rpcNote(c *telemetry.Call, s *telemetry.Statement) string {
	var notes []string
	if rows, ok := c.Rows.Get(); ok {
		notes = append(notes, format.Plural(rows, "row"))
		if c.Files > 0 {
			notes[0] += " in " + format.Plural(c.Files, "file")
		}
	}
	_, answered := c.FirstByte.Get()
	_, ended := c.End.Get()
	switch {
	case !ended && !answered && s.Outcome == telemetry.OutcomeRunning:
		notes = append(notes, "no byte of an answer yet")
	case !ended:
		notes = append(notes, "the answer is not complete")
	case c.Failed && answeredWithError(s, c):
		notes = append(notes, "answered with an error")
	case c.Failed && c.Status == 200 && cameWhole(rpcOf(s, c.Method)): // for CloseOperation, the answer may be an error
		notes = append(notes, "failed with an answer that the driver could not use")
	case c.Failed:
		notes = append(notes, statusNote(c.Status))
	}
	if c.RequestID != "" {
		notes = append(notes, "request "+c.RequestID)
	}
	return format.JoinKnown(", ", notes...)
}

// statusNote says how an attempt failed.
func statusNote(status int) string {
	if status == 0 || status == 200 {
		return "failed without a complete answer"
	}
	return fmt.Sprintf("failed with HTTP %d", status)
}

func (t *Timeline) addFiles(s *telemetry.Statement) {
	if s.CloudFetch == nil {
		return
	}
	var files [][]Bar
	for i := range s.CloudFetch.Files {
		f := &s.CloudFetch.Files[i]
		start, requested := f.Start.Get()
		if !requested {
			continue
		}
		b := Bar{
			Kind: breakdown.BarFile, Label: fmt.Sprintf("file %d", f.Index), Start: start, FirstByte: f.FirstByte,
			Note: fileNote(f), Failed: f.State == "FAILED",
		}
		b.setEnd(f.End, s)
		bars := attempts(b, f.Retried, f.Attempts, f.Latest)
		bars[0].Queued = f.Queued
		if until := beforeClose(s); b.Failed && s.CloudFetch.Failed == 1 && pauses(s, f.Status, b.End, until) { // of several, any may be the one awaited
			bars = append(bars, pauseUntil(until, b.End, s))
		}
		files = append(files, bars)
	}
	t.addLanes("files", true, files...)
}

func fileNote(f *telemetry.File) string {
	note := format.Plural(f.Rows, "row") + ", " + format.Bytes(f.Bytes)
	if f.Attempts > 1 {
		note += ", " + format.Plural(f.Attempts, "attempt")
	}
	switch f.State {
	case "FAILED":
		note += ", " + statusNote(f.Status)
	case "ABANDONED":
		note += ", given up"
	}
	return note
}

// beforeRows returns bars for the times when the application had control before it asked for rows, and when it
// asked. In between, it may have asked for the description of the rows, which the driver then fetched; that is
// seen only as far as calls are listed.
func beforeRows(s *telemetry.Statement) (bars []Bar, asked time.Duration) {
	at, left := s.Execute, s.Application.Before
	b := Bar{Kind: breakdown.BarApplication, Label: "application", Note: "before the first row"}
	for c := range callsOf(s, "GetResultSetMetadata") {
		end, ended := c.End.Get()
		if !ended || c.Start < at || c.Start-at+breakdown.Rounding >= left {
			continue // the driver fetches it for the first row
		}
		b.Start, b.End = at, c.Start
		bars, at, left = append(bars, b), end, left-(c.Start-at)
	}
	b.Start, b.End = at, at+left
	return append(bars, b), b.End
}

// addRows shows what the application did with the rows. For the time between rows, a record says only
// how long the application had control, not when.
func (t *Timeline) addRows(s *telemetry.Statement) {
	running := s.Outcome == telemetry.OutcomeRunning
	if running && s.Execute == 0 {
		return
	}
	bars, asked := beforeRows(s)
	closing := s.Total - s.Close.Or(0)
	first, begun := s.FirstRow.Get()
	consume, read := s.Consume.Get()
	switch {
	case begun || read:
		b := Bar{Kind: breakdown.BarReading, Label: "reading", Start: asked, End: s.Execute + first + consume, Failed: s.Failed(), Open: running && s.Application.After == 0}
		if begun {
			b.FirstByte = telemetry.Known(s.Execute + first)
		}
		if running {
			b.End = s.Total - s.Application.After
		}
		if n, ok := s.RowsRead.Get(); ok {
			b.Note = format.Plural(n, "row")
		}
		if d := s.Application.Between; d > 0 {
			b.Note = format.JoinKnown(", ", b.Note, format.Duration(d)+" in the application")
		}
		bars = append(bars, b)
	case running && asked < s.Total-s.Application.After:
		bars = append(bars, Bar{Kind: breakdown.BarReading, Label: "first row", Start: asked, End: s.Total - s.Application.After, Open: s.Application.After == 0})
	case running:
		bars[len(bars)-1].Open = s.Application.After == 0
	case s.Failed() && s.Close != telemetry.Maybe[time.Duration]{} && s.Split != telemetry.Split{} && beforeClose(s)-asked >= time.Millisecond: // it did not come
		bars = append(bars, Bar{Kind: breakdown.BarReading, Label: "first row", Start: asked, End: beforeClose(s), Failed: true})
	}
	if d := s.Application.After; d > 0 && !calledWithin(s, closing-d, closing) { // otherwise the application had control more than once, at unknown times
		note := "after the last row"
		switch {
		case running: // the record of a running statement has no reading error
			note = "after reading"
		case s.Failed():
			note = "after reading had failed"
		}
		bars = append(bars, Bar{Kind: breakdown.BarApplication, Label: "application", Start: closing - d, End: closing, Note: note, Open: running})
	}
	if d, ok := s.Close.Get(); ok {
		bars = append(bars, Bar{Kind: breakdown.BarClose, Label: "closing", Start: s.Total - d, End: s.Total, Failed: s.CloseFailure != nil && !closedBefore(s, s.Total-d)})
	}
	bars = slices.DeleteFunc(bars, func(b Bar) bool { return b.Kind == breakdown.BarApplication && b.Start == b.End })
	if len(bars) > 0 {
		t.addLanes("rows", false, bars)
	}
}

// calledWithin reports whether a listed call was under way between two times: for rows, for their description, or
// to close an Arrow reader.
func calledWithin(s *telemetry.Statement, from, to time.Duration) bool {
	return slices.ContainsFunc(s.Calls, func(c telemetry.Call) bool {
		asks := c.Method == "GetResultSetMetadata" || c.Method == "FetchResults" || c.Method == "CloseOperation"
		return asks && min(to, c.End.Or(s.Total))-max(from, c.Start) > breakdown.Rounding
	})
}

// closedBefore reports whether the driver called CloseOperation before a time, so that closing the rows does not
// call it again.
func closedBefore(s *telemetry.Statement, at time.Duration) bool {
	return slices.ContainsFunc(s.Calls, func(c telemetry.Call) bool { return c.Method == "CloseOperation" && c.Start < at-breakdown.Rounding })
}

// addLanes adds a lane for groups of bars, or several if groups overlap. Each group goes into the
// first lane that is free when the group starts, so there are as many lanes as groups that overlap.
// The first lane has a number in its name only if numbered is true.
func (t *Timeline) addLanes(name string, numbered bool, groups ...[]Bar) {
	for _, bars := range groups {
		t.fit(bars)
	}
	slices.SortStableFunc(groups, func(a, b []Bar) int { return cmp.Compare(a[0].Start, b[0].Start) })
	first := len(t.Lanes)
	for _, bars := range groups {
		i := first
		for i < len(t.Lanes) && t.Lanes[i].end() > bars[0].Start {
			i++
		}
		if i == len(t.Lanes) {
			t.Lanes = append(t.Lanes, Lane{Name: name})
			if numbered || i > first {
				t.Lanes[i].Name = fmt.Sprintf("%s %d", name, i-first+1)
			}
		}
		t.Lanes[i].Bars = append(t.Lanes[i].Bars, bars...)
	}
}

// fit trims the bars of a group so that they lie within the statement and do not overlap. Clock
// readings are not simultaneous, so a bar may extend beyond the statement or into the next bar.
func (t *Timeline) fit(bars []Bar) {
	var at time.Duration
	for i := range bars {
		b := &bars[i]
		b.Start = min(max(at, b.Start), t.Total)
		b.End = min(max(b.Start, b.End), t.Total)
		at = b.End
	}
}

func (l Lane) end() time.Duration { return l.Bars[len(l.Bars)-1].End }

// missing says what a timeline cannot show.
func missing(s *telemetry.Statement) string {
	switch {
	case s.RPCs == nil:
		return "Requests to Databricks were not observed (driverwrap.Wrap): only what database/sql shows is here."
	case !listsAll(s):
		return "More calls, attempts or files were made than a record lists; the sums and the parts of the time count all of them."
	case s.Polling == telemetry.Maybe[telemetry.Polling]{} && rpcOf(s, "ExecuteStatement").Calls > 0:
		return "A message of the server was not seen or could not be decoded: there may have been more than is here."
	}
	return ""
}

// listsAll reports whether the record lists every call, file and attempt that its sums count.
func listsAll(s *telemetry.Statement) bool {
	var calls, retries int64
	for _, r := range s.RPCs {
		calls, retries = calls+r.Calls, retries+r.Retries
	}
	for _, c := range s.Calls {
		retries -= int64(len(c.Retried))
	}
	if calls > int64(len(s.Calls)) || retries > 0 {
		return false
	}
	if c := s.CloudFetch; c != nil {
		retries = c.Retries
		for _, f := range c.Files {
			retries -= int64(len(f.Retried))
		}
		return c.Present <= int64(len(c.Files)) && retries <= 0
	}
	return true
}
