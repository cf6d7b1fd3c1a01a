package settings

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// maxQuoted is the largest number of characters of a value that an error quotes.
const maxQuoted = 40

// quotable returns a value as an error may quote it: shortened and without control characters, or
// only its length if it may be a secret in the wrong place.
func quotable(value string) string {
	if secretLike(value) {
		return fmt.Sprintf("(%d characters)", utf8.RuneCountInString(value))
	}
	text := []rune(value)
	if len(text) > maxQuoted {
		text = append(text[:maxQuoted-1], '…')
	}
	for i, r := range text {
		if !unicode.IsPrint(r) {
			text[i] = utf8.RuneError
		}
	}
	return string(text)
}

// quotableName returns a name as an error may quote it.
func quotableName(name string) string {
	inNoName := func(r rune) bool { return !unicode.IsPrint(r) || strings.ContainsRune("=&;:?#%", r) }
	long := func(word string) bool { return digitsOf(word) > 3 } // more than a version or a count would have
	if len(name) <= maxQuoted && !strings.ContainsFunc(name, inNoName) &&
		!slices.ContainsFunc(strings.FieldsFunc(name, betweenWords), long) {
		return name
	}
	return quotable(name)
}

func digitsOf(text string) (n int) {
	for _, r := range text {
		if unicode.IsDigit(r) {
			n++
		}
	}
	return n
}

func betweenWords(r rune) bool {
	return strings.ContainsRune(" _-.,=:;%\"'[]()\uFFFD", r) || !unicode.IsPrint(r)
}

// secretLike reports whether a value may hold a credential. The only values that may not are durations,
// and words and short numbers with plain signs between them. A word has only letters, and neither many nor
// randomly placed capitals. Several numbers followed by letters, or many digits, may be parts of a key.
func secretLike(value string) bool {
	mixed := 0
	for _, word := range strings.FieldsFunc(value, betweenWords) {
		if _, err := time.ParseDuration(word); err == nil || plainWord(word) {
			continue
		}
		if !plainNumber(word) {
			return true
		}
		if strings.IndexFunc(word, unicode.IsLetter) >= 0 {
			mixed++
		}
	}
	return mixed > 1 || digitsOf(value) > maxDigits
}

const maxDigits = 14 // as in a time

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

// plainNumber also accepts a unit of a few letters after the number.
func plainNumber(word string) bool {
	unit := strings.TrimLeft(word, "+0123456789")
	return len(word) <= maxNumber && len(unit) < len(word) && len(unit) <= 4 && strings.IndexFunc(unit, func(r rune) bool { return !unicode.IsLetter(r) }) < 0
}
