package engine

import (
	"fmt"
	"strings"
)

// query binds a whole query.
func (b *binder) query(outer *scope, q *query) boundQuery {
	s := &scope{parent: outer}
	b.with(s, q)
	var r boundQuery
	if core, ok := q.body.(*selectCore); ok {
		r = b.selectCore(s, core, q)
	} else {
		r = b.ordered(s, q)
	}
	r.sql = withText(&scope{with: s.with}) + r.sql
	return r
}

// with binds the CTEs of a query and adds them to s.
func (b *binder) with(s *scope, q *query) {
	if len(q.with) == 0 {
		return
	}
	s.ctes = map[string]*boundCTE{}
	for _, c := range q.with {
		b.at = c.at
		key := strings.ToLower(c.name)
		if q.recursive {
			if s.ctes[key] = b.recursive(s, c); s.ctes[key] != nil {
				continue
			}
		}
		r := b.query(s, c.q)
		nameColumns(r.columns, c)
		s.ctes[key] = &boundCTE{stored: b.fresh("w"), columns: r.columns, sql: r.sql}
		s.with = append(s.with, s.ctes[key])
	}
}

// withText is the WITH clause of everything a scope sees, outermost first. A CTE that is read
// several times is computed once; without MATERIALIZED, SQLite would not always do that.
func withText(s *scope) string {
	var parts []string
	for ; s != nil; s = s.parent {
		var own []string
		for _, c := range s.with {
			as := ") AS ("
			if c.uses > 1 {
				as = ") AS MATERIALIZED ("
			}
			own = append(own, c.stored+"("+outNames(len(c.columns))+as+c.sql+")")
		}
		parts = append(own, parts...)
	}
	if len(parts) == 0 {
		return ""
	}
	return "WITH " + strings.Join(parts, ", ") + " "
}

func nameColumns(columns []outColumn, c cte) {
	if len(c.columns) == 0 {
		return
	}
	if len(c.columns) != len(columns) {
		fail(failure("ASSIGNMENT_ARITY_MISMATCH", "42802", "The number of columns of CTE %s (%d) does not match its query (%d).", quoteParts(c.name), len(c.columns), len(columns)))
	}
	for i := range columns {
		columns[i].name = c.columns[i]
	}
}

func outNames(n int) string {
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf("o%d", i)
	}
	return strings.Join(names, ",")
}

// ordered binds a body other than SELECT, whose ORDER BY sees only its output.
func (b *binder) ordered(s *scope, q *query) boundQuery {
	var r boundQuery
	switch body := q.body.(type) {
	case *query:
		r = b.query(s, body)
	case *valuesList:
		r = b.values(s, body)
	case *setOp:
		r = b.setOp(s, body)
	}
	if len(q.order) == 0 && q.limit == nil && q.offset == nil {
		return r
	}
	f := b.derived(r, qualifiedName{}, nil)
	at := &scope{parent: s.parent, ctes: s.ctes, columns: f.columns}
	items := make([]bound, len(f.columns))
	for i, c := range f.columns {
		items[i] = bound{sql: c.sql, typ: c.typ, name: c.name}
	}
	r.sql = "SELECT * FROM " + f.sql + orderText(b.order(at, q.order, items)) + b.limits(q)
	return r
}

func (b *binder) values(s *scope, v *valuesList) boundQuery {
	width := len(v.rows[0])
	rows := make([][]bound, len(v.rows))
	for i, row := range v.rows {
		if len(row) != width {
			fail(failure("INVALID_INLINE_TABLE.NUM_COLUMNS_MISMATCH", "42000",
				"Invalid inline table. Inline table expected %d columns but found %d columns in row %d.", width, len(row), i))
		}
		rows[i] = b.exprs(s, row)
	}
	r := boundQuery{columns: make([]outColumn, width)}
	for c := range width {
		column := make([]bound, len(rows))
		for i := range rows {
			column[i] = rows[i][c]
		}
		column, t := b.unify("values", column...)
		for i := range rows {
			rows[i][c] = column[i]
		}
		r.columns[c] = outColumn{fmt.Sprintf("col%d", c+1), t}
	}
	var text strings.Builder
	text.WriteString("SELECT ")
	for c := range width {
		if c > 0 {
			text.WriteByte(',')
		}
		fmt.Fprintf(&text, "column%d AS o%d", c+1, c)
	}
	text.WriteString(" FROM (VALUES ")
	for i, row := range rows {
		if i > 0 {
			text.WriteByte(',')
		}
		for c, x := range row {
			text.WriteByte("(,"[min(c, 1)])
			text.WriteString(x.sql)
		}
		text.WriteByte(')')
	}
	text.WriteString(")")
	r.sql = text.String()
	return r
}

