package main

import (
	"bufio"
	"crypto/rand"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// newOutput returns standard output, buffered and filtered.
func newOutput(stdout io.Writer, asJSON bool) *bufio.Writer {
	replace := func(rune) string { return " " }
	if asJSON {
		replace = escapeJSON
	}
	return bufio.NewWriter(&controlFilter{w: stdout, replace: replace})
}

// escapeJSON returns r as it is written in a JSON string. encoding/json leaves control characters
// only within strings.
func escapeJSON(r rune) (escaped string) {
	for _, unit := range utf16.Encode([]rune{r}) {
		escaped += fmt.Sprintf(`\u%04x`, unit)
	}
	return escaped
}

// controlFilter replaces every character that a terminal would interpret, except line feeds and
// dbtel's own control sequences. Records, file names and flags are untrusted text that may try to
// control the terminal. A controlFilter is used by one goroutine.
type controlFilter struct {
	w       io.Writer
	replace func(rune) string
	pending []byte // the incomplete end of the latest Write
}

// controlMark follows each of dbtel's own control characters until the filter removes it. It is
// random, so that the text of records cannot contain it.
var controlMark = rand.Text()

// control marks a control sequence as dbtel's own.
func control(sequence string) string {
	return strings.NewReplacer("\x1b", "\x1b"+controlMark, "\r", "\r"+controlMark).Replace(sequence)
}

// Write writes b, filtered, and keeps an incomplete end of b for the next Write.
func (f *controlFilter) Write(b []byte) (int, error) {
	text := string(append(f.pending, b...))
	f.pending = nil
	var out strings.Builder
	for text != "" {
		r, size := utf8.DecodeRuneInString(text)
		after := text[size:]
		switch {
		case !utf8.FullRuneInString(text),
			(r == '\x1b' || r == '\r') && len(after) < len(controlMark) && strings.HasPrefix(controlMark, after):
			f.pending, after = []byte(text), ""
		case (r == '\x1b' || r == '\r') && strings.HasPrefix(after, controlMark):
			out.WriteRune(r)
			after = after[len(controlMark):]
		case r == '\n' || !isControl(r):
			out.WriteString(text[:size])
		default:
			out.WriteString(f.replace(r))
		}
		text = after
	}
	if _, err := io.WriteString(f.w, out.String()); err != nil {
		return 0, err
	}
	return len(b), nil
}

// printErrorf writes a line to standard error. All output there, except for the progress of reading,
// is written by printErrorf.
func printErrorf(stderr io.Writer, format string, args ...any) {
	_, _ = fmt.Fprintln(stderr, clean(fmt.Sprintf(format, args...)))
}

// clean replaces control characters of text by spaces, line feeds included.
func clean(text string) string {
	return strings.Map(func(r rune) rune {
		if isControl(r) {
			return ' '
		}
		return r
	}, text)
}

// isControl reports whether a terminal may interpret r instead of showing it: control
// characters, writing directions, invisible and private characters.
func isControl(r rune) bool {
	return r == utf8.RuneError || unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Co, unicode.Variation_Selector, unicode.Other_Default_Ignorable_Code_Point)
}
