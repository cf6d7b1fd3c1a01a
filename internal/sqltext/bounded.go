package sqltext

import (
	"strings"
	"unicode/utf8"
)

// Bounded returns a text of at most most bytes in valid UTF-8: the text itself, or its beginning, cut between
// characters. The rest of a longer text is not kept in memory.
func Bounded(text string, most int) string {
	short := strings.ToValidUTF8(text[:min(len(text), most+utf8.UTFMax)], "\uFFFD")
	for len(short) > most {
		_, size := utf8.DecodeLastRuneInString(short)
		short = short[:len(short)-size]
	}
	if len(short) < len(text) {
		short = strings.Clone(short)
	}
	return short
}
