package sanitize

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// scanner reads a text once, from left to right, and writes what may be kept. Every token is
// judged by itself and by the tokens already written, never by what was left out: so reading
// the result again gives the result.
type scanner struct {
	rest   string // what is still to be read
	out    []byte // what has been written
	runes  int    // in out
	full   bool   // nothing more fits
	space  bool   // a space is due in front of the next token
	last   string // the latest token written
	expect expectation
	nested int // JSON strings within JSON strings

	class, state string // the first error class, one in brackets before others, and SQLSTATE
	bracketed    bool   // class was in brackets
	classOnly    bool   // nothing else is asked for, so nothing is written
}

// expectation is what the tokens before announce.
type expectation uint8

const (
	nothing  expectation = iota
	status               // a number here is an HTTP status
	sqlState             // five characters here are a SQLSTATE
)

// openers are quotation marks, by what closes them.
var openers = map[rune]rune{'`': '`', '"': '"', '\'': '\'', '“': '”', '‘': '’', '«': '»'}

// separators end a word. Those of them that are not shown count as a space.
const (
	shown      = "()[]{},;=?…"
	separators = shown + "|<>\"`“”‘«»"
)

func scan(text string, classOnly bool) *scanner {
	s := &scanner{rest: text, classOnly: classOnly}
	if len(text) > maxInput {
		// A word that is cut could be one of the vocabulary: it goes as a whole.
		s.rest = strings.TrimRightFunc(text[:maxInput], func(r rune) bool { return !unicode.IsSpace(r) })
	}
	s.run()
	if s.rest == "" && len(text) > maxInput {
		s.write("…")
	}
	return s
}

func (s *scanner) run() {
	for s.rest != "" && !s.full {
		r, size := utf8.DecodeRuneInString(s.rest)
		switch {
		case s.placeholder():
		case strings.HasPrefix(s.rest, "== SQL"):
			s.rest = ""
			s.write("<sql>")
		case strings.HasPrefix(s.rest, "->"):
			s.rest = s.rest[2:]
			s.write("->")
		case openers[r] != 0:
			s.quotation(r, size)
		case strings.ContainsRune(shown, r):
			s.rest = s.rest[size:]
			s.mark(string(r))
		case isSpace(r) || strings.ContainsRune(separators, r):
			s.rest = strings.TrimPrefix(s.rest[size:], "/") // of a closing tag
			s.space = true
		default:
			s.word()
		}
	}
}

func isSpace(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }

// placeholder takes a placeholder of an earlier pass.
func (s *scanner) placeholder() bool {
	if s.rest[0] != '<' {
		return false
	}
	end := strings.IndexByte(s.rest[:min(len(s.rest), longestPlaceholder)], '>')
	if end < 0 || !slices.Contains(placeholders, s.rest[:end+1]) {
		return false
	}
	kind := s.rest[:end+1]
	s.rest = s.rest[end+1:]
	s.write(kind)
	return true
}

