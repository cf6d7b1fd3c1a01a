package engine

import "strings"

// startsQuery reports whether a query follows, looking through opening parentheses.
func (p *parser) startsQuery() bool {
	for n := 0; ; n++ {
		t := p.peekAt(n)
		switch t.upper() {
		case "SELECT", "VALUES", "FROM", "TABLE":
			return true
		case "WITH":
			return true
		}
		if t.kind != tokSymbol || t.text != "(" {
			return false
		}
	}
}

func (p *parser) query() *query {
	defer p.enter()()
	q := &query{}
	if p.word("WITH") {
		q.recursive = p.word("RECURSIVE")
		for {
			c := cte{at: p.peek().at, name: p.identifier()}
			if p.isSymbol("(") {
				c.columns = p.nameList()
			}
			if p.word("MAX", "RECURSION", "LEVEL") {
				c.levels = max(p.integer(), 1)
			}
			p.word("AS")
			p.expectSymbol("(")
			c.q = p.query()
			p.expectSymbol(")")
			q.with = append(q.with, c)
			if !p.symbol(",") {
				break
			}
		}
	}
	q.body = p.union()
	if p.word("ORDER", "BY") || p.word("SORT", "BY") {
		q.order = p.orderItems()
	}
	for {
		switch {
		case q.limit == nil && p.word("LIMIT"):
			if !p.word("ALL") {
				q.limit = p.expr()
			}
		case q.offset == nil && p.word("OFFSET"):
			q.offset = p.expr()
		default:
			return q
		}
	}
}

func (p *parser) union() queryBody {
	l := p.intersect()
	for {
		op := p.oneOf("UNION", "EXCEPT", "MINUS")
		if op == "" {
			return l
		}
		if op == "MINUS" {
			op = "EXCEPT"
		}
		l = p.setOperation(op, l, p.intersect)
	}
}

func (p *parser) intersect() queryBody {
	l := p.queryPrimary()
	for p.word("INTERSECT") {
		l = p.setOperation("INTERSECT", l, p.queryPrimary)
	}
	return l
}

func (p *parser) setOperation(op string, l queryBody, right func() queryBody) queryBody {
	defer p.enter()()
	all := p.word("ALL")
	if !all {
		p.word("DISTINCT")
	}
	return &setOp{op, all, asQuery(l), asQuery(right())}
}

func asQuery(b queryBody) *query {
	if q, ok := b.(*query); ok {
		return q
	}
	return &query{body: b}
}

func (p *parser) queryPrimary() queryBody {
	switch {
	case p.symbol("("):
		q := p.query()
		p.expectSymbol(")")
		return q
	case p.word("VALUES"):
		v := p.values()
		alias, columns := p.tableAlias()
		if alias == "" {
			return v
		}
		named := &subRel{q: &query{body: v}, alias: alias, columns: columns}
		return &selectCore{items: []selectItem{{x: &star{at: p.peek().at}}}, from: []relation{named}}
	case p.word("TABLE"):
		at := p.peek().at
		return &selectCore{items: []selectItem{{x: &star{at: at}}}, from: []relation{&tableRel{parts: p.name(), at: at}}}
	case p.word("SELECT"):
		return p.selectCore()
	}
	p.unexpected("")
	return nil
}

func (p *parser) values() *valuesList {
	v := &valuesList{}
	for {
		if p.isSymbol("(") && !p.singleParenthesized() {
			p.i++
			v.rows = append(v.rows, p.exprList())
			p.expectSymbol(")")
		} else {
			v.rows = append(v.rows, []expr{p.expr()})
		}
		if !p.symbol(",") {
			return v
		}
	}
}

// singleParenthesized distinguishes VALUES (1 + 2) * 3 from VALUES (1, 2): what follows the closing
// parenthesis is neither a comma nor the end of the list.
func (p *parser) singleParenthesized() bool {
	depth := 0
	for n := 0; ; n++ {
		t := p.peekAt(n)
		switch {
		case t.kind == tokEnd:
			return false
		case t.kind != tokSymbol:
		case t.text == "(":
			depth++
		case t.text == ")":
			if depth--; depth == 0 {
				next := p.peekAt(n + 1)
				return next.kind == tokSymbol && strings.Contains("* + - / % || :: = < >", next.text) && next.text != ""
			}
		}
	}
}

func (p *parser) selectCore() *selectCore {
	s := &selectCore{}
	for p.peek().kind == tokSymbol && strings.HasPrefix(p.peek().text, "/*+") {
		p.i++
	}
	if s.distinct = p.word("DISTINCT"); !s.distinct {
		p.word("ALL")
	}
	for {
		item := selectItem{x: p.expr()}
		if _, isStar := item.x.(*star); !isStar {
			if p.is("AS") && p.peekAt(1).text == "(" {
				p.i++
				item.aliases = p.nameList()
			} else {
				item.alias = p.alias()
			}
		}
		s.items = append(s.items, item)
		if !p.symbol(",") {
			break
		}
	}
	if p.word("FROM") {
		for {
			s.from = append(s.from, p.relation())
			if !p.symbol(",") {
				break
			}
		}
		for p.word("LATERAL", "VIEW") {
			s.from = append(s.from, p.lateralView())
		}
	}
	if p.word("WHERE") {
		s.where = p.expr()
	}
	if p.word("GROUP", "BY") {
		if s.groupAll = p.word("ALL"); !s.groupAll {
			p.groupBy(s)
		}
	}
	if p.word("HAVING") {
		s.having = p.expr()
	}
	if p.word("WINDOW") {
		s.windows = map[string]*window{}
		for {
			name := strings.ToLower(p.identifier())
			p.expect("AS")
			s.windows[name] = p.window()
			if !p.symbol(",") {
				break
			}
		}
	}
	if p.word("QUALIFY") {
		s.qualify = p.expr()
	}
	return s
}