func (b *binder) sameWidth(op string, l, r boundQuery) {
	if len(l.columns) != len(r.columns) {
		fail(failure("NUM_COLUMNS_MISMATCH", "42826",
			"%s can only be performed on inputs with the same number of columns, but the first input has %d columns and the second input has %d columns.", op, len(l.columns), len(r.columns)))
	}
}

func (b *binder) setOp(s *scope, n *setOp) boundQuery {
	l, r := b.query(s, n.l), b.query(s, n.r)
	b.sameWidth(n.op, l, r)
	out := boundQuery{columns: make([]outColumn, len(l.columns))}
	var ls, rs []string
	la, ra := b.fresh("r"), b.fresh("r")
	for i := range l.columns {
		v, t := b.unify(strings.ToLower(n.op),
			bound{sql: fmt.Sprintf("%s.o%d", la, i), typ: l.columns[i].typ, name: l.columns[i].name},
			bound{sql: fmt.Sprintf("%s.o%d", ra, i), typ: r.columns[i].typ, name: r.columns[i].name})
		out.columns[i] = outColumn{l.columns[i].name, t}
		ls = append(ls, fmt.Sprintf("%s AS o%d", v[0].sql, i))
		rs = append(rs, fmt.Sprintf("%s AS o%d", v[1].sql, i))
	}
	left := fmt.Sprintf("SELECT %s FROM (%s) AS %s", strings.Join(ls, ","), l.sql, la)
	right := fmt.Sprintf("SELECT %s FROM (%s) AS %s", strings.Join(rs, ","), r.sql, ra)
	switch {
	case !n.all:
		out.sql = left + " " + n.op + " " + right
	case n.op == "UNION":
		out.sql = left + " UNION ALL " + right
	default: // equal rows are distinguished by their number
		names := outNames(len(out.columns))
		numbered := "SELECT " + names + ", row_number() OVER (PARTITION BY " + names + ") AS n FROM (%s)"
		out.sql = fmt.Sprintf("SELECT "+names+" FROM ("+numbered+" "+n.op+" "+numbered+")", left, right)
	}
	return out
}

// selectCore binds SELECT ... together with the ORDER BY and LIMIT of its query.
func (b *binder) selectCore(s *scope, c *selectCore, q *query) boundQuery {
	c = generated(c)
	references := b.references()
	f := b.relations(s, c.from)
	recursing := b.references() > references
	s.columns, s.windows, s.lateral = f.columns, c.windows, map[string]bound{}
	where := f.filters
	if c.where != nil {
		where = append(where, b.condition(b.expr(s, c.where), "FILTER_NOT_BOOLEAN").sql)
	}
	var group string
	if c.sets != nil {
		f.sql, group = b.groupingSets(s, c, f.sql, where)
		where = nil
	} else {
		group = b.groupBy(s, c)
	}

	var items []bound
	var columns []outColumn
	for _, item := range c.items {
		for _, x := range b.selectItem(s, item) {
			b.grouped(s, x)
			items = append(items, x)
			columns = append(columns, outColumn{x.name, x.typ})
		}
	}
	having := ""
	if c.having != nil {
		x := b.condition(b.expr(s, c.having), "FILTER_NOT_BOOLEAN")
		b.grouped(s, x)
		having = " HAVING " + x.sql
		if s.groups == nil {
			group = " GROUP BY NULL"
		}
	}
	if recursing && s.groups != nil {
		fail(errRecursivePlace())
	}
	order := b.order(s, q.order, items)
	b.serve(s, c, q)

	var text strings.Builder
	text.WriteString("SELECT ")
	if c.distinct {
		text.WriteString("DISTINCT ")
	}
	for i, x := range items {
		if i > 0 {
			text.WriteByte(',')
		}
		fmt.Fprintf(&text, "%s AS o%d", x.sql, i)
	}
	if c.qualify != nil {
		cond := b.condition(b.expr(s, c.qualify), "FILTER_NOT_BOOLEAN")
		fmt.Fprintf(&text, ",%s AS keep", cond.sql)
		for i := range order {
			fmt.Fprintf(&text, ",%s AS k%d", order[i].x.sql, i)
			order[i].x.sql = fmt.Sprintf("k%d", i)
		}
	}
	if f.sql != "" {
		text.WriteString(" FROM " + f.sql)
	}
	if len(where) > 0 {
		text.WriteString(" WHERE " + strings.Join(where, " AND "))
	}
	text.WriteString(group + having)
	r := boundQuery{text.String(), columns}
	if c.qualify != nil {
		r.sql = "SELECT " + outNames(len(items)) + " FROM (" + r.sql + ") WHERE keep"
	}
	r.sql += orderText(order) + b.limits(q)
	return r
}

