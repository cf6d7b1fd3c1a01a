package sqltext

import (
	"strings"
	"unicode/utf8"
)

// Bounded returns text as valid UTF-8 with no more than most bytes. A longer text is cut between characters,
// and the rest is not kept in memory.
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
