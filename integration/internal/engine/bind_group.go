package engine

import (
	"fmt"
	"strings"
)

// groupingSets binds GROUP BY with several grouping sets. Every row of FROM is repeated once per
// set, with the grouped expressions that are not in the set replaced by NULL, and the repeated rows
// are grouped at once. Aggregate functions read the columns as they were. The result is the text of
// the new FROM clause and of GROUP BY; s sees the repeated rows afterwards.
func (b *binder) groupingSets(s *scope, c *selectCore, from string, where []string) (sql, group string) {
	// The distinct grouped expressions, in order of appearance.
	position := map[string]int{}
	var exprs []expr
	var values []bound
	masks := make([]int64, len(c.sets))
	members := make([][]int, len(c.sets))
	for i, set := range c.sets {
		for _, x := range set {
			x = b.groupTarget(s, c, x)
			if hasAggregate(x) {
				fail(failure("GROUP_BY_AGGREGATE", "42903", "Aggregate functions are not allowed in GROUP BY."))
			}
			v := b.expr(s, x)
			at, known := position[v.sql]
			if !known {
				at = len(exprs)
				position[v.sql] = at
				exprs, values = append(exprs, x), append(values, v)
			}
			members[i] = append(members[i], at)
		}
	}
	if len(exprs) > 62 {
		fail(failure("GROUPING_SIZE_LIMIT_EXCEEDED", "54000", "Grouping sets size cannot be greater than %d.", 62))
	}
	sets, rows := b.fresh("s"), b.fresh("r")
	var list []string
	for i := range masks {
		masks[i] = 1<<len(exprs) - 1
		for _, at := range members[i] {
			masks[i] &^= bit(at, len(exprs))
		}
		list = append(list, fmt.Sprintf("(%d,%d)", i, masks[i]))
	}
	picks := []string{sets + ".column1 AS pos", sets + ".column2 AS gid"}
	keys := []string{rows + ".pos", rows + ".gid"}
	for i, v := range values {
		picks = append(picks, fmt.Sprintf("CASE WHEN %s.column2 & %d = 0 THEN %s END AS g%d", sets, bit(i, len(exprs)), v.sql, i))
		keys = append(keys, fmt.Sprintf("%s.g%d", rows, i))
	}
	for i := range s.columns {
		picks = append(picks, fmt.Sprintf("%s AS c%d", s.columns[i].sql, i))
	}
	sql = "(VALUES " + strings.Join(list, ",") + ") AS " + sets
	if from != "" {
		sql = from + " CROSS JOIN " + sql
	}
	sql = "SELECT " + strings.Join(picks, ",") + " FROM " + sql
	if len(where) > 0 {
		sql += " WHERE " + strings.Join(where, " AND ")
	}
	columns := make([]scopeColumn, len(s.columns))
	for i, col := range s.columns {
		col.sql = fmt.Sprintf("%s.c%d", rows, i)
		columns[i] = col
	}
	s.columns = columns
	g := &grouping{exprs: map[string]bool{}, replace: map[string]string{}, bits: map[string]int{}, gid: rows + ".gid"}
	for i, x := range exprs {
		text := b.expr(s, x).sql
		g.exprs[text], g.replace[text], g.bits[text] = true, fmt.Sprintf("%s.g%d", rows, i), len(exprs)-1-i
	}
	s.groups = g
	return "(" + sql + ") AS " + rows, " GROUP BY " + strings.Join(keys, ",")
}

// bit is that of the i-th of n expressions: the first is the most significant.
func bit(i, n int) int64 { return 1 << (n - 1 - i) }

// groupingCall binds grouping(x) and grouping_id(x, ...).
func (b *binder) groupingCall(s *scope, n *call) bound {
	if s == nil || s.groups == nil || s.groups.gid == "" {
		fail(failure("UNSUPPORTED_GROUPING_EXPRESSION", "42K0E", "grouping()/grouping_id() can only be used with GroupingSets/Cube/Rollup."))
	}
	g := s.groups
	g.inside++ // the argument is looked up, not evaluated
	args := b.exprs(s, n.args)
	g.inside--
	r := bound{typ: typeBigInt, sql: g.gid, name: signature(n, args)}
	if n.name == "grouping" {
		r.typ = Type{ID: TinyInt}
		if len(args) != 1 {
			fail(failure("WRONG_NUM_ARGS.WITHOUT_SUGGESTION", "42605", "The `grouping` requires 1 parameters but the actual number is %d.", len(args)))
		}
	}
	if len(args) == 0 {
		return r
	}
	var parts []string
	for i, a := range args {
		at, ok := g.bits[a.sql]
		if !ok {
			fail(failure("GROUPING_COLUMN_MISMATCH", "42803", "Column of grouping (%s) can't be found in grouping columns.", a.name))
		}
		parts = append(parts, fmt.Sprintf("((%s>>%d&1)<<%d)", g.gid, at, len(args)-1-i))
	}
	r.sql = "(" + strings.Join(parts, "+") + ")"
	return r
}
