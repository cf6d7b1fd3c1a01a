package engine

import (
	"database/sql/driver"
	"fmt"
	"strconv"
	"strings"
)

const (
	maxPrecision    = 38
	minAdjustedSize = 6 // least number of digits after the point that decimal arithmetic keeps
)

var (
	typeBoolean   = Type{ID: Boolean}
	typeInt       = Type{ID: Int}
	typeBigInt    = Type{ID: BigInt}
	typeDouble    = Type{ID: Double}
	typeString    = Type{ID: String}
	typeBinary    = Type{ID: Binary}
	typeDate      = Type{ID: Date}
	typeTimestamp = Type{ID: Timestamp}
	typeVoid      = Type{ID: Void}
)

// typeNames maps every spelling Databricks accepts to the type it means.
var typeNames = map[string]TypeID{
	"BOOLEAN": Boolean,
	"TINYINT": TinyInt, "BYTE": TinyInt,
	"SMALLINT": SmallInt, "SHORT": SmallInt,
	"INT": Int, "INTEGER": Int,
	"BIGINT": BigInt, "LONG": BigInt,
	"FLOAT": Float, "REAL": Float,
	"DOUBLE": Double,
	"STRING": String, "VARCHAR": String, "CHAR": String, "CHARACTER": String,
	"TIMESTAMP": Timestamp, "TIMESTAMP_NTZ": Timestamp, "TIMESTAMP_LTZ": Timestamp,
	"DATE":    Date,
	"DECIMAL": Decimal, "DEC": Decimal, "NUMERIC": Decimal,
	"BINARY": Binary,
	"VOID":   Void,
}

// String is the type as SQL writes it.
func (t Type) String() string {
	switch t.ID {
	case Boolean:
		return "BOOLEAN"
	case TinyInt:
		return "TINYINT"
	case SmallInt:
		return "SMALLINT"
	case Int:
		return "INT"
	case BigInt:
		return "BIGINT"
	case Float:
		return "FLOAT"
	case Double:
		return "DOUBLE"
	case String:
		return "STRING"
	case Timestamp:
		return "TIMESTAMP"
	case Date:
		return "DATE"
	case Binary:
		return "BINARY"
	case Decimal:
		return fmt.Sprintf("DECIMAL(%d,%d)", t.Precision, t.Scale)
	case Void:
		return "VOID"
	}
	switch t.ID {
	case intervalMonth:
		return "INTERVAL YEAR TO MONTH"
	case intervalDay:
		return "INTERVAL DAY TO SECOND"
	}
	if t.isNested() {
		return t.nestedText(false)
	}
	return "TYPE(" + strconv.Itoa(int(t.ID)) + ")"
}

func decimalType(p, s int32) Type { return Type{ID: Decimal, Precision: p, Scale: s} }

// parseTypeName parses the type of a parameter: a name, and for decimals and strings an optional
// size.
func parseTypeName(text string) (Type, bool) {
	name, rest, sized := strings.Cut(strings.ToUpper(strings.TrimSpace(text)), "(")
	id, ok := typeNames[strings.TrimSpace(name)]
	if !ok {
		return Type{}, false
	}
	t := Type{ID: id}
	if id != Decimal {
		return t, true
	}
	t.Precision = 10
	if !sized {
		return t, true
	}
	ps, ss, both := strings.Cut(strings.TrimSuffix(strings.TrimSpace(rest), ")"), ",")
	p, err := strconv.Atoi(strings.TrimSpace(ps))
	s := 0
	if err == nil && both {
		s, err = strconv.Atoi(strings.TrimSpace(ss))
	}
	if err != nil || p < 1 || p > maxPrecision || s < 0 || s > p {
		return Type{}, false
	}
	return decimalType(int32(p), int32(s)), true
}

func (t Type) isInteger() bool  { return t.ID >= TinyInt && t.ID <= BigInt }
func (t Type) isFloating() bool { return t.ID == Float || t.ID == Double }
func (t Type) isNumeric() bool  { return t.isInteger() || t.isFloating() || t.ID == Decimal }

// integerRange gives the bounds of an integer type.
func (t Type) integerRange() (lo, hi int64) {
	switch t.ID {
	case TinyInt:
		return -1 << 7, 1<<7 - 1
	case SmallInt:
		return -1 << 15, 1<<15 - 1
	case Int:
		return -1 << 31, 1<<31 - 1
	}
	return -1 << 63, 1<<63 - 1
}

