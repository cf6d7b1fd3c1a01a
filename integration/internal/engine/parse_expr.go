package engine

import (
	"encoding/hex"
	"strings"
)

// Precedence, loosest first: OR, AND, NOT, predicates and comparisons, |, ^, &, << >>, + - ||,
// * / % DIV, unary sign, ::.

func (p *parser) expr() expr {
	defer p.enter()()
	l := p.and()
	for p.word("OR") {
		l = &binary{"OR", l, p.and()}
	}
	return l
}

func (p *parser) and() expr {
	l := p.not()
	for p.word("AND") {
		l = &binary{"AND", l, p.not()}
	}
	return l
}

func (p *parser) not() expr {
	if p.word("NOT") || p.symbol("!") {
		defer p.enter()()
		return &unary{"NOT", p.not()}
	}
	return p.predicate()
}

var comparisons = map[string]string{
	"=": "=", "==": "=", "<>": "<>", "!=": "<>", "<": "<", "<=": "<=", ">": ">", ">=": ">=", "<=>": "<=>",
}

func (p *parser) predicate() expr {
	l := p.bitOr()
	for {
		t := p.peek()
		if op, ok := comparisons[t.text]; ok && t.kind == tokSymbol {
			p.i++
			l = &binary{op, l, p.bitOr()}
			continue
		}
		if p.word("IS") {
			l = p.isPredicate(l)
			continue
		}
		mark := p.i
		not := p.word("NOT") || p.symbol("!")
		switch {
		case p.word("BETWEEN"):
			lo := p.bitOr()
			p.expect("AND")
			l = &between{l, lo, p.bitOr(), not}
		case p.word("IN"):
			l = p.inPredicate(l, not)
		case p.is("LIKE") || p.is("ILIKE") || p.is("RLIKE") || p.is("REGEXP"):
			op := p.next().upper()
			if op == "REGEXP" {
				op = "RLIKE"
			}
			if kind := p.oneOf("ANY", "SOME", "ALL"); kind != "" {
				l = p.likeAny(op, l, kind == "ALL", not)
				continue
			}
			n := &like{op: op, x: l, pattern: p.bitOr(), not: not}
			if op != "RLIKE" && p.word("ESCAPE") {
				n.escape = p.bitOr()
			}
			l = n
		default:
			p.i = mark
			return l
		}
	}
}

func (p *parser) likeAny(op string, x expr, all, not bool) expr {
	n := &likeAny{all: all, not: not}
	p.expectSymbol("(")
	for _, pattern := range p.exprList() {
		n.likes = append(n.likes, &like{op: op, x: x, pattern: pattern})
	}
	p.expectSymbol(")")
	return n
}

func (p *parser) isPredicate(x expr) expr {
	n := &is{x: x, not: p.word("NOT")}
	if p.word("DISTINCT", "FROM") {
		n.what, n.other = "DISTINCT", p.bitOr()
		return n
	}
	if n.what = p.oneOf("NULL", "TRUE", "FALSE", "UNKNOWN"); n.what == "" {
		p.unexpected("")
	}
	if n.what == "UNKNOWN" {
		n.what = "NULL"
	}
	return n
}

func (p *parser) inPredicate(x expr, not bool) expr {
	p.expectSymbol("(")
	if p.startsQuery() {
		q := p.query()
		p.expectSymbol(")")
		return &inQuery{x, q, not}
	}
	list := p.exprList()
	p.expectSymbol(")")
	return &inList{x, list, not}
}

func (p *parser) exprList() []expr {
	list := []expr{p.expr()}
	for p.symbol(",") {
		list = append(list, p.expr())
	}
	return list
}

// infix parses one left-associative level.
func (p *parser) infix(below func() expr, ops ...string) expr {
	l := below()
	for {
		op := ""
		for _, o := range ops {
			if p.symbol(o) || o == "DIV" && p.word(o) {
				op = o
				break
			}
		}
		if op == "" {
			return l
		}
		l = &binary{op, l, below()}
	}
}

func (p *parser) bitOr() expr  { return p.infix(p.bitXor, "|") }
func (p *parser) bitXor() expr { return p.infix(p.bitAnd, "^") }
func (p *parser) bitAnd() expr { return p.infix(p.shift, "&") }
func (p *parser) shift() expr  { return p.infix(p.sum, "<<", ">>") }
func (p *parser) sum() expr    { return p.infix(p.product, "+", "-", "||") }
func (p *parser) product() expr {
	return p.infix(p.sign, "*", "/", "%", "DIV")
}

func (p *parser) sign() expr {
	for _, op := range []string{"-", "+", "~"} {
		if !p.symbol(op) {
			continue
		}
		defer p.enter()()
		if t := p.peek(); op == "-" && t.kind == tokNumber {
			// A minus sign is part of its number; otherwise the smallest BIGINT could not be
			// written.
			p.i++
			return p.postfix(p.number(t, "-"))
		}
		return &unary{op, p.sign()}
	}
	return p.postfix(p.primary())
}

