package main

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/internal/breakdown"
	"github.com/seed-01322ee7/databricks-telemetry/internal/format"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// listing returns a table of statements, one line each.
func listing(statements []*telemetry.Statement, reports map[string]*telemetry.ServerReport) *table {
	t := &table{columns: []column{
		{title: "STARTED"},
		{title: "TOTAL", right: true},
		{title: "KIND", rank: 3},
		{title: "ROWS", right: true, rank: 4},
		{title: "STATEMENT"},
		{title: "WHERE THE TIME WENT", least: 20},
		{title: "TEXT", least: leastText, rank: 5},
	}}
	layout := time.TimeOnly
	if !onOneDay(statements) {
		layout = "01-02 " + layout
	}
	for _, s := range statements {
		rows := cell{}
		if n, ok := s.RowsRead.Get(); ok {
			rows.text = format.Count(n)
		}
		text := ""
		switch {
		case s.Query != "":
			text = strings.Join(strings.Fields(clean(s.Query)), " ")
		case s.Shape != "":
			text = clean(shapeOf(s))
		}
		t.add(cell{cmp.Or(startOf(s, layout), "-"), dim}, cell{format.Duration(s.Total), bold}, cell{text: kindOf(s)}, rows,
			cell{cmp.Or(shortID(s.StatementID), "-"), dim}, reason(s, reports[s.StatementID]), cell{text, dim})
	}
	return t
}

// onOneDay reports whether all statements started on one day, as far as that is known.
func onOneDay(statements []*telemetry.Statement) bool {
	days := map[string]bool{}
	for _, s := range statements {
		if day := startOf(s, time.DateOnly); day != "" {
			days[day] = true
		}
	}
	return len(days) <= 1
}

// startOf returns when a statement started, in local time, or "" if the record does not say.
func startOf(s *telemetry.Statement, layout string) string {
	if s.Started.IsZero() {
		return ""
	}
	return s.Started.Local().Format(layout)
}

func kindOf(s *telemetry.Statement) string {
	if s.Internal {
		return "ping"
	}
	return strings.ToLower(clean(string(s.Kind)))
}

// shortID returns enough of an id to find the statement. The ids of the service begin with the time,
// so ids of the same minute have the same beginning.
func shortID(id string) string { return clean(id[:min(len(id), 13)]) }

// reason describes a statement in a few words: its failure, or the two largest parts of its time.
// The server's part is followed by its longest phase if there is a report.
func reason(s *telemetry.Statement, report *telemetry.ServerReport) cell {
	if s.Failed() {
		return cell{"✗ " + failureOf(s), red}
	}
	parts := breakdown.PartsOf(s)
	slices.SortStableFunc(parts, func(a, b breakdown.Part) int { return cmp.Compare(b.Time, a.Time) })
	var words []string
	for _, p := range parts[:min(2, len(parts))] {
		if p.Share >= .05 {
			word := format.Percent(p.Share) + " " + p.String()
			if phase := longestPhase(s, report); phase != "" && p.Part == telemetry.PartServer {
				word += " (" + phase + ")"
			}
			words = append(words, word)
		}
	}
	return cell{text: strings.Join(words, ", ")}
}

// failureOf describes the failure of a statement.
func failureOf(s *telemetry.Statement) string {
	text := format.OneSpelling(clean(strings.Join(strings.Fields(string(s.Failure.Category)+" "+s.Failure.SQLState), " ")))
	switch {
	case s.Outcome != telemetry.OutcomeCanceled:
		return cmp.Or(text, "failed")
	case text == "" || strings.HasPrefix(text, "canceled"):
		return cmp.Or(text, "canceled")
	}
	return "canceled: " + text
}