// quotation takes what is quoted, of which nothing passes; what does not end goes to the end
// of the text. Names in backticks that are joined by dots are one. A JSON document, which is
// what HTTP errors often are, keeps its keys and the messages in it.
func (s *scanner) quotation(opener rune, size int) {
	quoted, after := cutQuotation(s.rest[size:], opener)
	if opener == '"' && slices.Contains(jsonKeys, quoted) {
		if value, ok := strings.CutPrefix(strings.TrimLeft(after, " "), ":"); ok {
			s.rest, s.space = after, true
			s.vocabulary(quoted)
			value = strings.TrimLeft(value, " ")
			if strings.HasPrefix(value, `"`) && s.nested < 3 {
				inner, after := cutQuotation(value[1:], '"')
				s.mark(":")
				s.space = true
				s.nested++
				s.rest = unescape.Replace(inner)
				s.run()
				s.nested--
				s.rest, s.space = after, true
			}
			return
		}
	}
	kind := "<value>"
	switch {
	case strings.Contains(quoted, "://"):
		kind = "<url>"
	case opener == '`':
		kind = "<name>"
		for strings.HasPrefix(after, ".`") {
			_, after = cutQuotation(after[2:], '`')
		}
	case strings.ContainsAny(quoted, `/\`):
		kind = "<path>"
	}
	s.rest = after
	s.write(kind)
}

// cutQuotation returns what is in front of the closing mark and what is behind it. A closing
// apostrophe has no letter behind it, as the one in 'O'Brien' has.
func cutQuotation(text string, opener rune) (quoted, after string) {
	closer, escaped := openers[opener], false
	for i, r := range text {
		switch {
		case escaped:
			escaped = false
		case r == '\\' && opener == '"':
			escaped = true
		case r == closer:
			after := text[i+utf8.RuneLen(r):]
			if next, _ := utf8.DecodeRuneInString(after); opener != '\'' || !unicode.IsLetter(next) {
				return text[:i], after
			}
		}
	}
	return text, ""
}

var unescape = strings.NewReplacer(`\"`, `"`, `\n`, "\n", `\t`, "\t", `\\`, `\`)

// word takes a run of characters that are no separators, and decides about it as a whole.
// What stands behind it as punctuation of the sentence is no part of it.
func (s *scanner) word() {
	run := s.rest[:wordLength(s.rest)]
	s.rest = s.rest[len(run):]
	if trimmed := strings.TrimLeft(run, ":"); trimmed != run && trimmed != "" { // "status":503
		s.mark(":")
		run, s.space = trimmed, true
	}
	if run != "" && strings.HasPrefix(s.rest, "'") { // the users' rows
		s.rest = s.rest[1:]
		defer func() { s.space = true }()
	}
	core := strings.TrimRight(run, ".:!")
	tail := run[len(core):]
	if strings.Trim(core, decoration) == "" {
		s.space = s.space || core != ""
	} else {
		s.judge(core, tail)
	}
	if mark := strings.Trim(tail, "!"); mark != "" {
		s.mark(mark[:1])
	}
}

// decoration is punctuation that no sentence needs.
const decoration = "+-*/\\#~^_$%&@!.:"

// wordLength is the length of the run of characters at the front of text that makes a word. An
// apostrophe belongs to it between letters.
func wordLength(text string) int {
	var before rune
	for i, r := range text {
		switch {
		case isSpace(r), strings.ContainsRune(separators, r):
			return i
		case r == '-' && strings.HasPrefix(text[i:], "->"):
			return i
		case r == '\'':
			if next, _ := utf8.DecodeRuneInString(text[i+1:]); i > 0 && (!unicode.IsLetter(before) || !unicode.IsLetter(next)) {
				return i
			}
		}
		before = r
	}
	return len(text)
}

func (s *scanner) judge(core, tail string) {
	switch {
	case s.expect == sqlState && isSQLState(core):
		if s.state == "" {
			s.state = core
		}
		s.write(core)
	case s.expect == status && isStatus(core):
		s.write(core)
	case tail == "" && s.reasonPhrase(core):
	case isClass(core):
		bracketed := s.last == "["
		if s.class == "" || bracketed && !s.bracketed {
			s.class, s.bracketed = core, bracketed
		}
		s.write(core)
	case s.vocabulary(core):
	case s.last == "[" && strings.HasPrefix(s.rest, "]") && constant.MatchString(core):
		s.write("<class>")
	default:
		s.write(kindOf(core))
	}
}

// reasonPhrase takes a status with the reason phrase that belongs to it, as in 403 Forbidden.
func (s *scanner) reasonPhrase(core string) bool {
	if !isStatus(core) {
		return false
	}
	phrase := " " + reason(core)
	if len(phrase) < 2 || len(s.rest) < len(phrase) || !strings.EqualFold(s.rest[:len(phrase)], phrase) {
		return false
	}
	after := s.rest[len(phrase):]
	if strings.Trim(after[:wordLength(after)], ".:!") != "" {
		return false
	}
	s.rest = after
	return s.write(core + phrase)
}

// vocabulary writes a word that passes, and notes what it announces.
func (s *scanner) vocabulary(word string) bool {
	if !passes(word) {
		return false
	}
	expect := announced(word, s.expect)
	s.write(word)
	s.expect = expect
	return true
}

// mark writes punctuation. The same mark is not repeated: what is made of marks alone says
// nothing that way.
func (s *scanner) mark(mark string) {
	if mark == s.last {
		s.space = false
		return
	}
	expect := s.expect
	s.write(mark)
	if mark == ":" || mark == "=" {
		s.expect = expect
	}
}

// write appends a token. Placeholders of one kind in a row are one.
func (s *scanner) write(token string) bool {
	if s.full {
		return true
	}
	if token == s.last && token[0] == '<' {
		s.space = false
		return true
	}
	if s.classOnly {
		s.space, s.last, s.expect = false, token, nothing
		return true
	}
	gap := s.space && len(s.out) > 0
	n := utf8.RuneCountInString(token)
	if gap {
		n++
	}
	if s.runes+n >= MaxRunes {
		s.full = true
		s.out = append(s.out, "…"...)
		return true
	}
	if gap {
		s.out = append(s.out, ' ')
	}
	s.out = append(s.out, token...)
	s.runes += n
	s.space, s.last, s.expect = false, token, nothing
	return true
}
