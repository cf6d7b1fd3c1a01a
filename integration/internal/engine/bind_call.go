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
	if a := aggregates[n.name]; a != nil {
		return b.aggregate(s, n, a)
	}
	if w, ok := windowFunctions[n.name]; ok {
		return b.windowCall(s, n, w)
	}
	f := functions[n.name]
	if f == nil {
		fail(failure("UNRESOLVED_ROUTINE", "42883",
			"Cannot resolve routine %s on search path [`system`.`builtin`, `system`.`session`, %s].\nVerify the spelling of %s, check that the routine exists, and confirm you have `USE` privilege on the catalog and schema, and EXECUTE on the routine.",
			quoteParts(n.name), quoteParts(b.catalog, b.schema), quoteParts(n.name)))
	}
	if n.star || n.distinct || n.filter != nil || n.over != nil {
		fail(failure("INVALID_SQL_SYNTAX.FUNCTION_CALL", "42000", "Function %s does not support *, DISTINCT, FILTER or OVER.", quoteParts(n.name)))
	}
	args := n.args
	unit := ""
	if len(args) > 0 {
		if i, ok := args[0].(*interval); ok && i.x == nil {
			unit, args = i.unit, args[1:]
		}
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
			sql: fmt.Sprintf("box_between('%s',%s,%s,%s)", unit, b.coerce(args[0], typeTimestamp).sql, b.coerce(args[1], typeTimestamp).sql, constantText(b.zone)),
			typ: typeBigInt, name: fmt.Sprintf("%s(%s, %s, %s)", name, unit, args[0].name, args[1].name),
		}
	}
	return bound{
		sql: fmt.Sprintf("box_shift(%s,%s,'%s',1,%d,%s)", b.coerce(args[1], typeTimestamp).sql, b.coerce(args[0], typeDouble).sql, unit, typeTimestamp.code(), constantText(b.zone)),
		typ: typeTimestamp, name: fmt.Sprintf("%s(%s, %s, %s)", name, unit, args[0].name, args[1].name),
	}
}

// aggregateFunction gives the SQLite text of an aggregate over its arguments, and its type.
type aggregateFunction struct {
	args int
	bind func(b *binder, name string, distinct string, args []bound) (string, Type)
}

var aggregates = map[string]*aggregateFunction{
	"count":                 {-1, bindCount},
	"approx_count_distinct": {1, bindCountDistinct},
	"count_if":              {1, bindCountIf},
	"sum":                   {1, bindSum},
	"avg":                   {1, bindAvg},
	"mean":                  {1, bindAvg},
	"min":                   {1, bindExtreme},
	"max":                   {1, bindExtreme},
	"any_value":             {1, bindExtreme},
	"bool_and":              {1, bindExtreme},
	"every":                 {1, bindExtreme},
	"bool_or":               {1, bindExtreme},
	"some":                  {1, bindExtreme},
	"any":                   {1, bindExtreme},
	"first":                 {1, bindEdge},
	"last":                  {1, bindEdge},
	"stddev":                {1, bindSpread},
	"std":                   {1, bindSpread},
	"stddev_samp":           {1, bindSpread},
	"stddev_pop":            {1, bindSpread},
	"variance":              {1, bindSpread},
	"var_samp":              {1, bindSpread},
	"var_pop":               {1, bindSpread},
	"string_agg":            {-1, bindListAgg},
	"listagg":               {-1, bindListAgg},
}

func bindCount(b *binder, _ string, distinct string, args []bound) (string, Type) {
	if len(args) == 1 {
		return "count(" + distinct + args[0].sql + ")", typeBigInt
	}
	var present, key []string
	for _, a := range args {
		present = append(present, a.sql+" IS NOT NULL")
		key = append(key, "quote("+a.sql+")")
	}
	return "count(" + distinct + "CASE WHEN " + strings.Join(present, " AND ") + " THEN " + strings.Join(key, "||','||") + " END)", typeBigInt
}

func bindCountDistinct(_ *binder, _ string, _ string, args []bound) (string, Type) {
	return "count(DISTINCT " + args[0].sql + ")", typeBigInt
}

func bindCountIf(b *binder, _ string, distinct string, args []bound) (string, Type) {
	return "count(" + distinct + "CASE WHEN " + b.condition(args[0], "UNEXPECTED_INPUT_TYPE").sql + " THEN 1 END)", typeBigInt
}

// numeric prepares the argument of a numeric aggregate.
func (b *binder) numeric(name string, x bound) bound {
	switch {
	case x.typ.ID == String:
		return b.coerce(x, typeDouble)
	case x.typ.ID == Void:
		return b.coerce(x, typeDouble)
	case !x.typ.isNumeric():
		fail(errMismatch(name+"("+x.name+")", fmt.Sprintf("The first parameter requires the \"NUMERIC\" type, however \"%s\" has the type \"%s\".", x.name, x.typ)))
	}
	return x
}

