package sanitize

import "strings"

const (
	maxRunes = 500     // of a result, including the ellipsis of a truncated one
	maxInput = 8 << 10 // bytes of a text that are read
)

// Message returns the text of an error, with placeholders for everything that is not safe to keep.
// For any input, the result is one line of valid UTF-8 with at most 500 runes; a longer result is
// truncated and ends in an ellipsis. Message(Message(text)) == Message(text). At most the first 8 KiB
// of the text are read, in linear time. Message is safe for concurrent use.
func Message(text string) string {
	return string(scan(text, false).out)
}

// Class returns only the error class and the SQLSTATE of a text, as in "[TABLE_OR_VIEW_NOT_FOUND]
// SQLSTATE: 42P01". If the text has only one of them, Class returns that one; if it has neither, "".
// The result is as safe as that of Message. Class is safe for concurrent use.
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
