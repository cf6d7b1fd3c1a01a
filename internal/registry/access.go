package registry

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// access reads a field of a record of type R, and writes it.
type access[R any] struct {
	// Value reads the field. The zero slog.Value means unknown: a sink leaves the key out.
	// Durations are of kind slog.KindDuration.
	Value func(*R) slog.Value
	// Set writes the field from valid JSON other than null, as package ndjson has it: durations
	// are milliseconds, times RFC 3339, ids hexadecimal. Set is nil for a field that is
	// computed from others.
	Set func(r *R, value []byte) error
}

func readOnly[R any](value func(*R) slog.Value) access[R] { return access[R]{Value: value} }

// The functions below make the access of a field from a function that returns its address.
// stringOf, boolOf and nonZeroOf leave out what is empty, false or zero.

func stringOf[R any, S ~string](at func(*R) *S) access[R] {
	return access[R]{func(r *R) slog.Value { return text(*at(r)) }, func(r *R, value []byte) error { return setString(at(r), value) }}
}

func boolOf[R any](at func(*R) *bool) access[R] {
	return access[R]{func(r *R) slog.Value { return flag(*at(r)) }, unmarshal(at)}
}

func nonZeroOf[R any, N int | int64](at func(*R) *N) access[R] {
	return access[R]{func(r *R) slog.Value {
		if *at(r) == 0 {
			return slog.Value{}
		}
		return slog.Int64Value(int64(*at(r)))
	}, unmarshal(at)}
}

func intOf[R any](at func(*R) *int64) access[R] {
	return access[R]{func(r *R) slog.Value { return slog.Int64Value(*at(r)) }, unmarshal(at)}
}

func maybeBoolOf[R any](at func(*R) *telemetry.Maybe[bool]) access[R] {
	return maybeOf(at, slog.BoolValue, setJSON[bool])
}

func maybeIntOf[R any](at func(*R) *telemetry.Maybe[int64]) access[R] {
	return maybeOf(at, slog.Int64Value, setJSON[int64])
}

func maybeFloatOf[R any](at func(*R) *telemetry.Maybe[float64]) access[R] {
	return maybeOf(at, slog.Float64Value, setJSON[float64])
}

func durationOf[R any](at func(*R) *time.Duration) access[R] {
	return access[R]{
		func(r *R) slog.Value { return slog.DurationValue(*at(r)) },
		func(r *R, value []byte) error { return setDuration(at(r), value) },
	}
}

func nonZeroDurationOf[R any](at func(*R) *time.Duration) access[R] {
	return access[R]{
		func(r *R) slog.Value { return nonZeroDuration(*at(r)) },
		func(r *R, value []byte) error { return setDuration(at(r), value) },
	}
}

func nonZeroDuration(d time.Duration) slog.Value {
	if d == 0 {
		return slog.Value{}
	}
	return slog.DurationValue(d)
}

func maybeDurationOf[R any](at func(*R) *telemetry.Maybe[time.Duration]) access[R] {
	return maybeOf(at, slog.DurationValue, setDuration)
}

// hexOf is the access of bytes that are written in hexadecimal, as ids of W3C trace context are;
// all zero means unknown.
func hexOf[R any](at func(*R) []byte) access[R] {
	return access[R]{
		func(r *R) slog.Value {
			if b := at(r); slices.ContainsFunc(b, func(x byte) bool { return x != 0 }) {
				return slog.StringValue(hex.EncodeToString(b))
			}
			return slog.Value{}
		},
		func(r *R, value []byte) error {
			var s string
			if err := json.Unmarshal(value, &s); err != nil {
				return err
			}
			b, err := hex.DecodeString(s)
			if err != nil {
				return err
			}
			if len(b) != len(at(r)) {
				return fmt.Errorf("%d hexadecimal digits instead of %d", len(s), 2*len(at(r)))
			}
			copy(at(r), b)
			return nil
		},
	}
}

func timeOf[R any](at func(*R) *time.Time) access[R] {
	return access[R]{
		func(r *R) slog.Value { return slog.TimeValue(*at(r)) },
		func(r *R, value []byte) error {
			var t time.Time
			if t.UnmarshalJSON(value) != nil {
				return errTime // the error of package time quotes all of it
			}
			if t = t.UTC(); t.Year() < 0 || t.Year() > 9999 {
				return errYear // it could not be written again
			}
			*at(r) = t
			return nil
		},
	}
}

// tagsOf is the access of tags, in the order of their keys.
func tagsOf[R any](at func(*R) *map[string]string) access[R] {
	return access[R]{
		func(r *R) slog.Value {
			tags := *at(r)
			attrs := make([]slog.Attr, 0, len(tags))
			for _, key := range slices.Sorted(maps.Keys(tags)) {
				attrs = append(attrs, slog.String(key, tags[key]))
			}
			return group(attrs)
		},
		unmarshal(at),
	}
}

// attributesOf is the access of attributes of telemetry.WithAttributes.
func attributesOf[R any](at func(*R) *[]slog.Attr) access[R] {
	return access[R]{
		func(r *R) slog.Value { return group(*at(r)) },
		func(r *R, value []byte) (err error) {
			*at(r), err = attributes(value)
			return err
		},
	}
}

