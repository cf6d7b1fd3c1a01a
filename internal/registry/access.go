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
	"unicode/utf8"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// access reads and writes a field of a record of type R. Most fields have an address, so that one
// function reads all of them and another one writes them. A pair of functions for each field made up
// a sixth of what driverwrap adds to a binary.
type access[R any] struct {
	// part reports whether a record has the struct that the field is in. If create is true, part
	// first makes the struct. part is nil for a field of the record itself.
	part func(r *R, create bool) bool
	// at returns the address of the field: a pointer to a string, a bool, a number, a duration, a
	// time, an id, tags or attributes, or to a telemetry.Maybe of one. An empty string or id, false
	// and a zero int mean unknown. at is nil for a field without an address.
	at func(*R) any
	// value and set read and write a field that is not accessed through its address. set gets the
	// function that writes to an address as a parameter: if it called that function by name, the
	// function would be in every application's binary, although only readers of records need it.
	value func(*R) slog.Value
	set   func(r *R, write func(at any) error) error
}

// The types of access in the tables. If a generic function made the accesses, the tables would be
// built by code at the start of the process.
type (
	ofStatement     = access[telemetry.Statement]
	ofRPC           = access[telemetry.RPC]
	ofCall          = access[telemetry.Call]
	ofAttempt       = access[telemetry.Attempt]
	ofFile          = access[telemetry.File]
	ofSessionOpened = access[telemetry.SessionOpened]
	ofSessionClosed = access[telemetry.SessionClosed]
	ofServerReport  = access[telemetry.ServerReport]
	ofPoolSample    = access[telemetry.PoolSample]
	ofEvent         = access[Event]
	ofConnection    = access[Connection]
	ofProcess       = access[Process]
)

// Numbers for which zero means unknown.
type (
	nonZero         int64
	nonZeroDuration time.Duration
)

// zeroOrMore is an int for which zero is a number like any other.
type zeroOrMore int

// setting is a duration that the application chose, which may be negative, or longer than any statement.
type setting telemetry.Maybe[time.Duration]

// has reports whether *p is set. If create is true, it sets *p first.
func has[P any](p **P, create bool) bool {
	if *p == nil && create {
		*p = new(P)
	}
	return *p != nil
}

// Known reports whether v is a known value. The zero slog.Value means unknown; sinks leave out its
// key.
func Known(v slog.Value) bool { return v.Kind() != slog.KindAny || v.Any() != nil }

// Value returns the field's value, which may be unknown. Durations are of kind slog.KindDuration.
func (a *access[R]) Value(r *R) slog.Value {
	switch {
	case a.value != nil:
		return a.value(r)
	case a.part != nil && !a.part(r, false):
		return slog.Value{}
	}
	return read(a.at(r))
}

// Computed is true for a field that follows from others and cannot be set.
func (a *access[R]) Computed() bool { return a.at == nil && a.set == nil }

// Set writes a field, which must not be Computed. value is valid JSON other than null, in the form of
// package ndjson: durations are milliseconds, times RFC 3339, ids hexadecimal.
func (a *access[R]) Set(r *R, value []byte) error {
	if a.set != nil {
		return a.set(r, func(at any) error { return write(at, value) })
	}
	if a.part != nil {
		a.part(r, true)
	}
	return write(a.at(r), value)
}

// read returns the value at an address.
func read(at any) slog.Value {
	switch at := at.(type) {
	case *string:
		if *at != "" {
			return slog.StringValue(*at)
		}
	case *bool: // most are false, and a key for each would say little
		if *at {
			return slog.BoolValue(true)
		}
	case *int:
		if *at != 0 {
			return slog.IntValue(*at)
		}
	case *zeroOrMore:
		return slog.IntValue(int(*at))
	case *nonZero:
		if *at != 0 {
			return slog.Int64Value(int64(*at))
		}
	case *nonZeroDuration:
		if *at != 0 {
			return slog.DurationValue(time.Duration(*at))
		}
	case *int64:
		return slog.Int64Value(*at)
	case *time.Duration:
		return slog.DurationValue(*at)
	case *time.Time:
		if !at.IsZero() {
			return slog.TimeValue(*at)
		}
	case *telemetry.Maybe[bool]:
		if v, ok := at.Get(); ok {
			return slog.BoolValue(v)
		}
	case *telemetry.Maybe[int64]:
		if v, ok := at.Get(); ok {
			return slog.Int64Value(v)
		}
	case *telemetry.Maybe[float64]:
		if v, ok := at.Get(); ok {
			return slog.Float64Value(v)
		}
	case *telemetry.Maybe[time.Duration]:
		if v, ok := at.Get(); ok {
			return slog.DurationValue(v)
		}
	case *setting:
		return read((*telemetry.Maybe[time.Duration])(at))
	case *[8]byte:
		return hexadecimal(at[:])
	case *[16]byte:
		return hexadecimal(at[:])
	case *map[string]string:
		return tags(*at)
	case *[]slog.Attr:
		return group(*at)
	}
	return slog.Value{}
}

// hexadecimal returns the value of an id, written as in W3C trace context.
func hexadecimal(id []byte) slog.Value {
	if slices.ContainsFunc(id, func(b byte) bool { return b != 0 }) {
		return slog.StringValue(hex.EncodeToString(id))
	}
	return slog.Value{}
}

