package sqltext

import "strings"

// spaced reports whether a shape has a space between two tokens. The result depends only on the two
// tokens. Tokens without a space between them are still read as the same two tokens.
func spaced(previous, t Token) bool {
	if previous.Kind == End {
		return false
	}
	if previous.Kind == Symbol {
		switch previous.Text {
		case "(", "[", "{", ".", "::":
			return false
		}
	}
	if t.Kind != Symbol {
		return true
	}
	switch t.Text {
	case ")", "]", "}", ",", ";", ".":
		return false
	case "::":
		return previous.Text == ":"
	case "(", "[":
		return !previous.operand() // count(*), but IN (?)
	case "{":
		return previous.Text != "$"
	}
	return !oneOperator(previous.Text, t.Text)
}

// oneOperator reports whether two symbols are one operator or the beginning of one, as in <=> and ->.
func oneOperator(a, b string) bool {
	return len(a) == 1 && len(b) == 1 && (strings.Contains("<>=!|&", a) && strings.Contains("<>=|&", b) || a == "-" && b == ">")
}
