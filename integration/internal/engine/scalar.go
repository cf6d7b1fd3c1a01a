package engine

import (
	"context"
	"database/sql/driver"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"modernc.org/sqlite"
	"modernc.org/sqlite/vtab"
)

// goFunction is a scalar function in Go. Its arguments are never NULL: with a NULL argument
// the result is NULL without a call.
type goFunction func(args []driver.Value) (driver.Value, *Error)

// SQLite functions, collations and modules are registered for the whole process, and the registry
// may only be written while no connection is being opened. Only package initialization guarantees
// that. The prefix dbx_ avoids conflicts with other users of the same SQLite package.
func init() {
	for _, table := range []map[string]goFunction{coreFunctions, textFunctions, timeFunctions, moreFunctions} {
		for name, f := range table {
			sqlite.MustRegisterDeterministicScalarFunction("dbx_"+name, -1, adapt(f, true))
		}
	}
	for name, f := range volatileFunctions {
		sqlite.MustRegisterScalarFunction("dbx_"+name, -1, adapt(f, true))
	}
	for name, f := range nullableFunctions {
		sqlite.MustRegisterDeterministicScalarFunction("dbx_"+name, -1, adapt(f, false))
	}
	for name, make := range goAggregates {
		sqlite.MustRegisterFunction("dbx_"+name, &sqlite.FunctionImpl{NArgs: -1, Deterministic: true, MakeAggregate: make})
	}
	sqlite.MustRegisterCollationUtf8(collation, func(l, r string) int {
		a, okA := parseDecimal(l)
		b, okB := parseDecimal(r)
		if !okA || !okB {
			return strings.Compare(l, r)
		}
		return compareDecimals(a, b)
	})
	sqlite.MustRegisterCollationUtf8(nestedCollation, compareNested)
	for name, module := range map[string]vtab.Module{rangeModuleName: rangeModule{}, eachModuleName: eachModule{}} {
		if err := vtab.RegisterModule(nil, name, module); err != nil {
			panic(err) // the name is taken: a programming error
		}
	}
}

// adapt makes a SQLite function of f. A panic must not unwind through SQLite, which would leave its
// locks held.
func adapt(f goFunction, strict bool) func(*sqlite.FunctionContext, []driver.Value) (driver.Value, error) {
	return func(_ *sqlite.FunctionContext, args []driver.Value) (out driver.Value, err error) {
		defer func() {
			if r := recover(); r != nil {
				out, err = nil, failure("INTERNAL_ERROR", "XX000", "%v", r).pack()
			}
		}()
		if strict {
			for _, a := range args {
				if a == nil {
					return nil, nil
				}
			}
		}
		v, bad := f(args)
		if bad != nil {
			return nil, bad.pack()
		}
		if x, ok := v.(float64); ok && math.IsNaN(x) {
			return nil, nil
		}
		return v, nil
	}
}

func integerArg(v driver.Value) int64 {
	switch x := v.(type) {
	case int64:
		return x
	case float64:
		return int64(x)
	}
	return 0
}

func floatArg(v driver.Value) float64 {
	switch x := v.(type) {
	case int64:
		return float64(x)
	case float64:
		return x
	}
	return 0
}

func textArg(v driver.Value) string {
	switch x := v.(type) {
	case string:
		return x
	case []byte:
		return string(x)
	case int64:
		return strconv.FormatInt(x, 10)
	case float64:
		return formatFloat(x, typeDouble)
	}
	return ""
}

func bytesArg(v driver.Value) []byte {
	if b, ok := v.([]byte); ok {
		return b
	}
	return []byte(textArg(v))
}

func zoneArg(v driver.Value) *time.Location {
	if l, ok := location(textArg(v)); ok {
		return l
	}
	return time.UTC
}

func castArgs(args []driver.Value) (driver.Value, *Error) {
	to := typeArg(args[2])
	v, err := castValue(args[0], typeArg(args[1]), to, zoneArg(args[3]))
	if err != nil {
		return nil, err
	}
	return toSQLite(v, to)
}

