package engine

import (
	"fmt"
	"strconv"
)

// Intervals are values of expressions only: months, or microseconds. No result or table has a
// column of intervals. The numbers are Thrift's.
const (
	intervalMonth TypeID = 20
	intervalDay   TypeID = 21
)

var (
	typeIntervalMonth = Type{ID: intervalMonth}
	typeIntervalDay   = Type{ID: intervalDay}
)

func (t Type) isInterval() bool { return t.ID == intervalMonth || t.ID == intervalDay }

// intervalValue binds INTERVAL amount unit where it is not added to a date.
func (b *binder) intervalValue(s *scope, n *interval) bound {
	amount := b.coerce(b.expr(s, n.x), typeDouble)
	t, factor := typeIntervalDay, spans[n.unit]
	if factor == 0 {
		t, factor = typeIntervalMonth, months[n.unit]
	}
	return bound{
		sql: fmt.Sprintf("CAST(round(%s*%d) AS INTEGER)", amount.sql, factor), typ: t, days: n.unit == "DAY" || n.unit == "WEEK",
		name: fmt.Sprintf("INTERVAL '%s' %s", amount.name, n.unit),
	}
}

// intervalArithmetic binds operations on intervals and the difference of two dates.
func (b *binder) intervalArithmetic(op string, l, r bound) (bound, bool) {
	isTime := func(x bound) bool { return x.typ.ID == Date || x.typ.ID == Timestamp }
	switch {
	case op == "-" && l.typ.ID == Date && r.typ.ID == Date:
		return bound{sql: fmt.Sprintf("((%s - %s)*%d)", l.sql, r.sql, secondsPerDay*microsPerSecond), typ: typeIntervalDay, days: true}, true
	case op == "-" && isTime(l) && isTime(r):
		return bound{sql: "(" + b.coerce(l, typeTimestamp).sql + " - " + b.coerce(r, typeTimestamp).sql + ")", typ: typeIntervalDay}, true
	case !l.typ.isInterval() && !r.typ.isInterval():
		return bound{}, false
	case op == "+" && l.typ.isInterval() && isTime(r):
		return b.intervalArithmetic(op, r, l)
	case (op == "+" || op == "-") && isTime(l) && r.typ.isInterval():
		sign := map[string]int{"+": 1, "-": -1}[op]
		unit := map[TypeID]string{intervalMonth: "MONTH", intervalDay: "MICROSECOND"}[r.typ.ID]
		amount := r.sql
		switch {
		case l.typ.ID != Date || unit == "MONTH":
		case r.days:
			unit, amount = "DAY", fmt.Sprintf("(%s/%d)", r.sql, secondsPerDay*microsPerSecond)
		default:
			l = b.coerce(l, typeTimestamp)
		}
		t := l.typ
		return bound{sql: fmt.Sprintf("dbx_shift(%s,%s,'%s',%d,%d,%s)", l.sql, amount, unit, sign, t.code(), constantText(b.zone)), typ: t}, true
	case (op == "+" || op == "-") && l.typ == r.typ:
		return bound{sql: "(" + l.sql + " " + op + " " + r.sql + ")", typ: l.typ, days: l.days && r.days}, true
	case op == "*" && l.typ.isNumeric():
		return b.intervalArithmetic(op, r, l)
	case (op == "*" || op == "/") && r.typ.isNumeric():
		by := b.coerce(r, typeDouble)
		return bound{sql: "CAST(round(" + b.nativeArithmetic(op, bound{sql: l.sql, typ: typeDouble}, by) + ") AS INTEGER)", typ: l.typ}, true
	}
	return bound{}, false
}

// formatInterval writes an interval as CAST(... AS STRING) does.
func formatInterval(n int64, t Type) string {
	if t.ID == intervalMonth {
		sign := ""
		if n < 0 {
			sign, n = "-", -n
		}
		return fmt.Sprintf("INTERVAL '%s%d-%d' YEAR TO MONTH", sign, n/12, n%12)
	}
	if day := secondsPerDay * microsPerSecond; n%day == 0 {
		return "INTERVAL '" + strconv.FormatInt(n/day, 10) + "' DAY"
	}
	sign := ""
	if n < 0 {
		sign, n = "-", -n
	}
	d, rest := n/(secondsPerDay*microsPerSecond), n%(secondsPerDay*microsPerSecond)
	clock := formatTimestamp(rest, timeOfDay(0).Location())[len("1970-01-01 "):]
	return fmt.Sprintf("INTERVAL '%s%d %s' DAY TO SECOND", sign, d, clock)
}

// noIntervals refuses columns of intervals.
func noIntervals(columns []outColumn) {
	for _, c := range columns {
		if c.typ.isInterval() {
			fail(errUnsupported("DATA_TYPE", "an INTERVAL as a column ("+c.name+")"))
		}
	}
}
