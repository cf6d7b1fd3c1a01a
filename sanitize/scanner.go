package sanitize

import "strings"

// A position says what the token before expects of the next one.
type position uint8

const (
	// anywhere: a plain word or a small number may stay.
	anywhere position = iota
	// named: a name is expected. Only harmless vocabulary stays, and small numbers.
	named
	// operand: a literal is expected. Only harmless vocabulary stays.
	operand
	// phrase: a secret or prose about it is expected, as after "token:". Only
	// harmless vocabulary stays.
	phrase
	// secret: nothing stays.
	secret
	// state: a SQLSTATE may stay.
	state
)

// A scanner reads a text once, from left to right, and appends what may stay to
// its output. It looks back only at the few facts below and ahead only by bounded amounts,
// except where it skips what it looked at: that is why it is linear.
type scanner struct {
	text string
	i    int // next byte of text

	output

	position  position
	list      position // of the name before, if a comma may lead to another
	sensitive bool     // the token before names a secret: a value may follow
	prose     bool     // the token before is the key of a message in JSON
	code      bool     // the token before is the key of a status or error code
	group     int      // where the group of digits before ends
	brackets  int      // open square brackets and braces: lists and records
	parens    int      // open parentheses
	nested    bool     // this is the text of a message within JSON
}

// run scans text to its end, or until the output is full.
func (s *scanner) run(text string) {
	s.text, s.i = text, 0
	for s.i < len(s.text) && !s.full {
		s.token()
		s.cut(s.nested)
	}
}

// token handles what starts at the current byte and moves behind it.
func (s *scanner) token() {
	switch c := s.text[s.i]; c {
	case '`':
		s.backticks()
	case '"', '\'':
		s.quoted(1, s.text[s.i:s.i+1])
	case '<':
		s.angle()
	case '[':
		s.bracket()
	case '{':
		s.brackets++
		s.delimiter("{")
	case ']', '}':
		s.brackets = max(0, s.brackets-1)
		s.position, s.list = anywhere, anywhere
		s.delimiter(s.text[s.i : s.i+1])
	case '(':
		s.parens++
		s.delimiter("(")
	case ')', '|':
		if c == ')' {
			s.parens = max(0, s.parens-1)
		}
		s.position, s.list = anywhere, anywhere
		s.delimiter(s.text[s.i : s.i+1])
	case ',':
		s.position = s.list
		s.sensitive = false
		s.delimiter(",")
	case ';':
		s.position, s.list, s.sensitive = anywhere, anywhere, false
		s.delimiter(";")
	case '>':
		s.operator(">")
		s.i++
	default:
		s.other(c)
	}
}

func (s *scanner) delimiter(d string) {
	s.emit(d)
	s.i++
}

// other handles spaces, punctuation outside ASCII, and atoms.
func (s *scanner) other(c byte) {
	rest := s.text[s.i:]
	if n := spaceAt(rest); n > 0 {
		s.space = true
		s.i += n
		return
	}
	if c >= 0x80 {
		if opening, n := typographic(rest); n > 0 {
			if opening != "" {
				s.quoted(n, opening)
				return
			}
			s.emit(rest[:n])
			s.i += n
			return
		}
	}
	if strings.HasPrefix(rest, armor) {
		s.armored()
		return
	}
	if strings.HasPrefix(rest, "->") {
		s.operator("->")
		s.i += 2
		return
	}
	if strings.HasPrefix(rest, "== ") && s.section(rest) {
		return
	}
	n := atomLength(s.text, s.i)
	a := s.text[s.i : s.i+n]
	s.i += n
	s.atom(a)
}

// armor opens a PEM block.
const armor = "-----BEGIN"

// armored masks a PEM block: a private key, or a certificate with its names.
func (s *scanner) armored() {
	s.mask(redacted)
	end := strings.Index(s.text[s.i:], "-----END")
	if end < 0 {
		s.i = len(s.text)
		return
	}
	s.i += end + len("-----END")
	if n := strings.Index(s.text[s.i:min(len(s.text), s.i+64)], "-----"); n >= 0 {
		s.i += n + len("-----")
	}
}

// angle handles '<': a placeholder, markup, or an operator.
func (s *scanner) angle() {
	rest := s.text[s.i:]
	if placeholderAt(rest) > 0 {
		n := atomLength(s.text, s.i)
		a := s.text[s.i : s.i+n]
		s.i += n
		s.atom(a)
		return
	}
	if s.markup(rest) {
		return
	}
	s.operator("<")
	s.i++
}

// operator emits an operator; what follows is an operand.
func (s *scanner) operator(op string) {
	s.punctuation(op)
	if s.sensitive {
		s.position = secret
	} else {
		s.position = operand
	}
	s.list = anywhere
}

// mask emits a placeholder in the place of a token. The expectation of the token
// before is met; a comma may lead to another of the kind.
func (s *scanner) mask(placeholder string) {
	s.emit(placeholder)
	s.met()
}

// met ends a position: its token has been seen.
func (s *scanner) met() {
	s.list = anywhere
	if s.position == named || s.position == operand {
		s.list = s.position
	}
	s.position, s.sensitive, s.prose, s.code = anywhere, false, false, false
}

// bracket handles '[': an error class in its place, or a list.
func (s *scanner) bracket() {
	if n := errorClassAt(s.text[s.i:]); n > 0 && s.brackets == 0 && s.startsClause() {
		s.emit(s.text[s.i : s.i+n])
		s.i += n
		s.position, s.list = anywhere, anywhere
		return
	}
	s.brackets++
	s.delimiter("[")
}

// startsClause reports whether what comes next starts the text, a sentence or a
// clause after a colon: where servers put the class of an error.
func (s *scanner) startsClause() bool {
	switch s.last {
	case 0, ':', '.', ';', ']', ')', '"':
		return s.position == anywhere
	}
	return false
}
