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
	if query == "" || query[0]|0x20 != 'p' && query[0]|0x20 != 'g' && query[0]|0x20 != 'r' {
		return "" // nearly every statement, told without comparing words
	}
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
func afterComments(query string) string {
	for {
		if query == "" || query[0] > ' ' && query[0] != '-' && query[0] != '/' {
			return query // nearly every statement
		}
		switch trimmed := strings.TrimLeft(query, " \t\r\n\f\v"); {
		case strings.HasPrefix(trimmed, "--"):
			_, query, _ = strings.Cut(trimmed, "\n")
		case strings.HasPrefix(trimmed, "/*"):
			query = afterComment(trimmed[len("/*"):])
		default:
			return trimmed
		}
	}
}

// afterComment returns what follows a comment that has begun with /*. Such comments nest, as the
// server has it.
func afterComment(query string) string {
	for depth := 1; depth > 0; {
		star := strings.IndexByte(query, '*')
		switch {
		case star < 0:
			return ""
		case star > 0 && query[star-1] == '/':
			depth++
		case strings.HasPrefix(query[star:], "*/"):
			depth--
			star++
		}
		query = query[star+1:]
	}
	return query
}
