package engine

import (
	"strconv"
	"strings"
)

// call parses from the opening parenthesis of a function call on.
func (p *parser) call(name string, at int) expr {
	n := &call{name: strings.ToLower(name), at: at}
	p.expectSymbol("(")
	switch {
	case p.isSymbol("*") && p.peekAt(1).text == ")":
		p.i++
		n.star = true
	case n.name == "trim" && p.trim(n):
	case !p.isSymbol(")"):
		if n.distinct = p.word("DISTINCT"); !n.distinct {
			p.word("ALL")
		}
		n.args = append(n.args, p.argument(n.name))
		if n.name == "position" && p.word("IN") || (n.name == "substring" || n.name == "substr") && p.word("FROM") {
			n.args = append(n.args, p.expr())
			if p.word("FOR") {
				n.args = append(n.args, p.expr())
			}
		}
		further := "" // only struct has a rule for all its arguments
		if n.name == "struct" {
			further = n.name
		}
		if n.name == "trim" && p.word("FROM") || n.name == "overlay" && p.word("PLACING") {
			n.args = append(n.args, p.expr())
			for n.name == "overlay" && (p.word("FROM") || p.word("FOR")) {
				n.args = append(n.args, p.expr())
			}
		}
		for p.symbol(",") {
			n.args = append(n.args, p.argument(further))
		}
	}
	p.expectSymbol(")")
	if p.word("WITHIN", "GROUP") {
		p.expectSymbol("(")
		p.expect("ORDER", "BY")
		n.within = p.orderItems()
		p.expectSymbol(")")
	}
	if p.word("FILTER") {
		p.expectSymbol("(")
		p.expect("WHERE")
		n.filter = p.expr()
		p.expectSymbol(")")
	}
	p.nulls(n)
	if p.word("OVER") {
		if p.isSymbol("(") {
			n.over = p.window()
		} else {
			n.over = &window{name: p.identifier()}
		}
	}
	return n
}

// trim reads trim(BOTH what FROM x), whose words tell which of the three functions it is.
func (p *parser) trim(n *call) bool {
	mark := p.i
	switch p.oneOf("BOTH", "LEADING", "TRAILING") {
	case "LEADING":
		n.name = "ltrim"
	case "TRAILING":
		n.name = "rtrim"
	case "":
		return false
	}
	if p.isSymbol(")") || p.isSymbol(",") || p.isSymbol(".") { // a column of that name
		p.i, n.name = mark, "trim"
		return false
	}
	if !p.is("FROM") {
		n.args = []expr{p.expr()}
	}
	p.expect("FROM")
	n.args = append(n.args, p.expr())
	return true
}

// nulls parses IGNORE NULLS or RESPECT NULLS after a call.
func (p *parser) nulls(n *call) {
	if p.word("RESPECT", "NULLS") || !p.is("IGNORE", "NULLS") {
		return
	}
	switch n.name {
	case "first", "last", "first_value", "last_value", "any_value":
		if p.peekAt(2).upper() != "OVER" && len(n.args) == 1 {
			p.i += 2
			n.args = append(n.args, &literal{typeBoolean, true, "true"})
			return
		}
	}
	fail(errUnsupported("IGNORE_NULLS", "IGNORE NULLS of "+n.name))
}

// argument parses the first argument of a call. The unit of date arithmetic is a bare word
// that would not resolve as a column, position(a IN b) must not read a predicate, and the
// arguments of struct may be named without AS.
func (p *parser) argument(name string) expr {
	switch name {
	case "position":
		return p.bitOr()
	case "dateadd", "date_add", "datediff", "date_diff", "timestampadd", "timestampdiff":
		t := p.peek()
		if t.kind == tokWord && p.peekAt(1).text == "," {
			switch unit := strings.TrimSuffix(t.upper(), "S"); unit {
			case "YEAR", "QUARTER", "MONTH", "WEEK", "DAY", "HOUR", "MINUTE", "SECOND", "MILLISECOND", "MICROSECOND":
				p.i++
				return &interval{nil, unit, t.at}
			}
		}
	}
	if params, ok := p.lambdaParams(); ok {
		return &lambda{params, p.expr(), p.peek().at}
	}
	x := p.expr()
	if p.word("AS") || name == "struct" && (p.peek().kind == tokQuoted || p.peek().kind == tokWord) {
		x = &aliased{x, p.anyIdentifier()}
	}
	return x
}

// lambdaParams takes the parameters of a lambda and its arrow, when one follows.
func (p *parser) lambdaParams() ([]string, bool) {
	isName := func(n int) bool { k := p.peekAt(n).kind; return k == tokWord || k == tokQuoted }
	if isName(0) && p.peekAt(1).text == "->" && p.peekAt(1).kind == tokSymbol {
		name := p.next().text
		p.i++
		return []string{name}, true
	}
	n := 1
	for ; isName(n) && p.peekAt(n+1).text == ","; n += 2 {
	}
	if !p.isSymbol("(") || !isName(n) || p.peekAt(n+1).text != ")" || p.peekAt(n+2).text != "->" {
		return nil, false
	}
	params := p.nameList()
	p.i++
	return params, true
}

func (p *parser) window() *window {
	w := &window{}
	p.expectSymbol("(")
	if p.word("PARTITION", "BY") || p.word("DISTRIBUTE", "BY") {
		w.partition = p.exprList()
	}
	if p.word("ORDER", "BY") || p.word("SORT", "BY") {
		w.order = p.orderItems()
	}
	if kind := p.oneOf("ROWS", "RANGE"); kind != "" {
		if p.word("BETWEEN") {
			lo := p.frameBound()
			p.expect("AND")
			w.frame = kind + " BETWEEN " + lo + " AND " + p.frameBound()
		} else {
			w.frame = kind + " " + p.frameBound()
		}
	}
	p.expectSymbol(")")
	return w
}

func (p *parser) frameBound() string {
	switch {
	case p.word("CURRENT", "ROW"):
		return "CURRENT ROW"
	case p.is("INTERVAL"):
		fail(errUnsupported("WINDOW_FRAME", "a window frame of an INTERVAL").placed(p.sql, p.peek().at))
	case p.word("UNBOUNDED"):
		if dir := p.oneOf("PRECEDING", "FOLLOWING"); dir != "" {
			return "UNBOUNDED " + dir
		}
	default:
		n := strconv.FormatInt(p.integer(), 10)
		if dir := p.oneOf("PRECEDING", "FOLLOWING"); dir != "" {
			return n + " " + dir
		}
	}
	p.unexpected("")
	return ""
}
