package engine

import (
	"fmt"
	"strings"
)

// expr binds one expression.
func (b *binder) expr(s *scope, x expr) bound {
	g := (*grouping)(nil)
	mark := 0
	if s != nil && s.groups != nil {
		g = s.groups
		mark = len(g.ungrouped)
	}
	r := b.node(s, x)
	if len(r.sql) > maxText {
		fail(failure("FAILED_TO_PARSE_TOO_COMPLEX", "54001",
			"The statement, including potential SQL functions and referenced views, was too complex to parse."))
	}
	if g != nil && g.exprs[r.sql] {
		g.ungrouped = g.ungrouped[:mark]
		if with, ok := g.replace[r.sql]; ok && g.inside == 0 {
			r = bound{sql: with, typ: r.typ, name: r.name}
		}
	}
	return r
}

// seen records the position of an expression, and fails if the statement's context has ended.
func (b *binder) seen(x expr) {
	if b.nodes++; b.nodes&0xff == 0 && b.ctx.Err() != nil {
		fail(failure("QUERY_EXECUTION_CANCELLED", "HY008", "The statement was canceled while it was analyzed."))
	}
	switch n := x.(type) {
	case *nameRef:
		b.at = n.at
	case *param:
		b.at = n.at
	case *star:
		b.at = n.at
	case *call:
		b.at = n.at
	case *interval:
		b.at = n.at
	case *index:
		b.at = n.at
	case *field:
		b.at = n.at
	case *lambda:
		b.at = n.at
	}
}

func (b *binder) exprs(s *scope, xs []expr) []bound {
	out := make([]bound, len(xs))
	for i, x := range xs {
		out[i] = b.expr(s, x)
	}
	return out
}

func (b *binder) node(s *scope, x expr) bound {
	b.seen(x)
	switch n := x.(type) {
	case *literal:
		return b.literal(n)
	case *nameRef:
		return b.column(s, n)
	case *param:
		return b.parameter(n)
	case *unary:
		return b.unary(s, n)
	case *binary:
		return b.binary(s, n)
	case *between:
		v, _ := b.unify("between", b.expr(s, n.x), b.expr(s, n.lo), b.expr(s, n.hi))
		return negate(n.not, bound{
			sql: "(" + sortable(v[0]) + " BETWEEN " + v[1].sql + " AND " + v[2].sql + ")", typ: typeBoolean,
			name: fmt.Sprintf("((%s >= %s) AND (%s <= %s))", v[0].name, v[1].name, v[0].name, v[2].name),
		})
	case *row:
		return b.structValue(b.exprs(s, n.items), nil)
	case *index:
		return b.index(b.expr(s, n.x), b.expr(s, n.i))
	case *field:
		return b.fields(b.expr(s, n.x), n.name)
	case *lambda:
		fail(failure("INVALID_LAMBDA_FUNCTION_CALL.NON_HIGHER_ORDER_FUNCTION", "42K0D", "Invalid lambda function call. A lambda function should only be used in a higher order function."))
	case *aliased:
		r := b.expr(s, n.x)
		r.name = n.name
		return r
	case *inList:
		return b.inList(s, n)
	case *inQuery:
		return b.inQuery(s, n)
	case *exists:
		q := b.subquery(s, n.q)
		return bound{sql: "EXISTS (" + q.sql + ")", typ: typeBoolean, name: "exists()"}
	case *subquery:
		q := b.subquery(s, n.q)
		b.single(q)
		if !oneRow(n.q) {
			// If there is one row, min is its value.
			q.sql = "SELECT CASE WHEN count(*)>1 THEN dbx_many_rows(0) ELSE min(o0) END FROM (" + q.sql + ")"
		}
		return bound{sql: "(" + q.sql + ")", typ: q.columns[0].typ, name: "scalarsubquery()"}
	case *like:
		return b.like(s, n)
	case *likeAny:
		return b.likeAny(s, n)
	case *is:
		return b.isPredicate(s, n)
	case *caseExpr:
		return b.caseExpr(s, n)
	case *cast:
		v := b.expr(s, n.x)
		r := b.convert(v, n.to, n.try)
		verb := "CAST"
		if n.try {
			verb = "TRY_CAST"
		}
		r.name = fmt.Sprintf("%s(%s AS %s)", verb, v.name, n.to)
		return r
	case *call:
		return b.call(s, n)
	case *interval:
		return b.intervalValue(s, n)
	case *defaultValue:
		fail(failure("DEFAULT_PLACEMENT_INVALID", "42608", "A DEFAULT keyword in a MERGE, INSERT, UPDATE, or SET VARIABLE command could not be directly assigned to a target column because it was part of an expression."))
	case *star:
		fail(failure("INVALID_USAGE_OF_STAR_OR_REGEX", "42000", "Invalid usage of '*' in expression."))
	}
	fail(failure("INTERNAL_ERROR", "XX000", "Unknown expression %T.", x))
	return bound{}
}

