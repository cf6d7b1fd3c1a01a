package sanitize

import "strings"

// A verdict says what became of an atom.
type verdict uint8

const (
	kept   verdict = iota // emitted as it was, or nearly
	masked                // replaced by a placeholder
	stop                  // replaced with all that follows: nothing more to do
)

// core judges an atom without the marks around it. The order of the rules is drawn
// in doc.go.
func (s *scanner) core(a, lead, trail string) verdict {
	if isPlaceholder(a) {
		s.mask(a)
		return masked
	}
	if s.position == secret {
		s.mask(redacted)
		if startsSQL(s.text, a, s.i) {
			s.space = true
			s.sql()
			return stop
		}
		return masked
	}
	if s.position == state && isSQLState(a) {
		return s.keep(a)
	}
	if len(a) > maxAtom && !strings.Contains(a[:maxAtom], "://") {
		return s.replace(redacted)
	}
	shape := shapeOf(a)
	if shape == letters {
		return s.word(a, lead, trail)
	}
	return s.compound(a, shape, trail)
}

// maxAtom bounds the atoms that are looked at closely. Longer ones are masked.
const maxAtom = 1024

// compound judges atoms of more than letters, by the most telling character.
func (s *scanner) compound(a string, shape shape, trail string) verdict {
	switch {
	case shape&colon != 0 && holdsURL(a):
		s.url(a)
		s.met()
		return masked
	case shape&at != 0:
		if dsnLike(a) {
			s.dsn(a)
			s.met()
			return masked
		}
		if strings.LastIndexByte(a, '.') > strings.IndexByte(a, '@') && shape&(slash|colon|equals) == 0 {
			return s.replace(email)
		}
		return s.replace(redacted)
	case shape&backslash != 0:
		return s.replace(path)
	case shape&equals != 0:
		return s.assignment(a)
	case shape&slash != 0:
		return s.slashed(a, shape)
	case shape&colon != 0:
		return s.colons(a)
	case shape&(other|placeholder) != 0:
		if isQuantity(a) {
			return s.quantity(a)
		}
		if className(a) && !s.suspicious() {
			return s.keep(a)
		}
		return s.replace(redacted)
	case shape&dot != 0:
		return s.dotted(a, shape)
	case isClass(a, harmless|element) && s.position != named && s.position != operand:
		return s.keep(a)
	case shape&underscore != 0:
		return s.snake(a, trail)
	case shape&digit != 0:
		return s.numeric(a, shape)
	case shape&hyphen != 0:
		return s.hyphenated(a)
	}
	return s.replace(redacted)
}

// holdsURL reports whether a is a URL, rather than a key with one as its value.
func holdsURL(a string) bool {
	n := strings.Index(a, "://")
	return n >= 0 && strings.IndexByte(a[:n], '=') < 0
}

func (s *scanner) keep(a string) verdict {
	s.emit(a)
	s.met()
	s.list = anywhere
	return kept
}

func (s *scanner) replace(placeholder string) verdict {
	s.mask(placeholder)
	return masked
}

// suspicious reports whether only harmless vocabulary may stay here.
func (s *scanner) suspicious() bool {
	return s.position != anywhere && s.position != state || s.brackets > 0
}

// hidden is the placeholder for a word that may not stay here.
func (s *scanner) hidden() string {
	if s.sensitive {
		return redacted
	}
	switch s.position {
	case operand:
		return value
	case phrase:
		return redacted
	}
	return identifier
}

