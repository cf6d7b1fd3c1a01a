package engine

import "fmt"

// A function that takes a lambda becomes a subquery over the elements of its array: SQLite
// runs the body once per element, with the parameters as columns.

// higherOrder are the functions that take a lambda, by name.
var higherOrder map[string]func(b *binder, s *scope, n *call) bound

func init() { // not a literal: the functions bind calls, which look in this map
	higherOrder = map[string]func(b *binder, s *scope, n *call) bound{
		"transform": bindTransform, "filter": bindFilter, "exists": bindQuantifier, "any_match": bindQuantifier, "forall": bindQuantifier,
		"aggregate": bindFold, "reduce": bindFold, "zip_with": bindZipWith,
		"array_sort": refuseLambda, "map_zip_with": refuseLambda,
		"transform_values": bindMapLambda, "transform_keys": bindMapLambda, "map_filter": bindMapLambda,
	}
}

// takesLambda distinguishes transform(a, x -> x) from other functions of the name.
func takesLambda(n *call) bool {
	for _, a := range n.args {
		if _, ok := a.(*lambda); ok {
			return higherOrder[n.name] != nil
		}
	}
	return false
}

// elements is an array or map as a relation: value, or key and val, with their position.
type elements struct {
	alias string
	from  string
	typ   Type
}

func (b *binder) elements(x bound) elements {
	alias := b.fresh("e")
	return elements{alias, fmt.Sprintf("dbx_each(%s,%s) AS %s", x.sql, x.typ.arg(), alias), x.typ}
}

func (e elements) column(name string, t Type) bound {
	return bound{sql: e.alias + "." + name, typ: t}
}

// body binds a lambda whose parameters are the given values. There may be fewer parameters
// than values, but not fewer than least.
func (b *binder) body(s *scope, x expr, least int, values ...bound) bound {
	f, ok := x.(*lambda)
	if !ok {
		fail(failure("INVALID_LAMBDA_FUNCTION_CALL.LAMBDA_EXPECTED", "42K0D", "Invalid lambda function call. The function expects a lambda here."))
	}
	if len(f.params) < least || len(f.params) > len(values) {
		fail(failure("INVALID_LAMBDA_FUNCTION_CALL.NUM_ARGS_MISMATCH", "42K0D", "Invalid lambda function call. A higher order function expects %d arguments, but got %d.", len(values), len(f.params)))
	}
	inner := &scope{parent: s}
	if s != nil {
		inner.groups, inner.ctes, inner.windows = s.groups, s.ctes, s.windows
	}
	for i, name := range f.params {
		inner.columns = append(inner.columns, scopeColumn{name: name, typ: values[i].typ, sql: values[i].sql, lambda: true})
	}
	return b.expr(inner, f.body)
}

func (b *binder) lambdaArgs(n *call, low, high int) {
	if len(n.args) < low || len(n.args) > high {
		fail(failure("WRONG_NUM_ARGS.WITHOUT_SUGGESTION", "42605", "The `%s` requires [%d, %d] parameters but the actual number is %d.", n.name, low, high, len(n.args)))
	}
}

// perElement is the text of a subquery over the elements, NULL for an array that is NULL.
func perElement(x bound, pick, from, where string) string {
	if where != "" {
		where = " WHERE " + where
	}
	return "(CASE WHEN " + x.sql + " IS NOT NULL THEN (SELECT " + pick + " FROM " + from + where + ") END)"
}

// gather makes an array of the values of all rows.
func gather(x bound) string { return "dbx_gather(dbx_item(" + x.typ.arg() + "," + x.sql + "))" }

func bindTransform(b *binder, s *scope, n *call) bound {
	b.lambdaArgs(n, 2, 2)
	x := b.want(Array, b.expr(s, n.args[0]))
	e := b.elements(x)
	body := b.body(s, n.args[1], 1, e.column("value", x.typ.element()), e.column("pos", typeInt))
	return bound{sql: perElement(x, gather(body), e.from, ""), typ: arrayOf(body.typ), name: n.name + "(" + x.name + ", lambda)"}
}

func bindFilter(b *binder, s *scope, n *call) bound {
	b.lambdaArgs(n, 2, 2)
	x := b.want(Array, b.expr(s, n.args[0]))
	e := b.elements(x)
	value := e.column("value", x.typ.element())
	keep := b.condition(b.body(s, n.args[1], 1, value, e.column("pos", typeInt)), "UNEXPECTED_INPUT_TYPE")
	return bound{sql: perElement(x, gather(value), e.from, keep.sql), typ: x.typ, name: "filter(" + x.name + ", lambda)"}
}