// oneRow reports whether a query's text shows that it has at most one row.
func oneRow(q *query) bool {
	if n, ok := q.limit.(*literal); ok && n.value == int64(1) {
		return true
	}
	switch body := q.body.(type) {
	case *query:
		return oneRow(body)
	case *valuesList:
		return len(body.rows) == 1
	case *selectCore:
		aggregates := false
		for _, item := range body.items {
			aggregates = aggregates || hasAggregate(item.x)
		}
		generates := generated(body) != body
		return !generates && (len(body.from) == 0 || aggregates && len(body.group) == 0 && body.sets == nil && !body.groupAll)
	}
	return false
}

// subquery binds a query inside an expression.
func (b *binder) subquery(s *scope, q *query) (r boundQuery) {
	b.bar(true, func() { r = b.query(s, q) })
	return r
}

// single checks that a subquery used as a value has one column.
func (b *binder) single(q boundQuery) {
	if len(q.columns) != 1 {
		fail(failure("INVALID_SUBQUERY_EXPRESSION.SCALAR_SUBQUERY_RETURN_MORE_THAN_ONE_OUTPUT_COLUMN", "42823",
			"Invalid subquery: Scalar subquery must return only one column, but got %d.", len(q.columns)))
	}
}

func negate(not bool, x bound) bound {
	if not {
		x.sql, x.name = "(NOT "+x.sql+")", "(NOT "+x.name+")"
	}
	return x
}

func (b *binder) unary(s *scope, n *unary) bound {
	x := b.expr(s, n.x)
	switch n.op {
	case "NOT":
		return negate(true, b.condition(x, "UNEXPECTED_INPUT_TYPE"))
	case "~":
		if !x.typ.isInteger() {
			fail(errMismatch("~"+x.name, "the operand must be an integral type."))
		}
		return bound{sql: "(~" + x.sql + ")", typ: x.typ, name: "~" + x.name}
	}
	if x.typ.ID == String {
		x = b.coerce(x, typeDouble)
	}
	if !x.typ.isNumeric() && x.typ.ID != Void && !x.typ.isInterval() {
		fail(errMismatch("("+n.op+" "+x.name+")", fmt.Sprintf("the operand has the type \"%s\" but must be numeric.", x.typ)))
	}
	if n.op == "+" {
		return x
	}
	r := bound{sql: "(-" + x.sql + ")", typ: x.typ, name: "(- " + x.name + ")"}
	if x.typ.ID == Decimal {
		r.sql = fmt.Sprintf("dbx_arith('-','0',%s,%d)", x.sql, x.typ.code())
	}
	return r
}

