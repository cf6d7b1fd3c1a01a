package sanitize

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// scanner reads a text once, from left to right, and writes the result. How a token is treated
// depends on the token and on those already written, never on what was replaced, so scanning a result
// gives the same result.
type scanner struct {
	rest     string // the text still to be read
	out      []byte // the result
	runes    int    // in out
	full     bool   // nothing more fits into the result
	space    bool   // a space belongs before the next token
	previous string // the last token written
	expected expectation
	depth    int // of JSON strings within JSON strings

	class, state string // the first error class, preferably one in brackets, and the first SQLSTATE
	bracketed    bool   // class was in brackets
	classOnly    bool   // only class and state are wanted: write writes nothing
}

// expectation is what the preceding tokens announce.
type expectation uint8

const (
	nothing  expectation = iota
	status               // a number here is an HTTP status
	sqlState             // five characters here are a SQLSTATE
)

// openers maps opening quotation marks to the marks that close them. Some languages open with marks that
// close in others.
var openers = map[rune]rune{
	'`': '`', '"': '"', '\'': '\'', '“': '”', '‘': '’', '«': '»', '„': '“', '‚': '‘', '‹': '›',
	'”': '”', '’': '’', '»': '«', '›': '‹', '‟': '”', '‛': '’', '＂': '＂', '＇': '＇', '❝': '❞', '❛': '❜', '❮': '❯',
	'「': '」', '『': '』', '｢': '｣', '﹁': '﹂', '﹃': '﹄', '〝': '〞', '《': '》', '〈': '〉', '′': '′', '″': '″', '´': '´',
}

// separators end a word. Separators that are not kept as punctuation count as a space.
const (
	punctuation = "()[]{},;=?…"
	separators  = punctuation + "|<>\"`“”‘’«»„‚‹›‟‛＂＇❝❞❛❜❮❯「」『』｢｣﹁﹂﹃﹄〝〞《》〈〉′″´"
)

// literals are the prefixes of SQL literals, before the quote: r'raw', DATE'2026-03-01'.
var literals = strings.Fields("r b n e x u date time timestamp timestamp_ntz timestamp_ltz interval")

const longestLiteral = len("timestamp_ntz")

func isLiteral(word string) bool {
	return len(word) <= longestLiteral && slices.Contains(literals, strings.ToLower(word))
}

func scan(text string, classOnly bool) *scanner {
	s := &scanner{rest: text, classOnly: classOnly}
	if len(text) > maxInput {
		// The beginning of a word could be in the vocabulary: drop the truncated word.
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
		case r == '<' && s.placeholder():
		case strings.HasPrefix(s.rest, "== SQL"):
			s.rest = ""
			s.write("<sql>")
		case strings.HasPrefix(s.rest, "->"):
			s.rest = s.rest[2:]
			s.write("->")
		case openers[r] != 0:
			s.quotation(r, size)
		case strings.ContainsRune(punctuation, r):
			s.rest = s.rest[size:]
			s.mark(string(r))
		case isSpace(r) || strings.ContainsRune(separators, r):
			s.rest = strings.TrimPrefix(s.rest[size:], "/") // the slash of a closing tag
			s.space = true
		default:
			s.word()
		}
	}
}

func isSpace(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }

// placeholder reads a placeholder of an earlier pass.
func (s *scanner) placeholder() bool {
	for _, kind := range placeholders {
		if rest, ok := strings.CutPrefix(s.rest, kind); ok {
			s.rest = rest
			s.write(kind)
			return true
		}
	}
	return false
}

