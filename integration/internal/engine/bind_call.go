package engine

import (
	"fmt"
	"strings"
)

// call binds a function call: an aggregate, a window function, or a scalar function.
func (b *binder) call(s *scope, n *call) bound {
	if n.name == "count" && n.star {
		n = &call{name: n.name, args: []expr{&literal{typeInt, int64(1), "1"}}, filter: n.filter, over: n.over, at: n.at}
	}
	if n.name == "grouping" || n.name == "grouping_id" {
		return b.groupingCall(s, n)
	}
	w, windowed := windowFunctions[n.name]
	if a := aggregates[n.name]; a != nil && (n.over == nil || !windowed) {
		return b.aggregate(s, n, a)
	}
	if windowed {
		return b.windowCall(s, n, w)
	}
	if generators[n.name] != nil && !takesLambda(n) {
		fail(failure("UNSUPPORTED_GENERATOR.NESTED_IN_EXPRESSIONS", "42K0E", "The generator is not supported: nested in expressions \"%s\".", n.name))
	}
	if takesLambda(n) {
		return higherOrder[n.name](b, s, n)
	}
	if n.name == "struct" {
		return b.structCall(s, n)
	}
	f := functions[n.name]
	if f == nil && databricksFunctions[strings.ToUpper(n.name)] {
		fail(errUnsupported("FUNCTION", "the function "+n.name))
	}
	if f == nil {
		fail(failure("UNRESOLVED_ROUTINE", "42883",
			"Cannot resolve routine %s on search path [`system`.`builtin`, `system`.`session`, %s].\nVerify the spelling of %s, check that the routine exists, and confirm you have `USE` privilege on the catalog and schema, and EXECUTE on the routine.",
			quoteParts(n.name), quoteParts(b.catalog, b.schema), quoteParts(n.name)))
	}
	if n.star || n.distinct || n.filter != nil || n.over != nil {
		fail(failure("INVALID_SQL_SYNTAX.FUNCTION_CALL", "42000", "Function %s does not support *, DISTINCT, FILTER or OVER.", quoteParts(n.name)))
	}
	switch n.name {
	case "rand", "random", "uuid", "now", "current_timestamp", "localtimestamp", "current_date", "curdate":
		b.volatile = true
	case "unix_timestamp", "to_unix_timestamp":
		b.volatile = b.volatile || len(n.args) == 0
	}
	args := n.args
	unit := ""
	if len(args) > 0 {
		if i, ok := args[0].(*interval); ok && i.x == nil {
			unit, args = i.unit, args[1:]
		}
	}
	if most := furtherArguments[n.name]; most > 0 && len(args) > f.max && len(args) <= most {
		fail(errUnsupported("FUNCTION", fmt.Sprintf("the function %s with %d arguments", n.name, len(args))))
	}
	wrongArgs := func(have int) {
		want := fmt.Sprint(f.min)
		if f.max > f.min {
			want = fmt.Sprintf("[%d, %d]", f.min, f.max)
		} else if f.max < 0 {
			want = fmt.Sprintf("> %d", f.min-1)
		}
		fail(failure("WRONG_NUM_ARGS.WITHOUT_SUGGESTION", "42605", "The `%s` requires %s parameters but the actual number is %d.", n.name, want, have))
	}
	values := b.exprs(s, args)
	if unit == "" && (len(values) < f.min || f.max >= 0 && len(values) > f.max) {
		wrongArgs(len(values))
	}
	name := signature(n, values)
	var r bound
	if unit != "" {
		if len(values) != 2 {
			wrongArgs(len(values) + 1)
		}
		r = b.unitCall(n.name, unit, values)
	} else {
		r = f.bind(b, values)
	}
	if r.name == "" {
		r.name = name
	}
	return r
}

func signature(n *call, args []bound) string {
	names := make([]string, len(args))
	for i, a := range args {
		names[i] = a.name
	}
	distinct := ""
	if n.distinct {
		distinct = "DISTINCT "
	}
	return n.name + "(" + distinct + strings.Join(names, ", ") + ")"
}

