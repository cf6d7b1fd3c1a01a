package sqltext

import (
	"bytes"
	"strings"
)

// MaxShapeText bounds, in bytes, how much of a text is read for its shape: literals can be long.
const MaxShapeText = 64 << 10

// Shape is WithoutLiterals of a text, bounded to its first most characters: statements that differ
// only in their literals have the same shape.
func Shape(sql string, most int) string {
	text := strings.ToValidUTF8(WithoutLiterals(sql[:min(len(sql), MaxShapeText)], 4*most), "\uFFFD")
	if runes := []rune(text); len(runes) > most {
		text = string(runes[:most]) + "…"
	}
	return text
}

// WithoutLiterals writes SQL with ? for every literal and list of literals, on one line and without
// comments. It stops reading once it has written enough bytes.
func WithoutLiterals(sql string, enough int) string {
	return string(AppendWithoutLiterals(nil, sql, enough))
}

// AppendWithoutLiterals is WithoutLiterals in the memory of b, whose length must be 0.
func AppendWithoutLiterals(b []byte, sql string, enough int) []byte {
	scanner := NewScanner(sql)
	previous := ""
	for t := scanner.Next(); t.Kind != End && len(b) < enough; t = scanner.Next() {
		text := "?"
		if t.Kind != String && t.Kind != Number {
			text = strings.ReplaceAll(t.Text, "\n", " ")
		}
		if (t.Spaced || previous == ",") && previous != "" && previous != "(" && text != "," && text != ")" && text != ";" {
			b = append(b, ' ')
		}
		b = append(b, text...)
		previous = text
	}
	return withoutLists(withoutLists(bytes.TrimRight(b, "; "), "?"), "(?)")
}

// withoutLists replaces each list of an item by the item.
func withoutLists(text []byte, item string) []byte {
	one, two := []byte(item), []byte(item+", "+item)
	for bytes.Contains(text, two) {
		text = bytes.ReplaceAll(text, two, one)
	}
	return text
}
