package driverwrap

import "strings"

// longestLead bounds, in bytes, the white space and comments before a statement that are looked
// through for its first word.
const longestLead = 4 << 10

// volumeOperation is the first word of a statement, if it is one of three. The operation is
// used only where the server said that the statement is about a volume. Nothing else is read
// from SQL.
func volumeOperation(query string) string {
	query = afterComments(query[:min(len(query), longestLead)])
	end := 0
	for end < len(query) && (query[end]|0x20 >= 'a' && query[end]|0x20 <= 'z' || query[end] == '_') {
		end++
	}
	switch word := query[:end]; {
	case strings.EqualFold(word, "PUT"):
		return "PUT"
	case strings.EqualFold(word, "GET"):
		return "GET"
	case strings.EqualFold(word, "REMOVE"):
		return "DELETE"
	}
	return ""
}

// afterComments returns what follows the white space and comments that a statement begins with.
// Comments between /* and */ nest, as the server has it.
func afterComments(query string) string {
	for depth := 0; ; {
		if depth == 0 {
			query = strings.TrimLeft(query, " \t\r\n\f\v")
		}
		switch {
		case strings.HasPrefix(query, "/*"):
			depth, query = depth+1, query[2:]
		case depth > 0 && strings.HasPrefix(query, "*/"):
			depth, query = depth-1, query[2:]
		case depth > 0 && query != "":
			query = query[1:]
		case depth == 0 && strings.HasPrefix(query, "--"):
			_, query, _ = strings.Cut(query, "\n")
		default:
			return query
		}
	}
}