var coreFunctions = map[string]goFunction{
	"cast": castArgs,
	"try_cast": func(args []driver.Value) (driver.Value, *Error) {
		v, err := castArgs(args)
		if err != nil {
			return nil, nil
		}
		return v, nil
	},
	// fit(decimal, type) rounds a sum or an average to its type.
	"fit": fit,
	"try_fit": func(args []driver.Value) (driver.Value, *Error) {
		v, err := fit(args)
		if err != nil {
			return nil, nil
		}
		return v, nil
	},
	// try_arith is arith that answers NULL instead of failing.
	"try_arith": func(args []driver.Value) (driver.Value, *Error) {
		v, err := arith(args)
		if err != nil {
			return nil, nil
		}
		return v, nil
	},
	// arith(op, l, r, type) is exact decimal arithmetic.
	"arith": arith,
	// in_range(value, type) refuses a value that an integer type cannot hold.
	"in_range": func(args []driver.Value) (driver.Value, *Error) {
		t := typeArg(args[1])
		lo, hi := t.integerRange()
		if n, ok := args[0].(int64); !ok || n < lo || n > hi {
			return nil, errOverflow(t)
		}
		return args[0], nil
	},
	// divide(op, l, r) divides, and fails where SQLite would answer NULL because r is zero.
	"divide": func(args []driver.Value) (driver.Value, *Error) {
		op := textArg(args[0])
		a, isInt := args[1].(int64)
		c, bothInt := args[2].(int64)
		if isInt && bothInt && op != "/" {
			return divideIntegers(op, a, c)
		}
		x, y := floatArg(args[1]), floatArg(args[2])
		if y == 0 {
			return nil, errDivideByZero()
		}
		switch op {
		case "/":
			return x / y, nil
		case "DIV":
			return int64(x / y), nil
		case "pmod":
			if m := math.Mod(x, y); m < 0 {
				return math.Mod(m+y, y), nil
			}
		}
		return math.Mod(x, y), nil
	},
	// round(value, places, type) rounds half up, bround half to even.
	"round":  func(args []driver.Value) (driver.Value, *Error) { return rounded(args, decimal.rescale) },
	"bround": func(args []driver.Value) (driver.Value, *Error) { return rounded(args, decimal.rescaleEven) },
	"ceil":   func(args []driver.Value) (driver.Value, *Error) { return wholeNumber(args, math.Ceil, 1) },
	"floor":  func(args []driver.Value) (driver.Value, *Error) { return wholeNumber(args, math.Floor, -1) },
	"xor": func(args []driver.Value) (driver.Value, *Error) {
		return integerArg(args[0]) ^ integerArg(args[1]), nil
	},
	// shiftleft(value, bits, type) and shiftright count bits as the type's width allows.
	"shiftleft": func(args []driver.Value) (driver.Value, *Error) {
		if typeArg(args[2]).ID == Int {
			return int64(int32(integerArg(args[0])) << uint(integerArg(args[1])&31)), nil
		}
		return integerArg(args[0]) << uint(integerArg(args[1])&63), nil
	},
	"shiftright": func(args []driver.Value) (driver.Value, *Error) {
		if typeArg(args[2]).ID == Int {
			return integerArg(args[0]) >> uint(integerArg(args[1])&31), nil
		}
		return integerArg(args[0]) >> uint(integerArg(args[1])&63), nil
	},
	"power": func(args []driver.Value) (driver.Value, *Error) {
		return math.Pow(floatArg(args[0]), floatArg(args[1])), nil
	},
	"atan2": func(args []driver.Value) (driver.Value, *Error) {
		return math.Atan2(floatArg(args[0]), floatArg(args[1])), nil
	},
	"log": func(args []driver.Value) (driver.Value, *Error) {
		if len(args) == 1 {
			return logarithm(math.Log)(floatArg(args[0])), nil
		}
		return logarithm(math.Log)(floatArg(args[1])) / logarithm(math.Log)(floatArg(args[0])), nil
	},
	"pi": func([]driver.Value) (driver.Value, *Error) { return math.Pi, nil },
	"e":  func([]driver.Value) (driver.Value, *Error) { return math.E, nil },
	"math": func(args []driver.Value) (driver.Value, *Error) {
		f := mathFunctions[textArg(args[0])]
		if f == nil {
			return nil, nil
		}
		return f(floatArg(args[1])), nil
	},
}

