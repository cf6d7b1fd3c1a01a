package otelsink

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	summaryLength = 255      // the convention's limit
	summaryReach  = 16 << 10 // how much of a statement is read for it
)

// summarize reduces a statement to its operations and what they work on, such as
// "SELECT orders customers" or "CREATE TABLE totals SELECT orders". Literals, parameters,
// columns and comments never get into it; of what it does not understand it says nothing.
func summarize(text string) string {
	s := summary{scanner: scanner{text: text}, start: true, frames: make([]frame, 1, 8)}
	if n := summaryReach; len(text) > n {
		for !utf8.RuneStart(text[n]) && n > 0 {
			n--
		}
		s.text, s.cut = text[:n], true
	}
	for t := s.next(); t.kind != ended && !s.full; t = s.next() {
		s.take(t)
	}
	return s.out.String()
}

// summary is one in the making.
type summary struct {
	scanner

	out  strings.Builder
	full bool

	start    bool    // the next word may begin a statement
	verb     string  // what the statement began with
	previous string  // the last word
	object   bool    // the next words say what kind of thing the verb works on
	frames   []frame // one for the statement, and one for each open parenthesis
}

// frame is a stretch between parentheses.
type frame struct {
	query  bool // a FROM in it names tables
	expect bool // the next name is a target
	list   bool // a comma leads to another target
}

func (s *summary) top() *frame { return &s.frames[len(s.frames)-1] }

func (s *summary) take(t token) {
	switch t.kind {
	case word:
		upper := strings.ToUpper(t.text)
		s.word(t, upper)
		s.previous = upper
	case quoted:
		s.name(t)
	case symbol:
		s.symbol(t.text)
	case literal:
		s.top().expect = false
	}
}

func (s *summary) symbol(c string) {
	switch c {
	case "(":
		s.top().expect = false
		s.frames = append(s.frames, frame{})
	case ")":
		if len(s.frames) > 1 {
			s.frames = s.frames[:len(s.frames)-1]
		}
	case ",":
		s.top().expect = s.top().list
	case ";":
		s.start, s.verb, s.object, s.frames = true, "", false, append(s.frames[:0], frame{})
	default:
		s.top().expect = false
	}
}

// Verbs that begin a statement, by what follows them.
var (
	// Nothing worth telling; a principal or a value, perhaps.
	bareVerbs = []string{"SHOW", "SET", "RESET", "GRANT", "REVOKE", "DENY", "LIST", "PUT", "GET", "REMOVE", "VALUES", "COMMENT", "EXECUTE", "DECLARE", "BEGIN", "UNDROP", "SYNC", "CLEAR", "UNCACHE"}
	// INTO and a target.
	intoVerbs = []string{"INSERT", "MERGE", "COPY"}
	// A target.
	namedVerbs = []string{"UPDATE", "TRUNCATE", "DESCRIBE", "DESC", "OPTIMIZE", "VACUUM", "REFRESH", "ANALYZE", "CALL", "USE", "CACHE"}
	// One of objects and a target.
	objectVerbs = []string{"CREATE", "ALTER", "DROP", "MSCK", "RESTORE"}

	objects = []string{"TABLE", "VIEW", "SCHEMA", "DATABASE", "CATALOG", "FUNCTION", "PROCEDURE", "VOLUME", "INDEX", "SHARE", "RECIPIENT", "CONNECTION", "POLICY"}

	// These stand between a verb and its target.
	fillers = []string{"TABLE", "IF", "NOT", "EXISTS", "LATERAL", "ONLY", "STREAM", "EXTENDED", "FORMATTED", "DETAIL", "HISTORY", "CATALOG", "SCHEMA", "DATABASE", "FUNCTION", "PROCEDURE", "VOLUME", "VIEW", "MATERIALIZED", "STREAMING", "LAZY"}

	// These end a list of tables.
	clauses = []string{"WHERE", "GROUP", "ORDER", "HAVING", "LIMIT", "QUALIFY", "WINDOW", "UNION", "EXCEPT", "INTERSECT", "MINUS", "SET", "WHEN", "VIEW", "SORT", "CLUSTER", "DISTRIBUTE"}
)

