package driverwrap

import (
	"strings"

	"github.com/seed-01322ee7/databricks-telemetry/internal/sqltext"
)

// volumeOperation returns the operation on a volume that the first word of a statement names;
// empty for none. It is used only where the server said that the statement is about a volume.
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

// longestLead bounds, in bytes, how much of a statement is searched for its first words: white
// space and comments may precede them.
const longestLead = 4 << 10

func scannerAtLead(query string) sqltext.Scanner {
	return sqltext.NewScanner(query[:min(len(query), longestLead)])
}
