package main

import (
	"cmp"
	"regexp"
	"strings"

	"github.com/seed-01322ee7/databricks-telemetry/internal/sqltext"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// shapeOf is what a statement has in common with similar ones: its text without literals
// where the record has the text, and its kind and result format otherwise.
func shapeOf(s *telemetry.Statement) string {
	if s.Internal {
		return "ping"
	}
	if s.Query != "" {
		return withoutLiterals(s.Query)
	}
	parts := []string{string(s.Kind), s.Volume, string(s.Result.Format)}
	return cmp.Or(strings.Join(strings.Fields(strings.Join(parts, " ")), " "), "unknown")
}

const (
	maxShape     = 200      // characters
	maxShapeText = 64 << 10 // bytes of a text that are read for its shape: literals may be long
)

var (
	listOfLiterals = regexp.MustCompile(`\?(, \?)+`)
	listOfRows     = regexp.MustCompile(`\(\?\)(, \(\?\))+`)
)

// withoutLiterals writes SQL with ? for every literal and list of literals, on one line and
// without comments.
func withoutLiterals(sql string) string {
	lines := strings.Split(sql[:min(len(sql), maxShapeText)], "\n") // they end comments
	for i := range lines {
		lines[i] = clean(lines[i])
	}
	scanner := sqltext.NewScanner(strings.Join(lines, "\n"))
	var b strings.Builder
	previous := ""
	for t := scanner.Next(); t.Kind != sqltext.End && b.Len() < 2*maxShape; t = scanner.Next() {
		text := strings.ReplaceAll(t.Text, "\n", " ")
		if t.Kind == sqltext.String || t.Kind == sqltext.Number {
			text = "?"
		}
		if (t.Spaced || previous == ",") && previous != "" && previous != "(" && text != "," && text != ")" && text != ";" {
			b.WriteByte(' ')
		}
		b.WriteString(text)
		previous = text
	}
	text := strings.TrimRight(b.String(), "; ")
	text = listOfLiterals.ReplaceAllString(text, "?")
	return truncate(listOfRows.ReplaceAllString(text, "(?)"), maxShape)
}
