package main

import (
	"io"
	"os"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/term"
)

// screen is what is known about standard output.
type screen struct {
	terminal      bool
	colour        bool
	width, height int // characters
}

const (
	usualWidth    = 80
	narrowest     = 50
	widest        = 400
	eraseLine     = "\x1b[K"
	eraseBelow    = "\x1b[J"
	cursorHome    = "\x1b[H"
	enterFullView = "\x1b[?1049h\x1b[?25l" // the alternate screen, without a cursor
	leaveFullView = "\x1b[?25h\x1b[?1049l"
)

// newScreen asks the terminal, if it is one. COLUMNS has the last word about the width.
func newScreen(out io.Writer, colour string) (screen, error) {
	s := screen{terminal: isTerminal(out), width: usualWidth, height: 24}
	s.resize(out)
	switch colour {
	case "auto":
		s.colour = s.terminal && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
	case "always":
		s.colour = true
	case "never":
	default:
		return s, usageError("--color takes auto, always or never, not " + strconv.Quote(colour))
	}
	return s, nil
}

// resize looks at the size again: windows change.
func (s *screen) resize(out io.Writer) {
	if f, ok := out.(*os.File); ok && s.terminal {
		if w, h, err := term.GetSize(int(f.Fd())); err == nil && w > 0 && h > 0 {
			s.width, s.height = w, h
		}
	}
	if n, err := strconv.Atoi(os.Getenv("COLUMNS")); err == nil && n > 0 {
		s.width = n
	}
	s.width = min(max(s.width, narrowest), widest)
}

func isTerminal(of any) bool {
	f, ok := of.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// style is how text looks where there are colours: parameters of the escape sequence.
type style string

const (
	plain   style = ""
	bold    style = "1"
	dim     style = "2"
	red     style = "31"
	green   style = "32"
	yellow  style = "33"
	blue    style = "34"
	magenta style = "35"
	cyan    style = "36"
)

func (s screen) paint(with style, text string) string {
	if !s.colour || with == plain || text == "" {
		return text
	}
	return control("\x1b["+string(with)+"m") + text + control("\x1b[0m")
}

func length(text string) int { return utf8.RuneCountInString(text) }

// fit cuts text that is too long, and says so.
func fit(text string, width int) string {
	if length(text) <= width {
		return text
	}
	if width < 1 {
		return ""
	}
	return strings.TrimRight(string([]rune(text)[:width-1]), " ") + "…"
}

// wrap breaks text between words.
func wrap(text string, width int) (lines []string) {
	line := ""
	for word := range strings.FieldsSeq(text) {
		switch {
		case line == "":
			line = word
		case length(line)+1+length(word) <= width:
			line += " " + word
		default:
			lines = append(lines, line)
			line = word
		}
		for length(line) > width { // a word of its own kind
			lines = append(lines, string([]rune(line)[:width]))
			line = string([]rune(line)[width:])
		}
	}
	if line != "" {
		lines = append(lines, line)
	}
	return lines
}
