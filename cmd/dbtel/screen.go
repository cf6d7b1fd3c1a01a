package main

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"golang.org/x/term"
)

// screen describes standard output.
type screen struct {
	terminal      bool // control sequences draw on it
	color         bool
	width, height int // columns and lines
}

const (
	defaultWidth  = 80
	minWidth      = 50
	maxWidth      = 400
	eraseLine     = "\x1b[K"
	eraseBelow    = "\x1b[J"
	cursorHome    = "\x1b[H"
	enterFullView = "\x1b[?1049h\x1b[?25l\x1b[?7l" // the alternate screen, without a cursor; long lines are cut off
	leaveFullView = "\x1b[?7h\x1b[?25h\x1b[?1049l"
)

// newScreen returns the screen of out. COLUMNS takes precedence over the width of a terminal.
func newScreen(out io.Writer, color string) (screen, error) {
	s := screen{terminal: obeysControls(out), width: defaultWidth, height: 24}
	s.resize(out)
	switch color {
	case "auto":
		s.color = s.terminal && os.Getenv("NO_COLOR") == ""
	case "always":
		s.color = true
	case "never":
	default:
		return s, usageError("--color takes auto, always or never, not " + strconv.Quote(color))
	}
	return s, nil
}

// resize reads the size again, because it changes with the window.
func (s *screen) resize(out io.Writer) {
	if w, h := terminalSize(out); w > 0 && h > 0 {
		s.width, s.height = w, h
	}
	if n, err := strconv.Atoi(os.Getenv("COLUMNS")); err == nil && n > 0 {
		s.width = n
	}
	s.width = min(max(s.width, minWidth), maxWidth)
}

func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// obeysControls reports whether a stream is a terminal that understands control sequences. The
// terminal of an editor or a build server may show them as text, and says so with TERM=dumb.
func obeysControls(stream any) bool { return isTerminal(stream) && os.Getenv("TERM") != "dumb" }

// terminalSize returns the columns and lines of a terminal, or 0 if they are unknown.
func terminalSize(stream any) (width, height int) {
	if f, ok := stream.(*os.File); ok {
		if width, height, err := term.GetSize(int(f.Fd())); err == nil {
			return width, height
		}
	}
	return 0, 0
}

// printWrapped writes a text in lines that fit on the screen.
func (s screen) printWrapped(w io.Writer, text string) {
	fmt.Fprintln(w, strings.Join(wrap(text, s.width), "\n"))
}

// style has the parameters of the escape sequence that sets how text looks.
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

	brightGreen   style = "92"
	brightYellow  style = "93"
	brightBlue    style = "94"
	brightMagenta style = "95"
)

// paint returns text in a style, if the screen has colors.
func (s screen) paint(with style, text string) string {
	if !s.color || with == plain || text == "" {
		return text
	}
	return control("\x1b["+string(with)+"m") + text + control("\x1b[0m")
}
