package sanitize

import (
	_ "embed"
	"strings"
	"sync"
	"unicode/utf8"
)

//go:embed vocabulary.txt
var vocabularyText string

//go:embed classes.txt
var classesText string

// passes reports whether a word is in the vocabulary, in lower case, in upper case, capitalized,
// or exactly as listed.
func passes(word string) bool {
	if strings.ContainsFunc(word, func(r rune) bool { return r >= utf8.RuneSelf }) {
		return false // letters of other alphabets may look like ASCII letters
	}
	k := known()
	if k.exact[word] {
		return true
	}
	lower := strings.ToLower(word)
	return k.words[lower] &&
		(word == lower || word == strings.ToUpper(word) || word == strings.ToUpper(lower[:1])+lower[1:])
}

// isClass reports whether a word is a known error class, with a known subclass or none.
func isClass(word string) bool {
	k := known()
	class, sub, hasSub := strings.Cut(word, ".")
	return k.classes[class] && (!hasSub || k.subclasses[sub])
}

// announced returns what to expect after a word, given what was expected at its position.
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

// jsonKeys are the keys of JSON documents in HTTP errors that pass.
var jsonKeys = []string{"error", "error_code", "error_description", "message", "code", "status", "details", "reason"}

// known is parsed at first use.
var known = sync.OnceValue(func() (k struct{ words, exact, classes, subclasses map[string]bool }) {
	k.words, k.exact = section(vocabularyText, "words"), section(vocabularyText, "exact")
	k.classes, k.subclasses = section(classesText, "classes"), section(classesText, "subclasses")
	return k
})

// section returns the words below a title of a file.
func section(text, title string) map[string]bool {
	_, text, _ = strings.Cut(text, "\n# "+title)
	_, text, _ = strings.Cut(text, "\n") // the line of the title
	text, _, _ = strings.Cut(text, "\n# ")
	words := map[string]bool{}
	for _, word := range strings.Fields(text) {
		words[word] = true
	}
	return words
}
