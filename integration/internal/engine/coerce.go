package engine

import (
	"encoding/hex"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// collation compares decimals by value.
const collation = "dbx_decimal"

// constant writes a stored value into SQLite text.
func (b *binder) constant(v any, t Type) bound {
	return bound{sql: constantText(v), typ: t, name: formatValue(v, t, b.loc), konst: true, value: v}
}

func constantText(v any) string {
	switch x := v.(type) {
	case int64:
		if x < 0 {
			return "(" + strconv.FormatInt(x, 10) + ")"
		}
		return strconv.FormatInt(x, 10)
	case float64:
		switch {
		case math.IsNaN(x):
			return "NULL"
		case math.IsInf(x, 0):
			return strings.Replace(fmt.Sprintf("(%+de999)", int(math.Copysign(9, x))), "+", "", 1)
		}
		return "(" + strconv.FormatFloat(x, 'e', -1, 64) + ")"
	case string:
		if strings.IndexByte(x, 0) >= 0 {
			return "CAST(x'" + hex.EncodeToString([]byte(x)) + "' AS TEXT)"
		}
		return "'" + strings.ReplaceAll(x, "'", "''") + "'"
	case []byte:
		return "x'" + hex.EncodeToString(x) + "'"
	}
	return "NULL"
}

// literal gives a literal its stored value; dates and timestamps are read here, where the
// time zone is known.
func (b *binder) literal(l *literal) bound {
	v := l.value
	switch x := v.(type) {
	case bool:
		v = truth(x)
	case string:
		if l.typ.ID == Date || l.typ.ID == Timestamp {
			t, err := castText(x, l.typ, b.loc)
			if err != nil {
				fail(failure("INVALID_TYPED_LITERAL", "42604", "The value of the typed literal \"%s\" is invalid: '%s'.", l.typ, x))
			}
			v = t
		}
	}
	r := b.constant(v, l.typ)
	r.name = l.text
	return r
}

// coerce converts implicitly; explicit and try select the other kinds of conversion.
func (b *binder) coerce(x bound, to Type) bound { return b.convert(x, to, false) }

func (b *binder) convert(x bound, to Type, try bool) bound {
	from := x.typ
	r := bound{sql: x.sql, typ: to, name: x.name}
	same := from == to || from.ID == to.ID && from.ID != Decimal && !from.isNested() ||
		from.ID == Decimal && to.ID == Decimal && from.Scale == to.Scale && from.Precision <= to.Precision
	switch {
	case same || from.ID == Void:
		r.konst, r.value = x.konst, x.value
		return r
	case !castable(from, to):
		fail(failure("DATATYPE_MISMATCH.CAST_WITHOUT_SUGGESTION", "42K09",
			"Cannot resolve \"CAST(%s AS %s)\" due to data type mismatch: cannot cast \"%s\" to \"%s\".", x.name, to, from, to))
	case x.konst && x.value != nil:
		// Converting a constant now finds malformed literals even when no row is read.
		v, err := castValue(x.value, from, to, b.loc)
		if err != nil {
			if !try {
				fail(err)
			}
			v = nil
		}
		c := b.constant(v, to)
		c.name = x.name
		return c
	case from.isInteger() && to.isInteger() && from.ID < to.ID,
		from.ID == Boolean && to.isInteger(),
		from.ID == Float && to.ID == Double:
		return r
	case (from.isInteger() || from.ID == Boolean) && to.ID == Double, from.ID == Decimal && to.ID == Double:
		r.sql = "CAST(" + x.sql + " AS REAL)"
	case from.isInteger() && to.ID == String, from.ID == Decimal && to.ID == String, from.ID == Binary && to.ID == String:
		r.sql = "CAST(" + x.sql + " AS TEXT)"
	case from.ID == String && to.ID == Binary:
		r.sql = "CAST(" + x.sql + " AS BLOB)"
	case from.ID == Boolean && to.ID == String:
		r.sql = "CASE " + x.sql + " WHEN 1 THEN 'true' WHEN 0 THEN 'false' END"
	default:
		fn := "dbx_cast"
		if try {
			fn = "dbx_try_cast"
		}
		r.sql = fmt.Sprintf("%s(%s,%s,%s,%s)", fn, x.sql, from.arg(), to.arg(), constantText(b.zone))
	}
	return r
}

// unify converts expressions to their common type.
func (b *binder) unify(what string, xs ...bound) ([]bound, Type) {
	t := typeVoid
	for _, x := range xs {
		next, ok := commonType(t, x.typ)
		if !ok {
			fail(failure("DATATYPE_MISMATCH.DATA_DIFF_TYPES", "42K09",
				"Cannot resolve \"%s\" due to data type mismatch: Input to `%s` should all be the same type, but it's [\"%s\", \"%s\"].", what, what, t, x.typ))
		}
		t = next
	}
	out := make([]bound, len(xs))
	for i, x := range xs {
		out[i] = b.coerce(x, t)
	}
	return out, t
}

// exactType narrows an integer constant to the decimal of its own digits when it meets a
// decimal, so that price * 2 does not grow by the ten digits of an INT.
func exactType(x bound, with Type) Type {
	if n, ok := x.value.(int64); ok && x.konst && x.typ.isInteger() && with.ID == Decimal {
		return decimalType(int32(len(strings.TrimPrefix(strconv.FormatInt(n, 10), "-"))), 0)
	}
	return x.typ
}

// condition makes sure that an expression is BOOLEAN.
func (b *binder) condition(x bound, clause string) bound {
	if x.typ.ID == Boolean || x.typ.ID == Void {
		return x
	}
	if x.typ.ID == String {
		return b.coerce(x, typeBoolean)
	}
	fail(failure("DATATYPE_MISMATCH."+clause, "42K09",
		"Cannot resolve \"%s\" due to data type mismatch: The condition has the type \"%s\" but must be \"BOOLEAN\".", x.name, x.typ))
	return x
}

// sortable adds the collation with which SQLite orders a value by its type.
func sortable(x bound) string {
	if x.typ.ID == Decimal {
		return x.sql + " COLLATE " + collation
	}
	if x.typ.isNested() {
		return x.sql + " COLLATE " + nestedCollation
	}
	return x.sql
}
