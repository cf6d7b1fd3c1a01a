package sanitize

import "strings"

// quoted handles a quotation whose opening quote has the given width. What it holds
// is a literal, a name, a URL or a message; where it does not end, everything to
// the end of the text belongs to it.
func (s *scanner) quoted(width int, opening string) {
	closing := opening // what typographic returned, or the quote itself
	start := s.i + width
	end, n := closingQuote(s.text, start, closing)
	content := s.text[start:end]
	quote := s.text[s.i:start]
	s.i = end + n

	if n == 0 {
		// Not closed: what opens it is not shown either, so that the result cannot
		// take in what a caller puts behind it.
		s.mask(redacted)
		return
	}
	key := opening == `"` && s.brackets > 0 && (s.last == '{' || s.last == ',') && nextByte(s.text[s.i:]) == ':'
	s.emit(quote)
	switch {
	case key:
		s.key(content)
	case s.position != secret && s.prose && !s.nested && opening == `"`:
		s.nest(content)
	default:
		s.content(content)
	}
	s.space = false
	s.emit(s.text[end:s.i])
}

// closingQuote finds the end of a quotation: the next quote that is neither escaped
// nor doubled nor inside a word, as in 'O'Brien'. n is the closing quote's width, 0
// if there is none.
func closingQuote(text string, i int, quote string) (end, n int) {
	for i < len(text) {
		switch {
		case text[i] == '\\':
			i += 2
		case !strings.HasPrefix(text[i:], quote):
			i++
		case quote == "'" && strings.HasPrefix(text[i+1:], "'"):
			i += 2
		case i+len(quote) < len(text) && (isWord(text[i+len(quote)]) || text[i+len(quote)] >= 0x80):
			i += len(quote)
		default:
			return i, len(quote)
		}
	}
	return len(text), 0
}

// nextByte returns the first byte of text that is not a space, within reason.
func nextByte(text string) byte {
	for i := range min(len(text), 8) {
		if text[i] > ' ' {
			return text[i]
		}
	}
	return 0
}

// key handles the quoted key of a JSON member.
func (s *scanner) key(name string) {
	s.met()
	s.sensitive = namesSecret(name)
	s.code = isClass(name, coded)
	s.prose = !s.sensitive && isClass(name, prose)
	if s.sensitive && plainKey(name) || isClass(name, harmless) || isPlaceholder(name) {
		s.emit(name)
		return
	}
	s.emit(identifier)
}

// content handles what a quotation holds. It stays if it is harmless vocabulary,
// loses what URLs lose if it is one, and is masked otherwise.
func (s *scanner) content(text string) {
	switch {
	case s.position == secret || s.position == phrase && !isPlaceholder(text):
		s.mask(redacted)
	case isPlaceholder(text):
		s.mask(text)
	case isClass(text, boolean|typeName), isClass(text, keyword) && isUpper(firstByte(text)),
		configName(text), s.code && errorClass(text), knownConstant(text),
		s.code && len(text) <= maxDigits && allDigits(text),
		isClass(text, harmless) && strings.IndexByte(text, '_') > 0:
		s.emit(text)
		s.met()
	case schemeOf(text) != "":
		s.url(text)
		s.met()
	default:
		s.mask(value)
	}
}

// nest scans the text of a message within JSON like a text of its own.
func (s *scanner) nest(text string) {
	outer, i, brackets, parens := s.text, s.i, s.brackets, s.parens
	s.met()
	s.nested, s.brackets, s.parens, s.last, s.list = true, 0, 0, 0, anywhere
	// Within, an escaped quote opens something that is not worth following.
	inner := text
	if escaped := strings.Index(inner, `\"`); escaped >= 0 {
		inner = inner[:escaped]
	}
	s.run(inner)
	if len(inner) < len(text) {
		s.mask(redacted)
	}
	s.position, s.list, s.sensitive = anywhere, anywhere, false
	s.text, s.i, s.brackets, s.parens, s.nested = outer, i, brackets, parens, false
}

// backticks handles `a`.`b`.`c`: one name, whatever its parts.
func (s *scanner) backticks() {
	if end := strings.IndexByte(s.text[s.i+1:min(len(s.text), s.i+longestWord)], '`'); end > 0 {
		// Of functions only those of SQL itself are named to help: "Use `try_cast`".
		name, next := s.text[s.i:s.i+end+2], s.i+end+2
		if isClass(name[1:end+1], builtin) && (next == len(s.text) || ends[s.text[next]] && s.text[next] != '`') {
			s.i = next
			s.emit(name)
			s.met()
			return
		}
	}
	for s.i < len(s.text) && s.text[s.i] == '`' {
		end := strings.IndexByte(s.text[s.i+1:], '`')
		if end < 0 {
			s.i = len(s.text)
			break
		}
		s.i += 1 + end + 1
		// A part may be unquoted, and what touches a name belongs to it.
		if s.i < len(s.text) && s.text[s.i] != '`' {
			s.i += nameLength(s.text, s.i)
		}
	}
	s.mask(identifier)
}

// nameLength is atomLength without the punctuation that ends a sentence.
func nameLength(text string, i int) int {
	n := atomLength(text, i)
	for n > 0 && strings.IndexByte(".:!?", text[i+n-1]) >= 0 {
		if text[i+n-1] == '.' && i+n < len(text) && text[i+n] == '`' {
			break
		}
		n--
	}
	return n
}
