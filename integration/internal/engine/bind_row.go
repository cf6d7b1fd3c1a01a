package engine

import (
	"fmt"
	"strings"
)

// rows are the two sides of a comparison when both are rows.
func rows(l, r expr) (*row, *row, bool) {
	a, isRow := l.(*row)
	c, bothRows := r.(*row)
	return a, c, isRow && bothRows
}

// compareRows compares field by field.
func (b *binder) compareRows(op string, l, r []bound) bound {
	if len(l) != len(r) {
		fail(failure("DATATYPE_MISMATCH.BINARY_OP_DIFF_TYPES", "42K09",
			"Cannot resolve a comparison of rows due to data type mismatch: the left side has %d fields, the right side has %d.", len(l), len(r)))
	}
	name := op
	if op == "<=>" {
		op = "IS"
	}
	left, right := make([]string, len(l)), make([]string, len(l))
	for i := range l {
		v, _ := b.unify(op, l[i], r[i])
		left[i], right[i] = sortable(v[0]), v[1].sql
	}
	return bound{
		sql: "((" + strings.Join(left, ",") + ") " + op + " (" + strings.Join(right, ",") + "))", typ: typeBoolean,
		name: fmt.Sprintf("(%s %s %s)", structName(l), name, structName(r)),
	}
}

func structName(fields []bound) string {
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.name
	}
	return "struct(" + strings.Join(names, ", ") + ")"
}

func (b *binder) rowInList(s *scope, x *row, list []expr) bound {
	left := b.exprs(s, x.items)
	var texts, names []string
	for _, item := range list {
		r, ok := item.(*row)
		if !ok {
			fail(failure("DATATYPE_MISMATCH.DATA_DIFF_TYPES", "42K09", "Cannot resolve \"IN\" due to data type mismatch: a row can be compared with rows only."))
		}
		right := b.exprs(s, r.items)
		texts, names = append(texts, b.compareRows("=", left, right).sql), append(names, structName(right))
	}
	return bound{sql: "(" + strings.Join(texts, " OR ") + ")", typ: typeBoolean, name: "(" + structName(left) + " IN (" + strings.Join(names, ", ") + "))"}
}

func (b *binder) rowInQuery(s *scope, x *row, query *query) bound {
	left := b.exprs(s, x.items)
	q := b.subquery(s, query)
	if len(q.columns) != len(left) {
		fail(failure("DATATYPE_MISMATCH.IN_SUBQUERY_LENGTH_MISMATCH", "42K09",
			"Cannot resolve the IN predicate due to data type mismatch: the number of columns in the left hand side of an IN subquery does not match the number of columns in the output of the subquery. #columns in left hand side: %d, right hand side: %d.", len(left), len(q.columns)))
	}
	alias := b.fresh("r")
	keys, picks := make([]string, len(left)), make([]string, len(left))
	for i, l := range left {
		v, _ := b.unify("in", l, bound{sql: fmt.Sprintf("%s.o%d", alias, i), typ: q.columns[i].typ, name: q.columns[i].name})
		keys[i], picks[i] = sortable(v[0]), v[1].sql
	}
	return bound{
		sql: "((" + strings.Join(keys, ",") + ") IN (SELECT " + strings.Join(picks, ",") + " FROM (" + q.sql + ") AS " + alias + "))", typ: typeBoolean,
		name: "(" + structName(left) + " IN (listquery()))",
	}
}