func (b *binder) binary(s *scope, n *binary) bound {
	switch n.op {
	case "AND", "OR":
		l := b.condition(b.expr(s, n.l), "BINARY_OP_WRONG_TYPE")
		r := b.condition(b.expr(s, n.r), "BINARY_OP_WRONG_TYPE")
		return bound{sql: "(" + l.sql + " " + n.op + " " + r.sql + ")", typ: typeBoolean, name: "(" + l.name + " " + n.op + " " + r.name + ")"}
	case "=", "<>", "<", "<=", ">", ">=", "<=>":
		if l, r, ok := rows(n.l, n.r); ok {
			return b.compareRows(n.op, b.exprs(s, l.items), b.exprs(s, r.items))
		}
		return b.compare(n.op, b.expr(s, n.l), b.expr(s, n.r))
	case "<<", ">>":
		l, r := b.expr(s, n.l), b.expr(s, n.r)
		x := functions[map[string]string{"<<": "shiftleft", ">>": "shiftright"}[n.op]].bind(b, []bound{l, r})
		x.name = "(" + l.name + " " + n.op + " " + r.name + ")"
		return x
	case "||":
		l, r := b.expr(s, n.l), b.expr(s, n.r)
		x := functions["concat"].bind(b, []bound{l, r})
		x.name = "concat(" + l.name + ", " + r.name + ")"
		return x
	}
	if i, ok := n.r.(*interval); ok && (n.op == "+" || n.op == "-") {
		if l := b.expr(s, n.l); !l.typ.isInterval() {
			return b.shift(s, l, i, n.op)
		}
	}
	if i, ok := n.l.(*interval); ok && n.op == "+" {
		if r := b.expr(s, n.r); !r.typ.isInterval() {
			return b.shift(s, r, i, n.op)
		}
	}
	return b.arithmetic(n.op, b.expr(s, n.l), b.expr(s, n.r))
}

func (b *binder) compare(op string, l, r bound) bound {
	name := "(" + l.name + " " + op + " " + r.name + ")"
	if op == "<>" {
		name = "(NOT (" + l.name + " = " + r.name + "))"
	}
	v, _ := b.unify(op, l, r)
	if op == "<=>" {
		op = "IS"
	}
	return bound{sql: "(" + sortable(v[0]) + " " + op + " " + v[1].sql + ")", typ: typeBoolean, name: name}
}

func (b *binder) concat(args []bound) bound {
	r := bound{typ: typeString}
	binary := len(args) > 0
	var texts, names []string
	for _, a := range args {
		binary = binary && a.typ.ID == Binary
		texts = append(texts, b.coerce(b.flat(a, typeString), typeString).sql)
		names = append(names, a.name)
	}
	r.sql = "(" + strings.Join(texts, " || ") + ")"
	if binary {
		r.sql, r.typ = "CAST("+r.sql+" AS BLOB)", typeBinary
	}
	r.name = "concat(" + strings.Join(names, ", ") + ")"
	return r
}

