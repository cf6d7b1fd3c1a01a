package engine

import (
	"database/sql/driver"
	"math"
	"slices"
	"strings"

	"modernc.org/sqlite"
)

var (
	_ sqlite.AggregateFunction = (*gathered)(nil)
	_ sqlite.AggregateFunction = (*extremeBy)(nil)
	_ sqlite.AggregateFunction = (*mostFrequent)(nil)
	_ sqlite.AggregateFunction = (*percentile)(nil)
	_ sqlite.AggregateFunction = (*bitwise)(nil)
	_ sqlite.AggregateFunction = (*pairs)(nil)
)

// gathered makes an array of the texts that dbx_item returns, or NULL if there are no rows.
type gathered struct {
	seen  bool
	items []string
	size  int
}

func (a *gathered) Step(_ *sqlite.FunctionContext, args []driver.Value) error {
	a.seen = true
	if args[0] != nil {
		a.items = append(a.items, textArg(args[0]))
		if a.size += len(a.items[len(a.items)-1]) + 1; a.size > maxString {
			return errTooLong().pack()
		}
	}
	return nil
}

// WindowInverse removes the oldest row.
func (a *gathered) WindowInverse(_ *sqlite.FunctionContext, args []driver.Value) error {
	if args[0] != nil {
		a.size -= len(a.items[0]) + 1
		a.items = a.items[1:]
	}
	return nil
}

func (a *gathered) WindowValue(*sqlite.FunctionContext) (driver.Value, error) {
	return "[" + strings.Join(a.items, ",") + "]", nil
}

func (a *gathered) Final(*sqlite.FunctionContext) {}

// extremeBy is max_by or min_by: value, key, type of the key, sign.
type extremeBy struct {
	key, value driver.Value
}

func (a *extremeBy) Step(_ *sqlite.FunctionContext, args []driver.Value) error {
	if args[1] == nil {
		return nil
	}
	if a.key == nil || compareValues(args[1], a.key, typeArg(args[2]))*int(integerArg(args[3])) >= 0 {
		a.key, a.value = args[1], args[0]
	}
	return nil
}

func (a *extremeBy) WindowInverse(*sqlite.FunctionContext, []driver.Value) error { return errNoInverse }
func (a *extremeBy) WindowValue(*sqlite.FunctionContext) (driver.Value, error)   { return a.value, nil }
func (a *extremeBy) Final(*sqlite.FunctionContext)                               {}

// mostFrequent is mode.
type mostFrequent struct {
	counts map[any]int
	best   driver.Value
}

func (a *mostFrequent) Step(_ *sqlite.FunctionContext, args []driver.Value) error {
	var k any = args[0]
	if b, ok := k.([]byte); ok {
		k = [1]string{string(b)} // a []byte cannot be a map key; the array keeps it apart from a string
	}
	if k == nil {
		return nil
	}
	if a.counts == nil {
		a.counts = map[any]int{}
	}
	if a.counts[k]++; a.counts[k] > a.counts[a.key()] {
		a.best = args[0]
	}
	return nil
}

func (a *mostFrequent) key() any {
	if b, ok := a.best.([]byte); ok {
		return [1]string{string(b)}
	}
	return a.best
}

func (a *mostFrequent) WindowInverse(*sqlite.FunctionContext, []driver.Value) error {
	return errNoInverse
}
func (a *mostFrequent) WindowValue(*sqlite.FunctionContext) (driver.Value, error) { return a.best, nil }
func (a *mostFrequent) Final(*sqlite.FunctionContext)                             {}

// percentile keeps all values: value, percentage or array of them, type, exact.
type percentile struct {
	values []driver.Value
	args   []driver.Value
}

func (a *percentile) Step(_ *sqlite.FunctionContext, args []driver.Value) error {
	if args[0] != nil {
		a.values = append(a.values, args[0])
		a.args = slices.Clone(args)
	}
	return nil
}

