package sqltext

import (
	"regexp"
	"strings"
)

// MaxShapeText bounds, in bytes, how much of a text is read for its shape: literals may be long.
const MaxShapeText = 64 << 10

var (
	listOfLiterals = regexp.MustCompile(`\?(, \?)+`)
	listOfRows     = regexp.MustCompile(`\(\?\)(, \(\?\))+`)
)

// Shape is WithoutLiterals of a text, so that statements that differ in their literals only have the
// same shape. Of a longer shape the first most characters are kept.
func Shape(sql string, most int) string {
	text := strings.ToValidUTF8(WithoutLiterals(sql[:min(len(sql), MaxShapeText)], 4*most), "\uFFFD")
	if runes := []rune(text); len(runes) > most {
		text = string(runes[:most]) + "…"
	}
	return text
}

// WithoutLiterals writes SQL with ? for every literal and list of literals, on one line and without
// comments. It reads no further when it has written enough bytes.
func WithoutLiterals(sql string, enough int) string {
	scanner := NewScanner(sql)
	var b strings.Builder
	previous := ""
	for t := scanner.Next(); t.Kind != End && b.Len() < enough; t = scanner.Next() {
		text := strings.ReplaceAll(t.Text, "\n", " ")
		if t.Kind == String || t.Kind == Number {
			text = "?"
		}
		if (t.Spaced || previous == ",") && previous != "" && previous != "(" && text != "," && text != ")" && text != ";" {
			b.WriteByte(' ')
		}
		b.WriteString(text)
		previous = text
	}
	text := listOfLiterals.ReplaceAllString(strings.TrimRight(b.String(), "; "), "?")
	return listOfRows.ReplaceAllString(text, "(?)")
}
