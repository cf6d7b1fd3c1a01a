package engine

import (
	"math/big"
	"strconv"
	"strings"
)

// decimal is an exact number: unscaled / 10^scale. The value is never changed in place.
type decimal struct {
	unscaled *big.Int
	scale    int32
}

// maxExponent prevents 1e999999999 from expanding to a gigabyte of digits.
const maxExponent = 400

var ten = big.NewInt(10)

// parseDecimal reads plain or scientific notation.
func parseDecimal(text string) (decimal, bool) {
	text = strings.TrimSpace(text)
	mantissa, exponent := text, int64(0)
	if i := strings.IndexAny(text, "eE"); i >= 0 {
		n, err := strconv.ParseInt(text[i+1:], 10, 32)
		if err != nil || n > maxExponent || n < -maxExponent {
			return decimal{}, false
		}
		mantissa, exponent = text[:i], n
	}
	sign := strings.HasPrefix(mantissa, "-")
	mantissa = strings.TrimPrefix(strings.TrimPrefix(mantissa, "-"), "+")
	if sign && strings.HasPrefix(text[1:], "+") {
		return decimal{}, false
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	digits := whole + fraction
	if digits == "" || len(digits) > maxExponent || strings.Trim(digits, "0123456789") != "" {
		return decimal{}, false
	}
	n, ok := new(big.Int).SetString(digits, 10)
	if !ok {
		return decimal{}, false
	}
	if sign {
		n.Neg(n)
	}
	return decimal{n, int32(int64(len(fraction)) - exponent)}, true
}

func decimalOfInt(n int64) decimal { return decimal{big.NewInt(n), 0} }

func pow10(n int32) *big.Int { return new(big.Int).Exp(ten, big.NewInt(int64(n)), nil) }

// rescale rounds half away from zero when it drops digits.
func (d decimal) rescale(scale int32) decimal {
	switch {
	case scale == d.scale:
		return d
	case scale > d.scale:
		return decimal{new(big.Int).Mul(d.unscaled, pow10(scale-d.scale)), scale}
	}
	return decimal{divideRounded(d.unscaled, pow10(d.scale-scale)), scale}
}

// divideRounded divides, rounding half away from zero.
func divideRounded(a, b *big.Int) *big.Int {
	q, r := new(big.Int).QuoRem(a, b, new(big.Int))
	if r.Abs(r).Lsh(r, 1).CmpAbs(b) >= 0 {
		if (a.Sign() < 0) != (b.Sign() < 0) {
			q.Sub(q, big.NewInt(1))
		} else {
			q.Add(q, big.NewInt(1))
		}
	}
	return q
}

// rescaleEven rounds half to the even digit when it drops digits.
func (d decimal) rescaleEven(scale int32) decimal {
	if scale >= d.scale {
		return d.rescale(scale)
	}
	q, r := new(big.Int).QuoRem(d.unscaled, pow10(d.scale-scale), new(big.Int))
	if r.Lsh(r, 1).CmpAbs(pow10(d.scale-scale)) == 0 && q.Bit(0) == 0 {
		return decimal{q, scale} // half, and even already
	}
	return d.rescale(scale)
}

// fit rounds the value to a type's scale and reports whether its digits suffice.
func (d decimal) fit(t Type) (decimal, bool) {
	d = d.rescale(t.Scale)
	return d, d.unscaled.CmpAbs(pow10(t.Precision)) < 0
}

// String is plain notation with exactly scale digits after the point.
func (d decimal) String() string {
	if d.scale <= 0 {
		return d.rescale(0).unscaled.String()
	}
	digits := new(big.Int).Abs(d.unscaled).String()
	if pad := int(d.scale) + 1 - len(digits); pad > 0 {
		digits = strings.Repeat("0", pad) + digits
	}
	point := len(digits) - int(d.scale)
	text := digits[:point] + "." + digits[point:]
	if d.unscaled.Sign() < 0 {
		return "-" + text
	}
	return text
}

func (d decimal) float() float64 {
	f, _ := strconv.ParseFloat(d.String(), 64)
	return f
}

// truncated is the integral part, if an int64 holds it.
func (d decimal) truncated() (int64, bool) {
	n := d.unscaled
	if d.scale > 0 {
		n = new(big.Int).Quo(n, pow10(d.scale))
	} else {
		n = d.rescale(0).unscaled
	}
	return n.Int64(), n.IsInt64()
}

// align converts two decimals to one scale.
func align(a, b decimal) (decimal, decimal) {
	s := max(a.scale, b.scale)
	return a.rescale(s), b.rescale(s)
}

func compareDecimals(a, b decimal) int {
	a, b = align(a, b)
	return a.unscaled.Cmp(b.unscaled)
}

// arithmetic applies an operator and rounds to the result type.
func (d decimal) arithmetic(op string, e decimal, to Type) (decimal, *Error) {
	r := decimal{new(big.Int), 0}
	switch op {
	case "+", "-":
		a, b := align(d, e)
		r.scale = a.scale
		if op == "+" {
			r.unscaled.Add(a.unscaled, b.unscaled)
		} else {
			r.unscaled.Sub(a.unscaled, b.unscaled)
		}
	case "*":
		r.unscaled.Mul(d.unscaled, e.unscaled)
		r.scale = d.scale + e.scale
	default:
		if e.unscaled.Sign() == 0 {
			return r, errDivideByZero()
		}
		a, b := align(d, e)
		switch op {
		case "/":
			n := new(big.Int).Mul(a.unscaled, pow10(to.Scale))
			r = decimal{divideRounded(n, b.unscaled), to.Scale}
		case "DIV":
			r.unscaled.Quo(a.unscaled, b.unscaled)
		case "%":
			r = decimal{r.unscaled.Rem(a.unscaled, b.unscaled), a.scale}
		case "pmod":
			m := r.unscaled.Rem(a.unscaled, b.unscaled)
			if m.Sign() < 0 {
				m.Add(m, b.unscaled)
			}
			r = decimal{m, a.scale}
		}
	}
	fitted, ok := r.fit(to)
	if !ok {
		return r, errNumericRange(r.String(), to)
	}
	return fitted, nil
}

// divideTruncated is the integral part of d.
func divideTruncated(d decimal) *big.Int {
	if d.scale <= 0 {
		return d.rescale(0).unscaled
	}
	return new(big.Int).Quo(d.unscaled, pow10(d.scale))
}