func (a *percentile) WindowInverse(*sqlite.FunctionContext, []driver.Value) error {
	return errNoInverse
}

func (a *percentile) WindowValue(*sqlite.FunctionContext) (driver.Value, error) {
	if len(a.values) == 0 {
		return nil, nil
	}
	t := typeArg(a.args[2])
	sorted := slices.Clone(a.values)
	slices.SortFunc(sorted, func(x, y driver.Value) int { return compareValues(x, y, t) })
	exact := integerArg(a.args[3]) != 0
	list, several := a.args[1].(string)
	if !several {
		return percentileOf(sorted, floatArg(a.args[1]), exact)
	}
	out := []any{}
	for _, at := range readParts(list, arrayOf(typeDouble)) {
		v, err := percentileOf(sorted, floatArg(at), exact)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return nestedText(out, arrayOf(t)), nil
}

func percentileOf(sorted []driver.Value, at float64, exact bool) (driver.Value, error) {
	if !(at >= 0 && at <= 1) {
		return nil, failure("DATATYPE_MISMATCH.VALUE_OUT_OF_RANGE", "42K09", "The percentage must be between 0.0 and 1.0, but is %v.", at).pack()
	}
	if !exact { // the smallest value such that at least this share of the values do not exceed it
		return sorted[max(int(math.Ceil(at*float64(len(sorted))))-1, 0)], nil
	}
	place := at * float64(len(sorted)-1)
	low := int(place)
	x := floatArg(sorted[low])
	if share := place - float64(low); share > 0 {
		x = x*(1-share) + floatArg(sorted[low+1])*share
	}
	return x, nil
}

func (a *percentile) Final(*sqlite.FunctionContext) {}

// bitwise is bit_and, bit_or or bit_xor: value, name.
type bitwise struct {
	seen bool
	n    int64
}

func (a *bitwise) Step(_ *sqlite.FunctionContext, args []driver.Value) error {
	if args[0] == nil {
		return nil
	}
	switch x := integerArg(args[0]); {
	case !a.seen:
		a.seen, a.n = true, x
	case textArg(args[1]) == "bit_and":
		a.n &= x
	case textArg(args[1]) == "bit_or":
		a.n |= x
	default:
		a.n ^= x
	}
	return nil
}

func (a *bitwise) WindowInverse(*sqlite.FunctionContext, []driver.Value) error { return errNoInverse }

func (a *bitwise) WindowValue(*sqlite.FunctionContext) (driver.Value, error) {
	if !a.seen {
		return nil, nil
	}
	return a.n, nil
}

func (a *bitwise) Final(*sqlite.FunctionContext) {}

// pairs is corr or a covariance: x, y, name.
type pairs struct {
	kind                          string
	n, meanX, meanY, xx, yy, both float64
}

func (a *pairs) Step(_ *sqlite.FunctionContext, args []driver.Value) error {
	if args[0] == nil || args[1] == nil {
		return nil
	}
	a.kind = textArg(args[2])
	x, y := floatArg(args[0]), floatArg(args[1])
	a.n++
	dx, dy := x-a.meanX, y-a.meanY
	a.meanX += dx / a.n
	a.meanY += dy / a.n
	a.xx += dx * (x - a.meanX)
	a.yy += dy * (y - a.meanY)
	a.both += dx * (y - a.meanY)
	return nil
}

func (a *pairs) WindowInverse(*sqlite.FunctionContext, []driver.Value) error { return errNoInverse }

func (a *pairs) WindowValue(*sqlite.FunctionContext) (driver.Value, error) {
	switch {
	case a.n == 0, a.kind == "covar_samp" && a.n < 2, a.kind == "corr" && a.xx*a.yy == 0:
		return nil, nil
	case a.kind == "covar_pop":
		return a.both / a.n, nil
	case a.kind == "covar_samp":
		return a.both / (a.n - 1), nil
	}
	return a.both / math.Sqrt(a.xx*a.yy), nil
}

func (a *pairs) Final(*sqlite.FunctionContext) {}
