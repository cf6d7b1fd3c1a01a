package main

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// textWidth is the width of text, in characters.
func textWidth(text string) int { return utf8.RuneCountInString(text) }

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
	return strings.TrimRight(string([]rune(text)[:width-1]), " ") + "…"
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
			lines = append(lines, string([]rune(line)[:width]))
			line = string([]rune(line)[width:])
		}
	}
	if line != "" {
		lines = append(lines, line)
	}
	return lines
}
