package sanitize

import "strings"

const (
	maxRunes = 500     // of a result, the ellipsis of a truncated one included
	maxInput = 8 << 10 // bytes of a text that are read
)

// Message returns the text of an error with placeholders for what is not safe to keep. For any
// input, the result is one line of valid UTF-8 with at most 500 runes; a longer one is
// truncated and ends in an ellipsis. Message(Message(text)) == Message(text). The time is linear
// in the length of the text, of which at most the first 8 KiB are read. Message is safe for
// concurrent use.
func Message(text string) string {
	return string(scan(text, false).out)
}

// Class returns only the error class and the SQLSTATE of a text, as in
// "[TABLE_OR_VIEW_NOT_FOUND] SQLSTATE: 42P01": both, the one that the text has, or "". Its result
// is as safe as that of Message.
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
