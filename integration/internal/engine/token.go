package engine

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

type tokenKind uint8

const (
	tokEnd    tokenKind = iota
	tokWord             // identifier or keyword, as written
	tokQuoted           // `identifier`, unescaped
	tokString           // 'text' or "text", unescaped
	tokNumber           // digits, with an optional fraction, exponent and suffix
	tokSymbol           // operator or punctuation
	tokNamed            // :name
)

// token is one lexical element. at and end are byte offsets into the SQL text, which errors
// point to.
type token struct {
	kind    tokenKind
	text    string
	at, end int
}

// upper is the token as a keyword; a quoted identifier is never one.
func (t token) upper() string {
	if t.kind == tokWord {
		return strings.ToUpper(t.text)
	}
	return ""
}

// longSymbols are the symbols of more than one character, longest first.
var longSymbols = []string{"<=>", "<>", "<=", ">=", "!=", "==", "||", "::", "->", "<<", ">>"}

// lex splits SQL text into tokens, dropping white space and comments. The last token is
// always tokEnd.
func lex(sql string) ([]token, *Error) {
	tokens := make([]token, 0, len(sql)/4+4)
	i := 0
	for {
		var bad *Error
		if i, bad = skipBlank(sql, i); bad != nil {
			return nil, bad
		}
		if i >= len(sql) {
			return append(tokens, token{kind: tokEnd, at: len(sql), end: len(sql)}), nil
		}
		t := token{at: i}
		switch c := sql[i]; {
		case c == '\'' || c == '"':
			t.kind = tokString
			t.text, i, bad = lexString(sql, i, false)
		case (c == 'r' || c == 'R') && i+1 < len(sql) && (sql[i+1] == '\'' || sql[i+1] == '"'):
			t.kind = tokString
			t.text, i, bad = lexString(sql, i+1, true)
		case c == '`':
			t.kind = tokQuoted
			t.text, i, bad = lexQuoted(sql, i)
		case c >= '0' && c <= '9' || c == '.' && i+1 < len(sql) && isDigit(sql[i+1]) && !followsName(tokens, i):
			t.kind = tokNumber
			i = lexNumber(sql, i)
			t.text = sql[t.at:i]
		case c == ':' && i+1 < len(sql) && isWordStart(sql[i+1:]):
			t.kind = tokNamed
			i = lexWord(sql, i+1)
			t.text = sql[t.at+1 : i]
		case isWordStart(sql[i:]):
			t.kind = tokWord
			i = lexWord(sql, i)
			t.text = sql[t.at:i]
		default:
			t.kind = tokSymbol
			t.text, i = lexSymbol(sql, i)
		}
		if bad != nil {
			return nil, bad
		}
		t.end = i
		tokens = append(tokens, t)
	}
}

// followsName reports whether a dot follows a name, as in a.1b, and so does not start a number: the
// name must end at the dot and not be a keyword.
func followsName(tokens []token, dot int) bool {
	if len(tokens) == 0 {
		return false
	}
	last := tokens[len(tokens)-1]
	return last.end == dot && (last.kind == tokQuoted || last.kind == tokWord && !reserved[last.upper()])
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isWordStart(s string) bool {
	r, _ := utf8.DecodeRuneInString(s)
	return r == '_' || r != utf8.RuneError && unicode.IsLetter(r)
}

func lexWord(sql string, i int) int {
	for i < len(sql) {
		r, n := utf8.DecodeRuneInString(sql[i:])
		if r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r) || r == utf8.RuneError {
			break
		}
		i += n
	}
	return i
}

func skipBlank(sql string, i int) (int, *Error) {
	for i < len(sql) {
		r, n := utf8.DecodeRuneInString(sql[i:])
		switch {
		case unicode.IsSpace(r):
			i += n
		case strings.HasPrefix(sql[i:], "--"):
			end := strings.IndexByte(sql[i:], '\n')
			if end < 0 {
				return len(sql), nil
			}
			i += end + 1
		case strings.HasPrefix(sql[i:], "/*"):
			end, ok := skipComment(sql, i)
			if !ok {
				return i, atOffset("UNCLOSED_BRACKETED_COMMENT", "42601",
					"Found an unclosed bracketed comment. Please, append */ at the end of the comment.", sql, i)
			}
			i = end
		default:
			return i, nil
		}
	}
	return i, nil
}

