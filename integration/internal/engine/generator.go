package engine

import (
	"fmt"
	"strings"
)

// generators are the functions that make rows, such as explode. Outer ones, and those after LATERAL
// VIEW OUTER, make one row of NULLs if there is nothing to make rows of.
var generators = map[string]*generator{
	"explode": {}, "explode_outer": {outer: true},
	"posexplode": {position: true}, "posexplode_outer": {position: true, outer: true},
	"inline": {fields: true}, "inline_outer": {fields: true, outer: true},
}

type generator struct{ outer, position, fields bool }

// lateralView parses what follows LATERAL VIEW.
func (p *parser) lateralView() relation {
	n := &lateralRel{outer: p.word("OUTER")}
	n.gen = p.generator()
	if !p.is("AS") {
		n.alias = p.alias()
	}
	if p.word("AS") {
		n.columns = append(n.columns, p.anyIdentifier())
		for p.symbol(",") {
			n.columns = append(n.columns, p.anyIdentifier())
		}
	}
	return n
}

// tableFunction reads explode(...) [AS] alias(columns) in FROM.
func (p *parser) tableFunction() relation {
	n := &lateralRel{gen: p.generator()}
	n.alias, n.columns = p.tableAlias()
	return n
}

func (p *parser) generator() *call {
	at := p.peek().at
	name := p.identifier()
	n, ok := p.call(name, at).(*call)
	if !ok || generators[n.name] == nil {
		fail(errUnsupported("TABLE_VALUED_FUNCTION", "the table function "+name).placed(p.sql, at))
	}
	return n
}

// lateral binds a generator, which sees the columns to its left.
func (b *binder) lateral(s *scope, n *lateralRel, left []scopeColumn) from {
	at := &scope{columns: left}
	if s != nil {
		at.parent, at.ctes, at.with = s.parent, s.ctes, s.with
	}
	b.at = n.gen.at
	g := generators[n.gen.name]
	n.outer = n.outer || g.outer
	if len(n.gen.args) != 1 {
		fail(failure("WRONG_NUM_ARGS.WITHOUT_SUGGESTION", "42605", "The `%s` requires 1 parameters but the actual number is %d.", n.gen.name, len(n.gen.args)))
	}
	x := b.expr(at, n.gen.args[0])
	if x.typ.ID != Map {
		x = b.want(Array, x)
	}
	e := b.elements(x)
	var columns []bound
	add := func(name string, v bound) {
		v.name = name
		columns = append(columns, v)
	}
	if g.position {
		add("pos", e.column("pos", typeInt))
	}
	switch element := x.typ.element(); {
	case g.fields && (x.typ.ID != Array || element.ID != Struct):
		fail(errMismatch(n.gen.name+"("+x.name+")", "the parameter must be an array of structs."))
	case g.fields:
		for _, m := range element.Members() {
			add(m.Name, b.fields(e.column("value", element), m.Name))
		}
	case x.typ.ID == Map:
		add("key", e.column("value", element))
		add("value", e.column("val", x.typ.value()))
	default:
		add("col", e.column("value", element))
	}
	f := from{sql: e.from}
	for _, c := range columns {
		f.columns = append(f.columns, scopeColumn{qualifier: qualifiedName{name: n.alias}, name: c.name, typ: c.typ, sql: c.sql})
	}
	if len(left) == 0 && n.outer { // nothing to join to
		f.sql = "(SELECT 1) LEFT JOIN " + e.from + " ON 1"
	}
	rename(f.columns, n.columns)
	return f
}

// generated rewrites a SELECT list with a generator into a LATERAL VIEW. If the query groups, the
// generator's arguments are computed in an inner query first.
func generated(c *selectCore) *selectCore {
	at := -1
	for i, item := range c.items {
		n, ok := item.x.(*call)
		if !ok || generators[n.name] == nil || takesLambda(n) {
			continue
		}
		if at >= 0 {
			fail(failure("UNSUPPORTED_GENERATOR.MULTI_GENERATOR", "42K0E", "The generator is not supported: only one generator allowed per SELECT clause but found 2: \"%s\", \"%s\".", c.items[at].x.(*call).name, n.name))
		}
		at = i
	}
	if at < 0 {
		return c
	}
	gen := c.items[at].x.(*call)
	out := *c
	groups := len(c.group) > 0 || c.sets != nil || c.groupAll || c.having != nil
	for _, item := range c.items {
		groups = groups || hasAggregate(item.x)
	}
	const made = "\x02made" // a qualifier that SQL text cannot contain
	if groups {
		inner := *c
		inner.items = append([]selectItem{}, c.items...)
		out = selectCore{items: append([]selectItem{}, c.items...)}
		for i := range inner.items {
			if i == at && len(gen.args) == 1 {
				inner.items[i] = selectItem{x: gen.args[0]}
				gen = &call{name: gen.name, args: []expr{&nameRef{parts: []string{made, fmt.Sprint(i)}, at: gen.at}}, at: gen.at}
				continue
			}
			out.items[i] = selectItem{x: &nameRef{parts: []string{made, fmt.Sprint(i)}, at: gen.at}, alias: inner.items[i].alias}
		}
		names := make([]string, len(inner.items))
		for i := range names {
			names[i] = fmt.Sprint(i)
		}
		out.from = []relation{&subRel{q: &query{body: &inner}, alias: made, columns: names}}
	}
	view := &lateralRel{gen: gen, alias: "\x02generated"}
	if view.columns = c.items[at].aliases; view.columns == nil && c.items[at].alias != "" {
		view.columns = []string{c.items[at].alias}
	}
	out.from = append(out.from[:len(out.from):len(out.from)], view)
	items := append([]selectItem{}, out.items...)
	items[at] = selectItem{x: &star{qualifier: []string{view.alias}, at: gen.at}}
	out.items = items
	return &out
}

// structStar expands s.* for a column that is a STRUCT.
func (b *binder) structStar(s *scope, n *star) []bound {
	for at := s; at != nil; at = at.parent {
		x, ok := at.lookup(n.qualifier)
		if !ok || x.typ.ID != Struct {
			continue
		}
		var out []bound
		for _, m := range x.typ.Members() {
			if !containsFold(n.except, m.Name) {
				out = append(out, b.fields(x, m.Name))
			}
		}
		return out
	}
	return nil
}

// isGenerated keeps the columns of a generator in the SELECT list out of SELECT *.
func (c *scopeColumn) isGenerated() bool { return strings.HasPrefix(c.qualifier.name, "\x02generated") }
