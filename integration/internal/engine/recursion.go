package engine

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// A recursive CTE is run before the statement that uses it, level by level, into a temporary table:
// the anchor is level 0, and each further level is the recursive term over the rows of the level
// before. SQLite's own recursion works row by row where Databricks works level by level, refuses
// most forms of the recursive term, and has no limits.

const (
	maxRecursionLevels = 100
	maxRecursionRows   = 1_000_000
)

// loop is a bound recursive CTE.
type loop struct {
	table  string // of its rows
	width  int
	with   string // enclosing CTEs that its terms may read
	anchor string
	step   string
	levels int64 // at most
	rows   int64 // at most
	enough int64 // rows that satisfy the LIMIT, if nothing else reads the CTE; otherwise 0
	cte    *boundCTE
}

// selfReference is a CTE being bound, as its own terms see it.
type selfReference struct {
	columns []outColumn // nil outside the recursive term, the only place where the CTE may be read
	rows    string      // the rows of the level before, as SQLite text
	count   int         // references found
	barred  int         // depth of barred places around the CTE itself
}

// Placeholders in the text of a step for the rowids of the previous level.
const (
	loopAfter = "\x01after\x01"
	loopUpTo  = "\x01upto\x01"
)

// recursive binds a CTE of WITH RECURSIVE. It returns nil if the CTE does not refer to itself, and
// so is an ordinary one.
func (b *binder) recursive(s *scope, c cte) (found *boundCTE) {
	key := strings.ToLower(c.name)
	outer, before := s.ctes[key], len(b.loops)
	defer func() {
		if s.ctes[key] = outer; found == nil {
			b.loops = b.loops[:before]
		}
	}()
	self := &selfReference{barred: b.barred}
	b.open = append(b.open, self)
	defer func() { b.open = b.open[:len(b.open)-1] }()
	s.ctes[key] = &boundCTE{self: self}
	q := c.q
	for {
		inner, nested := q.body.(*query)
		if !nested || len(q.with)+len(q.order) > 0 || q.limit != nil || q.offset != nil {
			break
		}
		q = inner
	}
	union, isUnion := q.body.(*setOp)
	if !isUnion || len(q.order) > 0 || q.limit != nil || q.offset != nil || union.op != "UNION" {
		b.query(s, c.q) // fails when it refers to itself
		return nil
	}
	at := &scope{parent: s}
	b.with(at, q)
	anchor := b.query(at, union.l)
	nameColumns(anchor.columns, c)
	table := b.fresh("w")
	self.columns = anchor.columns
	self.rows = "(SELECT * FROM " + table + " WHERE rowid>" + loopAfter + " AND rowid<=" + loopUpTo + ")"
	loops := len(b.loops)
	step := b.query(at, union.r)
	switch {
	case self.count == 0:
		return nil
	case !union.all:
		fail(failure("UNION_NOT_SUPPORTED_IN_RECURSIVE_CTE", "42836", "The UNION operator is not yet supported within recursive common table expressions (WITH clauses that refer to themselves, directly or indirectly). Please use UNION ALL instead."))
	case self.count > 1:
		fail(errRecursiveReference("NUMBER", "Multiple self-references to one recursive CTE are not allowed."))
	case len(b.loops) > loops && strings.Contains(b.loops[loops].anchor+b.loops[loops].step, self.rows):
		fail(errUnsupported("RECURSIVE_CTE", "a recursive CTE inside the recursive term of another, reading it"))
	}
	b.sameWidth("UNION", anchor, step)
	alias := b.fresh("r")
	var picks []string
	for i, col := range anchor.columns {
		v := b.coerce(bound{sql: fmt.Sprintf("%s.o%d", alias, i), typ: step.columns[i].typ, name: step.columns[i].name}, col.typ)
		picks = append(picks, v.sql)
	}
	found = &boundCTE{stored: table, columns: anchor.columns}
	l := &loop{
		table: table, cte: found, width: len(anchor.columns), with: withText(at), anchor: anchor.sql, levels: c.levels, rows: b.rows,
		step: "SELECT " + strings.Join(picks, ",") + " FROM (" + step.sql + ") AS " + alias,
	}
	if l.levels == 0 {
		l.levels = maxRecursionLevels
	}
	b.loops = append(b.loops, l)
	return found
}

func errRecursiveReference(kind, detail string) *Error {
	return failure("INVALID_RECURSIVE_REFERENCE."+kind, "42836", "Invalid recursive reference found inside WITH RECURSIVE clause. %s", detail)
}

