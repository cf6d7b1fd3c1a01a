package main

import (
	"cmp"
	"slices"
	"strings"

	"github.com/seed-01322ee7/databricks-telemetry/internal/format"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry/explain"
)

// listing is a table of statements, one line each.
func listing(statements []*telemetry.Statement) *table {
	t := &table{columns: []column{
		{title: "STARTED", rank: 2},
		{title: "TOTAL", right: true},
		{title: "KIND", rank: 3},
		{title: "ROWS", right: true, rank: 4},
		{title: "STATEMENT", rank: 1},
		{title: "WHERE THE TIME WENT"},
		{title: "TEXT", flex: true, rank: 5},
	}}
	for _, s := range statements {
		rows := cell{}
		if n, ok := s.RowsRead.Get(); ok {
			rows.text = format.Count(n)
		}
		text := ""
		if s.Query != "" {
			text = strings.Join(strings.Fields(clean(s.Query)), " ")
		}
		t.add(cell{s.Started.Local().Format("15:04:05"), dim}, cell{format.Duration(s.Total), bold}, cell{text: kindOf(s)}, rows,
			cell{shortID(s.StatementID), dim}, reason(s), cell{text, dim})
	}
	return t
}

func kindOf(s *telemetry.Statement) string {
	if s.Internal {
		return "ping"
	}
	return strings.ToLower(clean(string(s.Kind)))
}

// shortID is enough of an id to find the statement. The ids of the service begin with the
// time, so those of the same minute begin alike.
func shortID(id string) string { return clean(id[:min(len(id), 13)]) }

// reason describes a statement in a few words: its failure, or the two largest parts of its
// time.
func reason(s *telemetry.Statement) cell {
	if s.Failed() {
		return cell{"✗ " + failureOf(s), red}
	}
	parts := explain.PartsOf(s)
	slices.SortStableFunc(parts, func(a, b explain.Part) int { return cmp.Compare(b.Time, a.Time) })
	var words []string
	for _, p := range parts[:min(2, len(parts))] {
		if p.Share >= .05 {
			words = append(words, format.Percent(p.Share)+" "+p.String())
		}
	}
	return cell{text: strings.Join(words, ", ")}
}

// failureOf describes the failure of a statement.
func failureOf(s *telemetry.Statement) string {
	words := []string{string(s.Failure.Category), s.Failure.SQLState}
	if s.Outcome == telemetry.OutcomeCanceled {
		words = append([]string{"canceled:"}, words...)
	}
	return cmp.Or(clean(strings.Join(strings.Fields(strings.Join(words, " ")), " ")), "failed")
}
