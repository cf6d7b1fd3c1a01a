package engine

import (
	"fmt"
	"strings"
)

// merge decides everything in one query over the join of source and target, before anything
// changes: for each row which clause applies (its number is in k) and the new values. The
// clauses are then carried out from that table.
func (r *run) merge(n *merge) (*Result, error) {
	t := r.target(n.parts, "MERGE")
	alias := r.b.fresh("r")
	target := r.targetScope(t, n.alias, alias)
	base := &scope{}
	src := r.b.relation(base, n.source)
	source := &scope{columns: src.columns}
	both := &scope{columns: append(append([]scopeColumn{}, target.columns...), src.columns...)}
	on := r.b.condition(r.b.expr(both, n.on), "JOIN_CONDITION").sql

	// here is a column that shows whether a side of the outer join is present.
	here := r.b.fresh("s")
	which := "CASE"
	values := make([][]string, len(n.clauses)) // of each clause, for each target column
	for i, c := range n.clauses {
		s, cond := both, fmt.Sprintf("%s.rowid IS NOT NULL AND %s.here IS NOT NULL", alias, here)
		switch c.kind {
		case "NOT MATCHED":
			s, cond = source, alias+".rowid IS NULL"
		case "NOT MATCHED BY SOURCE":
			s, cond = target, here+".here IS NULL"
		}
		if c.cond != nil {
			cond += " AND " + r.b.condition(r.b.expr(s, c.cond), "MERGE_CONDITION").sql
		}
		which += fmt.Sprintf(" WHEN %s THEN %d", cond, i)
		values[i] = r.mergeValues(s, source, t, n, &c, alias)
	}
	which += " END"

	rows := r.b.fresh("x")
	var picks []string
	for c := range t.columns {
		text := "CASE (" + which + ")"
		set := false
		for i := range n.clauses {
			if values[i] != nil && values[i][c] != "" {
				text += fmt.Sprintf(" WHEN %d THEN %s", i, values[i][c])
				set = true
			}
		}
		if text += " END"; !set {
			text = "NULL"
		}
		picks = append(picks, fmt.Sprintf("%s AS v%d", text, c))
	}
	join := fmt.Sprintf("%s AS %s FULL JOIN (%s CROSS JOIN (SELECT 1 AS here) AS %s) ON %s", t.stored, alias, src.sql, here, on)
	texts := []string{
		fmt.Sprintf("CREATE TEMP TABLE %s AS SELECT %s.rowid AS rid, %s AS k, %s FROM %s", rows, alias, which, strings.Join(picks, ","), join),
	}
	kinds := []string{""}
	if hasMatched(n) {
		texts = append(texts, fmt.Sprintf("SELECT dbx_merge_check(count(*), count(DISTINCT rid)) FROM %s WHERE k IN (%s)", rows, matchedClauses(n)))
		kinds = append(kinds, "")
	}
	for i, c := range n.clauses {
		where := fmt.Sprintf("WHERE k=%d", i)
		switch c.action {
		case "DELETE":
			texts = append(texts, fmt.Sprintf("DELETE FROM %s WHERE rowid IN (SELECT rid FROM %s %s)", t.stored, rows, where))
		case "UPDATE":
			var names, from []string
			for at := range t.columns {
				if values[i][at] != "" {
					names = append(names, t.columns[at].stored)
					from = append(from, fmt.Sprintf("v%d", at))
				}
			}
			texts = append(texts, fmt.Sprintf("UPDATE %s SET (%s)=(SELECT %s FROM %s WHERE rid=%s.rowid AND k=%d) WHERE rowid IN (SELECT rid FROM %s %s)",
				t.stored, strings.Join(names, ","), strings.Join(from, ","), rows, t.stored, i, rows, where))
		case "INSERT":
			var names, from []string
			for at := range t.columns {
				names = append(names, t.columns[at].stored)
				from = append(from, fmt.Sprintf("v%d", at))
			}
			texts = append(texts, fmt.Sprintf("INSERT INTO %s(%s) SELECT %s FROM %s %s", t.stored, strings.Join(names, ","), strings.Join(from, ","), rows, where))
		}
		kinds = append(kinds, c.action)
	}
	texts = append(texts, "DROP TABLE temp."+rows)
	done, err := r.transaction(texts...)
	if err != nil {
		return nil, err
	}
	sum := map[string]int64{}
	for i, k := range kinds {
		sum[k] += done[i]
	}
	u, d, i := sum["UPDATE"], sum["DELETE"], sum["INSERT"]
	return counts([]string{affected, updated, deleted, inserted}, u+d+i, u, d, i), nil
}

// mergeValues returns the new value of every column that the clause sets; empty text leaves the
// column unchanged.
func (r *run) mergeValues(s, source *scope, t *table, n *merge, c *mergeClause, alias string) []string {
	out := make([]string, len(t.columns))
	fromSource := func(i int) bound {
		return r.b.column(source, &nameRef{parts: []string{t.columns[i].name}})
	}
	switch {
	case c.action == "DELETE":
		return nil
	case c.all:
		for i := range t.columns {
			out[i] = r.store(&t.columns[i], fromSource(i))
		}
	case c.action == "UPDATE":
		for i, x := range r.assignments(s, t, n.alias, c.set) {
			out[i] = x.sql
		}
	default:
		columns := allColumns(t)
		if c.columns != nil {
			columns = columns[:0]
			for _, name := range c.columns {
				i := t.columnIndex(name)
				if i < 0 {
					fail(errUnresolvedColumn(quoteParts(name), t.columnNames()))
				}
				columns = append(columns, i)
			}
		}
		if len(columns) != len(c.values) {
			fail(errArity(t.name, len(columns), len(c.values)))
		}
		for i := range t.columns {
			out[i] = r.store(&t.columns[i], r.fallback(&t.columns[i]))
		}
		for at, i := range columns {
			if _, ok := c.values[at].(*defaultValue); !ok {
				out[i] = r.store(&t.columns[i], r.b.expr(s, c.values[at]))
			}
		}
	}
	return out
}

func hasMatched(n *merge) bool { return matchedClauses(n) != "" }

// matchedClauses lists the clauses that change a matched row, for which only one source row may
// match. A lone DELETE without a condition has the same effect for any number of source rows.
func matchedClauses(n *merge) string {
	var list []string
	deletes := false
	for i, c := range n.clauses {
		if c.kind == "MATCHED" {
			list = append(list, fmt.Sprint(i))
			deletes = c.action == "DELETE" && c.cond == nil
		}
	}
	if deletes && len(list) == 1 {
		return ""
	}
	return strings.Join(list, ",")
}
