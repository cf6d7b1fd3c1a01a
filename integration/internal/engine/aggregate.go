package engine

import (
	"database/sql/driver"
	"math"
	"math/big"
	"strings"

	"modernc.org/sqlite"
)

type makeAggregate = func(sqlite.FunctionContext) (sqlite.AggregateFunction, error)

// goAggregates are the aggregates SQLite lacks or would compute in floating point.
var goAggregates = map[string]makeAggregate{
	"total":  func(sqlite.FunctionContext) (sqlite.AggregateFunction, error) { return &exactSum{}, nil },
	"mean":   func(sqlite.FunctionContext) (sqlite.AggregateFunction, error) { return &exactSum{mean: true}, nil },
	"first":  func(sqlite.FunctionContext) (sqlite.AggregateFunction, error) { return &edge{}, nil },
	"last":   func(sqlite.FunctionContext) (sqlite.AggregateFunction, error) { return &edge{last: true}, nil },
	"spread": func(sqlite.FunctionContext) (sqlite.AggregateFunction, error) { return &spread{}, nil },
	"join":   func(sqlite.FunctionContext) (sqlite.AggregateFunction, error) { return &joined{}, nil },

	"gather":     func(sqlite.FunctionContext) (sqlite.AggregateFunction, error) { return &gathered{}, nil },
	"by":         func(sqlite.FunctionContext) (sqlite.AggregateFunction, error) { return &extremeBy{}, nil },
	"mode":       func(sqlite.FunctionContext) (sqlite.AggregateFunction, error) { return &mostFrequent{}, nil },
	"percentile": func(sqlite.FunctionContext) (sqlite.AggregateFunction, error) { return &percentile{}, nil },
	"bits":       func(sqlite.FunctionContext) (sqlite.AggregateFunction, error) { return &bitwise{}, nil },
	"pair":       func(sqlite.FunctionContext) (sqlite.AggregateFunction, error) { return &pairs{}, nil },
}

var (
	_ sqlite.AggregateFunction = (*exactSum)(nil)
	_ sqlite.AggregateFunction = (*edge)(nil)
	_ sqlite.AggregateFunction = (*spread)(nil)
	_ sqlite.AggregateFunction = (*joined)(nil)
)

// exactSum is the sum of decimals or integers or, with mean, their average with more digits than
// any type has. dbx_fit converts both to the type of the result.
type exactSum struct {
	mean  bool
	count int64
	total decimal
}

func (a *exactSum) add(args []driver.Value, sign int64) {
	d, ok := decimalOf(args[0])
	if !ok {
		return
	}
	if a.total.unscaled == nil {
		a.total = decimalOfInt(0)
	}
	x, y := align(a.total, d)
	n := new(big.Int).Mul(y.unscaled, big.NewInt(sign))
	a.total = decimal{n.Add(x.unscaled, n), x.scale}
	a.count += sign
}

func (a *exactSum) Step(_ *sqlite.FunctionContext, args []driver.Value) error {
	a.add(args, 1)
	return nil
}

func (a *exactSum) WindowInverse(_ *sqlite.FunctionContext, args []driver.Value) error {
	a.add(args, -1)
	return nil
}

func (a *exactSum) WindowValue(*sqlite.FunctionContext) (driver.Value, error) {
	if a.count == 0 {
		return nil, nil
	}
	if !a.mean {
		return a.total.String(), nil
	}
	// The value is rounded twice, but the first time far beyond the last digit that is kept.
	const digits = 3 * maxPrecision
	n := new(big.Int).Mul(a.total.unscaled, pow10(digits))
	return decimal{divideRounded(n, big.NewInt(a.count)), a.total.scale + digits}.String(), nil
}

func (a *exactSum) Final(*sqlite.FunctionContext) {}

// errNoInverse refuses moving frames for aggregates that cannot remove a row.
var errNoInverse = errUnsupported("WINDOW_FRAME", "this aggregate function over a moving window frame").pack()

// edge is first or last.
type edge struct {
	last bool
	seen bool
	v    driver.Value
}

func (a *edge) Step(_ *sqlite.FunctionContext, args []driver.Value) error {
	if ignored := args[0] == nil && integerArg(args[1]) != 0; (!a.seen || a.last) && !ignored {
		a.seen, a.v = true, args[0]
	}
	return nil
}

func (a *edge) WindowInverse(*sqlite.FunctionContext, []driver.Value) error { return errNoInverse }

func (a *edge) WindowValue(*sqlite.FunctionContext) (driver.Value, error) { return a.v, nil }

func (a *edge) Final(*sqlite.FunctionContext) {}

// spread is variance or standard deviation, by Welford's method.
type spread struct {
	kind     string
	n        float64
	mean, m2 float64
}

func (a *spread) Step(_ *sqlite.FunctionContext, args []driver.Value) error {
	if len(args) < 2 || args[0] == nil {
		return nil
	}
	a.kind = textArg(args[1])
	x := floatArg(args[0])
	a.n++
	d := x - a.mean
	a.mean += d / a.n
	a.m2 += d * (x - a.mean)
	return nil
}

func (a *spread) WindowInverse(*sqlite.FunctionContext, []driver.Value) error { return errNoInverse }

func (a *spread) WindowValue(*sqlite.FunctionContext) (driver.Value, error) {
	n := a.n
	if !strings.HasSuffix(a.kind, "_pop") {
		n--
	}
	if a.n == 0 || n <= 0 {
		return nil, nil
	}
	if strings.HasPrefix(a.kind, "std") {
		return math.Sqrt(a.m2 / n), nil
	}
	return a.m2 / n, nil
}

func (a *spread) Final(*sqlite.FunctionContext) {}

// joined is string_agg without a delimiter.
type joined struct {
	any bool
	b   strings.Builder
}

func (a *joined) Step(_ *sqlite.FunctionContext, args []driver.Value) error {
	if len(args) > 0 && args[0] != nil {
		a.any = true
		a.b.WriteString(textArg(args[0]))
	}
	if a.b.Len() > maxString {
		return errTooLong().pack()
	}
	return nil
}

func (a *joined) WindowInverse(*sqlite.FunctionContext, []driver.Value) error { return errNoInverse }

func (a *joined) WindowValue(*sqlite.FunctionContext) (driver.Value, error) {
	if !a.any {
		return nil, nil
	}
	return a.b.String(), nil
}

func (a *joined) Final(*sqlite.FunctionContext) {}