// arithmetic binds + - * / % DIV & | ^.
func (b *binder) arithmetic(op string, l, r bound) bound {
	name := "(" + l.name + " " + op + " " + r.name + ")"
	if out, ok := b.dateArithmetic(op, l, r); ok {
		out.name = name
		return out
	}
	for _, x := range []*bound{&l, &r} {
		switch {
		case x.typ.ID == String && op != "&" && op != "|" && op != "^":
			*x = b.coerce(*x, typeDouble)
		case x.typ.ID == Void:
			x.typ = typeInt
		case !x.typ.isNumeric():
			fail(failure("DATATYPE_MISMATCH.BINARY_OP_WRONG_TYPE", "42K09",
				"Cannot resolve \"%s\" due to data type mismatch: the binary operator requires the input type \"NUMERIC\", not \"%s\".", name, x.typ))
		}
	}
	out := bound{name: name}
	switch {
	case op == "&" || op == "|" || op == "^":
		if !l.typ.isInteger() || !r.typ.isInteger() {
			fail(errMismatch(name, "the operands must be integral types."))
		}
		out.typ = Type{ID: max(l.typ.ID, r.typ.ID)}
		if op == "^" {
			out.sql = "dbx_xor(" + l.sql + "," + r.sql + ")"
		} else {
			out.sql = "(" + l.sql + " " + op + " " + r.sql + ")"
		}
	case l.typ.isFloating() || r.typ.isFloating():
		out.typ, _ = commonType(l.typ, r.typ)
		out.sql = b.nativeArithmetic(op, b.coerce(l, typeDouble), b.coerce(r, typeDouble))
		if op == "DIV" {
			out.typ = typeBigInt
		}
	case l.typ.ID == Decimal || r.typ.ID == Decimal:
		lt, rt := exactType(l, r.typ).asDecimal(), exactType(r, l.typ).asDecimal()
		out.typ = decimalResult(op, lt, rt)
		if op == "DIV" {
			out.typ = decimalType(maxPrecision, 0)
		}
		out.sql = fmt.Sprintf("dbx_arith('%s',%s,%s,%d)", op, b.coerce(l, lt).sql, b.coerce(r, rt).sql, out.typ.code())
		if op == "DIV" {
			out = b.coerce(out, typeBigInt)
			out.name = name
		}
	case op == "/":
		out.typ = typeDouble
		out.sql = b.nativeArithmetic(op, b.coerce(l, typeDouble), b.coerce(r, typeDouble))
	default:
		out.typ = Type{ID: max(l.typ.ID, r.typ.ID)}
		if op == "DIV" {
			out.typ = typeBigInt
		}
		out.sql = b.nativeArithmetic(op, l, r)
	}
	return out
}

// nativeArithmetic leaves the operation to SQLite, except a division whose divisor might be
// zero, which SQLite would turn into NULL.
func (b *binder) nativeArithmetic(op string, l, r bound) string {
	if op == "+" || op == "-" || op == "*" {
		return "(" + l.sql + " " + op + " " + r.sql + ")"
	}
	integer, _ := r.value.(int64)
	float, _ := r.value.(float64)
	switch {
	case op == "DIV" && l.typ.isInteger() && integer > 0:
		return "(" + l.sql + " / " + r.sql + ")"
	case op == "%" && l.typ.isInteger() && integer > 0:
		return "(" + l.sql + " % " + r.sql + ")"
	case op == "/" && float != 0:
		return "(" + l.sql + " / " + r.sql + ")"
	}
	return fmt.Sprintf("dbx_divide('%s',%s,%s)", op, l.sql, r.sql)
}

func (b *binder) dateArithmetic(op string, l, r bound) (bound, bool) {
	switch {
	case op == "+" && l.typ.ID == Date && r.typ.isInteger(), op == "-" && l.typ.ID == Date && r.typ.isInteger():
		return bound{sql: "(" + l.sql + " " + op + " " + r.sql + ")", typ: typeDate}, true
	case op == "+" && l.typ.isInteger() && r.typ.ID == Date:
		return bound{sql: "(" + l.sql + " + " + r.sql + ")", typ: typeDate}, true
	}
	return b.intervalArithmetic(op, l, r)
}

// shift adds an interval to a date or timestamp.
func (b *binder) shift(s *scope, x bound, i *interval, op string) bound {
	amount := bound{sql: "1", typ: typeInt, name: "1"}
	if i.x != nil {
		amount = b.expr(s, i.x)
	}
	typ := x.typ
	sub := i.unit == "HOUR" || i.unit == "MINUTE" || strings.HasSuffix(i.unit, "SECOND")
	if typ.ID == String || typ.ID == Date && sub {
		typ = typeTimestamp
	}
	if typ.ID != Date && typ.ID != Timestamp && typ.ID != Void {
		fail(errMismatch(x.name, "an interval can be added to a date or timestamp only."))
	}
	sign := "1"
	if op == "-" {
		sign = "-1"
	}
	return bound{
		sql: fmt.Sprintf("dbx_shift(%s,%s,'%s',%s,%d,%s)", b.coerce(x, typ).sql, b.coerce(amount, typeDouble).sql, i.unit, sign, typ.code(), constantText(b.zone)),
		typ: typ, name: fmt.Sprintf("%s %s INTERVAL '%s' %s", x.name, op, amount.name, i.unit),
	}
}

