package engine

import (
	"fmt"
	"strings"
)

// maxNesting bounds how deep expressions and queries may nest: enough for any real statement, and
// far less than the stack of the parser or of SQLite allows.
const maxNesting = 100

// parser is a recursive-descent parser over the tokens of one statement. Errors are panics of type
// bail that parse recovers, as in encoding/json: nearly every production can fail, and none can
// handle a failure.
type parser struct {
	sql       string
	tokens    []token
	i         int
	depth     int
	positions int // parameters written as ?
}

// bail carries an Error through a panic.
type bail struct{ err *Error }

// catch recovers a bail; any other panic continues.
func catch(err **Error) {
	switch r := recover().(type) {
	case nil:
	case bail:
		*err = r.err
	default:
		panic(r)
	}
}

func fail(err *Error) { panic(bail{err}) }

// parse reads one statement, with or without a closing semicolon.
func parse(sql string) (stmt statement, err *Error) {
	var p *parser
	defer func() {
		if err != nil && p != nil {
			err = err.placed(sql, p.peek().at)
		}
	}()
	defer catch(&err)
	tokens, lexErr := lex(sql)
	if lexErr != nil {
		return nil, lexErr
	}
	p = &parser{sql: sql, tokens: tokens}
	for p.symbol(";") {
	}
	if p.peek().kind == tokEnd {
		return nil, atOffset("PARSE_EMPTY_STATEMENT", "42617", "Syntax error, unexpected empty statement.", sql, 0)
	}
	stmt = p.statement()
	for p.symbol(";") {
	}
	if p.isSymbol("|") && p.peekAt(1).text == ">" {
		fail(errUnsupported("PIPE_SYNTAX", "the pipe operator |>"))
	}
	if p.peek().kind != tokEnd {
		p.unexpected("")
	}
	return stmt, nil
}

func (p *parser) peek() token { return p.tokens[p.i] }

func (p *parser) peekAt(n int) token {
	return p.tokens[min(p.i+n, len(p.tokens)-1)]
}

func (p *parser) next() token {
	t := p.tokens[p.i]
	if t.kind != tokEnd {
		p.i++
	}
	return t
}

// unexpected fails at the current token.
func (p *parser) unexpected(hint string) {
	t := p.peek()
	near := "end of input"
	if t.kind != tokEnd {
		near = "'" + p.sql[t.at:t.end] + "'"
	}
	fail(syntaxError(p.sql, t.at, near, hint))
}

// enter counts one level of nesting; its result undoes it.
func (p *parser) enter() func() {
	if p.depth++; p.depth > maxNesting {
		t := p.peek()
		fail(atOffset("FAILED_TO_PARSE_TOO_COMPLEX", "54001",
			"The statement, including potential SQL functions and referenced views, was too complex to parse.", p.sql, t.at))
	}
	return func() { p.depth-- }
}

// is reports whether the next tokens are these keywords.
func (p *parser) is(words ...string) bool {
	for i, w := range words {
		if p.peekAt(i).upper() != w {
			return false
		}
	}
	return true
}

// word takes the keywords if they come next.
func (p *parser) word(words ...string) bool {
	if !p.is(words...) {
		return false
	}
	p.i += len(words)
	return true
}

// oneOf takes and returns the first of the keywords that comes next, or "".
func (p *parser) oneOf(words ...string) string {
	for _, w := range words {
		if p.word(w) {
			return w
		}
	}
	return ""
}

func (p *parser) expect(words ...string) {
	for _, w := range words {
		if !p.word(w) {
			p.unexpected("")
		}
	}
}

func (p *parser) isSymbol(s string) bool {
	t := p.peek()
	return t.kind == tokSymbol && t.text == s
}

func (p *parser) symbol(s string) bool {
	if p.isSymbol(s) {
		p.i++
		return true
	}
	return false
}

func (p *parser) expectSymbol(s string) {
	if !p.symbol(s) {
		p.unexpected("")
	}
}

// reserved words cannot be an alias written without AS, nor a bare column or table name.
var reserved = wordSet(`
	ALL AND ANTI AS BETWEEN CASE CROSS DISTINCT ELSE END EXCEPT EXISTS FROM FULL GROUP HAVING
	IN INNER INTERSECT IS JOIN LATERAL LEFT LIKE ILIKE RLIKE LIMIT MINUS NATURAL NOT OFFSET ON OR ORDER
	OUTER QUALIFY RIGHT SELECT SEMI SET THEN UNION USING WHEN WHERE WINDOW WITH VALUES`)

func wordSet(words string) map[string]bool {
	set := map[string]bool{}
	for _, w := range strings.Fields(words) {
		set[w] = true
	}
	return set
}

// identifier takes one name.
func (p *parser) identifier() string {
	t := p.peek()
	if t.kind == tokQuoted || t.kind == tokWord && !reserved[t.upper()] {
		p.i++
		return t.text
	}
	p.unexpected("")
	return ""
}

// name takes a name of up to three parts.
func (p *parser) name() []string {
	parts := []string{p.identifier()}
	for p.symbol(".") {
		parts = append(parts, p.anyIdentifier())
	}
	if len(parts) > 3 {
		p.unexpected("")
	}
	return parts
}

// anyIdentifier takes a name after a dot, where a keyword is unambiguous.
func (p *parser) anyIdentifier() string {
	t := p.peek()
	if t.kind == tokQuoted || t.kind == tokWord {
		p.i++
		return t.text
	}
	p.unexpected("")
	return ""
}

// alias takes [AS] name, or nothing.
func (p *parser) alias() string {
	if p.word("AS") {
		return p.anyIdentifier()
	}
	p.relationOperator()
	if t := p.peek(); t.kind == tokQuoted || t.kind == tokWord && !reserved[t.upper()] {
		p.i++
		p.relationOperator()
		return t.text
	}
	return ""
}

// relationOperator refuses operators after a relation that are not supported.
func (p *parser) relationOperator() {
	next := p.peekAt(1)
	switch w := p.peek().upper(); w {
	case "PIVOT", "UNPIVOT", "TABLESAMPLE", "MATCH_RECOGNIZE":
		if next.text == "(" || w == "UNPIVOT" && (next.upper() == "INCLUDE" || next.upper() == "EXCLUDE") {
			fail(errUnsupported("TABLE_OPERATION", w).placed(p.sql, p.peek().at))
		}
	case "FOR":
		if next.upper() == "VERSION" || next.upper() == "TIMESTAMP" || next.upper() == "SYSTEM_VERSION" || next.upper() == "SYSTEM_TIME" {
			fail(errUnsupported("TABLE_OPERATION", next.upper()).placed(p.sql, p.peek().at))
		}
	}
}

// nameList takes (a, b, ...).
func (p *parser) nameList() []string {
	p.expectSymbol("(")
	var names []string
	for {
		names = append(names, p.anyIdentifier())
		if !p.symbol(",") {
			break
		}
	}
	p.expectSymbol(")")
	return names
}

func (p *parser) stringLiteral() string {
	t := p.peek()
	if t.kind != tokString {
		p.unexpected("")
	}
	p.i++
	return t.text
}

func (p *parser) integer() int64 {
	t := p.peek()
	var n int64
	if t.kind != tokNumber {
		p.unexpected("")
	}
	if _, err := fmt.Sscanf(t.text, "%d", &n); err != nil || strings.Trim(t.text, "0123456789") != "" {
		p.unexpected("")
	}
	p.i++
	return n
}
