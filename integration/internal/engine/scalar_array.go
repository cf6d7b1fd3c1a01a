package engine

import (
	"database/sql/driver"
	"slices"
	"strings"
	"time"
)

// nestedCall is a call of a function over nested values. A function is called with NULL
// arguments only when it is one of nullNested.
type nestedCall struct {
	ret   Type
	types []Type
	args  []any
	loc   *time.Location
}

type nestedFunction func(c *nestedCall) (any, *Error)

// maxElements bounds arrays that a function creates, such as those of sequence.
const maxElements = 1 << 20

var nestedFunctions, nullNested map[string]nestedFunction

// A literal would be a cycle: some functions read types, which uses the parser.
func init() {
	nestedFunctions = map[string]nestedFunction{}
	for _, table := range []map[string]nestedFunction{arrayFunctions, mapFunctions, jsonFunctions} {
		for name, f := range table {
			nestedFunctions[name] = f
		}
	}
	nullNested = map[string]nestedFunction{"make": makeParts, "map": makeMap, "array_append": nullNestedAppend, "array_prepend": nullNestedAppend,
		"array_insert": arrayFunctions["array_insert"], "array_repeat": arrayFunctions["array_repeat"], "sequence": arrayFunctions["sequence"], "time_sequence": arrayFunctions["time_sequence"], "array_join": arrayFunctions["array_join"]}
}

// callNested is dbx_nested(name, zone, type of the result, type, argument, ...).
func callNested(args []driver.Value) (driver.Value, *Error) {
	name := textArg(args[0])
	c := &nestedCall{ret: typeArg(args[2]), loc: zoneArg(args[1])}
	null := false
	for i := 3; i+1 < len(args); i += 2 {
		t := typeArg(args[i])
		c.types = append(c.types, t)
		c.args = append(c.args, fromSQLite(args[i+1], t))
		null = null || args[i+1] == nil
	}
	f := nullNested[name]
	if f == nil {
		if null {
			return nil, nil
		}
		f = nestedFunctions[name]
	}
	v, err := f(c)
	if err != nil {
		return nil, err
	}
	return toSQLite(v, c.ret)
}

func (c *nestedCall) parts(i int) []any {
	p, _ := c.args[i].([]any)
	return p
}

func (c *nestedCall) text(i int) string { return textArg(c.args[i]) }

// key is equal for equal values of a type.
func key(v any, t Type) string { return nestedText(v, t) }

func compareAny(a, b any, t Type) int { return compareNested(nestedText(a, t), nestedText(b, t)) }

func makeParts(c *nestedCall) (any, *Error) { return append([]any{}, c.args...), nil }

func badIndex(class string, i int64, n int, hint string) *Error {
	return failure(class, "22003", "The index %d is out of bounds. The array has %d elements. %s", i, n, hint)
}

func nullNestedAppend(c *nestedCall) (any, *Error) {
	if c.args[0] == nil {
		return nil, nil
	}
	return append(append([]any{}, c.parts(0)...), c.args[1]), nil
}