// selectItem binds one item; a star becomes all its columns.
func (b *binder) selectItem(s *scope, item selectItem) []bound {
	n, ok := item.x.(*star)
	if !ok {
		x := b.expr(s, item.x)
		if item.alias != "" {
			x.name = item.alias
			key := strings.ToLower(item.alias)
			if _, taken := s.lateral[key]; !taken {
				s.lateral[key] = x
			}
		}
		return []bound{x}
	}
	var out []bound
	for i := range s.columns {
		c := &s.columns[i]
		if len(n.qualifier) == 0 && (c.hidden || c.isGenerated()) {
			continue
		}
		if len(n.qualifier) > 0 && !c.matches(append(append([]string{}, n.qualifier...), c.name)) {
			continue
		}
		if containsFold(n.except, c.name) {
			continue
		}
		if s.groups != nil && s.groups.replace[c.sql] != "" {
			out = append(out, bound{sql: s.groups.replace[c.sql], typ: c.typ, name: c.name})
			continue
		}
		if s.groups != nil && !s.groups.exprs[c.sql] {
			s.groups.ungrouped = append(s.groups.ungrouped, c.name)
		}
		out = append(out, bound{sql: c.sql, typ: c.typ, name: c.name})
	}
	if len(out) == 0 {
		if len(n.qualifier) > 0 {
			if out = b.structStar(s, n); out != nil {
				return out
			}
			fail(failure("CANNOT_RESOLVE_STAR_EXPAND", "42704", "Cannot resolve %s.* given input columns. Please check that the specified table or struct exists and is accessible in the input columns.", quoteParts(n.qualifier...)))
		}
		fail(failure("INVALID_USAGE_OF_STAR_OR_REGEX", "42000", "Invalid usage of '*' in expression."))
	}
	return out
}

func containsFold(list []string, name string) bool {
	for _, n := range list {
		if strings.EqualFold(n, name) {
			return true
		}
	}
	return false
}

// groupBy binds GROUP BY. Columns are checked against it afterwards.
func (b *binder) groupBy(s *scope, c *selectCore) string {
	list := c.group
	aggregates := false
	for _, item := range c.items {
		aggregates = aggregates || hasAggregate(item.x)
	}
	if c.groupAll {
		for _, item := range c.items {
			if !hasAggregate(item.x) {
				list = append(list[:len(list):len(list)], item.x)
			}
		}
	}
	if len(list) == 0 && !aggregates && (c.having == nil || !hasAggregate(c.having)) {
		return ""
	}
	g := &grouping{exprs: map[string]bool{}}
	var texts []string
	for _, x := range list {
		x = b.groupTarget(s, c, x)
		if hasAggregate(x) {
			fail(failure("GROUP_BY_AGGREGATE", "42903", "Aggregate functions are not allowed in GROUP BY."))
		}
		v := b.expr(s, x)
		g.exprs[v.sql] = true
		if v.konst {
			v.sql = "NULL" // a bare integer would be a position
		}
		texts = append(texts, v.sql)
	}
	s.groups = g
	if len(texts) == 0 {
		return ""
	}
	return " GROUP BY " + strings.Join(texts, ",")
}

