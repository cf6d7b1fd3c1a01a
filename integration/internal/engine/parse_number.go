package engine

import (
	"math/big"
	"strconv"
	"strings"
)

// number turns a numeric token into a literal: INT when it fits, then BIGINT, then DECIMAL; DOUBLE
// with an exponent; or the type of its suffix.
func (p *parser) number(t token, sign string) expr {
	digits := strings.TrimRight(t.text, "LSYDFBlsydfb")
	suffix := strings.ToUpper(t.text[len(digits):])
	text := sign + digits
	digits = strings.ToUpper(digits)
	point := strings.ContainsAny(digits, ".")
	exponent := strings.Contains(digits, "E")
	malformed := func() {
		fail(syntaxError(p.sql, t.at, "'"+t.text+"'", ""))
	}
	integer := func(id TypeID) expr {
		typ := Type{ID: id}
		n, err := strconv.ParseInt(text, 10, 64)
		lo, hi := typ.integerRange()
		if err != nil || n < lo || n > hi {
			fail(atOffset("INVALID_NUMERIC_LITERAL_RANGE", "22003",
				"Numeric literal "+text+" is outside the valid range for "+typ.String()+".", p.sql, t.at))
		}
		return &literal{typ, n, strconv.FormatInt(n, 10)}
	}
	switch {
	case strings.Trim(digits, "0123456789.E+-") != "" || (point || exponent) && strings.ContainsAny(suffix, "LSY"):
		malformed()
	case suffix == "L":
		return integer(BigInt)
	case suffix == "S":
		return integer(SmallInt)
	case suffix == "Y":
		return integer(TinyInt)
	case suffix == "BD":
		return p.decimal(t, text)
	case suffix == "D", suffix == "F", suffix == "" && exponent:
		f, err := strconv.ParseFloat(text, 64)
		if err != nil && f == 0 {
			malformed()
		}
		typ := typeDouble
		if suffix == "F" {
			typ, f = Type{ID: Float}, float64(float32(f))
		}
		return &literal{typ, f, formatFloat(f, typ)}
	case suffix != "":
		malformed()
	case point:
		return p.decimal(t, text)
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return p.decimal(t, text)
	}
	if lo, hi := typeInt.integerRange(); n >= lo && n <= hi {
		return &literal{typeInt, n, strconv.FormatInt(n, 10)}
	}
	return &literal{typeBigInt, n, strconv.FormatInt(n, 10)}
}

func (p *parser) decimal(t token, text string) expr {
	d, ok := parseDecimal(text)
	if !ok {
		fail(syntaxError(p.sql, t.at, "'"+t.text+"'", ""))
	}
	if d.scale < 0 {
		d = d.rescale(0)
	}
	size := int32(len(new(big.Int).Abs(d.unscaled).String()))
	precision := max(size, d.scale)
	if d.scale > maxPrecision || precision > maxPrecision {
		fail(failure("DECIMAL_PRECISION_EXCEEDS_MAX_PRECISION", "22003",
			"Decimal precision %d exceeds max precision %d.", precision, maxPrecision))
	}
	return &literal{decimalType(precision, d.scale), d.String(), d.String()}
}