// tags returns the value of tags, in the order of their keys.
func tags(tags map[string]string) slog.Value {
	attrs := make([]slog.Attr, 0, len(tags))
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		attrs = append(attrs, slog.String(key, tags[key]))
	}
	return group(attrs)
}

// group returns the value of attributes, which is unknown if there are none.
func group(attrs []slog.Attr) slog.Value {
	if len(attrs) == 0 {
		return slog.Value{}
	}
	return slog.GroupValue(attrs...)
}

// write writes JSON to an address. The forms that package ndjson writes most are read without
// encoding/json, which takes several times as long. Everything else, errors included, is left to
// encoding/json.
func write(at any, value []byte) (err error) {
	switch at := at.(type) {
	case *string:
		return writeString(at, value)
	case *bool:
		return writeBool(at, value)
	case *int:
		return writeInt(at, value)
	case *zeroOrMore:
		return writeInt((*int)(at), value)
	case *nonZero:
		return writeInt((*int64)(at), value)
	case *nonZeroDuration:
		return writeDuration((*time.Duration)(at), value)
	case *int64:
		return writeInt(at, value)
	case *time.Duration:
		return writeDuration(at, value)
	case *time.Time:
		return writeTime(at, value)
	case *telemetry.Maybe[bool]:
		return writeKnown(at, value, writeBool)
	case *telemetry.Maybe[int64]:
		return writeKnown(at, value, writeInt)
	case *telemetry.Maybe[float64]:
		return writeKnown(at, value, func(to *float64, value []byte) error { return json.Unmarshal(value, to) })
	case *telemetry.Maybe[time.Duration]:
		return writeKnown(at, value, writeDuration)
	case *setting:
		return writeKnown((*telemetry.Maybe[time.Duration])(at), value, writeSetting)
	case *[8]byte:
		return writeHexadecimal(at[:], value)
	case *[16]byte:
		return writeHexadecimal(at[:], value)
	case *[]slog.Attr:
		*at, err = attributes(value)
		return err
	}
	return json.Unmarshal(value, at)
}

// writeKnown makes a measurement known.
func writeKnown[T any](to *telemetry.Maybe[T], value []byte, write func(*T, []byte) error) error {
	var v T
	if err := write(&v, value); err != nil {
		return err
	}
	*to = telemetry.Known(v)
	return nil
}

func writeString(to *string, value []byte) error {
	if value[0] == '"' && bytes.IndexByte(value, '\\') < 0 && utf8.Valid(value) {
		*to = string(value[1 : len(value)-1])
		return nil
	}
	return json.Unmarshal(value, to)
}

func writeBool(to *bool, value []byte) error {
	*to = value[0] == 't'
	if *to || value[0] == 'f' {
		return nil
	}
	return json.Unmarshal(value, to)
}

func writeInt[T int | int64](to *T, value []byte) error {
	if n, err := strconv.ParseInt(string(value), 10, 64); err == nil && int64(T(n)) == n {
		*to = T(n)
		return nil
	}
	return json.Unmarshal(value, to)
}

// longest is far longer than any statement, and short enough that sums of durations do not overflow.
const longest = 10 * 365 * 24 * time.Hour

func writeDuration(to *time.Duration, milliseconds []byte) error {
	micros, err := microseconds(milliseconds)
	if err != nil {
		return err
	}
	if micros < 0 || micros > float64(longest/time.Microsecond) {
		return errors.New("not a duration of 0 to 10 years")
	}
	*to = time.Duration(micros) * time.Microsecond
	return nil
}

// writeSetting writes at most longest, in either direction.
func writeSetting(to *time.Duration, milliseconds []byte) error {
	const most = float64(longest / time.Microsecond)
	micros, err := microseconds(milliseconds)
	*to = time.Duration(max(-most, min(micros, most))) * time.Microsecond
	return err
}

func microseconds(milliseconds []byte) (float64, error) {
	v, err := strconv.ParseFloat(string(milliseconds), 64)
	if err != nil {
		err = json.Unmarshal(milliseconds, &v)
	}
	return math.Round(v * 1000), err
}

func writeTime(to *time.Time, value []byte) error {
	var t time.Time
	if t.UnmarshalJSON(value) != nil {
		return errors.New("not a time as RFC 3339 writes it") // the error of package time would quote all of the text
	}
	if t = t.UTC(); t.Year() < 0 || t.Year() > 9999 {
		return errors.New("not a year of four digits") // such a time could not be written again
	}
	*to = t
	return nil
}

func writeHexadecimal(id, value []byte) error {
	var s string
	if err := json.Unmarshal(value, &s); err != nil {
		return err
	}
	b, err := hex.DecodeString(s)
	if err != nil {
		return err
	}
	if len(b) != len(id) {
		return fmt.Errorf("%d hexadecimal digits instead of %d", len(s), 2*len(id))
	}
	copy(id, b)
	return nil
}

// attributes reads an object of attributes. A number with a point or an exponent is a float. A value
// of a kind that attributes do not have is left out.
func attributes(object []byte) (attrs []slog.Attr, err error) {
	d := json.NewDecoder(bytes.NewReader(object))
	d.UseNumber()
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, errors.New("not an object")
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
