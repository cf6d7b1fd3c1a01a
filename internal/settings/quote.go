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

// secretLike reports whether a value may hold a credential. All that may not are durations, and words and
// short numbers with plain signs between them; a word has letters only, and neither many capitals nor such
// at random.
func secretLike(value string) bool {
	between := func(r rune) bool { return strings.ContainsRune(" _-.,=:;%\"'[]()\uFFFD", r) || !unicode.IsPrint(r) }
	for word := range strings.FieldsFuncSeq(value, between) {
		if _, err := time.ParseDuration(word); err != nil && !plainWord(word) && !plainNumber(word) {
			return true
		}
	}
	return false
}

const shortWord, maxCapitals, maxNumber = 8, 12, 12 // characters

func plainWord(word string) bool {
	var n, capitals, humps int
	var previous rune
	for _, r := range word {
		n++
		switch {
		case !unicode.IsLetter(r):
			return false
		case unicode.IsUpper(r):
			capitals++
			if unicode.IsLower(previous) {
				humps++
			}
		}
		previous = r
	}
	return n <= shortWord || capitals <= maxCapitals && humps*5 <= n
}

func plainNumber(word string) bool {
	return len(word) <= maxNumber && strings.Trim(word, "+0123456789") == ""
}