var arrayFunctions = map[string]nestedFunction{
	"field": func(c *nestedCall) (any, *Error) {
		if i := integerArg(c.args[1]); i < int64(len(c.parts(0))) {
			return c.parts(0)[i], nil
		}
		return nil, nil
	},
	"fields": func(c *nestedCall) (any, *Error) {
		out := []any{}
		for _, s := range c.parts(0) {
			var v any
			if parts, ok := s.([]any); ok {
				v = parts[integerArg(c.args[1])]
			}
			out = append(out, v)
		}
		return out, nil
	},
	"item": func(c *nestedCall) (any, *Error) {
		p, i := c.parts(0), integerArg(c.args[1])
		if i < 0 || i >= int64(len(p)) {
			return nil, badIndex("INVALID_ARRAY_INDEX", i, len(p), "Use the SQL function `get()` to tolerate accessing element at invalid index and return NULL instead.")
		}
		return p[i], nil
	},
	"get": func(c *nestedCall) (any, *Error) {
		if p, i := c.parts(0), integerArg(c.args[1]); i >= 0 && i < int64(len(p)) {
			return p[i], nil
		}
		return nil, nil
	},
	"element_at": func(c *nestedCall) (any, *Error) {
		p, i := c.parts(0), integerArg(c.args[1])
		at, err := position(i, len(p))
		if err == nil && at < 0 {
			err = badIndex("INVALID_ARRAY_INDEX_IN_ELEMENT_AT", i, len(p), "Use `try_element_at` to tolerate accessing element at invalid index and return NULL instead.")
		}
		if err != nil {
			return nil, err
		}
		return p[at], nil
	},
	"try_element_at": func(c *nestedCall) (any, *Error) {
		at, err := position(integerArg(c.args[1]), len(c.parts(0)))
		if err != nil || at < 0 {
			return nil, err
		}
		return c.parts(0)[at], nil
	},
	"array_size": func(c *nestedCall) (any, *Error) { return int64(len(c.parts(0))), nil },
	"array_distinct": func(c *nestedCall) (any, *Error) {
		return distinct(c.parts(0), c.ret.element()), nil
	},
	"array_compact": func(c *nestedCall) (any, *Error) { return present(c.parts(0)), nil },
	"array_max":     func(c *nestedCall) (any, *Error) { return extreme(c.parts(0), c.ret, 1), nil },
	"array_min":     func(c *nestedCall) (any, *Error) { return extreme(c.parts(0), c.ret, -1), nil },
	"flatten": func(c *nestedCall) (any, *Error) {
		out := []any{}
		for _, p := range c.parts(0) {
			inner, ok := p.([]any)
			if !ok {
				return nil, nil
			}
			out = append(out, inner...)
		}
		return out, nil
	},
	"sort_array": func(c *nestedCall) (any, *Error) {
		up := len(c.args) == 1 || integerArg(c.args[1]) != 0
		out := slices.Clone(c.parts(0))
		slices.SortStableFunc(out, func(a, b any) int {
			if n := compareAny(a, b, c.ret.element()); up {
				return n
			} else {
				return -n
			}
		})
		return out, nil
	},
	// array_sort puts NULL last.
	"array_sort": func(c *nestedCall) (any, *Error) {
		out := slices.Clone(c.parts(0))
		slices.SortStableFunc(out, func(a, b any) int {
			if n := truth(a == nil) - truth(b == nil); n != 0 {
				return int(n)
			}
			return compareAny(a, b, c.ret.element())
		})
		return out, nil
	},
	"array_join": func(c *nestedCall) (any, *Error) {
		if c.args[0] == nil || c.args[1] == nil {
			return nil, nil
		}
		var texts []string
		for _, p := range c.parts(0) {
			switch {
			case p != nil:
				texts = append(texts, formatValue(p, c.types[0].element(), c.loc))
			case len(c.args) == 3 && c.args[2] != nil:
				texts = append(texts, c.text(2))
			}
		}
		return strings.Join(texts, c.text(1)), nil
	},
	"slice": func(c *nestedCall) (any, *Error) {
		p, start, n := c.parts(0), integerArg(c.args[1]), integerArg(c.args[2])
		if start == 0 || n < 0 {
			return nil, failure("INVALID_PARAMETER_VALUE.START", "22023", "The value of parameter(s) `start` or `length` in `slice` is invalid: expects a start that is not 0 and a length that is not negative, but got %d and %d.", start, n)
		}
		if start < 0 {
			start += int64(len(p)) + 1
		}
		if start < 1 || start > int64(len(p)) {
			return []any{}, nil
		}
		return p[start-1 : min(start-1+n, int64(len(p)))], nil
	},
	"array_contains": func(c *nestedCall) (any, *Error) {
		return contains(c.parts(0), c.types[0].element(), c.args[1]), nil
	},
	"array_position": func(c *nestedCall) (any, *Error) {
		want := key(c.args[1], c.types[1])
		for i, p := range c.parts(0) {
			if p != nil && key(p, c.types[1]) == want {
				return int64(i + 1), nil
			}
		}
		return int64(0), nil
	},
	"array_remove": func(c *nestedCall) (any, *Error) {
		out, unwanted := []any{}, key(c.args[1], c.types[1])
		for _, p := range c.parts(0) {
			if key(p, c.types[1]) != unwanted {
				out = append(out, p)
			}
		}
		return out, nil
	},
	"array_insert": func(c *nestedCall) (any, *Error) {
		if c.args[0] == nil || c.args[1] == nil {
			return nil, nil
		}
		p, i := slices.Clone(c.parts(0)), integerArg(c.args[1])
		if i == 0 || i > maxElements || i < -maxElements {
			return nil, failure("INVALID_INDEX_OF_ZERO", "22003", "The index %d is invalid. An index shall be either < 0 or > 0 (the first element has index 1).", i)
		}
		if i < 0 { // -1 is behind the last element
			for int64(len(p)) < -i-1 {
				p = slices.Insert(p, 0, any(nil))
			}
			return slices.Insert(p, len(p)+int(i)+1, c.args[2]), nil
		}
		for int64(len(p)) < i-1 {
			p = append(p, nil)
		}
		return slices.Insert(p, int(i-1), c.args[2]), nil
	},
	"array_union": func(c *nestedCall) (any, *Error) {
		return distinct(append(slices.Clone(c.parts(0)), c.parts(1)...), c.ret.element()), nil
	},
	"array_intersect": func(c *nestedCall) (any, *Error) { return chosen(c, true), nil },
	"array_except":    func(c *nestedCall) (any, *Error) { return chosen(c, false), nil },
	"arrays_overlap": func(c *nestedCall) (any, *Error) {
		element := c.types[0].element()
		in := keys(c.parts(1), element)
		null := in["null"] && len(c.parts(0)) > 0
		for _, p := range c.parts(0) {
			if p == nil {
				null = null || len(c.parts(1)) > 0
			} else if in[key(p, element)] {
				return int64(1), nil
			}
		}
		if null {
			return nil, nil
		}
		return int64(0), nil
	},
	"array_repeat": func(c *nestedCall) (any, *Error) {
		if c.args[1] == nil {
			return nil, nil
		}
		n := max(integerArg(c.args[1]), 0)
		if n > maxElements {
			return nil, errTooMany(n)
		}
		return slices.Repeat([]any{c.args[0]}, int(n)), nil
	},
	"arrays_zip": func(c *nestedCall) (any, *Error) {
		out := []any{}
		for i := range c.args {
			for len(out) < len(c.parts(i)) {
				out = append(out, make([]any, len(c.args)))
			}
			for k, p := range c.parts(i) {
				out[k].([]any)[i] = p
			}
		}
		return out, nil
	},
	"concat": func(c *nestedCall) (any, *Error) {
		out := []any{}
		for i := range c.args {
			out = append(out, c.parts(i)...)
		}
		if len(out) > maxElements {
			return nil, errTooMany(int64(len(out)))
		}
		return out, nil
	},
	"reverse": func(c *nestedCall) (any, *Error) {
		out := slices.Clone(c.parts(0))
		slices.Reverse(out)
		return out, nil
	},
	"sequence":      sequence,
	"time_sequence": timeSequence,
	"split": func(c *nestedCall) (any, *Error) {
		re, err := pattern(c.text(1))
		if err != nil {
			return nil, err
		}
		limit := int(integerArg(c.args[2]))
		if limit <= 0 {
			limit = -1
		}
		out := []any{}
		for _, s := range re.Split(c.text(0), limit) {
			out = append(out, s)
		}
		return out, nil
	},
	"regexp_extract_all": func(c *nestedCall) (any, *Error) {
		re, err := pattern(c.text(1))
		if err != nil {
			return nil, err
		}
		group := integerArg(c.args[2])
		if err := checkGroup("regexp_extract_all", re, group); err != nil {
			return nil, err
		}
		out := []any{}
		for _, m := range re.FindAllStringSubmatch(c.text(0), -1) {
			out = append(out, m[group])
		}
		return out, nil
	},
}

