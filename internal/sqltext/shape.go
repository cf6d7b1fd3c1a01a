package sqltext

import (
	"bytes"
	"strings"
)

// MaxShapeText bounds, in bytes, how much of a text is read for its shape, because literals can be
// long. A text of this length counts as cut.
const MaxShapeText = 64 << 10

// placeholder stands for a literal.
const placeholder = "?"

// Shape returns at most the first most characters of WithoutLiterals of a text. Statements that
// differ only in their literals have the same shape.
func Shape(sql string, most int) string {
	text := strings.ToValidUTF8(WithoutLiterals(sql, 4*most), "\uFFFD")
	if runes := []rune(text); len(runes) > most {
		text = string(runes[:most]) + "…"
	}
	return text
}

// WithoutLiterals returns the first MaxShapeText bytes of SQL with ? for every literal and list of
// literals, on one line, without comments, and with spaces that depend only on the tokens. It stops
// reading once it has written enough bytes.
func WithoutLiterals(sql string, enough int) string {
	return string(AppendWithoutLiterals(nil, sql, enough))
}

// AppendWithoutLiterals is WithoutLiterals in the memory of b, whose length must be 0.
func AppendWithoutLiterals(b []byte, sql string, enough int) []byte {
	cut := len(sql) >= MaxShapeText
	scanner := NewScanner(sql[:min(len(sql), MaxShapeText)])
	var previous Token
	for t := scanner.Next(); t.Kind != End && len(b) < enough; t = scanner.Next() {
		switch {
		case scanner.literal(previous, t):
			t = Token{Kind: Symbol, Text: placeholder}
		case cut && scanner.AtEnd() && t.Text != ")":
			return finished(b) // without the last token, which may be the beginning of a longer one
		case t.Kind == Word && previous.Text == ".":
			t.Kind = QuotedName // not a keyword
		}
		if spaced(previous, t) {
			b = append(b, ' ')
		}
		b = append(b, strings.ReplaceAll(t.Text, "\n", " ")...)
		if t.Text == placeholder || t.Text == ")" {
			b = folded(b)
		}
		previous = t
	}
	if cut {
		return finished(b)
	}
	return bytes.TrimRight(b, "; ")
}

// folded replaces the list of literals, or of lists of literals, at the end of b by its first item.
func folded(b []byte) []byte {
	for _, item := range [...]string{placeholder, "(?)"} {
		rest, is := bytes.CutSuffix(b, []byte(", "+item))
		if before, ends := bytes.CutSuffix(rest, []byte(item)); is && ends && !called(item, before) {
			return rest
		}
	}
	return b
}

// called reports whether a list of literals is the argument list of the text before it.
func called(item string, before []byte) bool {
	return item != placeholder && len(before) > 0 && strings.IndexByte(" (,", before[len(before)-1]) < 0
}

// finished ends the shape of a text that was cut. So that the shape does not depend on where a list of
// literals was cut, an incomplete item is dropped and the list is closed.
func finished(b []byte) []byte {
	b = bytes.TrimRight(b, "(,+-.; ")
	if bytes.HasSuffix(b, []byte("(?")) {
		b = folded(append(b, ')'))
	}
	return b
}

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
