package engine

import (
	"fmt"
	"slices"
	"strings"
)

// counts is the row with which Databricks answers a change.
func counts(names []string, values ...int64) *Result {
	res := &Result{Rows: 1, Updated: values[0], Query: true}
	for i, n := range names {
		res.Columns = append(res.Columns, Column{Name: n, Type: typeBigInt, Ints: []int64{values[i]}})
	}
	return res
}

const (
	affected = "num_affected_rows"
	updated  = "num_updated_rows"
	deleted  = "num_deleted_rows"
	inserted = "num_inserted_rows"
)

func (r *run) dml(stmt statement) (*Result, error) {
	switch n := stmt.(type) {
	case *insert:
		return r.insert(n)
	case *update:
		return r.update(n)
	case *deleteFrom:
		return r.delete(n)
	case *merge:
		return r.merge(n)
	case *truncate:
		t := r.target(n.parts, "TRUNCATE TABLE")
		if _, err := r.transaction("DELETE FROM " + t.stored); err != nil {
			return nil, err
		}
	}
	return done(), nil
}

// target finds the table to change.
func (r *run) target(parts []string, verb string) *table {
	t := r.b.table(parts)
	if t.view != nil || t.stored == "" {
		fail(failure("EXPECT_TABLE_NOT_VIEW.NO_ALTERNATIVE", "42809", "'%s' expects a table but %s is a view.", verb, t.name))
	}
	r.b.stored = true
	return t
}

func errArity(name qualifiedName, want, have int) *Error {
	kind := "NOT_ENOUGH_DATA_COLUMNS"
	if have > want {
		kind = "TOO_MANY_DATA_COLUMNS"
	}
	return failure("INSERT_COLUMN_ARITY_MISMATCH."+kind, "21S01",
		"Cannot write to %s, the reason is that the number of columns does not match: the table takes %d, the data has %d.", name, want, have)
}

func allColumns(t *table) []int {
	all := make([]int, len(t.columns))
	for i := range all {
		all[i] = i
	}
	return all
}

// store converts a value to the type of its column.
func (r *run) store(c *tableColumn, x bound) string {
	text := r.b.coerce(x, c.typ).sql
	if c.typ.isInteger() && !x.konst {
		// Overflow must be found here at the latest: a table must not hold a value that no result
		// may have.
		text = fmt.Sprintf("dbx_in_range(%s,%d)", text, c.typ.code())
	}
	if c.notNull {
		text = "dbx_not_null(" + text + "," + constantText(c.name) + ")"
	}
	return text
}

// fallback is the DEFAULT of a column.
func (r *run) fallback(c *tableColumn) bound {
	if c.fallback == nil {
		return bound{sql: "NULL", typ: typeVoid, name: "NULL"}
	}
	return r.b.expr(nil, c.fallback)
}

// insertText writes INSERT of a query into the given columns; the others get their default.
func (r *run) insertText(t *table, columns []int, q boundQuery) string {
	alias := r.b.fresh("r")
	from := make(map[int]int, len(columns))
	for i, c := range columns {
		from[c] = i
	}
	var names, values []string
	for i := range t.columns {
		c := &t.columns[i]
		var x bound
		if at, ok := from[i]; ok {
			x = bound{sql: fmt.Sprintf("%s.o%d", alias, at), typ: q.columns[at].typ, name: q.columns[at].name}
		} else {
			x = r.fallback(c)
		}
		names = append(names, c.stored)
		values = append(values, r.store(c, x))
	}
	return fmt.Sprintf("INSERT INTO %s(%s) SELECT %s FROM (%s) AS %s", t.stored, strings.Join(names, ","), strings.Join(values, ","), q.sql, alias)
}

func (r *run) insert(n *insert) (*Result, error) {
	t := r.target(n.parts, "INSERT")
	columns := allColumns(t)
	if n.columns != nil {
		columns = columns[:0]
		seen := map[int]bool{}
		for _, name := range n.columns {
			i := t.columnIndex(name)
			if i < 0 {
				return nil, errUnresolvedColumn(quoteParts(name), t.columnNames())
			}
			if seen[i] {
				return nil, failure("COLUMN_ALREADY_EXISTS", "42711", "The column %s already exists. Choose another name or rename the existing column.", quoteParts(name))
			}
			seen[i] = true
			columns = append(columns, i)
		}
	}
	source := n.q
	if v, ok := source.body.(*valuesList); ok && !n.byName {
		filled := *source
		filled.body = r.valuesFor(t, columns, v)
		source = &filled
	}
	q := r.b.query(nil, source)
	if n.byName {
		columns = columns[:0]
		for _, c := range q.columns {
			i := t.columnIndex(c.name)
			if i < 0 {
				return nil, errUnresolvedColumn(quoteParts(c.name), t.columnNames())
			}
			if slices.Contains(columns, i) {
				return nil, failure("COLUMN_ALREADY_EXISTS", "42711", "The column %s already exists. Choose another name or rename the existing column.", quoteParts(c.name))
			}
			columns = append(columns, i)
		}
	}
	if len(q.columns) != len(columns) {
		return nil, errArity(t.name, len(columns), len(q.columns))
	}
	text := r.insertText(t, columns, q)
	if !n.overwrite {
		done, err := r.transaction(text)
		if err != nil {
			return nil, err
		}
		return counts([]string{affected, inserted}, done[0], done[0]), nil
	}
	// The query may read the table it overwrites, so its rows are stored in a temporary table
	// first.
	aside := "temp." + r.b.fresh("x")
	rows := q.sql
	q.sql = "SELECT * FROM " + strings.TrimPrefix(aside, "temp.")
	done, err := r.transaction("CREATE TEMP TABLE "+strings.TrimPrefix(aside, "temp.")+" AS "+rows,
		"DELETE FROM "+t.stored, r.insertText(t, columns, q), "DROP TABLE "+aside)
	if err != nil {
		return nil, err
	}
	return counts([]string{affected, inserted}, done[2], done[2]), nil
}