func errRecursivePlace() *Error {
	return errRecursiveReference("PLACE", "Recursive references cannot be used on the right side of left outer/semi/anti joins, on the left side of right outer joins, in full outer joins, in aggregates, and in subquery expressions.")
}

// reference is the CTE read by one of its own terms.
func (r *selfReference) reference(b *binder) {
	if r.columns == nil {
		fail(failure("INVALID_RECURSIVE_CTE", "42836", "Invalid recursive definition found. Recursive queries must contain an UNION or an UNION ALL statement with 2 children. The first child needs to be the anchor term without any recursive references. Any top level inner CTE must not contain self references."))
	}
	if b.barred > r.barred {
		fail(errRecursivePlace())
	}
	r.count++
}

// references counts the references so far of the CTEs being bound to themselves.
func (b *binder) references() int {
	n := 0
	for _, self := range b.open {
		n += self.count
	}
	return n
}

// bar marks what f binds as a place where a recursive CTE must not read itself.
func (b *binder) bar(barred bool, f func()) {
	if barred {
		b.barred++
		defer func() { b.barred-- }()
	}
	f()
}

// serve lets a recursion end when it has enough rows for the LIMIT of the query. The query must
// read only the recursive CTE, row for row.
func (b *binder) serve(s *scope, c *selectCore, q *query) {
	if q.limit == nil || len(c.from) != 1 || c.where != nil || c.distinct || len(q.order) > 0 || s.groups != nil || c.having != nil || c.qualify != nil {
		return
	}
	for _, item := range c.items {
		windows := false
		walk(item.x, func(x expr) bool {
			n, ok := x.(*call)
			windows = windows || ok && n.over != nil
			return !windows
		})
		if windows {
			return
		}
	}
	rel, ok := c.from[0].(*tableRel)
	if !ok || len(rel.parts) != 1 {
		return
	}
	found := s.cte(rel.parts[0])
	if found == nil {
		return
	}
	n, _ := b.coerce(b.expr(nil, q.limit), typeBigInt).value.(int64)
	if q.offset != nil {
		skip, _ := b.coerce(b.expr(nil, q.offset), typeBigInt).value.(int64)
		n += skip
	}
	for _, l := range b.loops {
		if l.cte == found {
			l.enough = max(n, 1)
		}
	}
}

// run fills the table of a recursive CTE. The caller drops it.
func (l *loop) run(ctx context.Context, c *conn) error {
	if _, err := c.exec(ctx, "CREATE TEMP TABLE "+l.table+"("+outNames(l.width)+")"); err != nil {
		return err
	}
	insert := l.with + "INSERT INTO " + l.table + " "
	rows, err := c.exec(ctx, insert+l.anchor)
	after, upTo := int64(0), rows
	for level := int64(0); err == nil && rows > 0; level++ {
		switch {
		case l.enough > 0 && l.cte.uses == 1 && upTo >= l.enough:
			return nil
		case upTo > l.rows:
			return failure("RECURSION_ROW_LIMIT_EXCEEDED", "42836", "Recursion row limit %d reached but query has not exhausted, try setting CTE limits to a higher value.", l.rows)
		case level >= l.levels:
			return failure("RECURSION_LEVEL_LIMIT_EXCEEDED", "42836", "Recursion level limit %d reached but query has not exhausted, try increasing it like 'WITH RECURSIVE t(col) MAX RECURSION LEVEL 200'.", l.levels)
		}
		at := strings.NewReplacer(loopAfter, fmt.Sprint(after), loopUpTo, fmt.Sprint(upTo))
		// The row limit also applies within a level, because a level may multiply the rows of the
		// previous one.
		rows, err = c.exec(ctx, at.Replace(fmt.Sprintf("%s SELECT * FROM (%s) LIMIT %d", insert, l.step, l.rows+1)))
		after, upTo = upTo, upTo+rows
	}
	return err
}

// looped runs f after the recursive CTEs it needs, and removes their tables again.
func looped(ctx context.Context, c *conn, loops []*loop, f func() error) (err error) {
	for _, l := range loops {
		defer func() {
			_, bad := c.exec(context.WithoutCancel(ctx), "DROP TABLE IF EXISTS temp."+l.table)
			if bad != nil && err == nil {
				err = errors.Join(err, bad)
			}
		}()
		if err := l.run(ctx, c); err != nil {
			return err
		}
	}
	return f()
}