// skipComment skips a bracketed comment; such comments nest.
func skipComment(sql string, i int) (int, bool) {
	depth := 0
	for i < len(sql) {
		switch {
		case strings.HasPrefix(sql[i:], "/*"):
			depth++
			i += 2
		case strings.HasPrefix(sql[i:], "*/"):
			depth--
			i += 2
			if depth == 0 {
				return i, true
			}
		default:
			i++
		}
	}
	return i, false
}

// lexString reads a string literal that starts at its quote. A doubled quote means one quote, and
// backslashes escape unless the literal is raw.
func lexString(sql string, i int, raw bool) (string, int, *Error) {
	start, quote := i, sql[i]
	var b strings.Builder
	for i++; i < len(sql); {
		switch c := sql[i]; {
		case c == quote && i+1 < len(sql) && sql[i+1] == quote:
			b.WriteByte(quote)
			i += 2
		case c == quote:
			return b.String(), i + 1, nil
		case c == '\\' && !raw && i+1 < len(sql):
			i = unescape(&b, sql, i+1)
		default:
			b.WriteByte(c)
			i++
		}
	}
	return "", i, syntaxError(sql, start, "'"+string(quote)+"'", "")
}

// unescape writes the character that follows a backslash at sql[i] and returns the offset after it.
// An unknown escape is the character itself, but \% and \_ keep their backslash because they belong
// to LIKE.
func unescape(b *strings.Builder, sql string, i int) int {
	switch c := sql[i]; c {
	case 'n':
		b.WriteByte('\n')
	case 't':
		b.WriteByte('\t')
	case 'r':
		b.WriteByte('\r')
	case 'b':
		b.WriteByte('\b')
	case '0':
		b.WriteByte(0)
	case 'Z':
		b.WriteByte(0x1a)
	case '%', '_':
		b.WriteByte('\\')
		b.WriteByte(c)
	case 'u':
		if r, ok := hexRune(sql, i+1, 4); ok {
			b.WriteRune(r)
			return i + 5
		}
		b.WriteByte(c)
	case 'U':
		if r, ok := hexRune(sql, i+1, 8); ok {
			b.WriteRune(r)
			return i + 9
		}
		b.WriteByte(c)
	default:
		b.WriteByte(c)
	}
	return i + 1
}

func hexRune(sql string, i, n int) (rune, bool) {
	if i+n > len(sql) {
		return 0, false
	}
	var r rune
	for _, c := range []byte(sql[i : i+n]) {
		d := strings.IndexByte("0123456789abcdef", c|0x20)
		if d < 0 || r > unicode.MaxRune {
			return 0, false
		}
		r = r<<4 | rune(d)
	}
	return r, utf8.ValidRune(r)
}

func lexQuoted(sql string, i int) (string, int, *Error) {
	start := i
	var b strings.Builder
	for i++; i < len(sql); i++ {
		if sql[i] != '`' {
			b.WriteByte(sql[i])
			continue
		}
		if i+1 < len(sql) && sql[i+1] == '`' {
			b.WriteByte('`')
			i++
			continue
		}
		if b.Len() == 0 {
			return "", i, syntaxError(sql, start, "'`'", "")
		}
		return b.String(), i + 1, nil
	}
	return "", i, syntaxError(sql, start, "'`'", "")
}

// lexNumber skips digits, a fraction, an exponent and a type suffix (L, S, Y, D, F, BD).
func lexNumber(sql string, i int) int {
	digits := func() {
		for i < len(sql) && isDigit(sql[i]) {
			i++
		}
	}
	digits()
	if i < len(sql) && sql[i] == '.' {
		i++
		digits()
	}
	if i < len(sql) && (sql[i] == 'e' || sql[i] == 'E') {
		j := i + 1
		if j < len(sql) && (sql[j] == '+' || sql[j] == '-') {
			j++
		}
		if j < len(sql) && isDigit(sql[j]) {
			i = j
			digits()
		}
	}
	return lexWord(sql, i) // the suffix, or what makes the number malformed
}

func lexSymbol(sql string, i int) (string, int) {
	for _, s := range longSymbols {
		if strings.HasPrefix(sql[i:], s) {
			return s, i + len(s)
		}
	}
	_, n := utf8.DecodeRuneInString(sql[i:])
	return sql[i : i+n], i + n
}
