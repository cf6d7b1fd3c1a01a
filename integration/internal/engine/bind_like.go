package engine

import (
	"fmt"
	"strings"
)

func (b *binder) like(s *scope, n *like) bound {
	x, pattern := b.expr(s, n.x), b.expr(s, n.pattern)
	name := fmt.Sprintf("%s %s %s", x.name, n.op, pattern.name)
	x, pattern = b.coerce(x, typeString), b.coerce(pattern, typeString)
	r := bound{typ: typeBoolean, name: name}
	if n.op == "RLIKE" {
		r.name = fmt.Sprintf("RLIKE(%s, %s)", x.name, pattern.name)
		r.sql = "box_rlike(" + x.sql + "," + pattern.sql + ")"
		return negate(n.not, r)
	}
	escape := `'\'`
	if n.escape != nil {
		e := b.expr(s, n.escape)
		text, ok := e.value.(string)
		if !ok || len([]rune(text)) != 1 {
			fail(failure("INVALID_ESCAPE_CHAR", "42604", "`EscapeChar` should be a string literal of length one, but got \"%s\".", e.name))
		}
		escape = e.sql
	}
	if n.op == "ILIKE" {
		x.sql, pattern.sql = "box_lower("+x.sql+")", "box_lower("+pattern.sql+")"
	}
	r.sql = "(" + x.sql + " LIKE " + pattern.sql + " ESCAPE " + escape + ")"
	if text, ok := pattern.value.(string); !ok || strings.Count(text, "%") > 3 {
		// SQLite tries every way to spread the text over the wildcards, and cannot be stopped.
		r.sql = "box_like(" + x.sql + "," + pattern.sql + "," + escape + ")"
	}
	return negate(n.not, r)
}

func (b *binder) likeAny(s *scope, n *likeAny) bound {
	op := " OR "
	if n.all {
		op = " AND "
	}
	var texts, names []string
	for _, l := range n.likes {
		// NOT LIKE ALL asks whether no pattern matches, pattern by pattern.
		x := negate(n.not, b.like(s, l))
		texts, names = append(texts, x.sql), append(names, x.name)
	}
	return bound{sql: "(" + strings.Join(texts, op) + ")", typ: typeBoolean, name: "(" + strings.Join(names, op) + ")"}
}
