package sanitize

import "strings"

// maxTag bounds how far the end of a tag is searched.
const maxTag = 512

// markup handles a tag of XML or HTML, as storage services and proxies answer with.
// Elements that hold a code or a message keep their text as far as it is harmless;
// all others lose it, and every tag loses its attributes.
func (s *scanner) markup(text string) bool {
	name, rest := 1, false
	if len(text) > 1 && (text[1] == '/' || text[1] == '?' || text[1] == '!') {
		name, rest = 2, true
	}
	n := name
	for n < len(text) && n < maxTag && (isWord(text[n]) || text[n] == '-' || text[n] == ':') {
		n++
	}
	if n == name || !isLetter(text[name]) {
		return false
	}
	end := strings.IndexByte(text[n:min(len(text), n+maxTag)], '>')
	if end < 0 || end > 0 && text[n] > ' ' && text[n] != '/' && text[n] != '?' {
		return false
	}
	tag := text[name:n]
	void := rest || text[n+end-1] == '/'
	s.i += n + end + 1
	s.position, s.list, s.sensitive = anywhere, anywhere, false
	if !isClass(tag, element) {
		tag = ""
	}
	if text[1] == '?' || text[1] == '!' {
		s.space = true // a declaration says nothing
		return true
	}
	if tag == "" {
		// Not known: the element goes as a whole.
		if rest {
			s.space = true
			return true
		}
		s.mask(redacted)
		if !void {
			s.skip()
		}
		return true
	}
	switch {
	case rest:
		s.emit("</" + tag + ">")
	default:
		s.emit("<" + tag + ">")
	}
	if !void && !isClass(tag, proseElement) {
		s.discard()
	}
	s.last = ':' // a text of its own starts
	return true
}

// skip passes over the text and the closing tag of an element.
func (s *scanner) skip() {
	if end := strings.Index(s.text[s.i:], "</"); end >= 0 {
		s.i += end
		if end := strings.IndexByte(s.text[s.i:min(len(s.text), s.i+maxTag)], '>'); end >= 0 {
			s.i += end + 1
		}
		return
	}
	s.i = len(s.text)
}

// discard masks the text of an element that is not for people.
func (s *scanner) discard() {
	end := strings.Index(s.text[s.i:], "</")
	if end < 0 {
		end = len(s.text) - s.i
	}
	content := s.text[s.i : s.i+end]
	if strings.TrimSpace(content) != "" {
		if !isPlaceholder(content) {
			content = redacted
		}
		s.mask(content)
	}
	s.i += end
}