func (p *parser) orderItems() []orderItem {
	var items []orderItem
	for {
		o := orderItem{all: items == nil && p.word("ALL")}
		if !o.all {
			o.x = p.expr()
		}
		if p.oneOf("ASC", "DESC") == "DESC" {
			o.desc = true
		}
		if p.word("NULLS") {
			if o.nulls = p.oneOf("FIRST", "LAST"); o.nulls == "" {
				p.unexpected("")
			}
		}
		items = append(items, o)
		if !p.symbol(",") {
			return items
		}
	}
}

func (p *parser) relation() relation {
	defer p.enter()()
	l := p.relationPrimary()
	for n := 0; ; n++ {
		if n > maxNesting {
			p.enter() // one level per join, because SQLite nests them
		}
		j := &joinRel{l: l, kind: "INNER"}
		j.natural = p.word("NATURAL")
		switch {
		case p.word("CROSS"):
			j.kind = "CROSS"
		case p.word("INNER"):
		case p.word("LEFT"), p.word("RIGHT"), p.word("FULL"):
			j.kind = p.tokens[p.i-1].upper()
			if j.kind == "LEFT" && (p.word("SEMI") || p.word("ANTI")) {
				j.kind = p.tokens[p.i-1].upper()
			} else {
				p.word("OUTER")
			}
		case p.word("SEMI"), p.word("ANTI"):
			j.kind = p.tokens[p.i-1].upper()
		case !p.is("JOIN"):
			if j.natural {
				p.unexpected("")
			}
			return l
		}
		p.expect("JOIN")
		j.r = p.relationPrimary()
		switch {
		case p.word("ON"):
			j.on = p.expr()
		case p.word("USING"):
			j.using = p.nameList()
		}
		l = j
	}
}

func (p *parser) relationPrimary() relation {
	at := p.peek().at
	switch {
	case p.isSymbol("("):
		if p.startsQuery() {
			p.i++
			q := p.query()
			p.expectSymbol(")")
			r := &subRel{q: q}
			r.alias, r.columns = p.tableAlias()
			return r
		}
		defer p.enter()()
		p.i++
		r := p.relation()
		p.expectSymbol(")")
		return r
	case p.word("VALUES"):
		r := &subRel{q: &query{body: p.values()}}
		r.alias, r.columns = p.tableAlias()
		return r
	case p.is("LATERAL") && p.peekAt(1).upper() != "VIEW":
		if p.peekAt(1).text == "(" {
			fail(errUnsupported("LATERAL_JOIN", "a LATERAL subquery"))
		}
		p.i++
		return p.tableFunction()
	case generators[strings.ToLower(p.peek().upper())] != nil && p.peekAt(1).text == "(":
		return p.tableFunction()
	case p.is("RANGE") && p.peekAt(1).text == "(":
		p.i += 2
		r := &rangeRel{at: at}
		if !p.isSymbol(")") {
			r.args = p.exprList()
		}
		p.expectSymbol(")")
		r.alias, r.columns = p.tableAlias()
		return r
	}
	r := &tableRel{parts: p.tableName(), at: at}
	if p.isSymbol("(") && len(r.parts) == 1 && databricksFunctions[strings.ToUpper(r.parts[0])] {
		fail(errUnsupported("FUNCTION", "the table function "+r.parts[0]).placed(p.sql, at))
	}
	if p.isSymbol("@") {
		fail(errUnsupported("TABLE_OPERATION", "a version behind @").placed(p.sql, p.peek().at))
	}
	if p.isSymbol("(") {
		fail(failure("UNRESOLVABLE_TABLE_VALUED_FUNCTION", "42883",
			"Could not resolve %s to a table-valued function.\nPlease make sure that %s is defined as a table-valued function and that all required parameters are provided correctly.",
			quoteParts(r.parts...), quoteParts(r.parts...)))
	}
	if p.is("VERSION") || p.is("TIMESTAMP") || p.is("TABLESAMPLE") || p.is("PIVOT") || p.is("UNPIVOT") {
		if next := p.peekAt(1).upper(); next == "AS" || p.peekAt(1).text == "(" {
			fail(errUnsupported("TABLE_OPERATION", p.peek().upper()))
		}
	}
	r.alias, r.columns = p.tableAlias()
	return r
}

// tableName is a name or IDENTIFIER('name').
func (p *parser) tableName() []string {
	if !p.is("IDENTIFIER") || p.peekAt(1).text != "(" {
		return p.name()
	}
	at := p.peek().at
	p.i += 2
	if p.peek().kind != tokString || p.peekAt(1).text != ")" {
		fail(errUnsupported("IDENTIFIER", "IDENTIFIER of anything but one string literal").placed(p.sql, at))
	}
	text := p.stringLiteral()
	p.expectSymbol(")")
	tokens, err := lex(text)
	if err != nil {
		fail(err)
	}
	inner := &parser{sql: text, tokens: tokens}
	parts := inner.name()
	if inner.peek().kind != tokEnd {
		inner.unexpected("")
	}
	return parts
}

func (p *parser) tableAlias() (alias string, columns []string) {
	alias = p.alias()
	if alias != "" && p.isSymbol("(") {
		columns = p.nameList()
		p.relationOperator()
	}
	return alias, columns
}
