package otelsink

import (
	"slices"
	"strings"

	"github.com/seed-01322ee7/databricks-telemetry/internal/sqltext"
)

const (
	maxSummary   = 255      // bytes, the limit of the conventions
	maxQueryRead = 16 << 10 // bytes of a statement that are read for its summary
)

// summarize returns db.query.summary of a statement: its operations and their targets, such as
// "SELECT orders customers" or "CREATE TABLE totals SELECT orders". Literals, parameters, columns,
// comments and SQL that is not understood are never part of a summary.
func summarize(query string) string {
	s := summary{start: true, frames: make([]frame, 1, 8)}
	if len(query) > maxQueryRead {
		query, s.truncated = sqltext.Bounded(query, maxQueryRead), true
	}
	s.scanner = sqltext.NewScanner(query)
	for t := s.scanner.Next(); t.Kind != sqltext.End && !s.full; t = s.scanner.Next() {
		s.add(t)
	}
	return s.out.String()
}

// summary is the state of summarize.
type summary struct {
	scanner   sqltext.Scanner
	truncated bool // the query is longer than what is scanned

	out  strings.Builder
	full bool

	start    bool    // the next word may begin a statement
	verb     string  // the first verb of the statement
	previous string  // the token before; a word in upper case
	object   bool    // the next words name the kind of object the verb works on
	frames   []frame // one for the statement, and one for each open parenthesis
}

// frame is the state between two parentheses.
type frame struct {
	query  bool // FROM names tables here
	expect bool // the next name is a target
	list   bool // a comma leads to another target
}

func (s *summary) top() *frame { return &s.frames[len(s.frames)-1] }

func (s *summary) add(t sqltext.Token) {
	before := s.previous
	s.previous = t.Text
	switch t.Kind {
	case sqltext.Word:
		s.previous = strings.ToUpper(t.Text)
		if before != "." { // otherwise it is a field or a column, whatever its name
			s.word(t, s.previous, before)
		}
	case sqltext.QuotedName:
		s.name(t)
	case sqltext.Symbol:
		s.symbol(t.Text)
	default:
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
	case "|": // begins |>, a step that names columns
		s.top().expect, s.top().list = false, false
	case ";":
		s.start, s.verb, s.object, s.frames = true, "", false, append(s.frames[:0], frame{})
	default:
		s.top().expect = false
	}
}

// Verbs that begin a statement, grouped by what follows them.
var (
	// No target; what follows may be a principal or a value.
	bareVerbs = []string{"SHOW", "SET", "RESET", "GRANT", "REVOKE", "DENY", "LIST", "PUT", "GET", "REMOVE", "VALUES", "COMMENT", "EXECUTE", "DECLARE", "BEGIN", "UNDROP", "SYNC", "CLEAR", "UNCACHE"}
	// INTO and a target.
	intoVerbs = []string{"INSERT", "MERGE", "COPY"}
	// A target.
	namedVerbs = []string{"UPDATE", "TRUNCATE", "DESCRIBE", "DESC", "OPTIMIZE", "VACUUM", "REFRESH", "ANALYZE", "CALL", "USE", "CACHE"}
	// A kind of object and a target.
	objectVerbs = []string{"CREATE", "ALTER", "DROP", "MSCK", "RESTORE"}

	objects = []string{"TABLE", "VIEW", "SCHEMA", "DATABASE", "CATALOG", "FUNCTION", "PROCEDURE", "VOLUME", "INDEX", "SHARE", "RECIPIENT", "CONNECTION", "POLICY"}

	// Words between a verb and its target.
	fillers = []string{"TABLE", "IF", "NOT", "EXISTS", "LATERAL", "ONLY", "STREAM", "EXTENDED", "FORMATTED", "DETAIL", "HISTORY", "CATALOG", "SCHEMA", "DATABASE", "FUNCTION", "PROCEDURE", "VOLUME", "VIEW", "MATERIALIZED", "STREAMING", "LAZY"}

	// Words that end a list of tables.
	clauses = []string{"WHERE", "GROUP", "ORDER", "HAVING", "LIMIT", "QUALIFY", "WINDOW", "UNION", "EXCEPT", "INTERSECT", "MINUS", "SET", "WHEN", "VIEW", "SORT", "CLUSTER", "DISTRIBUTE"}
)

func (s *summary) word(t sqltext.Token, upper, before string) {
	f := s.top()
	switch {
	case slices.Contains(bareVerbs, s.verb):
	case upper == "SELECT":
		s.begin(upper)
		*f = frame{query: true}
	case s.start && len(s.frames) == 1:
		s.first(upper)
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
	case upper == "FROM" && (before == "DISTINCT" || before == "AS"): // IS DISTINCT FROM, or the name of a column
	case upper == "FROM" && f.query:
		f.expect, f.list = true, true
	case upper == "JOIN" && f.query:
		f.expect = true
	case upper == "INTO" && slices.Contains(intoVerbs, s.verb), upper == "OVERWRITE" && s.verb == "INSERT", upper == "USING" && s.verb == "MERGE":
		f.expect = len(s.frames) == 1
	case slices.Contains(clauses, upper):
		f.list = false
	}
}

// first reads the word at a place where a statement may begin.
func (s *summary) first(upper string) {
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
	case s.verb == "": // an unknown verb
		s.start = false
	}
}

// begin writes a verb. The first verb of a statement decides how the rest is read.
func (s *summary) begin(verb string) {
	if s.start && len(s.frames) == 1 {
		s.start, s.verb = false, verb
	}
	s.object = false
	s.write(verb)
}

// name reads a name of several parts and writes it where a target is expected. A part that
// cannot be a name, such as the path in json.`/path`, is left out.
func (s *summary) name(t sqltext.Token) {
	wanted := s.top().expect
	s.top().expect = false
	var parts []string
	for {
		if t.Kind == sqltext.Word {
			parts = append(parts, t.Text)
		} else if part := quotedPart(t.Text); part != "" {
			parts = append(parts, part)
		} else {
			wanted = wanted && len(parts) > 0
		}
		ahead := s.scanner
		if next := ahead.Next(); next.Text != "." {
			if next.Kind == sqltext.End {
				s.scanner = ahead
			}
			break
		}
		t = ahead.Next()
		s.scanner = ahead
		if t.Kind != sqltext.Word && t.Kind != sqltext.QuotedName {
			break
		}
	}
	if wanted {
		s.write(strings.Join(parts, "."))
	}
}

// quotedPart returns a quoted name as the summary has it: without quotes if none are needed, and ""
// for text that cannot be the name of a table, such as a path.
func quotedPart(quoted string) string {
	name := quoted[1 : len(quoted)-1]
	needsQuotes := false
	for _, r := range name {
		if sqltext.IsWordRune(r) {
			continue
		}
		if needsQuotes = true; !strings.ContainsRune("- $", r) {
			return ""
		}
	}
	if needsQuotes {
		return quoted
	}
	return name
}

// write adds a verb or a target. The summary is full when the whole part does not fit, or when the
// part may be the beginning of a truncated word.
func (s *summary) write(part string) {
	switch {
	case part == "":
		return
	case s.truncated && s.scanner.AtEnd(), s.out.Len()+1+len(part) > maxSummary:
		s.full = true
		return
	case s.out.Len() > 0:
		s.out.WriteByte(' ')
	}
	s.out.WriteString(part)
}
