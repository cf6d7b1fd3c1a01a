package sanitize

import "strings"

// A placeholder stands where something was removed and says what kind of thing
// it was. All of them are fixed points: a scanner that meets one passes it on.
const (
	redacted   = "<redacted>"   // a secret, or something not recognised
	value      = "<value>"      // a literal: quoted, or an operand
	identifier = "<identifier>" // the name of a table, column, user, ...
	statement  = "<sql>"        // SQL text
	host       = "<host>"
	address    = "<ip>"
	email      = "<email>"
	path       = "<path>"
	query      = "<query>" // all of a URL's query
	locator    = "<url>"   // a URL of a scheme that is not known
	opaque     = "<id>"    // digits and letters mixed, long numbers
)

var placeholders = [...]string{
	redacted, value, identifier, statement, host, address, email, path, query, locator, opaque,
}

// longestPlaceholder bounds how far placeholderAt looks.
const longestPlaceholder = len(identifier)

// placeholderAt returns the length of the placeholder text starts with, or 0.
func placeholderAt(text string) int {
	if len(text) < len(address) || text[0] != '<' {
		return 0
	}
	end := strings.IndexByte(text[:min(len(text), longestPlaceholder)], '>')
	if end < 0 || !isPlaceholder(text[:end+1]) {
		return 0
	}
	return end + 1
}

func isPlaceholder(text string) bool {
	if len(text) == 0 || text[0] != '<' {
		return false
	}
	for _, p := range placeholders {
		if text == p {
			return true
		}
	}
	return false
}