// word judges an atom of letters: a word of a sentence, or a name.
func (s *scanner) word(a, lead, trail string) verdict {
	c := class(a)
	if c&(verb|clause) != 0 && trail == "" && startsSQL(s.text, a, s.i) {
		s.sql()
		return stop
	}
	switch next := nextByte(s.text[s.i:]); {
	case c&(harmless|typeName) != 0:
		if c&(noun|person|literal|stateLabel|secretWord) == 0 || trail != "" {
			// The expectation passes over what only connects: "table named t".
			list := s.list
			before := s.position
			s.keep(a)
			if c&joining != 0 && a != "" && trail == "" {
				s.position = list
			}
			if c&connecting != 0 && trail == "" {
				s.position = before
			}
			return kept
		}
		s.keep(a)
		s.expect(c)
		return kept
	case s.suspicious():
		full := s.position == named && isUpper(a[0]) && trail == "" && next >= 'A' && next <= 'Z'
		v := s.replace(s.hidden())
		if full { // "account Jane Doe"
			s.position = named
		}
		return v
	case s.listed(a, next):
		return s.replace(identifier)
	case trail == "" && (next == '=' || next == '<' && strings.HasPrefix(strings.TrimLeft(s.text[s.i:min(len(s.text), s.i+8)], " "), "< ") || next == '>'):
		// Compared with something: a column.
		return s.replace(identifier)
	case !plainWord(a):
		return s.replace(identifier)
	}
	return s.keep(a)
}

// listed reports whether word is an item of a list in parentheses, as of columns.
func (s *scanner) listed(word string, next byte) bool {
	return s.parens > 0 && len(word) > 2 && (s.last == '(' || s.last == ',') && (next == ',' || next == ')')
}

// expect sets what a word of class c announces.
func (s *scanner) expect(c wordClass) {
	switch {
	case c&secretWord != 0:
		s.position, s.sensitive = named, true
	case c&stateLabel != 0:
		s.position = state
	case c&literal != 0:
		s.position = operand
	case c&(noun|person) != 0:
		s.position = named
	}
}

// slashed judges an atom with slashes: vocabulary like "and/or", a route, a path, or
// a host with a path.
func (s *scanner) slashed(a string, shape shape) verdict {
	if isClass(a, slashWord) && s.position == anywhere {
		return s.keep(a)
	}
	authority, _, _ := strings.Cut(a, "/")
	name, number, numbered := strings.Cut(authority, ":")
	switch {
	case isIPv4(authority):
		return s.replace(address)
	case authority == host, hostLike(name) && (!numbered || port(number)), numbered && port(number) && hostPart(name):
		s.authority(authority)
		s.rooted(a[len(authority):])
	case isClass(name, storage):
		return s.replace(path)
	case numbered:
		return s.replace(redacted)
	default:
		s.route(a)
	}
	s.met()
	return masked
}

// hostPart reports whether name, before a port, may be taken for a host.
func hostPart(name string) bool {
	return name == host || name == address || equalFold(name, "localhost") || strings.IndexByte(name, '.') > 0
}

// colons judges an atom with colons inside: an IPv6 address, a host and port, a
// place in a source file, or a key and its value.
func (s *scanner) colons(a string) verdict {
	if isIPv6(a) {
		return s.replace(address)
	}
	key, rest, _ := strings.Cut(a, ":")
	if port(rest) {
		switch {
		case key == host || key == address || isIPv4(key):
			if key != host {
				key = address
			}
			s.emit(key + ":" + rest)
			s.met()
			return masked
		case equalFold(key, "localhost"):
			return s.keep(a)
		case s.position == anywhere && sourceFile(key):
			return s.keep(a)
		case strings.IndexByte(key, '.') > 0:
			s.emit(host + ":" + rest)
			s.met()
			return masked
		}
	}
	if plainKey(key) && (namesSecret(key) || isClass(key, harmless)) && s.position == anywhere {
		s.emit(key + ":")
		s.pair(key, rest)
		return masked
	}
	return s.replace(redacted)
}

// assignment judges key=value.
func (s *scanner) assignment(a string) verdict {
	key, rest, _ := strings.Cut(a, "=")
	if plainKey(key) && (namesSecret(key) || isClass(key, harmless)) {
		s.emit(key + "=")
		s.pair(key, rest)
		return masked
	}
	return s.replace(redacted)
}

// pair emits what may stay of the value of a key.
func (s *scanner) pair(key, rest string) {
	switch {
	case isPlaceholder(rest):
		s.emit(rest)
	case namesSecret(key):
		s.emit(redacted)
	case strings.HasPrefix(rest, "/"):
		s.route(rest)
	case schemeOf(rest) != "":
		s.url(rest)
	case harmlessValue(key, rest), isClass(key, stateLabel) && isSQLState(rest):
		s.emit(rest)
	default:
		s.emit(value)
	}
	s.met()
}