func (p *parser) postfix(x expr) expr {
	for n := 0; ; n++ {
		if n > maxNesting {
			p.enter() // one level per step, because each wraps the one before
		}
		at := p.peek().at
		switch {
		case p.symbol("::"):
			x = &cast{x: x, to: p.typeName()}
		case p.is("COLLATE"):
			fail(errUnsupported("COLLATION", "COLLATE"))
		case p.startsJSONPath(x):
			x = p.jsonPath(x)
		case p.symbol("["):
			x = &index{x, p.expr(), at}
			p.expectSymbol("]")
		case p.isSymbol(".") && !isLiteral(x):
			p.i++
			x = &field{x, p.anyIdentifier(), at}
		default:
			return x
		}
	}
}

// startsJSONPath reports whether a colon directly follows x and begins a path into its JSON text.
func (p *parser) startsJSONPath(x expr) bool {
	t := p.peek()
	if p.i == 0 || p.tokens[p.i-1].end != t.at {
		return false
	}
	if l, ok := x.(*literal); ok && l.typ.ID != String {
		return false
	}
	return t.kind == tokNamed || p.isSymbol(":")
}

// jsonPath reads the path behind a colon, as in raw:owner.name, raw:items[0] or raw:['zip code'].
// Identifiers are case-insensitive; names in brackets are case-sensitive.
func (p *parser) jsonPath(x expr) expr {
	at := p.peek().at
	path := "$"
	field := func(format, name string) {
		if strings.ContainsAny(name, "]'") {
			fail(errUnsupported("JSON_PATH", "a JSON path with the name "+name).placed(p.sql, at))
		}
		path += strings.Replace(format, "name", name, 1)
	}
	if p.peek().kind == tokNamed {
		field("[~'name']", p.next().text)
	} else if p.i++; !p.isSymbol("[") {
		field("[~'name']", p.anyIdentifier())
	}
	for {
		switch {
		case p.symbol("."):
			field("[~'name']", p.anyIdentifier())
		case p.symbol("["):
			switch t := p.next(); {
			case t.kind == tokNumber || t.text == "*":
				path += "[" + t.text + "]"
			case t.kind == tokString:
				field("['name']", t.text)
			default:
				p.i--
				p.unexpected("")
			}
			p.expectSymbol("]")
		default:
			return &call{name: "get_json_object", args: []expr{x, &literal{typeString, path, path}}, at: at}
		}
	}
}

func isLiteral(x expr) bool {
	_, ok := x.(*literal)
	return ok
}

func (p *parser) primary() expr {
	t := p.peek()
	switch t.kind {
	case tokNumber:
		p.i++
		return p.number(t, "")
	case tokString:
		p.i++
		text := t.text
		for p.peek().kind == tokString { // adjacent literals are one
			text += p.next().text
		}
		return &literal{typeString, text, text}
	case tokNamed:
		p.i++
		return &param{name: t.text, at: t.at}
	case tokQuoted:
		return p.nameOrCall()
	case tokWord:
		return p.wordPrimary(t)
	case tokSymbol:
		switch t.text {
		case "?":
			p.i++
			p.positions++
			return &param{index: p.positions - 1, at: t.at}
		case "*":
			p.i++
			return p.starExcept(&star{at: t.at})
		case "(":
			p.i++
			if p.startsQuery() {
				q := p.query()
				p.expectSymbol(")")
				return &subquery{q}
			}
			x := p.expr()
			if p.isSymbol(",") {
				n := &row{items: []expr{x}}
				for p.symbol(",") {
					n.items = append(n.items, p.expr())
				}
				x = n
			}
			p.expectSymbol(")")
			return x
		}
	}
	p.unexpected("")
	return nil
}

func (p *parser) starExcept(s *star) expr {
	if p.is("EXCEPT") && p.peekAt(1).text == "(" && p.peekAt(2).upper() != "SELECT" {
		p.i++
		s.except = p.nameList()
	}
	return s
}