// valuesFor converts VALUES to the types of their columns, cell by cell, because a common type of
// the rows might hold less than the column does. DEFAULT is replaced by its value.
func (r *run) valuesFor(t *table, columns []int, v *valuesList) *valuesList {
	out := &valuesList{rows: make([][]expr, len(v.rows))}
	for i, row := range v.rows {
		out.rows[i] = append([]expr{}, row...)
		for c, x := range row {
			if c >= len(columns) {
				break
			}
			column := &t.columns[columns[c]]
			if _, ok := x.(*defaultValue); ok {
				if x = column.fallback; x == nil {
					x = &literal{typeVoid, nil, "NULL"}
				}
			}
			out.rows[i][c] = &cast{x: x, to: column.typ}
		}
	}
	return out
}

// targetScope is the scope in which the expressions of UPDATE, DELETE and MERGE see the changed
// table.
func (r *run) targetScope(t *table, name, alias string) *scope {
	q := t.qualifier(name)
	s := &scope{}
	for _, c := range t.columns {
		s.columns = append(s.columns, scopeColumn{qualifier: q, name: c.name, typ: c.typ, sql: alias + "." + c.stored})
	}
	return s
}

// qualifier is the name that may qualify the table's columns in a statement, with or without an
// alias.
func (t *table) qualifier(alias string) qualifiedName {
	if alias != "" {
		return qualifiedName{name: alias}
	}
	return t.name
}

// assigned is the column that SET names: the last part of its name is the column, unless the
// first is one and the rest are fields of a STRUCT.
func (t *table) assigned(alias string, a assignment) int {
	name := a.column[len(a.column)-1]
	i := t.columnIndex(name)
	column := scopeColumn{qualifier: t.qualifier(alias), name: name}
	if i >= 0 && column.matches(a.column) {
		return i
	}
	for n := range a.column[:len(a.column)-1] {
		column.name = a.column[n]
		if t.columnIndex(column.name) >= 0 && column.matches(a.column[:n+1]) {
			fail(errUnsupported("ASSIGNMENT", "an assignment to a field of a STRUCT, "+quoteParts(a.column...)))
		}
	}
	fail(errUnresolvedColumn(quoteParts(a.column...), t.columnNames()))
	return -1
}

// assignments binds SET; the result maps column indexes to SQLite text.
func (r *run) assignments(s *scope, t *table, alias string, list []assignment) map[int]bound {
	out := map[int]bound{}
	for _, a := range list {
		name := a.column[len(a.column)-1]
		i := t.assigned(alias, a)
		if _, twice := out[i]; twice {
			fail(failure("DUPLICATE_ASSIGNMENTS", "42701", "The column %s is assigned more than once.", quoteParts(name)))
		}
		var x bound
		if _, ok := a.value.(*defaultValue); ok {
			x = r.fallback(&t.columns[i])
		} else {
			x = r.b.expr(s, a.value)
		}
		out[i] = bound{sql: r.store(&t.columns[i], x), typ: t.columns[i].typ}
	}
	return out
}

func (r *run) update(n *update) (*Result, error) {
	t := r.target(n.parts, "UPDATE")
	alias := r.b.fresh("r")
	s := r.targetScope(t, n.alias, alias)
	var sets []string
	for i, x := range r.assignments(s, t, n.alias, n.set) {
		sets = append(sets, t.columns[i].stored+"="+x.sql)
	}
	return r.changed(fmt.Sprintf("UPDATE %s AS %s SET %s%s", t.stored, alias, strings.Join(sets, ","), r.where(s, n.where)))
}

func (r *run) delete(n *deleteFrom) (*Result, error) {
	t := r.target(n.parts, "DELETE")
	alias := r.b.fresh("r")
	where := r.where(r.targetScope(t, n.alias, alias), n.where)
	return r.changed(fmt.Sprintf("DELETE FROM %s AS %s%s", t.stored, alias, where))
}

func (r *run) where(s *scope, x expr) string {
	if x == nil {
		return ""
	}
	return " WHERE " + r.b.condition(r.b.expr(s, x), "FILTER_NOT_BOOLEAN").sql
}

func (r *run) changed(text string) (*Result, error) {
	n, err := r.transaction(text)
	if err != nil {
		return nil, err
	}
	return counts([]string{affected}, n[0]), nil
}
