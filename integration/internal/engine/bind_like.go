package engine

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

func (b *binder) like(s *scope, n *like) bound {
	x, pattern := b.expr(s, n.x), b.expr(s, n.pattern)
	name := fmt.Sprintf("%s %s %s", x.name, n.op, pattern.name)
	x, pattern = b.coerce(b.flat(x, typeString), typeString), b.coerce(b.flat(pattern, typeString), typeString)
	r := bound{typ: typeBoolean, name: name}
	if n.op == "RLIKE" {
		r.name = fmt.Sprintf("RLIKE(%s, %s)", x.name, pattern.name)
		r.sql = "dbx_rlike(" + x.sql + "," + pattern.sql + ")"
		return negate(n.not, r)
	}
	escape, character := `'\'`, `\`
	if n.escape != nil {
		e := b.expr(s, n.escape)
		text, ok := e.value.(string)
		if !ok || len([]rune(text)) != 1 {
			fail(failure("INVALID_ESCAPE_CHAR", "42604", "`EscapeChar` should be a string literal of length one, but got \"%s\".", e.name))
		}
		escape, character = e.sql, text
	}
	if text, ok := pattern.value.(string); ok {
		checkLike(text, character)
	}
	if n.op == "ILIKE" {
		x.sql, pattern.sql = "dbx_lower("+x.sql+")", "dbx_lower("+pattern.sql+")"
	}
	r.sql = "(" + x.sql + " LIKE " + pattern.sql + " ESCAPE " + escape + ")"
	if text, ok := pattern.value.(string); !ok || strings.Count(text, "%") > 3 {
		// SQLite's LIKE tries every way to match the wildcards and cannot be interrupted.
		r.sql = "dbx_like(" + x.sql + "," + pattern.sql + "," + escape + ")"
	}
	return negate(n.not, r)
}

// checkLike refuses a pattern with the escape character before an ordinary character or at the end.
func checkLike(pattern, escape string) {
	for i := 0; i < len(pattern); i++ {
		if !strings.HasPrefix(pattern[i:], escape) {
			continue
		}
		i += len(escape)
		switch rest := pattern[i:]; {
		case rest == "":
			fail(failure("INVALID_FORMAT.ESC_AT_THE_END", "42601", "The format is invalid: '%s'. The escape character is not allowed to end with.", pattern))
		case rest[0] != '%' && rest[0] != '_' && !strings.HasPrefix(rest, escape):
			r, _ := utf8.DecodeRuneInString(rest)
			fail(failure("INVALID_FORMAT.ESC_IN_THE_MIDDLE", "42601", "The format is invalid: '%s'. The escape character is not allowed to precede '%c'.", pattern, r))
		case strings.HasPrefix(rest, escape):
			i += len(escape) - 1
		}
	}
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