// quotation reads a quotation. Nothing in it passes, except in a JSON document, as in HTTP errors:
// there, known keys pass, and their strings are read as texts. A quotation that is never closed
// extends to the end of the text. Names in backticks joined by dots are one name.
func (s *scanner) quotation(opener rune, size int) {
	quoted, after := splitQuotation(s.rest[size:], opener)
	if opener == '"' && slices.Contains(jsonKeys, quoted) {
		if value, ok := strings.CutPrefix(strings.TrimLeft(after, " "), ":"); ok {
			s.rest, s.space = after, true
			s.vocabulary(quoted)
			value = strings.TrimLeft(value, " ")
			if strings.HasPrefix(value, `"`) && s.depth < 3 {
				inner, after := splitQuotation(value[1:], '"')
				s.mark(":")
				s.space = true
				s.depth++
				s.rest = unescape.Replace(inner)
				s.run()
				s.depth--
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
			_, after = splitQuotation(after[2:], '`')
		}
	case strings.ContainsAny(quoted, `/\`):
		kind = "<path>"
	}
	s.rest = after
	s.write(kind)
}

// splitQuotation returns the text before the closing mark and the text after it. An apostrophe before a
// letter, as in 'O'Brien', does not close the quotation. Neither does one after a backslash, unless there is
// no other, as in 'C:\'.
func splitQuotation(text string, opener rune) (quoted, after string) {
	closer, escaped, last := openers[opener], false, -1
	for i, r := range text {
		closes := r == closer
		if closes && opener == '\'' {
			next, _ := utf8.DecodeRuneInString(text[i+1:])
			closes = !unicode.IsLetter(next)
		}
		switch {
		case escaped:
			escaped = false
			if closes && opener == '\'' {
				last = i
			}
		case r == '\\' && (opener == '"' || opener == '\''):
			escaped = true
		case closes:
			return text[:i], text[i+utf8.RuneLen(r):]
		}
	}
	if last >= 0 {
		return text[:last], text[last+1:]
	}
	return text, ""
}

var unescape = strings.NewReplacer(`\"`, `"`, `\n`, "\n", `\t`, "\t", `\\`, `\`)

// word reads a run of characters up to a separator. Punctuation at its end belongs to the sentence,
// not to the word.
func (s *scanner) word() {
	run := s.rest[:wordLength(s.rest)]
	s.rest = s.rest[len(run):]
	if trimmed := strings.TrimLeft(run, ":"); trimmed != run && trimmed != "" { // "status":503
		s.mark(":")
		run, s.space = trimmed, true
	}
	if last, _ := utf8.DecodeLastRuneInString(run); unicode.IsLetter(last) && !isLiteral(run) { // the users' rows
		if r, size := utf8.DecodeRuneInString(s.rest); (r == '\'' || r == '’') && (lettersOf(s.rest[size:]) == 0 || contracts(s.rest[size:])) {
			s.rest = s.rest[size:]
			defer func() { s.space = true }()
		}
	}
	core := strings.TrimRight(run, ".:!")
	tail := run[len(core):]
	if strings.Trim(core, decoration) == "" {
		s.space = s.space || core != ""
	} else {
		s.classify(core, tail)
	}
	if mark := strings.Trim(tail, "!"); mark != "" {
		s.mark(mark[:1])
	}
}

// decoration is punctuation that is not kept when it stands alone.
const decoration = "+-*/\\#~^_$%&@!.:"

// contracts reports whether text begins with what may follow an apostrophe within a word.
func contracts(text string) bool {
	return strings.Contains(" s t re ve ll d m ", " "+strings.ToLower(text[:lettersOf(text)])+" ")
}

// lettersOf returns the length of the run of letters at the beginning of text.
func lettersOf(text string) int {
	return len(text) - len(strings.TrimLeftFunc(text, unicode.IsLetter))
}

// wordLength returns the length of the word at the beginning of text. The apostrophe of a contraction
// is part of a word, unless it begins a literal.
func wordLength(text string) int {
	var before rune
	for i, r := range text {
		switch {
		case isSpace(r), strings.ContainsRune(separators, r), r == '-' && strings.HasPrefix(text[i:], "->"):
			return i
		case r == '\'' && i > 0 && (!unicode.IsLetter(before) || !contracts(text[i+1:]) || isLiteral(text[:i])):
			return i
		}
		before = r
	}
	return len(text)
}

// classify writes a word that passes, or the placeholder of its kind.
func (s *scanner) classify(core, tail string) {
	switch {
	case s.expected == sqlState && isSQLState(core):
		if s.state == "" {
			s.state = core
		}
		s.write(core)
	case s.expected == status && isStatus(core):
		s.write(core)
	case tail == "" && s.reasonPhrase(core):
	case isClass(core):
		bracketed := s.previous == "["
		if s.class == "" || bracketed && !s.bracketed {
			s.class, s.bracketed = core, bracketed
		}
		s.write(core)
	case s.vocabulary(core):
	case s.previous == "[" && strings.HasPrefix(s.rest, "]") && constantName.MatchString(core):
		s.write("<class>")
	default:
		s.write(placeholderOf(core))
	}
}

// reasonPhrase reads a status with its reason phrase, as in 403 Forbidden.
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
	s.write(core + phrase)
	return true
}

// vocabulary writes a word of the vocabulary, and sets what to expect after it.
func (s *scanner) vocabulary(word string) bool {
	if !passes(word) {
		return false
	}
	expected := announced(word, s.expected)
	s.write(word)
	s.expected = expected
	return true
}

// mark writes punctuation. It does not repeat a mark, because the number of marks could carry
// information.
func (s *scanner) mark(mark string) {
	if mark == s.previous {
		s.space = false
		return
	}
	expected := s.expected
	s.write(mark)
	if mark == ":" || mark == "=" {
		s.expected = expected
	}
}

// write appends a token. Adjacent placeholders of the same kind become one.
func (s *scanner) write(token string) {
	if s.full {
		return
	}
	if token == s.previous && token[0] == '<' {
		s.space = false
		return
	}
	if s.classOnly {
		s.space, s.previous, s.expected = false, token, nothing
		return
	}
	gap := s.space && len(s.out) > 0
	n := utf8.RuneCountInString(token)
	if gap {
		n++
	}
	if s.runes+n >= maxRunes {
		s.full = true
		s.out = append(s.out, "…"...)
		return
	}
	if gap {
		s.out = append(s.out, ' ')
	}
	s.out = append(s.out, token...)
	s.runes += n
	s.space, s.previous, s.expected = false, token, nothing
}