func (s *summary) word(t token, upper string) {
	f := s.top()
	switch {
	case slices.Contains(bareVerbs, s.verb):
	case upper == "SELECT":
		s.begin(upper)
		*f = frame{query: true}
	case s.start && len(s.frames) == 1:
		s.verbOf(upper)
	case s.object:
		if s.object = !slices.Contains(objects, upper); !s.object {
			s.write(upper)
			f.expect = true
		}
	case f.expect && slices.Contains(fillers, upper):
	case f.expect && (upper == "DIRECTORY" || upper == "VALUES" || upper == "IDENTIFIER" || upper == "QUERY"):
		f.expect = false
	case f.expect:
		s.name(t)
	case upper == "FROM" && f.query && s.previous != "DISTINCT":
		f.expect, f.list = true, true
	case upper == "JOIN" && f.query:
		f.expect = true
	case upper == "INTO" && slices.Contains(intoVerbs, s.verb), upper == "OVERWRITE" && s.verb == "INSERT":
		f.expect = len(s.frames) == 1
	case upper == "USING" && s.verb == "MERGE":
		f.expect = len(s.frames) == 1
	case slices.Contains(clauses, upper):
		f.list = false
	}
}

// verbOf takes the word a statement may begin with.
func (s *summary) verbOf(upper string) {
	f := s.top()
	switch {
	case upper == "WITH": // the verb comes after the common table expressions
		s.verb = upper
	case upper == "EXPLAIN":
		s.write(upper)
		s.verb = upper
	case upper == "DELETE":
		s.begin(upper)
		f.query = true
	case upper == "FROM" && s.verb == "":
		s.begin("")
		*f = frame{query: true, expect: true, list: true}
	case slices.Contains(intoVerbs, upper), s.verb != "WITH" && slices.Contains(bareVerbs, upper):
		s.begin(upper)
	case slices.Contains(namedVerbs, upper):
		s.begin(upper)
		f.expect = true
	case slices.Contains(objectVerbs, upper):
		s.begin(upper)
		s.object = true
	case s.verb == "": // no verb we know
		s.start = false
	}
}

// begin writes a verb, and remembers the statement's first.
func (s *summary) begin(verb string) {
	if s.start && len(s.frames) == 1 {
		s.start, s.verb = false, verb
	}
	s.object = false
	s.write(verb)
}

// name reads a name of several parts and writes it where a target is expected. A part that
// is no name, such as the path in json.`/path`, is left out.
func (s *summary) name(t token) {
	wanted := s.top().expect
	s.top().expect = false
	var parts []string
	for {
		if plain := t.kind == word; plain || isName(t.text) {
			parts = append(parts, shown(t.text, plain))
		} else {
			wanted = wanted && len(parts) > 0
		}
		if !s.dot() {
			break
		}
		if t = s.next(); t.kind != word && t.kind != quoted {
			break
		}
	}
	if wanted {
		s.write(strings.Join(parts, "."))
	}
}

// isName is true for what could be the name of a table, and not a path.
func isName(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return !isWordRune(r) && r != '-' && r != ' ' && r != '$'
	})
}

// shown quotes what needs it.
func shown(name string, plain bool) string {
	if plain || !strings.ContainsFunc(name, func(r rune) bool { return !isWordRune(r) }) {
		return name
	}
	return "`" + name + "`"
}

// write adds a verb or a target; when there is no room for it whole, the summary is full.
func (s *summary) write(part string) {
	switch {
	case part == "":
		return
	case s.cut && s.at >= len(s.text), s.out.Len()+1+len(part) > summaryLength:
		s.full = true
		return
	case s.out.Len() > 0:
		s.out.WriteByte(' ')
	}
	s.out.WriteString(part)
}

// token is a piece of SQL. Comments and white space are none.
type token struct {
	kind tokenKind
	text string // of a quoted name, what is between the quotes
}

type tokenKind int

