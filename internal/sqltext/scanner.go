package sqltext

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Token is a piece of SQL. White space and comments are not tokens.
type Token struct {
	Kind Kind
	Text string // as in the SQL, quotes included
}

// Kind is the kind of a token.
type Kind int

// The kinds of tokens.
const (
	End          Kind = iota // the text has no more tokens
	Word                     // a keyword or a name without quotes
	QuotedName               // `name`, in which a doubled backquote stands for one
	UnclosedName             // a backquote that is never closed, and the rest of the text
	String                   // 'text', "text", r'text', x'00' or $$text$$
	Number                   // 1, 1.5e-3, 10L
	Parameter                // :name, @name or $name
	Symbol                   // one other character, or ::
)

// Scanner reads tokens from left to right, in time linear in the length of the text. To look ahead,
// copy a Scanner: the copy reads on independently.
type Scanner struct{ rest string }

// NewScanner returns a Scanner at the beginning of a text.
func NewScanner(sql string) Scanner { return Scanner{rest: sql} }

// AtEnd reports whether the whole text has been read.
func (s *Scanner) AtEnd() bool { return s.rest == "" }

// Next returns the next token, of kind End when there is none.
func (s *Scanner) Next() Token {
	s.rest = s.rest[blankLength(s.rest):]
	kind, length := first(s.rest)
	text := s.rest[:length]
	s.rest = s.rest[length:]
	return Token{Kind: kind, Text: text}
}

// blankLength returns the length of the white space and the comments at the beginning of sql.
func blankLength(sql string) int {
	for rest := sql; ; {
		rest = strings.TrimLeftFunc(rest, unicode.IsSpace)
		switch {
		case strings.HasPrefix(rest, "--"):
			rest = rest[lineCommentLength(rest):]
		case strings.HasPrefix(rest, "/*"):
			rest = rest[commentLength(rest):]
		default:
			return len(sql) - len(rest)
		}
	}
}

// lineCommentLength returns the length of the -- comment at the beginning of sql. The comment ends
// with its line, unless a backslash precedes the line feed.
func lineCommentLength(sql string) int {
	for n := 2; n < len(sql); n++ {
		if sql[n] == '\r' || sql[n] == '\n' && sql[n-1] != '\\' {
			return n + 1
		}
	}
	return len(sql)
}

// commentLength returns the length of the comment at the beginning of sql. Comments nest.
func commentLength(sql string) int {
	depth := 0
	for n := 0; n < len(sql); {
		switch {
		case strings.HasPrefix(sql[n:], "/*"):
			depth++
			n += 2
		case strings.HasPrefix(sql[n:], "*/"):
			depth--
			n += 2
			if depth == 0 {
				return n
			}
		default:
			n++
		}
	}
	return len(sql)
}

// first returns the kind and the length of the token at the beginning of sql.
func first(sql string) (Kind, int) {
	if sql == "" {
		return End, 0
	}
	switch c := sql[0]; {
	case c == '\'' || c == '"':
		length, _ := quotedLength(sql, true)
		return String, length
	case c == '`':
		if length, closed := quotedLength(sql, false); closed {
			return QuotedName, length
		}
		return UnclosedName, len(sql)
	case c == '$' && dollarTag(sql) > 0:
		return String, closedLength(sql, sql[:dollarTag(sql)])
	case strings.HasPrefix(sql, "::"):
		return Symbol, 2
	case c == ':' || c == '@' || c == '$':
		if length := wordLength(sql[1:]); length > 0 && !isDigit(sql[1]) {
			return Parameter, 1 + length
		}
		return Symbol, 1
	case isDigit(c):
		return Number, numberLength(sql)
	}
	length := wordLength(sql)
	if length == 0 {
		_, size := utf8.DecodeRuneInString(sql)
		return Symbol, size
	}
	if rest := sql[length:]; length == 1 && strings.Contains("rRxXbB", sql[:1]) && rest != "" && (rest[0] == '\'' || rest[0] == '"') {
		if sql[0]|0x20 == 'r' {
			return String, length + closedLength(rest, rest[:1])
		}
		quoted, _ := quotedLength(rest, true)
		return String, length + quoted
	}
	return Word, length
}

// quotedLength returns the length of the quoted text at the beginning of sql, and whether a closing
// quote ends it. A doubled quote stands for one. If escapes is true, a backslash escapes the
// character after it.
func quotedLength(sql string, escapes bool) (length int, closed bool) {
	quote := sql[0]
	for n := 1; n < len(sql); n++ {
		switch {
		case sql[n] == '\\' && escapes:
			n++
		case sql[n] != quote:
		case n+1 < len(sql) && sql[n+1] == quote:
			n++
		default:
			return n + 1, true
		}
	}
	return len(sql), false
}

// closedLength returns the length of the text at the beginning of sql between two marks, including both.
func closedLength(sql, mark string) int {
	if n := strings.Index(sql[len(mark):], mark); n >= 0 {
		return len(mark) + n + len(mark)
	}
	return len(sql)
}

// numberLength returns the length of the number at the beginning of sql, which begins with a digit. A
// dot before a letter does not belong to the number, and a sign belongs to it only in an exponent.
func numberLength(sql string) int {
	n := wordLength(sql)
	for n < len(sql) {
		rest := sql[n+1:]
		digit := rest != "" && isDigit(rest[0])
		length := wordLength(rest)
		switch {
		case sql[n] == '.' && (digit || length == 0):
		case (sql[n] == '+' || sql[n] == '-') && digit && sql[n-1]|0x20 == 'e':
		default:
			return n
		}
		n += 1 + length
	}
	return n
}

// wordLength returns the length of the letters, digits and underscores at the beginning of sql.
func wordLength(sql string) int {
	if n := strings.IndexFunc(sql, func(r rune) bool { return !IsWordRune(r) }); n >= 0 {
		return n
	}
	return len(sql)
}

// IsWordRune reports whether r is a letter, a digit or an underscore, which may be part of a name
// without quotes.
func IsWordRune(r rune) bool {
	return r == '_' || r != utf8.RuneError && (unicode.IsLetter(r) || unicode.IsDigit(r))
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// dollarTag returns the length of the $$ or $tag$ at the beginning of sql, which begins with $, or 0 if there
// is none.
func dollarTag(sql string) int {
	for n := 1; n < len(sql); n++ {
		if c := sql[n] | 0x20; sql[n] == '$' {
			return n + 1
		} else if c < 'a' || c > 'z' {
			break
		}
	}
	return 0
}
