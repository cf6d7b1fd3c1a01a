package main

import (
	"regexp"
	"strings"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// shapeOf is what a statement has in common with others like it: its text without literals
// where the record has the text, else what it was and how its rows travelled.
func shapeOf(s *telemetry.Statement) string {
	if s.Internal {
		return "ping"
	}
	if s.Query != "" {
		return withoutLiterals(s.Query)
	}
	parts := []string{string(s.Kind), string(s.Volume), string(s.Result.Format)}
	return or(strings.Join(strings.Fields(strings.Join(parts, " ")), " "), "unknown")
}

// longestShape is how many bytes of a text tell its shape, longestText how many are looked at
// to find them: literals may be long.
const (
	longestShape = 400
	longestText  = 64 << 10
)

// withoutLiterals writes SQL with ? for every literal and list of literals, on one line, and
// without comments. It cuts text into words and reads nothing else into it.
func withoutLiterals(sql string) string {
	sql = cleanLines(sql[:min(len(sql), longestText)])
	var b strings.Builder
	space, tight := false, true // what comes is apart from what was; unless it never is, as behind (
	write := func(text string) {
		if space && !tight {
			b.WriteByte(' ')
		}
		space, tight = false, false
		b.WriteString(text)
	}
	for i := 0; i < len(sql) && b.Len() < longestShape; {
		end := tokenEnd(sql, i)
		token := sql[i:end]
		switch c := token[0]; {
		case c <= ' ', strings.HasPrefix(token, "--"), strings.HasPrefix(token, "/*"):
			space = true
		case c == '\'', c == '"', isDigit(c):
			write("?")
		case c == ',':
			space = false
			write(",")
			space = true
		case c == ')', c == ';':
			space = false
			write(token)
		case c == '(':
			write("(")
			tight = true
		default:
			write(strings.ReplaceAll(token, "\n", " "))
		}
		i = end
	}
	text := strings.TrimRight(b.String(), "; ")
	text = lists.ReplaceAllString(text, "?")
	return fit(rows.ReplaceAllString(text, "(?)"), longestShape/2)
}

var (
	lists = regexp.MustCompile(`\?(, \?)+`)
	rows  = regexp.MustCompile(`\(\?\)(, \(\?\))+`)
)

// tokenEnd returns where the token that begins at i ends. It is longer than nothing.
func tokenEnd(sql string, i int) int {
	rest := sql[i:]
	switch c := rest[0]; {
	case c == '\'' || c == '"' || c == '`':
		return i + quoted(rest)
	case strings.HasPrefix(rest, "--"):
		if n := strings.IndexByte(rest, '\n'); n >= 0 {
			return i + n
		}
		return len(sql)
	case strings.HasPrefix(rest, "/*"):
		if n := strings.Index(rest[2:], "*/"); n >= 0 {
			return i + n + 4
		}
		return len(sql)
	case isWord(c):
		n := 1
		for n < len(rest) && (isWord(rest[n]) || isDigit(c) && (rest[n] == '.' || exponent(rest, n))) {
			n++
		}
		return i + n
	}
	return i + 1
}

// quoted is how long what is in quotes is, to the end where there is no closing one. A
// backslash escapes in strings, and a doubled quote is one everywhere.
func quoted(text string) int {
	quote := text[0]
	for n := 1; n < len(text); n++ {
		switch {
		case text[n] == '\\' && quote != '`':
			n++
		case text[n] == quote && n+1 < len(text) && text[n+1] == quote:
			n++
		case text[n] == quote:
			return n + 1
		}
	}
	return len(text)
}

// exponent reports whether the sign at n is that of a number's exponent.
func exponent(number string, n int) bool {
	return (number[n] == '-' || number[n] == '+') && number[n-1]|0x20 == 'e' && n+1 < len(number) && isDigit(number[n+1])
}

func isDigit(c byte) bool { return c-'0' < 10 }

func isWord(c byte) bool {
	return isDigit(c) || (c|0x20)-'a' < 26 || c == '_' || c == '$' || c >= 0x80
}

func or(text, other string) string {
	if text == "" {
		return other
	}
	return text
}
