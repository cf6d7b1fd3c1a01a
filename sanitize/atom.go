package sanitize

import "strings"

// marks are shed from both ends of an atom before it is judged. A slash or a tilde
// in front stays: it makes a path.
const (
	leadingMarks  = "-.:!?*&^%#+=@"
	trailingMarks = ".:!?*&^#+=-"
)

// atom judges one atom and emits it, a placeholder, or a part of each.
func (s *scanner) atom(a string) {
	core := strings.TrimLeft(a, leadingMarks)
	lead := a[:len(a)-len(core)]
	core = strings.TrimRight(core, trailingMarks)
	trail := a[len(lead)+len(core):]
	if strings.IndexByte("/\\~$", firstByte(core)) >= 0 && strings.Trim(core, `/\~$`) == "" {
		lead, core, trail = a, "", ""
	}
	if core == "" {
		s.marks(a)
		return
	}
	if strings.HasSuffix(lead, "::") { // the front of an IPv6 address
		lead, core = lead[:len(lead)-2], "::"+core
	}
	s.lead(lead)
	verdict := s.core(core, lead, trail)
	if verdict == stop {
		return
	}
	if verdict == masked && strings.IndexByte(core, '=') >= 0 && strings.Trim(trail, "=") == "" {
		trail = "" // the padding of a value in Base64
	}
	s.punctuation(trail)
	s.trail(core, trail, verdict)
}

func firstByte(text string) byte {
	if text == "" {
		return 0
	}
	return text[0]
}

// lead emits the marks before an atom. An operator makes what follows an operand.
func (s *scanner) lead(marks string) {
	if marks == "" {
		return
	}
	if strings.IndexByte(marks, '=') >= 0 {
		s.operator(marks)
		return
	}
	if s.sensitive && strings.IndexByte(marks, ':') >= 0 {
		s.position = secret
	}
	s.punctuation(marks)
}

// marks handles punctuation that stands alone.
func (s *scanner) marks(run string) {
	switch {
	case strings.IndexByte(run, '=') >= 0, run == "!", run == "+", run == "*", run == "%", run == "^", run == "/":
		s.operator(run)
		return
	case run[0] == ':':
		if s.sensitive {
			s.position = phrase
		}
	case run[0] == '.':
		s.position, s.list = anywhere, anywhere
	}
	s.punctuation(run)
}

// trail sets what the marks behind an atom say about the next one.
func (s *scanner) trail(core, trail string, verdict verdict) {
	if trail == "" {
		if strings.ContainsAny(core, "_-") && shapeOf(core)&^(letter|digit|underscore|hyphen) == 0 && namesSecret(core) {
			// "aws_secret_access_key x": what follows belongs to it, as after "token".
			s.position, s.sensitive = named, true
			return
		}
		if next := nextByte(s.text[s.i:]); verdict == kept && (next == '=' || next == ':') && namesSecret(core) {
			s.sensitive = true
		}
		return
	}
	assigned := strings.IndexByte(trail, '=') >= 0
	switch {
	case (assigned || trail[0] == ':') && !isPlaceholder(core) && namesSecret(tail(core)):
		s.sensitive = true
		s.position = phrase
		if assigned || namesHeader(core) {
			s.position = secret
		}
		if namesHeader(core) {
			s.headerValue()
		}
	case assigned:
		s.position = operand
	case trail[0] == ':':
		// After "Table or view not found:" comes a name.
		s.position = s.afterColon(core)
	case trail[0] == '.' || trail[0] == '!' || trail[0] == '?':
		s.position, s.list, s.sensitive = anywhere, anywhere, false
	}
}

// afterColon says what a colon behind word announces.
func (s *scanner) afterColon(word string) position {
	if isClass(word, announcing|noun) {
		return named
	}
	if isClass(word, literal) {
		return operand
	}
	if isClass(word, stateLabel) {
		return state
	}
	return anywhere
}

// headerValue masks a credential in a header up to the end of its line, but for the
// name of the scheme.
func (s *scanner) headerValue() {
	rest := s.text[s.i:]
	for rest != "" && rest[0] == ' ' {
		rest = rest[1:]
	}
	if rest == "" || rest[0] == '"' || rest[0] == '\'' || rest[0] == '<' || rest[0] == '`' {
		return // a quotation masks all it holds; a placeholder is the end of it
	}
	word, n := nextWord(rest, 0)
	s.i = len(s.text) - len(rest)
	s.space = true
	if isClass(word, scheme) && n < len(rest) && rest[n] == ' ' {
		s.emit(word)
		s.space = true
		s.i += n + 1
		rest = rest[n+1:]
		if rest[:min(1, len(rest))] == "<" {
			return
		}
	}
	end := strings.IndexAny(rest, "\r\n")
	if end < 0 {
		end = len(rest)
	}
	if s.nested || !strings.ContainsAny(rest[:end], "\"'") {
		s.i += end
		s.mask(redacted)
		return
	}
	// Within a quotation of some kind: what is quoted behind it may be needed.
	s.i += strings.IndexAny(rest[:end], "\"'")
	s.mask(redacted)
}

// tail is the end of a name: what is looked at to tell what it names.
func tail(name string) string { return name[max(0, len(name)-maxName):] }
