package sqltext

import (
	"regexp"
	"strings"
)

const maxShapeText = 64 << 10 // bytes of a text that are read for its shape: literals may be long

var (
	listOfLiterals = regexp.MustCompile(`\?(, \?)+`)
	listOfRows     = regexp.MustCompile(`\(\?\)(, \(\?\))+`)
)

// Shape writes SQL with ? for every literal and list of literals, on one line and without
// comments: statements that differ in their literals only have the same shape. Of a longer shape
// the first most characters are kept.
func Shape(sql string, most int) string {
	scanner := NewScanner(sql[:min(len(sql), maxShapeText)])
	var b strings.Builder
	previous := ""
	for t := scanner.Next(); t.Kind != End && b.Len() < 4*most; t = scanner.Next() {
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
	text = strings.ToValidUTF8(listOfRows.ReplaceAllString(text, "(?)"), "\uFFFD")
	if runes := []rune(text); len(runes) > most {
		text = string(runes[:most]) + "…"
	}
	return text
}
