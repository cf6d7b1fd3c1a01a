package main

import (
	"strings"
	"unicode"
)

// textWidth is the width of text, in columns of a terminal.
func textWidth(text string) (width int) {
	for _, r := range text {
		width += runeWidth(r)
	}
	return width
}

// wideScripts are the scripts of East Asia, whose characters take two columns.
var wideScripts = []*unicode.RangeTable{unicode.Han, unicode.Hangul, unicode.Hiragana, unicode.Katakana, unicode.Bopomofo, unicode.Yi}

// runeWidth is the width of a character: most terminals give those of East Asia and pictures two columns, and
// what is drawn over the character before it none.
func runeWidth(r rune) int {
	switch {
	case r < 0x300:
		return 1
	case unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf):
		return 0
	case r >= 0xFF61 && r <= 0xFFDC: // half-width forms
		return 1
	case unicode.In(r, wideScripts...), r >= 0x3000 && r <= 0x303E, r >= 0xFF01 && r <= 0xFF60, r >= 0xFFE0 && r <= 0xFFE6, r >= 0x1F300 && r <= 0x1FAFF:
		return 2
	}
	return 1
}

// cut cuts text where it is wider than a number of columns.
func cut(text string, width int) (fits, rest string) {
	for i, r := range text {
		if width -= runeWidth(r); width < 0 {
			return text[:i], text[i:]
		}
	}
	return text, ""
}

// units follow a number, as package format writes it.
var units = map[string]bool{
	"ns": true, "µs": true, "ms": true, "s": true, "min": true, "h": true, "B": true, "kB": true, "MB": true, "GB": true, "TB": true, "%": true,
}

// truncate shortens text that is too wide, and ends it in an ellipsis.
func truncate(text string, width int) string {
	if textWidth(text) <= width {
		return text
	}
	if width < 1 {
		return ""
	}
	fits, _ := cut(text, width-1)
	return strings.TrimRight(fits, " ") + "…"
}

// wrap breaks text between words, but not between a number and its unit, and within words that are
// wider than a line.
func wrap(text string, width int) (lines []string) {
	line := ""
	words := strings.Fields(text)
	for i := 0; i < len(words); i++ {
		word := words[i]
		for i+1 < len(words) && units[strings.TrimRight(words[i+1], ",;:.)")] && unicode.IsDigit(rune(word[len(word)-1])) {
			i++
			word += " " + words[i]
		}
		switch {
		case line == "":
			line = word
		case textWidth(line)+1+textWidth(word) <= width:
			line += " " + word
		default:
			lines = append(lines, line)
			line = word
		}
		for textWidth(line) > width {
			fits, rest := cut(line, width)
			lines, line = append(lines, fits), rest
		}
	}
	if line != "" {
		lines = append(lines, line)
	}
	return lines
}