// attributes reads an object of attributes. A number with a point or an exponent is a float; a
// value of a kind that no attribute has is left out.
func attributes(object []byte) (attrs []slog.Attr, err error) {
	d := json.NewDecoder(bytes.NewReader(object))
	d.UseNumber()
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, errObject
	}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return nil, err
		}
		var value any
		if err := d.Decode(&value); err != nil {
			return nil, err
		}
		name, _ := key.(string)
		switch v := value.(type) {
		case string:
			attrs = append(attrs, slog.String(name, v))
		case bool:
			attrs = append(attrs, slog.Bool(name, v))
		case json.Number:
			if n, err := v.Int64(); err == nil {
				attrs = append(attrs, slog.Int64(name, n))
			} else if f, err := v.Float64(); err == nil {
				attrs = append(attrs, slog.Float64(name, f))
			}
		}
	}
	return attrs, nil
}

// group is unknown when it is empty.
func group(attrs []slog.Attr) slog.Value {
	if len(attrs) == 0 {
		return slog.Value{}
	}
	return slog.GroupValue(attrs...)
}

// partOf is the access of a field of a struct that a record may not have.
func partOf[R, P any](at func(*R) **P, of access[P]) access[R] {
	return access[R]{
		func(r *R) slog.Value {
			if p := *at(r); p != nil {
				return of.Value(p)
			}
			return slog.Value{}
		},
		func(r *R, value []byte) error {
			p := at(r)
			if *p == nil {
				*p = new(P)
			}
			return of.Set(*p, value)
		},
	}
}

// maybeOf is the access of a measurement that may be unknown, or of a field of it. Writing makes
// it known.
func maybeOf[R, T any](at func(*R) *telemetry.Maybe[T], value func(T) slog.Value, set func(*T, []byte) error) access[R] {
	return access[R]{
		func(r *R) slog.Value { return maybe(*at(r), value) },
		func(r *R, value []byte) error {
			var zero T
			v := at(r).Or(zero)
			if err := set(&v, value); err != nil {
				return err
			}
			*at(r) = telemetry.Known(v)
			return nil
		},
	}
}

func unmarshal[R, T any](at func(*R) *T) func(*R, []byte) error {
	return func(r *R, value []byte) error { return setJSON(at(r), value) }
}

// The functions below write one value. What package ndjson writes, and in numbers, is read without
// encoding/json, which takes several times as long; the rest, and errors, are encoding/json's.

func setJSON[T any](to *T, value []byte) error {
	switch to := any(to).(type) {
	case *bool:
		*to = value[0] == 't'
		if *to || value[0] == 'f' {
			return nil
		}
	case *int:
		if n, err := strconv.Atoi(string(value)); err == nil {
			*to = n
			return nil
		}
	case *int64:
		if n, err := strconv.ParseInt(string(value), 10, 64); err == nil {
			*to = n
			return nil
		}
	}
	return json.Unmarshal(value, to)
}

func setString[S ~string](to *S, value []byte) error {
	for i, c := range value {
		if c == '"' && i == len(value)-1 && i > 0 {
			*to = S(value[1:i])
			return nil
		}
		if c < ' ' || c > '~' || c == '\\' || i == 0 && c != '"' {
			break
		}
	}
	return json.Unmarshal(value, to)
}

// longest is far beyond any statement, and far from overflow when durations are added.
const longest = 10 * 365 * 24 * time.Hour

var (
	errObject   = errors.New("no object")
	errDuration = errors.New("no duration of less than 10 years")
	errTime     = errors.New("no time as RFC 3339 writes it")
	errYear     = errors.New("no year of four digits")
)

func setDuration(to *time.Duration, milliseconds []byte) error {
	v, err := strconv.ParseFloat(string(milliseconds), 64)
	if err != nil {
		if err := json.Unmarshal(milliseconds, &v); err != nil {
			return err
		}
	}
	micros := math.Round(v * 1000)
	if math.Abs(micros) > float64(longest/time.Microsecond) {
		return errDuration
	}
	*to = time.Duration(micros) * time.Microsecond
	return nil
}

// text is unknown when it is empty.
func text[S ~string](s S) slog.Value {
	if s == "" {
		return slog.Value{}
	}
	return slog.StringValue(string(s))
}

// flag is unknown when it is false: most are, and a key for each would say little.
func flag(b bool) slog.Value {
	if !b {
		return slog.Value{}
	}
	return slog.BoolValue(true)
}

func maybe[T any](m telemetry.Maybe[T], value func(T) slog.Value) slog.Value {
	if v, ok := m.Get(); ok {
		return value(v)
	}
	return slog.Value{}
}

// The fields of a Failure.
var (
	categoryField = stringOf(func(f *telemetry.Failure) *telemetry.Category { return &f.Category })
	sqlStateField = stringOf(func(f *telemetry.Failure) *string { return &f.SQLState })
	messageField  = stringOf(func(f *telemetry.Failure) *string { return &f.Message })
)
