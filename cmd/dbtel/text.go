package main

import (
	"strings"
	"unicode/utf8"
)

// textWidth is the width of text, in characters.
func textWidth(text string) int { return utf8.RuneCountInString(text) }

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

// wrap breaks text between words, and within words that are wider than a line.
func wrap(text string, width int) (lines []string) {
	line := ""
	for word := range strings.FieldsSeq(text) {
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
