package main

import (
	"strings"
	"unicode"
)

// textWidth returns the width of text, in columns of a terminal.
func textWidth(text string) (width int) {
	for _, r := range text {
		width += runeWidth(r)
	}
	return width
}

// wideScripts are the scripts of East Asia, whose characters take two columns.
var wideScripts = []*unicode.RangeTable{unicode.Han, unicode.Hangul, unicode.Hiragana, unicode.Katakana, unicode.Bopomofo, unicode.Yi}

// runeWidth returns the width of a character. Most terminals give East Asian characters and emoji two
// columns, and combining characters none.
func runeWidth(r rune) int {
	switch {
	case r < 0x300:
		return 1
	case unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf):
		return 0
	case r >= 0xFF61 && r <= 0xFFDC: // half-width forms
		return 1
	case r >= 0x1F3FB && r <= 0x1F3FF: // skin tone of the emoji before it
		return 0
	case unicode.In(r, wideScripts...), unicode.Is(wide, r):
		return 2
	}
	return 1
}

// wide has the other characters of two columns: East Asian symbols, full-width forms and emoji.
var wide = &unicode.RangeTable{
	R16: []unicode.Range16{
		{0x231A, 0x231B, 1}, {0x23E9, 0x23EC, 1}, {0x23F0, 0x23F0, 1}, {0x23F3, 0x23F3, 1}, {0x25FD, 0x25FE, 1}, {0x2614, 0x2615, 1}, {0x2648, 0x2653, 1},
		{0x267F, 0x267F, 1}, {0x2693, 0x2693, 1}, {0x26A1, 0x26A1, 1}, {0x26AA, 0x26AB, 1}, {0x26BD, 0x26BE, 1}, {0x26C4, 0x26C5, 1}, {0x26CE, 0x26CE, 1},
		{0x26D4, 0x26D4, 1}, {0x26EA, 0x26EA, 1}, {0x26F2, 0x26F3, 1}, {0x26F5, 0x26F5, 1}, {0x26FA, 0x26FA, 1}, {0x26FD, 0x26FD, 1}, {0x2705, 0x2705, 1},
		{0x270A, 0x270B, 1}, {0x2728, 0x2728, 1}, {0x274C, 0x274C, 1}, {0x274E, 0x274E, 1}, {0x2753, 0x2755, 1}, {0x2757, 0x2757, 1}, {0x2795, 0x2797, 1},
		{0x27B0, 0x27B0, 1}, {0x27BF, 0x27BF, 1}, {0x2B1B, 0x2B1C, 1}, {0x2B50, 0x2B50, 1}, {0x2B55, 0x2B55, 1}, {0x3000, 0x303E, 1}, {0x3041, 0x33FF, 1},
		{0xFE30, 0xFE6F, 1}, {0xFF01, 0xFF60, 1}, {0xFFE0, 0xFFE6, 1},
	},
	R32: []unicode.Range32{{0x1F300, 0x1F64F, 1}, {0x1F680, 0x1F6FF, 1}, {0x1F7E0, 0x1F7EB, 1}, {0x1F900, 0x1F9FF, 1}, {0x1FA70, 0x1FAFF, 1}},
}

// cut splits text that is wider than a number of columns.
func cut(text string, width int) (fits, rest string) {
	for i, r := range text {
		if width -= runeWidth(r); width < 0 {
			return text[:i], text[i:]
		}
	}
	return text, ""
}

// units are the units that package format writes after a number.
var units = map[string]bool{
	"ns": true, "µs": true, "ms": true, "s": true, "min": true, "h": true, "B": true, "kB": true, "MB": true, "GB": true, "TB": true, "%": true,
}

// truncate shortens text that is too wide, and ends it with an ellipsis.
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

// wrap breaks text into lines between words, but not between a number and its unit. A word that is
// wider than a line is broken, too.
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
		for {
			fits, rest := cut(line, width)
			if rest == "" || fits == "" {
				break
			}
			lines, line = append(lines, fits), rest
		}
	}
	if line != "" {
		lines = append(lines, line)
	}
	return lines
}
