package sqltext

import (
	"slices"
	"strings"
)

// literal reads on to the end of the literal that begins with t, and reports whether there is one. A
// sign or a dot before a number is part of the literal unless an operand precedes it: a - 1 is a
// difference, and t.5 is a part of t.
func (s *Scanner) literal(previous, t Token) bool {
	switch t.Kind {
	case String, Number, UnclosedName: // literals may follow a backquote that is never closed
		return true
	case Word:
		return previous.Text != "." && (strings.EqualFold(t.Text, "TRUE") || strings.EqualFold(t.Text, "FALSE") ||
			strings.EqualFold(t.Text, "NULL") && !strings.EqualFold(previous.Text, "IS") && !strings.EqualFold(previous.Text, "NOT"))
	case Symbol:
	default:
		return false
	}
	ahead := *s
	if t.Text == "-" || t.Text == "+" {
		t = ahead.Next()
	}
	if t.Text == "." {
		t = ahead.Next()
	}
	if t.Kind != Number || previous.operand() {
		return false
	}
	*s = ahead
	return true
}

// operand reports whether t is, or ends, an operand of a calculation.
func (t Token) operand() bool {
	switch t.Kind {
	case Word:
		return !isKeyword(t.Text)
	case QuotedName, Parameter:
		return true
	case Symbol:
		return t.Text == placeholder || t.Text == ")" || t.Text == "]" || t.Text == "}"
	}
	return false
}

// keywords are words that an expression or a list in parentheses may follow. Words that are at least
// as likely to be the name of a column or a function are not among them.
var keywords = []string{
	"ALL", "AND", "AS", "BETWEEN", "BY", "CASE", "DEFAULT", "DISTINCT", "DIV", "ELSE", "EXCEPT", "EXISTS", "FROM",
	"HAVING", "IN", "INTERSECT", "INTERVAL", "IS", "JOIN", "LIKE", "NOT", "ON", "OR", "OVER", "QUALIFY", "RETURN",
	"SELECT", "THEN", "UNION", "USING", "VALUES", "WHEN", "WHERE", "WITH",
}

func isKeyword(word string) bool {
	return slices.ContainsFunc(keywords, func(k string) bool {
		return len(k) == len(word) && strings.EqualFold(k, word)
	})
}