func errTooMany(n int64) *Error {
	return failure("COLLECTION_SIZE_LIMIT_EXCEEDED.FUNCTION", "54000", "Can't create array with %d elements which exceeding the array size limit %d.", n, maxElements)
}

// position turns an index from 1, or from -1 at the end, into one from 0; -1 when it is out of
// bounds.
func position(i int64, n int) (int, *Error) {
	switch {
	case i == 0:
		return 0, failure("INVALID_INDEX_OF_ZERO", "22003", "The index 0 is invalid. An index shall be either < 0 or > 0 (the first element has index 1).")
	case i > 0 && i <= int64(n):
		return int(i - 1), nil
	case i < 0 && -i <= int64(n):
		return n + int(i), nil
	}
	return -1, nil
}

func distinct(parts []any, t Type) []any {
	seen, out := map[string]bool{}, []any{}
	for _, p := range parts {
		if k := key(p, t); !seen[k] {
			seen[k] = true
			out = append(out, p)
		}
	}
	return out
}

func present(parts []any) []any {
	out := []any{}
	for _, p := range parts {
		if p != nil {
			out = append(out, p)
		}
	}
	return out
}

func keys(parts []any, t Type) map[string]bool {
	set := map[string]bool{}
	for _, p := range parts {
		set[key(p, t)] = true
	}
	return set
}