// groupTarget resolves a position or the alias of a select item.
func (b *binder) groupTarget(s *scope, c *selectCore, x expr) expr {
	switch n := x.(type) {
	case *literal:
		if i, ok := n.value.(int64); ok && n.typ.ID == Int {
			if i < 1 || int(i) > len(c.items) {
				fail(failure("GROUP_BY_POS_OUT_OF_RANGE", "42805", "GROUP BY position %d is not in select list (valid range is [1, %d]).", i, len(c.items)))
			}
			return c.items[i-1].x
		}
	case *nameRef:
		if len(n.parts) > 1 || pick(n.parts[0], s.columns) != nil {
			return x
		}
		for _, item := range c.items {
			if strings.EqualFold(item.alias, n.parts[0]) {
				return item.x
			}
		}
	}
	return x
}

// grouped fails when an expression used a column that is neither grouped nor aggregated.
func (b *binder) grouped(s *scope, x bound) {
	if s.groups != nil && len(s.groups.ungrouped) > 0 {
		fail(failure("MISSING_AGGREGATION", "42803",
			"The non-aggregating expression \"%s\" is based on columns which are not participating in the GROUP BY clause.\n"+
				"Add the columns or the expression to the GROUP BY, aggregate the expression, or use \"any_value(%s)\" if you do not care which of the values within a group is returned.",
			s.groups.ungrouped[0], s.groups.ungrouped[0]))
	}
}

type sortKey struct {
	x     bound
	desc  bool
	nulls string
}

// order binds ORDER BY: positions and aliases mean output columns, everything else is bound
// like a select item.
func (b *binder) order(s *scope, list []orderItem, items []bound) []sortKey {
	var keys []sortKey
	for _, o := range list {
		if o.all {
			for _, x := range items {
				if !x.konst {
					keys = append(keys, sortKey{x, o.desc, o.nulls})
				}
			}
			continue
		}
		k := sortKey{desc: o.desc, nulls: o.nulls}
		switch n := o.x.(type) {
		case *literal:
			if i, ok := n.value.(int64); ok && n.typ.ID == Int {
				if i < 1 || int(i) > len(items) {
					fail(failure("ORDER_BY_POS_OUT_OF_RANGE", "42805", "ORDER BY position %d is not in select list (valid range is [1, %d]).", i, len(items)))
				}
				k.x = items[i-1]
			}
		case *nameRef:
			if len(n.parts) == 1 {
				for _, x := range items {
					if strings.EqualFold(x.name, n.parts[0]) {
						k.x = x
						break
					}
				}
			}
		}
		if k.x.sql == "" {
			k.x = b.expr(s, o.x)
			b.grouped(s, k.x)
		}
		if !k.x.konst { // a constant does not sort, and a bare integer would be a position
			keys = append(keys, k)
		}
	}
	return keys
}

func orderText(keys []sortKey) string {
	var texts []string
	for _, k := range keys {
		t := sortable(k.x)
		if k.desc {
			t += " DESC"
		}
		if k.nulls != "" {
			t += " NULLS " + k.nulls
		}
		texts = append(texts, t)
	}
	if len(texts) == 0 {
		return ""
	}
	return " ORDER BY " + strings.Join(texts, ", ")
}

func (b *binder) limits(q *query) string {
	text := ""
	count := func(what string, x expr) string {
		v := b.coerce(b.expr(nil, x), typeBigInt)
		if !v.konst {
			fail(errUnsupported("LIMIT", "a "+what+" that is computed, "+v.name))
		}
		n, ok := v.value.(int64)
		if !ok || n < 0 {
			fail(failure("INVALID_LIMIT_LIKE_EXPRESSION.IS_NEGATIVE", "42K0E", "The limit like expression \"%s\" is invalid. The %s expression must be a constant equal to or greater than 0.", v.name, what))
		}
		return v.sql
	}
	switch {
	case q.limit != nil:
		text = " LIMIT " + count("limit", q.limit)
	case q.offset != nil:
		text = " LIMIT -1"
	}
	if q.offset != nil {
		text += " OFFSET " + count("offset", q.offset)
	}
	return text
}
