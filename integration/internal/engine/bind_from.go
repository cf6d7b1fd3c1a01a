package engine

import (
	"fmt"
	"strings"
)

// from is a bound FROM clause, or a part of one.
type from struct {
	sql     string
	columns []scopeColumn
	filters []string // conditions of semi and anti joins, which become part of WHERE
}

// relations binds the comma list of a FROM clause.
func (b *binder) relations(s *scope, list []relation) from {
	var all from
	var texts []string
	for _, r := range list {
		var f from
		if n, ok := r.(*lateralRel); ok {
			if f = b.lateral(s, n, all.columns); n.outer && len(texts) > 0 {
				texts = []string{strings.Join(texts, " CROSS JOIN ") + " LEFT JOIN " + f.sql + " ON 1"}
				all.columns = append(all.columns, f.columns...)
				continue
			}
		} else {
			f = b.relation(s, r)
			// A comma binds looser than JOIN, but SQLite treats both alike.
			if _, join := r.(*joinRel); join && len(texts) > 0 {
				f.sql = "(" + f.sql + ")"
			}
		}
		texts = append(texts, f.sql)
		all.columns = append(all.columns, f.columns...)
		all.filters = append(all.filters, f.filters...)
	}
	all.sql = strings.Join(texts, " CROSS JOIN ")
	return all
}

func (b *binder) relation(s *scope, r relation) from {
	switch n := r.(type) {
	case *tableRel:
		return b.tableRelation(s, n)
	case *subRel:
		q := b.query(s.withoutColumns(), n.q)
		return b.derived(q, qualifiedName{name: n.alias}, n.columns)
	case *rangeRel:
		return b.rangeRelation(s, n)
	case *lateralRel:
		return b.lateral(s, n, nil)
	case *joinRel:
		return b.join(s, n)
	}
	fail(failure("INTERNAL_ERROR", "XX000", "Unknown relation %T.", r))
	return from{}
}

// withoutColumns hides the columns of the FROM clause being bound: a derived table sees CTEs
// but not its siblings.
func (s *scope) withoutColumns() *scope {
	if s == nil {
		return nil
	}
	return &scope{parent: s.parent, ctes: s.ctes, with: s.with}
}

func (b *binder) tableRelation(s *scope, n *tableRel) from {
	b.at = n.at
	qualifier := qualifiedName{name: n.alias}
	if len(n.parts) == 1 {
		if c := s.cte(n.parts[0]); c != nil {
			if qualifier.name == "" {
				qualifier.name = n.parts[0]
			}
			alias := b.fresh("r")
			if c.self != nil {
				c.self.reference(b)
				return b.aliased(c.self.rows+" AS "+alias, alias, c.self.columns, qualifier, n.columns)
			}
			c.uses++
			return b.aliased(c.stored+" AS "+alias, alias, c.columns, qualifier, n.columns)
		}
	}
	t := b.table(n.parts)
	if qualifier.name == "" {
		qualifier = t.name
	}
	if t.view != nil {
		return b.derived(b.view(t), qualifier, n.columns)
	}
	b.stored = true
	alias := b.fresh("r")
	f := from{sql: t.stored + " AS " + alias}
	for _, c := range t.columns {
		f.columns = append(f.columns, scopeColumn{qualifier: qualifier, name: c.name, typ: c.typ, sql: alias + "." + c.stored})
	}
	rename(f.columns, n.columns)
	return f
}

// view binds the query of a view at each use, with the names that were current when the view was
// created.
func (b *binder) view(t *table) boundQuery {
	if b.views >= 20 {
		fail(failure("VIEW_EXCEED_MAX_NESTED_DEPTH", "54K00", "The depth of view %s exceeds the maximum view resolution depth (%d).", t.name, 20))
	}
	v := t.view
	inner := *b
	inner.catalog, inner.schema, inner.params = v.catalog, v.schema, nil
	if t.name.catalog != "" { // a permanent view cannot see temporary ones
		inner.views++
	}
	q := inner.query(nil, v.q)
	b.serial, b.stored, b.hint, b.loops = inner.serial, inner.stored, inner.hint, inner.loops
	for i := range q.columns {
		if i < len(t.columns) {
			q.columns[i].name = t.columns[i].name
		}
	}
	return q
}

// derived makes a relation of a query.
func (b *binder) derived(q boundQuery, qualifier qualifiedName, names []string) from {
	alias := b.fresh("r")
	return b.aliased("("+q.sql+") AS "+alias, alias, q.columns, qualifier, names)
}

func (b *binder) aliased(sql, alias string, columns []outColumn, qualifier qualifiedName, names []string) from {
	f := from{sql: sql}
	for i, c := range columns {
		f.columns = append(f.columns, scopeColumn{qualifier: qualifier, name: c.name, typ: c.typ, sql: fmt.Sprintf("%s.o%d", alias, i)})
	}
	rename(f.columns, names)
	return f
}

func rename(columns []scopeColumn, names []string) {
	if len(names) == 0 {
		return
	}
	if len(names) != len(columns) {
		fail(failure("NUM_COLUMNS_MISMATCH", "42826", "Number of column aliases does not match number of columns. Number of column aliases: %d; number of columns: %d.", len(names), len(columns)))
	}
	for i := range columns {
		columns[i].name = names[i]
	}
}