// unitCall binds dateadd(DAY, 1, x) and datediff(DAY, from, to).
func (b *binder) unitCall(name, unit string, args []bound) bound {
	if strings.HasSuffix(name, "diff") {
		return bound{
			sql: fmt.Sprintf("dbx_between('%s',%s,%s,%s)", unit, b.coerce(args[0], typeTimestamp).sql, b.coerce(args[1], typeTimestamp).sql, constantText(b.zone)),
			typ: typeBigInt, name: fmt.Sprintf("%s(%s, %s, %s)", name, unit, args[0].name, args[1].name),
		}
	}
	return bound{
		sql: fmt.Sprintf("dbx_shift(%s,%s,'%s',1,%d,%s)", b.coerce(args[1], typeTimestamp).sql, b.coerce(args[0], typeDouble).sql, unit, typeTimestamp.code(), constantText(b.zone)),
		typ: typeTimestamp, name: fmt.Sprintf("%s(%s, %s, %s)", name, unit, args[0].name, args[1].name),
	}
}

// windowFunctions maps each to its result type; Void means that of its first argument.
var windowFunctions = map[string]struct {
	min, max int
	typ      Type
}{
	"row_number": {0, 0, typeInt}, "rank": {0, 0, typeInt}, "dense_rank": {0, 0, typeInt}, "ntile": {1, 1, typeInt},
	"percent_rank": {0, 0, typeDouble}, "cume_dist": {0, 0, typeDouble},
	"lag": {1, 3, typeVoid}, "lead": {1, 3, typeVoid},
	"first": {1, 1, typeVoid}, "last": {1, 1, typeVoid}, "first_value": {1, 1, typeVoid}, "last_value": {1, 1, typeVoid}, "nth_value": {2, 2, typeVoid},
}

func (b *binder) windowCall(s *scope, n *call, w struct {
	min, max int
	typ      Type
}) bound {
	if len(n.args) < w.min || len(n.args) > w.max {
		fail(failure("WRONG_NUM_ARGS.WITHOUT_SUGGESTION", "42605", "The `%s` requires [%d, %d] parameters but the actual number is %d.", n.name, w.min, w.max, len(n.args)))
	}
	if n.over == nil {
		fail(failure("WINDOW_FUNCTION_WITHOUT_OVER_CLAUSE", "42601", "Window function \"%s\" requires an OVER clause.", n.name))
	}
	args := b.exprs(s, n.args)
	r := bound{typ: w.typ, name: signature(n, args)}
	if r.typ.ID == Void && len(args) > 0 {
		r.typ = args[0].typ
		if len(args) == 3 {
			args[2] = b.coerce(args[2], r.typ)
		}
	}
	texts := make([]string, len(args))
	for i, a := range args {
		texts[i] = a.sql
	}
	name := n.name
	if name == "first" || name == "last" {
		name += "_value"
	}
	r.sql = name + "(" + strings.Join(texts, ",") + ")" + b.over(s, n.over)
	return r
}

func (b *binder) over(s *scope, w *window) string {
	if w == nil {
		return ""
	}
	if w.name != "" {
		def := (*window)(nil)
		if s != nil {
			def = s.windows[strings.ToLower(w.name)]
		}
		if def == nil {
			fail(failure("MISSING_WINDOW_SPECIFICATION", "42P20", "Window specification is not defined in the WINDOW clause for %s.", quoteParts(w.name)))
		}
		w = def
	}
	var parts []string
	if len(w.partition) > 0 {
		var keys []string
		for _, x := range b.exprs(s, w.partition) {
			keys = append(keys, x.sql)
		}
		parts = append(parts, "PARTITION BY "+strings.Join(keys, ","))
	}
	if len(w.order) > 0 {
		var keys []sortKey
		for _, o := range w.order {
			keys = append(keys, sortKey{b.expr(s, o.x), o.desc, o.nulls})
		}
		parts = append(parts, strings.TrimPrefix(orderText(keys), " "))
	}
	if w.frame != "" {
		if strings.HasPrefix(w.frame, "RANGE") && strings.ContainsAny(w.frame, "0123456789") && len(w.order) == 1 {
			// SQLite adds the offset to a number as it is stored.
			if k := b.expr(s, w.order[0].x).typ; !k.isInteger() && !k.isFloating() && k.ID != Date {
				fail(errUnsupported("WINDOW_FRAME", fmt.Sprintf("a RANGE frame with an offset over the type %s", k)))
			}
		}
		parts = append(parts, w.frame)
	}
	return " OVER (" + strings.Join(parts, " ") + ")"
}