const (
	ended   tokenKind = iota
	word              // keyword or name
	quoted            // `name`
	literal           // string, number or parameter; its text is not kept
	symbol            // a single character
)

// scanner takes SQL apart.
type scanner struct {
	text string
	at   int
	cut  bool // there is more than text
}

func (s *scanner) next() token {
	s.skip()
	rest := s.text[s.at:]
	if rest == "" {
		return token{}
	}
	switch c := rest[0]; {
	case c == '\'' || c == '"':
		s.string(c, true)
		return token{kind: literal}
	case c == '`':
		return s.backquoted()
	case strings.HasPrefix(rest, "$$"):
		s.until("$$", 2)
		return token{kind: literal}
	case strings.HasPrefix(rest, "::"):
		s.at += 2
		return token{symbol, "::"}
	case c == ':' || c == '@' || c >= '0' && c <= '9':
		s.at++
		s.run()
		return token{kind: literal}
	}
	if r, size := utf8.DecodeRuneInString(rest); !isWordRune(r) {
		s.at += size
		return token{symbol, rest[:size]}
	}
	w := s.run()
	if len(w) == 1 && strings.Contains("rRxXbB", w) && s.at < len(s.text) && (s.text[s.at] == '\'' || s.text[s.at] == '"') {
		s.string(s.text[s.at], w != "r" && w != "R")
		return token{kind: literal}
	}
	return token{word, w}
}

// dot reports whether a dot comes next, and passes it.
func (s *scanner) dot() bool {
	s.skip()
	if s.at < len(s.text) && s.text[s.at] == '.' {
		s.at++
		return true
	}
	return false
}

// run passes letters, digits and underscores.
func (s *scanner) run() string {
	rest := s.text[s.at:]
	n := strings.IndexFunc(rest, func(r rune) bool { return !isWordRune(r) })
	if n < 0 {
		n = len(rest)
	}
	s.at += n
	return rest[:n]
}

func isWordRune(r rune) bool {
	return r == '_' || r != utf8.RuneError && (unicode.IsLetter(r) || unicode.IsDigit(r))
}

// until passes everything up to and including end, which is looked for after so many bytes.
func (s *scanner) until(end string, after int) {
	from := min(s.at+after, len(s.text))
	if n := strings.Index(s.text[from:], end); n >= 0 {
		s.at = from + n + len(end)
		return
	}
	s.at = len(s.text)
}

// string passes a string, in which a backslash may escape the quote.
func (s *scanner) string(quote byte, escapes bool) {
	for s.at++; s.at < len(s.text); s.at++ {
		switch c := s.text[s.at]; {
		case c == '\\' && escapes:
			s.at++
		case c == quote:
			s.at++
			return
		}
	}
	s.at = min(s.at, len(s.text))
}

// backquoted reads a quoted name, in which a doubled quote stands for one.
func (s *scanner) backquoted() token {
	from := s.at + 1
	for s.at = from; s.at < len(s.text); s.at++ {
		if s.text[s.at] != '`' {
			continue
		}
		if s.at++; !strings.HasPrefix(s.text[s.at:], "`") {
			return token{quoted, s.text[from : s.at-1]}
		}
	}
	return token{kind: literal} // no end
}

// skip passes white space and comments, which nest.
func (s *scanner) skip() {
	for {
		rest := s.text[s.at:]
		s.at += len(rest) - len(strings.TrimLeftFunc(rest, unicode.IsSpace))
		switch rest = s.text[s.at:]; {
		case strings.HasPrefix(rest, "--"):
			s.until("\n", 2)
		case strings.HasPrefix(rest, "/*"):
			s.comment()
		default:
			return
		}
	}
}

func (s *scanner) comment() {
	depth := 0
	for s.at < len(s.text) {
		switch rest := s.text[s.at:]; {
		case strings.HasPrefix(rest, "/*"):
			depth++
			s.at += 2
		case strings.HasPrefix(rest, "*/"):
			s.at += 2
			if depth--; depth == 0 {
				return
			}
		default:
			s.at++
		}
	}
}
