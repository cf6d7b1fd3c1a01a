package sanitize

import "strings"

// A shape is the set of kinds of characters in an atom.
type shape uint16

const (
	letter shape = 1 << iota
	digit
	underscore
	hyphen
	dot
	colon
	slash
	backslash
	at
	equals
	apostrophe
	placeholder
	other // outside ASCII, or a sign that has no place in words

	letters = letter
)

// marks are the characters that say what they are by themselves. A word's apostrophe counts
// as a letter.
var marks = [256]shape{
	'_': underscore, '-': hyphen, '.': dot, ':': colon, '/': slash, '\\': backslash, '@': at, '=': equals, '\'': letter,
}

// shapeOf looks at every character.
func shapeOf(a string) (s shape) {
	for i := 0; i < len(a); i++ {
		switch c := a[i]; {
		case isLetter(c):
			s |= letter
		case isDigit(c):
			s |= digit
		case marks[c] != 0:
			s |= marks[c]
		case c == '<':
			s |= placeholder
			i += max(0, placeholderAt(a[i:])-1)
		case strings.HasPrefix(a[i:], "’"):
			s |= letter
			i += len("’") - 1
		default:
			s |= other
		}
	}
	return s
}

// maxWord is the longest word that can pass for English: "unauthenticatedness".
const maxWord = 20

// plainWord reports whether an atom of letters reads like a word: in small letters,
// with a capital in front, in capitals, or a name of an exception in camel case.
func plainWord(a string) bool {
	if n := strings.IndexAny(a, "'’"); n >= 0 {
		a = a[:n]
	}
	if looksLikeToken(a) {
		return false
	}
	if len(a) <= maxWord && uniform(a) {
		return true
	}
	return (strings.HasSuffix(a, "Exception") || strings.HasSuffix(a, "Error")) && camel(a)
}

// uniform reports whether all letters but the first have one case.
func uniform(a string) bool {
	if len(a) < 2 {
		return true
	}
	small := isLower(a[1])
	if !small && isLower(a[0]) {
		return false
	}
	for i := 1; i < len(a); i++ {
		if isLower(a[i]) != small {
			return false
		}
	}
	return true
}

// maxCamel and maxHump bound names in camel case; random letters rarely keep to them.
const (
	maxCamel   = 64
	maxHump    = 16
	maxAcronym = 6
)

// camel reports whether a reads like words in camel case: humps of at least three
// letters, or acronyms, and at most two digits at the end.
func camel(a string) bool {
	if len(a) > maxCamel || looksLikeToken(a) {
		return false
	}
	for n := 0; n < 2 && a != "" && isDigit(a[len(a)-1]); n++ {
		a = a[:len(a)-1]
	}
	if len(a) < 2 {
		return false
	}
	for i := 0; i < len(a); {
		upper := i
		for upper < len(a) && isUpper(a[upper]) {
			upper++
		}
		lower := upper
		for lower < len(a) && isLower(a[lower]) {
			lower++
		}
		switch {
		case lower == i, upper-i > maxAcronym, lower-upper > maxHump:
			return false
		case lower-upper == 1, lower-upper == 0 && lower < len(a):
			return false
		case upper-i > 1 && lower-upper > 0 && lower-upper < 2:
			return false
		}
		i = lower
	}
	return true
}

// tokenPrefixes start the tokens of Databricks, AWS, Google and JWTs.
var tokenPrefixes = [...]string{"dapi", "dkea", "doseb", "AKIA", "ASIA", "AIza", "eyJ"}

// looksLikeToken reports whether a holds the start of a token and enough behind it.
func looksLikeToken(a string) bool {
	if len(a) < 12 {
		return false
	}
	for _, p := range tokenPrefixes {
		if strings.Contains(a, p) {
			return true
		}
	}
	return false
}

// snake judges names with underscores. In capitals they are error classes and states,
// in their place or if every part is known; else they are names of columns and tables.
func (s *scanner) snake(a, trail string) verdict {
	if s.suspicious() && s.position != phrase {
		if s.brackets > 0 && s.position != named && knownConstant(a) {
			return s.keep(a)
		}
		return s.replace(s.hidden())
	}
	clause := s.last == 0 || s.last == ':'
	if knownConstant(a) || clause && trail != "" && trail[0] == ':' && errorClass(a) {
		return s.keep(a)
	}
	return s.replace(identifier)
}

// hyphenated judges compounds of words: two, or more with a joining word inside.
func (s *scanner) hyphenated(a string) verdict {
	if s.suspicious() || len(a) > 2*maxWord {
		return s.replace(s.hidden())
	}
	parts, joined := 0, false
	for part := range strings.SplitSeq(a, "-") {
		parts++
		if !plainWord(part) || part == "" {
			return s.replace(identifier)
		}
		joined = joined || parts > 1 && isClass(part, joining|connecting)
	}
	if parts > 2 && !joined || parts > 4 {
		return s.replace(identifier)
	}
	return s.keep(a)
}

// dotted judges names with dots: versions, Java classes, settings of Spark, source
// files; and hosts, tables and files, which do not stay.
func (s *scanner) dotted(a string, shape shape) verdict {
	switch {
	case isIPv4(a):
		return s.replace(address)
	case shape&letter == 0 || isQuantity(a) || isVersion(a):
		if isVersion(a) && s.position != operand {
			return s.keep(a)
		}
		return s.quantity(a)
	case s.position == named && hostLike(a):
		return s.replace(host)
	case s.position == operand || s.position == named && !configName(a):
		return s.replace(s.hidden())
	case configName(a), className(a), isClass(a, harmless|slashWord), errorClass(a) && knownConstant(a):
		return s.keep(a)
	case hostLike(a):
		return s.replace(host)
	}
	return s.replace(identifier)
}