// chosen are the distinct elements of the first array that are, or are not, in the second.
func chosen(c *nestedCall, in bool) []any {
	element := c.ret.element()
	set, out := keys(c.parts(1), element), []any{}
	for _, p := range distinct(c.parts(0), element) {
		if set[key(p, element)] == in {
			out = append(out, p)
		}
	}
	return out
}

// contains is NULL if the value is not found but the array has NULLs.
func contains(parts []any, t Type, v any) any {
	want, null := key(v, t), false
	for _, p := range parts {
		if p == nil {
			null = true
		} else if key(p, t) == want {
			return int64(1)
		}
	}
	if null {
		return nil
	}
	return int64(0)
}

func extreme(parts []any, t Type, sign int) any {
	var best any
	for _, p := range present(parts) {
		if best == nil || compareAny(p, best, t)*sign > 0 {
			best = p
		}
	}
	return best
}

func sequence(c *nestedCall) (any, *Error) {
	if c.args[0] == nil || c.args[1] == nil {
		return nil, nil
	}
	from, to := integerArg(c.args[0]), integerArg(c.args[1])
	step := int64(1)
	if from > to {
		step = -1
	}
	if c.types[2].ID != Void {
		if c.args[2] == nil {
			return nil, nil
		}
		step = integerArg(c.args[2])
	}
	if step == 0 && from != to || from < to && step < 0 || from > to && step > 0 {
		return nil, failure("INVALID_PARAMETER_VALUE.SEQUENCE", "22023", "Illegal sequence boundaries: %d to %d by %d.", from, to, step)
	}
	out := []any{from}
	for at := from; step != 0 && (step > 0 && at <= to-step || step < 0 && at >= to-step); {
		at += step
		if out = append(out, at); len(out) > maxElements {
			return nil, errTooMany(int64(len(out)))
		}
	}
	return out, nil
}

// timeSequence steps through dates or timestamps by months or microseconds; the default step is a
// day.
func timeSequence(c *nestedCall) (any, *Error) {
	if c.args[0] == nil || c.args[1] == nil {
		return nil, nil
	}
	from, to := integerArg(c.args[0]), integerArg(c.args[1])
	unit, n := "DAY", int64(1)
	if from > to {
		n = -1
	}
	switch c.types[2].ID {
	case intervalMonth:
		unit, n = "MONTH", integerArg(c.args[2])
	case intervalDay:
		unit, n = "MICROSECOND", integerArg(c.args[2])
		if day := secondsPerDay * microsPerSecond; n%day == 0 {
			unit, n = "DAY", n/day
		}
	}
	if n == 0 || from < to && n < 0 || from > to && n > 0 {
		return nil, failure("INVALID_PARAMETER_VALUE.SEQUENCE", "22023", "Illegal sequence boundaries: the step leads away from the end.")
	}
	date := c.ret.element().ID == Date
	start := time.UnixMicro(from).In(c.loc)
	if date {
		start = timeOfDay(from)
	}
	out := []any{}
	for i := int64(0); ; i++ {
		at := shiftTime(start, unit, float64(i*n))
		v := at.UnixMicro()
		if date {
			v = dayOf(at)
		}
		if n > 0 && v > to || n < 0 && v < to {
			return out, nil
		}
		if out = append(out, v); len(out) > maxElements {
			return nil, errTooMany(int64(len(out)))
		}
	}
}