func bindSum(b *binder, name string, distinct string, args []bound) (string, Type) {
	x := b.numeric(name, args[0])
	switch {
	case x.typ.ID == Decimal:
		t := decimalType(min(x.typ.Precision+10, maxPrecision), x.typ.Scale)
		return fmt.Sprintf("box_sum(%s%s,%d)", noDistinct(name, distinct), x.sql, t.code()), t
	case x.typ.isFloating():
		return "sum(" + distinct + x.sql + ")", typeDouble
	}
	return "sum(" + distinct + x.sql + ")", typeBigInt
}

func bindAvg(b *binder, name string, distinct string, args []bound) (string, Type) {
	x := b.numeric(name, args[0])
	if x.typ.ID == Decimal {
		t := boundedDecimal(x.typ.Precision+4, x.typ.Scale+4)
		return fmt.Sprintf("box_avg(%s%s,%d)", noDistinct(name, distinct), x.sql, t.code()), t
	}
	return "avg(" + distinct + x.sql + ")", typeDouble
}

// noDistinct refuses DISTINCT where the SQLite function takes a second argument.
func noDistinct(name, distinct string) string {
	if distinct != "" {
		fail(errUnsupported("AGGREGATE", name+"(DISTINCT ...) of this type"))
	}
	return ""
}

func bindExtreme(b *binder, name string, _ string, args []bound) (string, Type) {
	x, fn := args[0], "min"
	switch name {
	case "max":
		fn = "max"
	case "bool_or", "some", "any":
		x, fn = b.condition(x, "UNEXPECTED_INPUT_TYPE"), "max"
	case "bool_and", "every":
		x = b.condition(x, "UNEXPECTED_INPUT_TYPE")
	}
	return fn + "(" + sortable(x) + ")", x.typ
}

func bindEdge(_ *binder, name string, distinct string, args []bound) (string, Type) {
	return "box_" + name + "(" + distinct + args[0].sql + ")", args[0].typ
}

func bindSpread(b *binder, name string, distinct string, args []bound) (string, Type) {
	noDistinct(name, distinct)
	return "box_spread(" + b.coerce(b.numeric(name, args[0]), typeDouble).sql + ",'" + name + "')", typeDouble
}

func bindListAgg(b *binder, name string, distinct string, args []bound) (string, Type) {
	if len(args) > 2 {
		fail(failure("WRONG_NUM_ARGS.WITHOUT_SUGGESTION", "42605", "The `%s` requires [1, 2] parameters but the actual number is %d.", name, len(args)))
	}
	if len(args) == 1 {
		return "box_join(" + distinct + b.coerce(args[0], typeString).sql + ")", typeString
	}
	noDistinct(name, distinct)
	return "group_concat(" + b.coerce(args[0], typeString).sql + "," + b.coerce(args[1], typeString).sql + ")", typeString
}

func (b *binder) aggregate(s *scope, n *call, a *aggregateFunction) bound {
	if len(n.args) == 0 || a.args >= 0 && len(n.args) != a.args && n.name != "first" && n.name != "last" {
		fail(failure("WRONG_NUM_ARGS.WITHOUT_SUGGESTION", "42605", "The `%s` requires %d parameters but the actual number is %d.", n.name, max(a.args, 1), len(n.args)))
	}
	if n.over == nil && (s == nil || s.groups == nil) {
		fail(failure("INVALID_WHERE_CONDITION", "42903", "The aggregate function \"%s\" is not allowed here: not in WHERE, GROUP BY, ON, or VALUES.", n.name))
	}
	if n.over == nil {
		s.groups.inside++
		defer func() { s.groups.inside-- }()
		if s.groups.inside > 1 {
			fail(failure("NESTED_AGGREGATE_FUNCTION", "42607", "It is not allowed to use an aggregate function in the argument of another aggregate function. Please use the inner aggregate function in a sub-query."))
		}
	}
	args := b.exprs(s, n.args)
	distinct := ""
	if n.distinct {
		distinct = "DISTINCT "
	}
	r := bound{name: signature(n, args)}
	r.sql, r.typ = a.bind(b, n.name, distinct, args)
	if n.filter != nil {
		r.sql += " FILTER (WHERE " + b.condition(b.expr(s, n.filter), "UNEXPECTED_INPUT_TYPE").sql + ")"
	}
	r.sql += b.over(s, n.over)
	return r
}

// windowFunctions maps each to its result type; Void stands for that of its first argument.
var windowFunctions = map[string]struct {
	min, max int
	typ      Type
}{
	"row_number": {0, 0, typeInt}, "rank": {0, 0, typeInt}, "dense_rank": {0, 0, typeInt}, "ntile": {1, 1, typeInt},
	"percent_rank": {0, 0, typeDouble}, "cume_dist": {0, 0, typeDouble},
	"lag": {1, 3, typeVoid}, "lead": {1, 3, typeVoid},
	"first_value": {1, 1, typeVoid}, "last_value": {1, 1, typeVoid}, "nth_value": {2, 2, typeVoid},
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
	r.sql = n.name + "(" + strings.Join(texts, ",") + ")" + b.over(s, n.over)
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
		parts = append(parts, w.frame)
	}
	return " OVER (" + strings.Join(parts, " ") + ")"
}
