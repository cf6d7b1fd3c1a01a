package ndjson

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"math"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// keys says how a record of type R takes the value of each key of its line.
type keys[R any] map[string]setter[R]

// setter takes a value, which is valid JSON.
type setter[R any] func(r *R, value []byte) error

// set takes over what an object says. Keys that are not known are passed over, and so is
// null.
func (k keys[R]) set(r *R, object []byte) error {
	if object[0] != '{' {
		return errObject
	}
	for name, value := range members(object) {
		set, ok := k[name]
		if !ok || value[0] == 'n' {
			continue
		}
		if err := set(r, value); err != nil {
			return fmt.Errorf("%q: %w", name, err)
		}
	}
	return nil
}

// to reads a value of type T and puts it where place says.
func to[R, T any](place func(*R) *T) setter[R] {
	return func(r *R, value []byte) error { return json.Unmarshal(value, place(r)) }
}

// known is to for what may be unknown.
func known[R, T any](place func(*R) *telemetry.Maybe[T]) setter[R] {
	return func(r *R, value []byte) error {
		var v T
		if err := json.Unmarshal(value, &v); err != nil {
			return err
		}
		*place(r) = telemetry.Known(v)
		return nil
	}
}

// moment reads a time, one that can be written again.
func moment[R any](place func(*R) *time.Time) setter[R] {
	return func(r *R, value []byte) error {
		var t time.Time
		if json.Unmarshal(value, &t) != nil {
			return errTime // the error of package time quotes all of it
		}
		if t = t.UTC(); t.Year() < 0 || t.Year() > 9999 {
			return errYear
		}
		*place(r) = t
		return nil
	}
}

var errTime = errors.New("no time as RFC 3339 writes it")

var errYear = errors.New("no year of four digits")

// ms and knownMS are to and known for durations.
func ms[R any](place func(*R) *time.Duration) setter[R] {
	return func(r *R, value []byte) (err error) {
		*place(r), err = milliseconds(value)
		return err
	}
}

func knownMS[R any](place func(*R) *telemetry.Maybe[time.Duration]) setter[R] {
	return func(r *R, value []byte) error {
		d, err := milliseconds(value)
		if err == nil {
			*place(r) = telemetry.Known(d)
		}
		return err
	}
}

// longest is far beyond any statement, and far from overflow when durations are added.
const longest = 10 * 365 * 24 * time.Hour

var errDuration = errors.New("no duration of less than 10 years")

func milliseconds(value []byte) (time.Duration, error) {
	var v float64
	if err := json.Unmarshal(value, &v); err != nil {
		return 0, err
	}
	micros := math.Round(v * 1000)
	if math.Abs(micros) > float64(longest/time.Microsecond) {
		return 0, errDuration
	}
	return time.Duration(micros) * time.Microsecond, nil
}

// id reads hexadecimal digits.
func id[R any](place func(*R) []byte) setter[R] {
	return func(r *R, value []byte) error {
		var text string
		if err := json.Unmarshal(value, &text); err != nil {
			return err
		}
		b, err := hex.DecodeString(text)
		if err != nil {
			return err
		}
		if len(b) != len(place(r)) {
			return fmt.Errorf("%d hexadecimal digits instead of %d", len(text), 2*len(place(r)))
		}
		copy(place(r), b)
		return nil
	}
}

// list reads objects.
func list[R, E any](place func(*R) *[]E, of keys[E]) setter[R] {
	return func(r *R, value []byte) error {
		var elements []json.RawMessage
		if err := json.Unmarshal(value, &elements); err != nil {
			return err
		}
		all := make([]E, len(elements))
		for i, element := range elements {
			if err := of.set(&all[i], element); err != nil {
				return fmt.Errorf("%d: %w", i, err)
			}
		}
		*place(r) = all
		return nil
	}
}

var errObject = errors.New("not an object")

// members gives the keys and values of an object, which is valid JSON, in their order.
func members(object []byte) iter.Seq2[string, json.RawMessage] {
	return func(yield func(string, json.RawMessage) bool) {
		d := json.NewDecoder(bytes.NewReader(object))
		_, _ = d.Token() // the brace
		for d.More() {
			key, _ := d.Token()
			name, _ := key.(string)
			var value json.RawMessage
			if d.Decode(&value) != nil || !yield(name, value) {
				return
			}
		}
	}
}
