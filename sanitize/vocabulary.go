package sanitize

import (
	_ "embed"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
)

//go:embed vocabulary.txt
var vocabularyText string

//go:embed classes.txt
var classesText string

type set map[string]struct{}

func (s set) has(word string) bool {
	_, ok := s[word]
	return ok
}

// section is the part of one of the files that stands below a title.
func section(text, title string) set {
	_, text, _ = strings.Cut(text, "\n# "+title)
	_, text, _ = strings.Cut(text, "\n") // the title's line
	text, _, _ = strings.Cut(text, "\n# ")
	words := set{}
	for word := range strings.FieldsSeq(text) {
		words[word] = struct{}{}
	}
	return words
}

// known is read when the first error is.
var known = sync.OnceValue(func() (k struct{ words, exact, classes, subclasses set }) {
	k.words, k.exact = section(vocabularyText, "words"), section(vocabularyText, "exact")
	k.classes, k.subclasses = section(classesText, "classes"), section(classesText, "subclasses")
	return k
})

// longestWord is more than the longest of the lists, to spare the work on what is far longer.
const longestWord = 100

// passes reports whether a word is of the vocabulary, written in one of the usual ways.
func passes(word string) bool {
	if len(word) > longestWord {
		return false
	}
	k := known()
	if k.exact.has(word) {
		return true
	}
	lower := strings.ToLower(word)
	return k.words.has(lower) &&
		(word == lower || word == strings.ToUpper(word) || word == strings.ToUpper(lower[:1])+lower[1:])
}

// isClass reports whether a word is a known error class, perhaps with a subclass.
func isClass(word string) bool {
	k := known()
	class, sub, hasSub := strings.Cut(word, ".")
	return k.classes.has(class) && (!hasSub || k.subclasses.has(sub))
}

// announced is what a word says of the next, given what was expected already.
func announced(word string, before expectation) expectation {
	switch strings.ToLower(word) {
	case "sqlstate":
		return sqlState
	case "status", "http", "http/1.0", "http/1.1", "http/2", "http/2.0", "statuscode", "httpstatus", "httpcode", "error_code":
		return status
	case "code", "error", "response":
		if before == status {
			return status
		}
	}
	return nothing
}

// jsonKeys are the keys of the documents in HTTP errors; of any other key nothing passes.
var jsonKeys = []string{"error", "error_code", "error_description", "message", "code", "status", "details", "reason"}

func isStatus(word string) bool {
	return len(word) == 3 && '1' <= word[0] && word[0] <= '5' && isDigit(word[1]) && isDigit(word[2])
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// reason is the reason phrase of a status; "" of one that has none.
func reason(status string) string {
	n, _ := strconv.Atoi(status)
	return http.StatusText(n)
}

// stateClasses are the first two characters of the SQLSTATEs of the standard, of Spark and of
// Databricks.
var stateClasses = strings.Fields(`00 01 02 03 07 08 09 0A 0B 0D 0E 0F 0K 0L 0M 0N 0P 0S 0T 0U 0V 0W 0X 0Y 0Z
	10 20 21 22 23 24 25 26 27 28 2B 2C 2D 2E 2F 2H 30 33 34 35 36 38 39 3B 3C 3D 3F
	40 42 44 45 46 51 53 54 55 56 57 58 72 82 HV HY HZ KD P0 XX`)

// isSQLState: a known class and three more characters. The letters of XXKST spell a word; the
// few classes that begin with a letter have subclasses that begin with a digit, a T or a K.
func isSQLState(word string) bool {
	if len(word) != 5 || !slices.Contains(stateClasses, word[:2]) {
		return false
	}
	if word[0] > '9' && !strings.ContainsAny(word[2:3], "0123456789TK") {
		return false
	}
	return !strings.ContainsFunc(word, func(r rune) bool { return (r < '0' || r > '9') && (r < 'A' || r > 'Z') })
}
