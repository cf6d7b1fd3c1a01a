package main

import (
	"cmp"
	"strings"

	"github.com/seed-01322ee7/databricks-telemetry/internal/sqltext"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// shapeOf is what a statement has in common with similar ones: its text without literals; without a text in
// the record, or where the text is nothing but comments, the hash of that; and without either its kind and
// result format.
func shapeOf(s *telemetry.Statement) string {
	if s.Internal {
		return "ping"
	}
	if shape := withoutLiterals(s.Query); shape != "" {
		return shape
	}
	if s.Shape != "" {
		return shapePrefix + s.Shape
	}
	parts := []string{string(s.Kind), s.Volume, string(s.Result.Format)}
	return cmp.Or(strings.Join(strings.Fields(strings.Join(parts, " ")), " "), "unknown")
}

const (
	maxShape    = 200      // columns, and characters, of which some take no column
	shapePrefix = "shape " // of a hash
)

// withoutLiterals is the shape of a statement without characters that control a terminal. The spaces
// that replace them are white space between tokens.
func withoutLiterals(sql string) string {
	text := clean(sqltext.WithoutLiterals(sql, 2*maxShape))
	return truncate(sqltext.Shape(text, maxShape-1), maxShape)
}
