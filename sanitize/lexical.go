package sanitize

import (
	"strings"
	"unicode/utf8"
)

// spaceAt returns the length of the white space or control character text starts
// with, or 0. Control characters count as space: they must neither reach a log nor
// join what stood apart.
func spaceAt(text string) int {
	switch c := text[0]; {
	case c <= ' ' || c == 0x7f:
		return 1
	case c < 0x80:
		return 0
	}
	switch r, n := utf8.DecodeRuneInString(text); r {
	case 0x85, 0xa0, 0x2028, 0x2029, 0x3000:
		return n
	}
	return 0
}

// typographic recognises the punctuation outside ASCII that occurs in prose. For
// one that opens a quotation, it returns what closes it.
func typographic(text string) (closing string, n int) {
	switch r, n := utf8.DecodeRuneInString(text); r {
	case '“', '„', '”':
		return "”", n
	case '‘', '‚':
		return "’", n
	case '«':
		return "»", n
	case '…', '–', '—', '•', '’', '»':
		return "", n
	}
	return "", 0
}

// ends holds the bytes that end an atom.
var ends = func() (t [256]bool) {
	for c := range byte(' ' + 1) {
		t[c] = true
	}
	t[0x7f] = true
	for _, c := range []byte("'\"`()[]{}<>,;|") {
		t[c] = true
	}
	return t
}()

// atomLength returns the length of the atom that starts at i: a run of what words,
// numbers, names, paths, URLs and tokens are made of, with the placeholders in it.
// No kind of secret contains what ends an atom, so none is split.
func atomLength(text string, i int) int {
	start := i
	for i < len(text) {
		c := text[i]
		switch {
		case c == '\'':
			n := contraction(text, i, 1)
			if n == 0 {
				return i - start
			}
			i += n
		case c == '<':
			n := placeholderAt(text[i:])
			if n == 0 {
				return i - start
			}
			i += n
		case ends[c]:
			return i - start
		case c == '-' && i > start && (strings.HasPrefix(text[i:], "->") || strings.HasPrefix(text[i:], armor)):
			return i - start
		case c >= 0x80:
			if spaceAt(text[i:]) > 0 {
				return i - start
			}
			if _, n := typographic(text[i:]); n > 0 {
				n = contraction(text, i, n)
				if n == 0 {
					return i - start
				}
				i += n
				continue
			}
			_, n := utf8.DecodeRuneInString(text[i:])
			i += n
		default:
			i++
		}
	}
	return i - start
}

// contraction reports whether the quote of width bytes at i is an apostrophe, as in
// "can't" and "users'", and returns the length of what it ends the word with.
func contraction(text string, i, width int) int {
	if i == 0 || !isLetter(text[i-1]) {
		return 0
	}
	if width > 1 && !strings.HasPrefix(text[i:], "’") {
		return 0
	}
	n := i + width
	for n < len(text) && n < i+width+3 && isLetter(text[n]) {
		n++
	}
	if n < len(text) && (isWord(text[n]) || text[n] >= 0x80) {
		return 0
	}
	switch text[i+width : n] {
	case "s", "t", "d", "m", "re", "ve", "ll":
		return n - i
	case "":
		// A plural's possessive, if no quotation can be open: the word before it is
		// an s, and a plain space follows.
		if text[i-1] == 's' && n < len(text) && text[n] == ' ' {
			return n - i
		}
	}
	return 0
}

func isLower(c byte) bool  { return c-'a' < 26 }
func isUpper(c byte) bool  { return c-'A' < 26 }
func isDigit(c byte) bool  { return c-'0' < 10 }
func isLetter(c byte) bool { return isLower(c | 0x20) }
func isWord(c byte) bool   { return isLetter(c) || isDigit(c) || c == '_' }

func allDigits(text string) bool {
	for i := range len(text) {
		if !isDigit(text[i]) {
			return false
		}
	}
	return text != ""
}