func (b *binder) rangeRelation(s *scope, n *rangeRel) from {
	b.at = n.at
	if len(n.args) < 1 || len(n.args) > 4 {
		fail(failure("WRONG_NUM_ARGS.WITHOUT_SUGGESTION", "42605", "The `range` requires [1, 2, 3, 4] parameters but the actual number is %d.", len(n.args)))
	}
	bounds, sizes := []string{"0", "0", "1"}, [3]int64{0, 0, 1} // start, end, step
	for i, x := range n.args {
		v := b.coerce(b.expr(nil, x), typeBigInt)
		if !v.konst || v.value == nil {
			fail(failure("UNEXPECTED_INPUT_TYPE", "42K09", "The arguments of `range` must be integer constants, not \"%s\".", v.name))
		}
		if i == 2 && v.value.(int64) == 0 {
			fail(failure("INVALID_PARAMETER_VALUE.STEP", "22023", "The value of parameter(s) `step` in `range` is invalid: it must not be 0."))
		}
		if len(n.args) == 1 {
			i = 1
		}
		if i < 3 { // the fourth is the number of partitions
			bounds[i], sizes[i] = v.sql, v.value.(int64)
		}
	}
	b.hint = max(b.hint, int(min(rangeSize(sizes[0], sizes[1], sizes[2]), maxHint)))
	alias := b.fresh("r")
	qualifier := qualifiedName{name: n.alias}
	if n.alias == "" {
		qualifier.name = "range"
	}
	f := from{
		sql:     "dbx_range(" + strings.Join(bounds, ",") + ") AS " + alias,
		columns: []scopeColumn{{qualifier: qualifier, name: "id", typ: typeBigInt, sql: alias + ".id"}},
	}
	rename(f.columns, n.columns)
	return f
}

func (b *binder) join(s *scope, n *joinRel) from {
	var l, r from
	b.bar(n.kind == "RIGHT" || n.kind == "FULL", func() { l = b.relation(s, n.l) })
	b.bar(n.kind != "INNER" && n.kind != "CROSS" && n.kind != "RIGHT", func() {
		if lateral, ok := n.r.(*lateralRel); ok {
			r = b.lateral(s, lateral, l.columns)
			return
		}
		r = b.relation(s, n.r)
	})
	if (n.kind == "RIGHT" || n.kind == "FULL") && len(l.filters) > 0 || n.kind != "INNER" && n.kind != "CROSS" && len(r.filters) > 0 {
		fail(errUnsupported("JOIN", "an outer join over a semi or anti join; put the semi join into a subquery"))
	}
	using := n.using
	if n.natural {
		using = shared(l.columns, r.columns)
	}
	// The condition sees both sides and the enclosing queries.
	both := &scope{columns: append(append([]scopeColumn{}, l.columns...), r.columns...)}
	if s != nil {
		both.parent, both.ctes, both.with = s.parent, s.ctes, s.with
	}
	var conds []string
	out := from{filters: append(l.filters, r.filters...)}
	merged := b.merge(n.kind, using, l.columns, r.columns, &conds)
	if n.on != nil {
		conds = append(conds, b.condition(b.expr(both, n.on), "JOIN_CONDITION").sql)
	}
	on := strings.Join(conds, " AND ")
	if _, nested := n.r.(*joinRel); nested {
		r.sql = "(" + r.sql + ")"
	}
	switch n.kind {
	case "SEMI", "ANTI":
		if on == "" {
			on = "1"
		}
		not := ""
		if n.kind == "ANTI" {
			not = "NOT "
		}
		out.sql = l.sql
		out.columns = l.columns
		out.filters = append(out.filters, not+"EXISTS (SELECT 1 FROM "+r.sql+" WHERE "+on+")")
		return out
	}
	kind := n.kind + " JOIN "
	if on == "" && n.kind == "INNER" {
		kind = "CROSS JOIN "
	}
	out.sql = l.sql + " " + kind + r.sql
	switch {
	case on != "":
		out.sql += " ON " + on
	case n.kind != "INNER" && n.kind != "CROSS":
		out.sql += " ON 1"
	}
	out.columns = append(append(merged, l.columns...), r.columns...)
	return out
}

// merge joins the columns of USING into one each, and hides the originals.
func (b *binder) merge(kind string, using []string, l, r []scopeColumn, conds *[]string) []scopeColumn {
	var merged []scopeColumn
	for _, name := range using {
		lc, rc := pick(name, l), pick(name, r)
		if lc == nil || rc == nil {
			side, missing := "left", l
			if lc != nil {
				side, missing = "right", r
			}
			var candidates []string
			for i := range missing {
				candidates = append(candidates, quoteParts(missing[i].name))
			}
			fail(failure("UNRESOLVED_USING_COLUMN_FOR_JOIN", "42703",
				"USING column %s cannot be resolved on the %s side of the join. The %s-side columns: [%s].", quoteParts(name), side, side, strings.Join(candidates, ", ")))
		}
		eq := b.compare("=", bound{sql: lc.sql, typ: lc.typ}, bound{sql: rc.sql, typ: rc.typ})
		*conds = append(*conds, eq.sql)
		m := scopeColumn{name: name, typ: lc.typ, sql: lc.sql}
		switch kind {
		case "SEMI", "ANTI":
			continue
		case "RIGHT":
			m.typ, m.sql = rc.typ, rc.sql
		case "FULL":
			v, t := b.unify("coalesce", bound{sql: lc.sql, typ: lc.typ}, bound{sql: rc.sql, typ: rc.typ})
			m.typ, m.sql = t, "coalesce("+v[0].sql+","+v[1].sql+")"
		}
		lc.hidden, rc.hidden = true, true
		merged = append(merged, m)
	}
	return merged
}

func pick(name string, columns []scopeColumn) *scopeColumn {
	for i := range columns {
		if columns[i].matches([]string{name}) {
			return &columns[i]
		}
	}
	return nil
}

func shared(l, r []scopeColumn) []string {
	var names []string
	for i := range l {
		if !l[i].hidden && pick(l[i].name, r) != nil {
			names = append(names, l[i].name)
		}
	}
	return names
}
