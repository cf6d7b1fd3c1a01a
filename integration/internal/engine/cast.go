package engine

import (
	"math"
	"strings"
	"time"
)

// castable reports whether CAST exists between two types at all.
func castable(from, to Type) bool {
	switch {
	case from.ID == Void, to.ID == String:
		return true
	case from.isInterval():
		return to.isInteger() || to == from
	case to.isInterval():
		return false
	case from.isNested() || to.isNested():
		return castableNested(from, to)
	case from.ID == to.ID, from.ID == String:
		return true
	case from.isNumeric():
		return to.isNumeric() || to.ID == Boolean || to.ID == Timestamp || to.ID == Binary && from.isInteger()
	case from.ID == Boolean:
		return to.isNumeric()
	case from.ID == Date:
		return to.ID == Timestamp
	case from.ID == Timestamp:
		return to.ID == Date || to.isNumeric()
	}
	return false
}

// castValue converts a stored value as ANSI CAST does. Malformed text and overflow are
// errors.
func castValue(v any, from, to Type, loc *time.Location) (any, *Error) {
	if v == nil {
		return nil, nil
	}
	if parts, ok := fromSQLite(v, from).([]any); ok && to.isNested() {
		return castNested(parts, from, to, loc)
	}
	switch to.ID {
	case String:
		return formatValue(v, from, loc), nil
	case Binary:
		switch x := v.(type) {
		case string:
			return []byte(x), nil
		case int64:
			return bigEndian(x, from), nil
		}
		return v, nil
	}
	if text, ok := v.(string); ok && from.ID != Decimal {
		return castText(text, to, loc)
	}
	switch to.ID {
	case Boolean:
		switch x := v.(type) {
		case int64:
			return truth(x != 0), nil
		case float64:
			return truth(x != 0), nil
		case string:
			return truth(strings.Trim(x, "-0.") != ""), nil
		}
	case TinyInt, SmallInt, Int, BigInt:
		return castInteger(v, from, to, loc)
	case Float, Double:
		f := 0.0
		switch x := v.(type) {
		case int64:
			f = float64(x)
			if from.ID == Timestamp {
				f /= float64(microsPerSecond)
			}
		case float64:
			f = x
		case string:
			f, _ = parseFloat(x)
		}
		if to.ID == Float {
			f = float64(float32(f))
		}
		return f, nil
	case Decimal:
		d, ok := decimalOf(v)
		if from.ID == Timestamp {
			d.scale += 6
		}
		if ok {
			if d, ok = d.fit(to); ok {
				return d.String(), nil
			}
		}
		return nil, errNumericRange(formatValue(v, from, loc), to)
	case Date:
		if x, ok := v.(int64); ok && from.ID == Timestamp {
			return dayOf(time.UnixMicro(x).In(loc)), nil
		}
		return v, nil
	case Timestamp:
		switch x := v.(type) {
		case int64:
			if from.ID == Date {
				t := timeOfDay(x)
				return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, loc).UnixMicro(), nil
			}
			if from.isInteger() {
				if x > math.MaxInt64/microsPerSecond || x < math.MinInt64/microsPerSecond {
					return nil, errCastOverflow(formatValue(v, from, loc), from, to)
				}
				return x * microsPerSecond, nil
			}
			return x, nil
		case float64:
			if m := x * float64(microsPerSecond); math.Abs(m) < math.MaxInt64 {
				return int64(m), nil
			}
			return nil, errCastOverflow(formatValue(v, from, loc), from, to)
		case string:
			if d, ok := parseDecimal(x); ok {
				if n, ok := (decimal{d.unscaled, d.scale - 6}).truncated(); ok {
					return n, nil
				}
			}
			return nil, errCastOverflow(x, from, to)
		}
	}
	return nil, errCast(formatValue(v, from, loc), from, to)
}

func truth(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

func decimalOf(v any) (decimal, bool) {
	switch x := v.(type) {
	case int64:
		return decimalOfInt(x), true
	case float64:
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return decimal{}, false
		}
		return parseDecimal(formatFloat(x, typeDouble))
	case string:
		return parseDecimal(x)
	}
	return decimal{}, false
}

func castInteger(v any, from, to Type, loc *time.Location) (any, *Error) {
	lo, hi := to.integerRange()
	n, ok := int64(0), true
	switch x := v.(type) {
	case int64:
		switch n = x; from.ID {
		case Timestamp:
			n = floorDiv(x, microsPerSecond)
		case intervalDay:
			n = x / (secondsPerDay * microsPerSecond)
		}
	case float64:
		n = int64(x)
		ok = x > -9.3e18 && x < 9.3e18 && math.Abs(math.Trunc(x)-float64(n)) == 0
	case string:
		var d decimal
		if d, ok = parseDecimal(x); ok {
			n, ok = d.truncated()
		}
	}
	if !ok || n < lo || n > hi {
		return nil, errCastOverflow(formatValue(v, from, loc), from, to)
	}
	return n, nil
}

func castText(text string, to Type, loc *time.Location) (any, *Error) {
	ok := false
	var v any
	switch to.ID {
	case Boolean:
		switch strings.ToLower(strings.TrimSpace(text)) {
		case "t", "true", "y", "yes", "1":
			v, ok = int64(1), true
		case "f", "false", "n", "no", "0":
			v, ok = int64(0), true
		}
	case TinyInt, SmallInt, Int, BigInt:
		lo, hi := to.integerRange()
		if d, is := parseDecimal(text); is && !strings.ContainsAny(text, ".eE") {
			n, fits := d.truncated()
			v, ok = n, fits && n >= lo && n <= hi
		}
	case Float, Double:
		var f float64
		if f, ok = parseFloat(text); to.ID == Float {
			f = float64(float32(f))
		}
		v = f
	case Decimal:
		if d, is := parseDecimal(text); is {
			if d, is = d.fit(to); !is {
				return nil, errNumericRange(text, to)
			}
			v, ok = d.String(), true
		}
	case Date:
		v, ok = parseDate(text)
	case Timestamp:
		v, ok = parseTimestamp(text, loc)
	}
	if !ok {
		return nil, errCast(text, typeString, to)
	}
	return v, nil
}

func bigEndian(n int64, t Type) []byte {
	size := map[TypeID]int{TinyInt: 1, SmallInt: 2, Int: 4, BigInt: 8}[t.ID]
	b := make([]byte, size)
	for i := range b {
		b[size-1-i] = byte(n >> (8 * i))
	}
	return b
}
