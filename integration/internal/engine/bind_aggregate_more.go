package engine

import (
	"fmt"
	"strings"
)

// sortedArgument names the argument that carries the ORDER BY of WITHIN GROUP.
const sortedArgument = "\x02sorted"

// withinGroup binds WITHIN GROUP (ORDER BY ...): the order of listagg, or the values of a
// percentile, which then come before the percentage.
func (b *binder) withinGroup(s *scope, n *call, args []bound) []bound {
	switch {
	case strings.HasPrefix(n.name, "percentile_") && len(n.within) == 1:
		value := b.expr(s, n.within[0].x)
		if n.within[0].desc {
			args[0].sql = "(1-" + args[0].sql + ")"
		}
		return append([]bound{value}, args...)
	case n.name == "listagg" || n.name == "string_agg":
		var keys []sortKey
		for _, o := range n.within {
			keys = append(keys, sortKey{b.expr(s, o.x), o.desc, o.nulls})
		}
		return append(args, bound{sql: orderText(keys), name: sortedArgument})
	}
	fail(failure("INVALID_WITHIN_GROUP_EXPRESSION.WITHIN_GROUP_MISSING", "42K0K", "Invalid function %s with WITHIN GROUP.", quoteParts(n.name)))
	return nil
}

// bindCollect is collect_list, array_agg or collect_set: an array without NULLs.
func bindCollect(_ *binder, name string, distinct string, args []bound) (string, Type) {
	if name == "collect_set" {
		distinct = "DISTINCT "
	}
	x := args[0]
	return fmt.Sprintf("coalesce(dbx_gather(%sCASE WHEN %s IS NOT NULL THEN dbx_item(%s,%s) END)%s,'[]')", distinct, x.sql, x.typ.arg(), x.sql, clauses), arrayOf(x.typ)
}

// bindBy is max_by or min_by: the value of the row with the extreme key.
func bindBy(_ *binder, name string, distinct string, args []bound) (string, Type) {
	noDistinct(name, distinct)
	sign := map[string]int{"max_by": 1, "min_by": -1}[name]
	return fmt.Sprintf("dbx_by(%s,%s,%s,%d)", args[0].sql, args[1].sql, args[1].typ.arg(), sign), args[0].typ
}

func bindMode(_ *binder, name string, distinct string, args []bound) (string, Type) {
	noDistinct(name, distinct)
	return "dbx_mode(" + args[0].sql + ")", args[0].typ
}

// bindPercentile is median, percentile, percentile_cont and percentile_disc, which compute in
// DOUBLE, or percentile_approx, which gives one of the values. Several percentages give an
// array.
func bindPercentile(b *binder, name string, distinct string, args []bound) (string, Type) {
	noDistinct(name, distinct)
	x := args[0]
	exact := name != "percentile_approx" && name != "approx_percentile" && name != "percentile_disc"
	t := x.typ
	if exact {
		x, t = b.coerce(b.numeric(name, x), typeDouble), typeDouble
	}
	at := b.constant(0.5, typeDouble)
	switch {
	case len(args) > 1:
		at = args[1]
	case name != "median":
		fail(failure("WRONG_NUM_ARGS.WITHOUT_SUGGESTION", "42605", "The `%s` requires [2, 3] parameters but the actual number is %d.", name, len(args)))
	}
	if at.typ.ID == Array {
		return fmt.Sprintf("dbx_percentile(%s,%s,%s,%d)", x.sql, b.coerce(at, arrayOf(typeDouble)).sql, t.arg(), truth(exact)), arrayOf(t)
	}
	return fmt.Sprintf("dbx_percentile(%s,%s,%s,%d)", x.sql, b.coerce(at, typeDouble).sql, t.arg(), truth(exact)), t
}

func bindBits(_ *binder, name string, distinct string, args []bound) (string, Type) {
	if !args[0].typ.isInteger() {
		fail(errMismatch(name+"("+args[0].name+")", "the parameter must be an integral type."))
	}
	noDistinct(name, distinct)
	return "dbx_bits(" + args[0].sql + ",'" + name + "')", args[0].typ
}

// bindPair is corr, covar_pop or covar_samp.
func bindPair(b *binder, name string, distinct string, args []bound) (string, Type) {
	noDistinct(name, distinct)
	x, y := b.coerce(b.numeric(name, args[0]), typeDouble), b.coerce(b.numeric(name, args[1]), typeDouble)
	return "dbx_pair(" + x.sql + "," + y.sql + ",'" + name + "')", typeDouble
}