// asDecimal is the decimal that holds every value of an exact numeric type.
func (t Type) asDecimal() Type {
	switch t.ID {
	case TinyInt:
		return decimalType(3, 0)
	case SmallInt:
		return decimalType(5, 0)
	case Int:
		return decimalType(10, 0)
	case BigInt:
		return decimalType(20, 0)
	}
	return t
}

// code packs a type into an integer, the form in which SQLite functions receive it.
func (t Type) code() int64 {
	return int64(t.ID) | int64(t.Precision)<<8 | int64(t.Scale)<<16
}

// arg writes the type as an argument of a SQLite function, which reads it with typeArg.
func (t Type) arg() string {
	if t.isNested() {
		return constantText(t.String())
	}
	return strconv.FormatInt(t.code(), 10)
}

var parsedTypes bounded[Type]

func typeArg(v driver.Value) Type {
	text, ok := v.(string)
	if !ok {
		return typeOfCode(integerArg(v))
	}
	if t, ok := parsedTypes.get(text); ok {
		return t
	}
	t, err := parseSchema(text)
	if err != nil {
		return typeVoid
	}
	parsedTypes.put(text, t)
	return t
}

func typeOfCode(c int64) Type {
	return Type{ID: TypeID(c & 0xff), Precision: int32(c >> 8 & 0xff), Scale: int32(c >> 16 & 0xff)}
}

// boundedDecimal fits a computed precision and scale into 38 digits, dropping fractional digits
// before integral ones, but not below six.
func boundedDecimal(p, s int32) Type {
	if p <= maxPrecision {
		return decimalType(p, s)
	}
	integral := p - s
	return decimalType(maxPrecision, max(maxPrecision-integral, min(s, minAdjustedSize)))
}

func widerDecimal(a, b Type) Type {
	s := max(a.Scale, b.Scale)
	p := max(a.Precision-a.Scale, b.Precision-b.Scale) + s
	if p > maxPrecision {
		return decimalType(maxPrecision, max(maxPrecision-(p-s), 0))
	}
	return decimalType(p, s)
}

// decimalResult is the type of a decimal operation: the rules of the SQL standard as
// Databricks applies them.
func decimalResult(op string, a, b Type) Type {
	p1, s1, p2, s2 := a.Precision, a.Scale, b.Precision, b.Scale
	switch op {
	case "+", "-":
		s := max(s1, s2)
		return boundedDecimal(max(p1-s1, p2-s2)+s+1, s)
	case "*":
		return boundedDecimal(p1+p2+1, s1+s2)
	case "/":
		s := max(minAdjustedSize, s1+p2+1)
		return boundedDecimal(p1-s1+s2+s, s)
	default: // %, mod, pmod
		s := max(s1, s2)
		return boundedDecimal(min(p1-s1, p2-s2)+s, s)
	}
}

// commonType is the type to which two values are converted when they are compared, unioned or
// returned from the branches of one expression. ok is false when there is none.
func commonType(a, b Type) (t Type, ok bool) {
	switch {
	case a == b:
		return a, true
	case a.ID == Void:
		return b, true
	case b.ID == Void:
		return a, true
	case a.isNumeric() && b.isNumeric():
		switch {
		case a.isFloating() || b.isFloating():
			if a.ID == Float && b.ID == Float {
				return a, true
			}
			return typeDouble, true
		case a.ID == Decimal || b.ID == Decimal:
			return widerDecimal(a.asDecimal(), b.asDecimal()), true
		}
		return Type{ID: max(a.ID, b.ID)}, true
	case a.isInterval() || b.isInterval():
		return Type{}, false
	case a.isNested() || b.isNested():
		return commonNested(a, b)
	case a.ID == String || b.ID == String:
		other := a
		if a.ID == String {
			other = b
		}
		switch {
		case other.isInteger():
			return typeBigInt, true
		case other.isNumeric():
			return typeDouble, true
		}
		return other, true
	case a.ID == Date && b.ID == Timestamp, a.ID == Timestamp && b.ID == Date:
		return typeTimestamp, true
	}
	return Type{}, false
}
