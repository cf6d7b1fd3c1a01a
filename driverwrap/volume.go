package driverwrap

import (
	"strings"

	"github.com/seed-01322ee7/databricks-telemetry/internal/sqltext"
)

// volumeOperation returns the volume operation that the first word of a statement names, or "" for
// none. It is used only if the server said that the statement is a volume operation.
func volumeOperation(query string) string {
	scanner := scannerAtLead(query)
	switch word := scanner.Next().Text; {
	case strings.EqualFold(word, "PUT"):
		return "PUT"
	case strings.EqualFold(word, "GET"):
		return "GET"
	case strings.EqualFold(word, "REMOVE"):
		return "DELETE"
	}
	return ""
}

// longestLead bounds, in bytes, how much of a statement is searched for its first words, which white
// space and comments may precede.
const longestLead = 4 << 10

func scannerAtLead(query string) sqltext.Scanner {
	return sqltext.NewScanner(query[:min(len(query), longestLead)])
}
