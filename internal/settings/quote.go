package settings

import (
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// maxQuoted is the largest number of characters of a value that an error quotes.
const maxQuoted = 40

// quotable is the text of a value as an error may quote it: shortened, without control
// characters, and only its length when it may be a secret that was put in the wrong place.
func quotable(value string) string {
	if secretLike(value) {
		return fmt.Sprintf("(%d characters)", utf8.RuneCountInString(value))
	}
	var b strings.Builder
	n := 0
	for _, r := range value {
		if n++; n == maxQuoted {
			if utf8.RuneCountInString(value) > maxQuoted {
				r = '…'
			}
			b.WriteRune(printable(r))
			break
		}
		b.WriteRune(printable(r))
	}
	return b.String()
}

func printable(r rune) rune {
	if !unicode.IsPrint(r) {
		return utf8.RuneError
	}
	return r
}

// secretLike reports whether a value may hold a credential: the address of an account, or a
// long word with digits among its letters, or with capitals at random, as tokens, keys and
// hashes are.
func secretLike(value string) bool {
	if _, err := time.ParseDuration(value); err == nil {
		return false
	}
	if strings.Contains(value, "@") || strings.Contains(value, "://") {
		return true
	}
	for word := range strings.FieldsFuncSeq(value, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
		if secretWord(word) {
			return true
		}
	}
	return false
}

func secretWord(word string) bool {
	const harmless = 8 // characters
	var letters, digits, capitals int
	var previous rune
	for _, r := range word {
		switch {
		case unicode.IsDigit(r):
			digits++
		case unicode.IsUpper(r) && unicode.IsLower(previous):
			capitals++
			fallthrough
		default:
			letters++
		}
		previous = r
	}
	n := letters + digits
	return n > harmless && (letters > 0 && digits > 0 || capitals*5 > n)
}
