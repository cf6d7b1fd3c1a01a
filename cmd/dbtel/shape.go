package main

import (
	"cmp"
	"strings"

	"github.com/seed-01322ee7/databricks-telemetry/internal/sqltext"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// shapeOf returns what similar statements have in common: their text without literals. If the record has no
// text, or the text has only comments, it is the hash of the shape; without a hash, it is the kind and the
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
	maxShape    = 200      // columns, and also characters, because some characters take no column
	shapePrefix = "shape " // of a hash
)

// withoutLiterals returns the shape of a statement with spaces in place of characters that control a
// terminal. These spaces are white space between tokens.
func withoutLiterals(sql string) string {
	text := clean(sqltext.WithoutLiterals(sql, 2*maxShape))
	return truncate(sqltext.Shape(text, maxShape-1), maxShape)
}
