package main

import (
	"cmp"
	"strings"

	"github.com/seed-01322ee7/databricks-telemetry/internal/sqltext"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// shapeOf is what a statement has in common with similar ones: its text without literals
// where the record has the text, the hash of that where not, and its kind and result format where
// the record has neither.
func shapeOf(s *telemetry.Statement) string {
	if s.Internal {
		return "ping"
	}
	if s.Query != "" {
		return withoutLiterals(s.Query)
	}
	if s.Shape != "" {
		return shapePrefix + s.Shape
	}
	parts := []string{string(s.Kind), s.Volume, string(s.Result.Format)}
	return cmp.Or(strings.Join(strings.Fields(strings.Join(parts, " ")), " "), "unknown")
}

const (
	maxShape    = 200      // characters
	shapePrefix = "shape " // of a hash
)

// withoutLiterals is the shape of a statement as a terminal may show it.
func withoutLiterals(sql string) string {
	lines := strings.Split(sql[:min(len(sql), sqltext.MaxShapeText)], "\n") // they end comments
	for i := range lines {
		lines[i] = clean(lines[i])
	}
	return truncate(sqltext.WithoutLiterals(strings.Join(lines, "\n"), 2*maxShape), maxShape)
}