func (b *binder) inList(s *scope, n *inList) bound {
	if r, ok := n.x.(*row); ok {
		return negate(n.not, b.rowInList(s, r, n.list))
	}
	xs := append([]bound{b.expr(s, n.x)}, b.exprs(s, n.list)...)
	v, _ := b.unify("in", xs...)
	var texts, names []string
	for i, x := range v[1:] {
		texts = append(texts, x.sql)
		names = append(names, xs[i+1].name)
	}
	return negate(n.not, bound{
		sql: "(" + sortable(v[0]) + " IN (" + strings.Join(texts, ",") + "))", typ: typeBoolean,
		name: "(" + xs[0].name + " IN (" + strings.Join(names, ", ") + "))",
	})
}

func (b *binder) inQuery(s *scope, n *inQuery) bound {
	if r, ok := n.x.(*row); ok {
		return negate(n.not, b.rowInQuery(s, r, n.q))
	}
	x := b.expr(s, n.x)
	q := b.subquery(s, n.q)
	b.single(q)
	alias := b.fresh("r")
	v, _ := b.unify("in", x, bound{sql: alias + ".o0", typ: q.columns[0].typ, name: q.columns[0].name})
	return negate(n.not, bound{
		sql: "(" + sortable(v[0]) + " IN (SELECT " + v[1].sql + " FROM (" + q.sql + ") AS " + alias + "))", typ: typeBoolean,
		name: "(" + x.name + " IN (listquery()))",
	})
}

func (b *binder) isPredicate(s *scope, n *is) bound {
	x := b.expr(s, n.x)
	r := bound{typ: typeBoolean}
	switch n.what {
	case "NULL":
		r.sql, r.name = "("+x.sql+" IS NULL)", "("+x.name+" IS NULL)"
		if n.not {
			r.sql, r.name = "("+x.sql+" IS NOT NULL)", "("+x.name+" IS NOT NULL)"
		}
		return r
	case "DISTINCT":
		return negate(!n.not, b.compare("<=>", x, b.expr(s, n.other)))
	}
	x = b.condition(x, "UNEXPECTED_INPUT_TYPE")
	want := map[string]string{"TRUE": "1", "FALSE": "0"}[n.what]
	return negate(n.not, bound{sql: "(" + x.sql + " IS " + want + ")", typ: typeBoolean, name: "(" + x.name + " IS " + n.what + ")"})
}

func (b *binder) caseExpr(s *scope, n *caseExpr) bound {
	var results []bound
	var conds []string
	name := "CASE"
	for _, w := range n.whens {
		var c bound
		if n.operand != nil {
			c = b.compare("=", b.expr(s, n.operand), b.expr(s, w.cond))
		} else {
			c = b.condition(b.expr(s, w.cond), "UNEXPECTED_INPUT_TYPE")
		}
		v := b.expr(s, w.then)
		conds = append(conds, c.sql)
		results = append(results, v)
		name += " WHEN " + c.name + " THEN " + v.name
	}
	if n.els != nil {
		v := b.expr(s, n.els)
		results = append(results, v)
		name += " ELSE " + v.name
	}
	values, t := b.unify("casewhen", results...)
	var text strings.Builder
	text.WriteString("CASE")
	for i, c := range conds {
		text.WriteString(" WHEN " + c + " THEN " + values[i].sql)
	}
	if n.els != nil {
		text.WriteString(" ELSE " + values[len(values)-1].sql)
	}
	text.WriteString(" END")
	return bound{sql: "(" + text.String() + ")", typ: t, name: name + " END"}
}
