package sanitize

import (
	"strings"
)

const (
	// MaxRunes bounds what this package returns, in runes. A text that does not fit ends in an
	// ellipsis, which counts.
	MaxRunes = 500
	// maxInput bounds what is read of a text, in bytes, and so the time it takes.
	maxInput = 8 << 10
)

// Message returns what may be kept of the text of an error, on one line, with placeholders for
// the rest. Whatever the input, the result is valid UTF-8, has at most MaxRunes runes, and is a
// fixed point: Message(Message(text)) == Message(text). The time is linear in the length of the
// text; at most its first 8 KiB are read. It is safe for concurrent use.
func Message(text string) string {
	s := scan(text, false)
	return string(s.out)
}

// Class returns only the error class and the SQLSTATE of a text, as in
// "[TABLE_OR_VIEW_NOT_FOUND] SQLSTATE: 42P01"; what the text does not name is left out. It
// makes the promises of Message.
func Class(text string) string {
	s := scan(text, true)
	class, state := s.class, s.state
	if class != "" {
		class = "[" + class + "]"
	}
	if state != "" {
		state = "SQLSTATE: " + state
	}
	return strings.TrimSpace(class + " " + state)
}