var mathFunctions = map[string]func(float64) float64{
	"sqrt": math.Sqrt, "exp": math.Exp, "ln": logarithm(math.Log), "log2": logarithm(math.Log2), "log10": logarithm(math.Log10), "cbrt": math.Cbrt,
	"sin": math.Sin, "cos": math.Cos, "tan": math.Tan, "asin": math.Asin, "acos": math.Acos, "atan": math.Atan,
	"sinh": math.Sinh, "cosh": math.Cosh, "tanh": math.Tanh,
	"degrees": func(x float64) float64 { return x * 180 / math.Pi },
	"radians": func(x float64) float64 { return x * math.Pi / 180 },
	"signum": func(x float64) float64 {
		if x == 0 {
			return 0
		}
		return math.Copysign(1, x)
	},
}

// logarithm is NULL if its argument is not positive.
func logarithm(f func(float64) float64) func(float64) float64 {
	return func(x float64) float64 {
		if x <= 0 {
			return math.NaN()
		}
		return f(x)
	}
}

func rounded(args []driver.Value, rescale func(decimal, int32) decimal) (driver.Value, *Error) {
	places, t := integerArg(args[1]), typeArg(args[2])
	places = min(max(places, -maxExponent), maxExponent)
	d, ok := decimalOf(args[0])
	if !ok || t.isInteger() && places >= 0 {
		return args[0], nil // infinite, or without a fraction
	}
	d = rescale(d, int32(places))
	switch {
	case t.ID == Decimal:
		if d, ok = d.fit(t); !ok {
			return nil, errNumericRange(d.String(), t)
		}
		return d.String(), nil
	case t.isInteger():
		n, ok := d.truncated()
		if !ok {
			return nil, errOverflow(t)
		}
		return n, nil
	}
	return d.float(), nil
}

func arith(args []driver.Value) (driver.Value, *Error) {
	l, okL := decimalOf(args[1])
	r, okR := decimalOf(args[2])
	to := typeArg(args[3])
	if !okL || !okR {
		return nil, errNumericRange(textArg(args[1])+" "+textArg(args[0])+" "+textArg(args[2]), to)
	}
	if to.isInteger() {
		d, err := l.arithmetic(textArg(args[0]), r, decimalType(maxPrecision, 0))
		if err != nil {
			return nil, err
		}
		return fit([]driver.Value{d.String(), args[3]})
	}
	d, err := l.arithmetic(textArg(args[0]), r, to)
	if err != nil {
		return nil, err
	}
	return d.String(), nil
}

func fit(args []driver.Value) (driver.Value, *Error) {
	d, ok := decimalOf(args[0])
	if !ok {
		return nil, nil
	}
	t := typeArg(args[1])
	if t.isInteger() {
		lo, hi := t.integerRange()
		n, ok := d.truncated()
		if !ok || n < lo || n > hi {
			return nil, errOverflow(t)
		}
		return n, nil
	}
	if d, ok = d.fit(t); !ok {
		return nil, errNumericRange(d.String(), t)
	}
	return d.String(), nil
}

func divideIntegers(op string, a, c int64) (driver.Value, *Error) {
	if c == 0 {
		return nil, errDivideByZero()
	}
	if c == -1 { // the one quotient that overflows
		if op == "DIV" || op == "floor" {
			if a == math.MinInt64 {
				return nil, errOverflow(typeBigInt)
			}
			return -a, nil
		}
		return int64(0), nil
	}
	switch op {
	case "DIV":
		return a / c, nil
	case "floor":
		return floorDiv(a, c), nil
	case "pmod":
		if m := a % c; m < 0 {
			return (m + c) % c, nil
		}
	}
	return a % c, nil
}

func wholeNumber(args []driver.Value, f func(float64) float64, away int64) (driver.Value, *Error) {
	t := typeArg(args[1])
	if t.ID != Decimal {
		return castValue(f(floatArg(args[0])), typeDouble, t, time.UTC)
	}
	d, ok := decimalOf(args[0])
	if !ok {
		return nil, nil
	}
	whole := decimal{divideTruncated(d), 0}
	if c := compareDecimals(d, whole); c != 0 && int64(c) == away {
		whole, _ = whole.arithmetic("+", decimalOfInt(away), decimalType(maxPrecision, 0))
	}
	return whole.String(), nil
}

