package main

import (
	"crypto/rand"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"
)

// harmless stands in front of standard output and lets nothing through that a terminal would
// obey, but dbtel's own control sequences: records, file names and flags are not its own text.
// It is used by one goroutine.
type harmless struct {
	to      io.Writer
	instead func(rune) string // of what a terminal would obey
	rest    []byte            // the end of the latest Write: it may go on with the next
}

// asText puts a space in its place, asJSON the escape that JSON has for it: in a document of
// encoding/json it stands in a string.
func asText(rune) string { return " " }

func asJSON(r rune) string {
	if r > 0xFFFF {
		high, low := (r-0x10000)>>10+0xD800, (r-0x10000)&0x3FF+0xDC00
		return fmt.Sprintf(`\u%04x\u%04x`, high, low)
	}
	return fmt.Sprintf(`\u%04x`, r)
}

// ours marks the control characters of dbtel. It is random, so text of records cannot have it.
var ours = rand.Text()

// control marks a sequence for the terminal as dbtel's own.
func control(sequence string) string {
	return strings.NewReplacer("\x1b", "\x1b"+ours, "\r", "\r"+ours).Replace(sequence)
}

// Write passes b on, and keeps what of its end cannot be judged yet.
func (h *harmless) Write(b []byte) (int, error) {
	text := string(append(h.rest, b...))
	h.rest = nil
	var out strings.Builder
	for text != "" {
		r, size := utf8.DecodeRuneInString(text)
		after := text[size:]
		switch {
		case r == utf8.RuneError && !utf8.FullRuneInString(text),
			(r == '\x1b' || r == '\r') && len(after) < len(ours) && strings.HasPrefix(ours, after):
			h.rest = []byte(text)
			text = ""
			continue
		case (r == '\x1b' || r == '\r') && strings.HasPrefix(after, ours):
			out.WriteRune(r)
			after = after[len(ours):]
		case r == '\n' || !obeyed(r):
			out.WriteString(text[:size])
		default:
			out.WriteString(h.instead(r))
		}
		text = after
	}
	if _, err := io.WriteString(h.to, out.String()); err != nil {
		return 0, err
	}
	return len(b), nil
}

// obeyed reports whether a terminal may do something about r instead of showing it: control
// characters, directions of writing, and what is invisible.
func obeyed(r rune) bool {
	return r == utf8.RuneError || unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Co)
}

// clean makes text of a record, a file name or a flag harmless, as one line.
func clean(text string) string {
	return strings.Map(func(r rune) rune {
		if obeyed(r) {
			return ' '
		}
		return r
	}, text)
}

// cleanLines is clean for a text of several lines, which stay.
func cleanLines(text string) string {
	lines := strings.Split(text, "\n")
	for i := range lines {
		lines[i] = clean(lines[i])
	}
	return strings.Join(lines, "\n")
}

// complain writes a line about what went wrong. All of standard error but the progress of
// reading goes through it.
func complain(stderr io.Writer, format string, args ...any) {
	_, _ = fmt.Fprintln(stderr, clean(fmt.Sprintf(format, args...)))
}