// bindQuantifier is exists or forall, in three-valued logic.
func bindQuantifier(b *binder, s *scope, n *call) bound {
	b.lambdaArgs(n, 2, 2)
	x := b.want(Array, b.expr(s, n.args[0]))
	e := b.elements(x)
	cond := b.condition(b.body(s, n.args[1], 1, e.column("value", x.typ.element())), "UNEXPECTED_INPUT_TYPE").sql
	decided, otherwise := "max("+cond+")", 0
	if n.name == "forall" {
		decided, otherwise = "NOT min("+cond+")", 1
	}
	pick := fmt.Sprintf("CASE WHEN %s THEN %d WHEN count(*) > count(%s) THEN NULL ELSE %d END", decided, 1-otherwise, cond, otherwise)
	return bound{sql: perElement(x, pick, e.from, ""), typ: typeBoolean, name: n.name + "(" + x.name + ", lambda)"}
}

// bindFold is aggregate(array, start, merge[, finish]): a recursion over the positions.
func bindFold(b *binder, s *scope, n *call) bound {
	b.lambdaArgs(n, 3, 4)
	x := b.want(Array, b.expr(s, n.args[0]))
	start := b.expr(s, n.args[1])
	fold, acc := b.fresh("f"), bound{typ: start.typ}
	acc.sql = fold + ".acc"
	item := b.nested("get", x.typ.element(), x, bound{sql: fold + ".i", typ: typeBigInt})
	merged := b.coerce(b.body(s, n.args[2], 2, acc, item), start.typ)
	result := acc
	if len(n.args) == 4 {
		result = b.body(s, n.args[3], 1, acc)
	}
	size := b.nested("array_size", typeInt, x).sql
	return bound{
		sql: fmt.Sprintf("(WITH RECURSIVE %s(i,acc) AS (SELECT 0,%s WHERE %s IS NOT NULL UNION ALL SELECT %s.i+1,%s FROM %s WHERE %s.i<%s) SELECT %s FROM %s WHERE %s.i=%s)",
			fold, start.sql, x.sql, fold, merged.sql, fold, fold, size, result.sql, fold, fold, size),
		typ: result.typ, name: n.name + "(" + x.name + ", " + start.name + ", lambda)",
	}
}

// refuseLambda refuses functions whose lambda compares or joins.
func refuseLambda(_ *binder, _ *scope, n *call) bound {
	fail(errUnsupported("LAMBDA_FUNCTION", n.name+" with a lambda"))
	return bound{}
}

func bindZipWith(b *binder, s *scope, n *call) bound {
	b.lambdaArgs(n, 3, 3)
	l, r := b.want(Array, b.expr(s, n.args[0])), b.want(Array, b.expr(s, n.args[1]))
	pair := b.nested("arrays_zip", arrayOf(structOf(Member{"0", l.typ.element()}, Member{"1", r.typ.element()})), l, r)
	e := b.elements(pair)
	both := e.column("value", pair.typ.element())
	body := b.body(s, n.args[2], 2, b.fields(both, "0"), b.fields(both, "1"))
	return bound{sql: perElement(pair, gather(body), e.from, ""), typ: arrayOf(body.typ), name: "zip_with(" + l.name + ", " + r.name + ", lambda)"}
}

func bindMapLambda(b *binder, s *scope, n *call) bound {
	b.lambdaArgs(n, 2, 2)
	x := b.want(Map, b.expr(s, n.args[0]))
	e := b.elements(x)
	key, value := e.column("value", x.typ.element()), e.column("val", x.typ.value())
	body := b.body(s, n.args[1], 2, key, value)
	where := ""
	switch n.name {
	case "transform_values":
		value = body
	case "transform_keys":
		key = body
	default:
		where = b.condition(body, "UNEXPECTED_INPUT_TYPE").sql
	}
	pair := b.structValue([]bound{key, value}, []string{"key", "value"})
	entries := bound{sql: perElement(x, gather(pair), e.from, where), typ: arrayOf(pair.typ)}
	r := b.nested("map_from_entries", mapOf(key.typ, value.typ), entries)
	r.name = n.name + "(" + x.name + ", lambda)"
	return r
}