func (p *parser) wordPrimary(t token) expr {
	following := p.peekAt(1)
	switch w := t.upper(); w {
	case "NULL":
		p.i++
		return &literal{typeVoid, nil, "NULL"}
	case "TRUE", "FALSE":
		p.i++
		return &literal{typeBoolean, w == "TRUE", strings.ToLower(w)}
	case "DEFAULT":
		if following.text != "." {
			p.i++
			return &defaultValue{}
		}
	case "CASE":
		p.i++
		return p.caseExpr()
	case "CAST", "TRY_CAST":
		if following.text == "(" {
			p.i += 2
			x := p.expr()
			p.expect("AS")
			n := &cast{x: x, to: p.typeName(), try: w == "TRY_CAST"}
			p.expectSymbol(")")
			return n
		}
	case "EXISTS":
		if p.i++; p.isSymbol("(") && !p.startsQuery() { // exists(array, x -> ...)
			return p.call(w, t.at)
		}
		p.expectSymbol("(")
		q := p.query()
		p.expectSymbol(")")
		return &exists{q}
	case "DATE", "TIMESTAMP", "TIMESTAMP_NTZ", "TIMESTAMP_LTZ":
		if following.kind == tokString {
			p.i += 2
			typ := Type{ID: typeNames[w]}
			return &literal{typ, following.text, typ.String() + " '" + following.text + "'"}
		}
	case "X":
		if following.kind == tokString && following.at == t.end {
			p.i += 2
			text := following.text
			if len(text)%2 == 1 {
				text = "0" + text
			}
			b, err := hex.DecodeString(text)
			if err != nil {
				fail(atOffset("INVALID_TYPED_LITERAL", "42604",
					"The value of the typed literal \"X\" is invalid: '"+following.text+"'.", p.sql, t.at))
			}
			return &literal{typeBinary, b, "X'" + strings.ToUpper(text) + "'"}
		}
	case "INTERVAL":
		if following.kind == tokString || following.kind == tokNumber || following.text == "-" || following.text == "(" {
			return p.interval()
		}
	case "EXTRACT":
		if following.text == "(" {
			p.i += 2
			part := strings.ToUpper(p.anyIdentifier())
			p.expect("FROM")
			x := p.expr()
			p.expectSymbol(")")
			return &call{name: "extract", args: []expr{&literal{typeString, part, part}, x}, at: t.at}
		}
	case "CURRENT_DATE", "CURRENT_TIMESTAMP", "CURRENT_USER", "SESSION_USER":
		if following.text != "(" {
			p.i++
			return &call{name: strings.ToLower(w), at: t.at}
		}
	case "LEFT", "RIGHT", "LIKE", "SET":
		if following.text == "(" {
			p.i++
			return p.call(w, t.at)
		}
	}
	return p.nameOrCall()
}

func (p *parser) interval() expr {
	t := p.next()
	var x expr
	if s := p.peek(); s.kind == tokString {
		p.i++
		text := strings.Fields(s.text)
		if len(text) > 2 || strings.ContainsAny(s.text, ":") || strings.LastIndexByte(s.text, '-') > 0 {
			fail(errUnsupported("INTERVAL", "an INTERVAL of several units").placed(p.sql, t.at))
		}
		x = &literal{typeString, s.text, s.text}
		if len(text) == 2 { // INTERVAL '3 days'
			x = &literal{typeString, text[0], text[0]}
			return p.wholeInterval(&interval{x, p.intervalUnit(text[1], t), t.at})
		}
	} else {
		x = p.sign()
	}
	n := p.wholeInterval(&interval{x, p.intervalUnit(p.anyIdentifier(), t), t.at})
	if next := p.peek(); next.kind == tokNumber || next.kind == tokString || p.is("TO") {
		fail(errUnsupported("INTERVAL", "an INTERVAL of several units").placed(p.sql, t.at))
	}
	return n
}

// wholeInterval refuses a fraction of anything but seconds.
func (p *parser) wholeInterval(n *interval) *interval {
	if v, ok := n.x.(*literal); ok && !strings.HasSuffix(n.unit, "SECOND") && strings.Contains(v.text, ".") {
		fail(failure("INVALID_INTERVAL_FORMAT.INVALID_VALUE", "22006", "Error parsing '%s %s' to interval. Please ensure that the value provided is in a valid format for defining an interval. Invalid value '%s'.", v.text, n.unit, v.text))
	}
	return n
}

func (p *parser) intervalUnit(word string, at token) string {
	unit := strings.TrimSuffix(strings.ToUpper(word), "S")
	switch unit {
	case "YEAR", "QUARTER", "MONTH", "WEEK", "DAY", "HOUR", "MINUTE", "SECOND", "MILLISECOND", "MICROSECOND":
		return unit
	}
	fail(syntaxError(p.sql, at.at, "'"+word+"'", ""))
	return ""
}

func (p *parser) nameOrCall() expr {
	t := p.peek()
	parts := []string{p.identifier()}
	for p.symbol(".") {
		if p.symbol("*") {
			return p.starExcept(&star{qualifier: parts, at: t.at})
		}
		parts = append(parts, p.anyIdentifier())
	}
	if p.isSymbol("(") {
		return p.call(parts[len(parts)-1], t.at)
	}
	return &nameRef{parts, t.at}
}

func (p *parser) caseExpr() expr {
	n := &caseExpr{}
	if !p.is("WHEN") {
		n.operand = p.expr()
	}
	for p.word("WHEN") {
		cond := p.expr()
		p.expect("THEN")
		n.whens = append(n.whens, when{cond, p.expr()})
	}
	if len(n.whens) == 0 {
		p.unexpected("")
	}
	if p.word("ELSE") {
		n.els = p.expr()
	}
	p.expect("END")
	return n
}