// executions finds the context of a running statement, for functions that wait.
var (
	executions sync.Map // int64 → context.Context
	lastHandle atomic.Int64
)

// volatileFunctions may return a different result at each call.
var volatileFunctions = map[string]goFunction{
	"many_rows": func([]driver.Value) (driver.Value, *Error) {
		return nil, failure("SCALAR_SUBQUERY_TOO_MANY_ROWS", "21000", "More than one row returned by a subquery used as an expression.")
	},
	"rand": func([]driver.Value) (driver.Value, *Error) { return rand.Float64(), nil },
	"uuid": func([]driver.Value) (driver.Value, *Error) { return uuid.NewString(), nil },
	"sleep": func(args []driver.Value) (driver.Value, *Error) {
		ctx := context.Background()
		if c, ok := executions.Load(integerArg(args[0])); ok {
			ctx = c.(context.Context)
		}
		seconds := math.Min(math.Max(floatArg(args[1]), 0), 86_400)
		timer := time.NewTimer(time.Duration(seconds * float64(time.Second)))
		defer timer.Stop()
		select {
		case <-timer.C:
			return int64(0), nil
		case <-ctx.Done():
			return nil, failure("QUERY_EXECUTION_CANCELLED", "HY008", "%s", ctx.Err())
		}
	},
}

// nullableFunctions are also called with NULL arguments.
var nullableFunctions = map[string]goFunction{
	"nested": callNested,
	// item(type, value) is the text of a value inside a nested one.
	"item": func(args []driver.Value) (driver.Value, *Error) {
		return nestedText(args[1], typeArg(args[0])), nil
	},
	"greatest": func(args []driver.Value) (driver.Value, *Error) { return best(args, 1), nil },
	"not_null": func(args []driver.Value) (driver.Value, *Error) {
		if args[0] == nil {
			return nil, failure("DELTA_NOT_NULL_CONSTRAINT_VIOLATED", "23502", "NOT NULL constraint violated for column: %s.", textArg(args[1]))
		}
		return args[0], nil
	},
	// merge_check(rows, targets) refuses a MERGE that would change a row twice.
	"merge_check": func(args []driver.Value) (driver.Value, *Error) {
		if integerArg(args[0]) != integerArg(args[1]) {
			return nil, failure("DELTA_MULTIPLE_SOURCE_ROW_MATCHING_TARGET_ROW_IN_MERGE", "21506", "Cannot perform Merge as multiple source rows matched and attempted to modify the same target row in the Delta table in possibly conflicting ways.")
		}
		return int64(0), nil
	},
	"least": func(args []driver.Value) (driver.Value, *Error) { return best(args, -1), nil },
	"concat_ws": func(args []driver.Value) (driver.Value, *Error) {
		if args[0] == nil {
			return nil, nil
		}
		var parts []string
		for _, a := range args[1:] {
			if a != nil {
				parts = append(parts, textArg(a))
			}
		}
		return strings.Join(parts, textArg(args[0])), nil
	},
}

func best(args []driver.Value, sign int) driver.Value {
	t := typeArg(args[0])
	var out driver.Value
	for _, a := range args[1:] {
		if a != nil && (out == nil || compareValues(a, out, t)*sign > 0) {
			out = a
		}
	}
	return out
}

func compareValues(a, b driver.Value, t Type) int {
	switch x := a.(type) {
	case int64:
		y := integerArg(b)
		switch {
		case x < y:
			return -1
		case x > y:
			return 1
		}
		return 0
	case float64:
		y := floatArg(b)
		switch {
		case x < y:
			return -1
		case x > y:
			return 1
		}
		return 0
	case string:
		if t.isNested() {
			return compareNested(x, textArg(b))
		}
		if t.ID == Decimal {
			l, _ := decimalOf(x)
			r, _ := decimalOf(b)
			return compareDecimals(l, r)
		}
		return strings.Compare(x, textArg(b))
	}
	return strings.Compare(textArg(a), textArg(b))
}
