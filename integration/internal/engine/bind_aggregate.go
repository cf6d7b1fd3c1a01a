package engine

import (
	"fmt"
	"strings"
)

// aggregateFunction returns the SQLite text of an aggregate over its arguments, and its type.
// FILTER and OVER replace the mark clauses in the text, or follow its end if there is none.
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
	"any_value":             {1, bindExtreme}, // one of the values; NULL only if all are
	"bool_and":              {1, bindExtreme},
	"every":                 {1, bindExtreme},
	"bool_or":               {1, bindExtreme},
	"some":                  {1, bindExtreme},
	"any":                   {1, bindExtreme},
	"first":                 {1, bindEdge},
	"last":                  {1, bindEdge},
	"first_value":           {1, bindEdge},
	"last_value":            {1, bindEdge},
	"stddev":                {1, bindSpread},
	"std":                   {1, bindSpread},
	"stddev_samp":           {1, bindSpread},
	"stddev_pop":            {1, bindSpread},
	"variance":              {1, bindSpread},
	"var_samp":              {1, bindSpread},
	"var_pop":               {1, bindSpread},
	"string_agg":            {-1, bindListAgg},
	"listagg":               {-1, bindListAgg},
	"try_sum":               {1, bindSum},
	"try_avg":               {1, bindAvg},
	"collect_list":          {1, bindCollect},
	"array_agg":             {1, bindCollect},
	"collect_set":           {1, bindCollect},
	"max_by":                {2, bindBy},
	"min_by":                {2, bindBy},
	"mode":                  {1, bindMode},
	"median":                {1, bindPercentile},
	"percentile":            {2, bindPercentile},
	"percentile_cont":       {1, bindPercentile},
	"percentile_disc":       {1, bindPercentile},
	"percentile_approx":     {-1, bindPercentile},
	"approx_percentile":     {-1, bindPercentile},
	"bit_and":               {1, bindBits},
	"bit_or":                {1, bindBits},
	"bit_xor":               {1, bindBits},
	"corr":                  {2, bindPair},
	"covar_pop":             {2, bindPair},
	"covar_samp":            {2, bindPair},
}

// clauses marks where FILTER and OVER belong.
const clauses = "\x02"

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
		return fmt.Sprintf("%s(dbx_total(%s%s)"+clauses+",%d)", tried(name, "dbx_fit"), distinct, x.sql, t.code()), t
	case name == "try_sum" && x.typ.isInteger():
		return fmt.Sprintf("dbx_try_fit(dbx_total(%s%s)"+clauses+",%d)", distinct, x.sql, typeBigInt.code()), typeBigInt
	case x.typ.isFloating():
		return "sum(" + distinct + x.sql + ")", typeDouble
	}
	return "sum(" + distinct + x.sql + ")", typeBigInt
}

func bindAvg(b *binder, name string, distinct string, args []bound) (string, Type) {
	x := b.numeric(name, args[0])
	if x.typ.ID == Decimal {
		t := boundedDecimal(x.typ.Precision+4, x.typ.Scale+4)
		return fmt.Sprintf("%s(dbx_mean(%s%s)"+clauses+",%d)", tried(name, "dbx_fit"), distinct, x.sql, t.code()), t
	}
	return "avg(" + distinct + x.sql + ")", typeDouble
}

// tried returns the function that answers NULL instead of failing, for the try_ aggregates.
func tried(aggregate, function string) string {
	if strings.HasPrefix(aggregate, "try_") {
		return "dbx_try_" + strings.TrimPrefix(function, "dbx_")
	}
	return function
}

// noDistinct refuses DISTINCT if the SQLite function takes a second argument.
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

// aggregatesEdge take a second argument: whether to skip NULLs.
var aggregatesEdge = map[string]bool{"first": true, "last": true, "first_value": true, "last_value": true, "any_value": true}

// bindEdge is first or last; with true as the second argument, it skips NULLs.
func bindEdge(b *binder, name string, _ string, args []bound) (string, Type) {
	ignore := "0"
	if len(args) > 1 {
		ignore = b.condition(args[1], "UNEXPECTED_INPUT_TYPE").sql
	}
	return "dbx_" + strings.TrimSuffix(name, "_value") + "(" + args[0].sql + "," + ignore + ")", args[0].typ
}

func bindSpread(b *binder, name string, distinct string, args []bound) (string, Type) {
	noDistinct(name, distinct)
	return "dbx_spread(" + b.coerce(b.numeric(name, args[0]), typeDouble).sql + ",'" + name + "')", typeDouble
}

func bindListAgg(b *binder, name string, distinct string, args []bound) (string, Type) {
	if len(args) > 2 && args[2].name != sortedArgument {
		fail(failure("WRONG_NUM_ARGS.WITHOUT_SUGGESTION", "42605", "The `%s` requires [1, 2] parameters but the actual number is %d.", name, len(args)))
	}
	order, delimiter := "", "''"
	if last := len(args) - 1; args[last].name == sortedArgument {
		order, args = args[last].sql, args[:last]
	}
	if len(args) == 2 {
		delimiter = b.coerce(args[1], typeString).sql
	}
	if distinct != "" {
		// SQLite takes DISTINCT only before a single argument.
		return "dbx_join(DISTINCT " + b.coerce(args[0], typeString).sql + order + ")" + clauses, typeString
	}
	return "group_concat(" + b.coerce(args[0], typeString).sql + "," + delimiter + order + ")", typeString
}

func (b *binder) aggregate(s *scope, n *call, a *aggregateFunction) bound {
	exact := a.args >= 0 && (!aggregatesEdge[n.name] || len(n.args) != 2)
	if len(n.args) == 0 || exact && len(n.args) != a.args {
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
	if n.within != nil {
		args = b.withinGroup(s, n, args)
	}
	r.sql, r.typ = a.bind(b, n.name, distinct, args)
	suffix := ""
	if n.filter != nil {
		suffix = " FILTER (WHERE " + b.condition(b.expr(s, n.filter), "UNEXPECTED_INPUT_TYPE").sql + ")"
	}
	suffix += b.over(s, n.over)
	if !strings.Contains(r.sql, clauses) {
		r.sql += clauses
	}
	r.sql = strings.Replace(r.sql, clauses, suffix, 1)
	return r
}
