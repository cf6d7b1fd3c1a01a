package registry

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"slices"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// Access reads a field of a record of type R, and writes it.
type Access[R any] struct {
	// Value reads the field. The zero slog.Value means unknown: a sink leaves the key out.
	// Durations are of kind slog.KindDuration.
	Value func(*R) slog.Value
	// Set writes the field from valid JSON other than null, as package ndjson has it: durations
	// are milliseconds, times RFC 3339, ids hexadecimal. Set is nil for a field that follows
	// from others.
	Set func(r *R, value []byte) error
}

func readOnly[R any](value func(*R) slog.Value) Access[R] { return Access[R]{Value: value} }

// The functions below make the Access of a field from its address. Those of text, flags and
// numbers leave out what is empty, false or zero.

func textOf[R any, S ~string](at func(*R) *S) Access[R] {
	return Access[R]{func(r *R) slog.Value { return text(*at(r)) }, unmarshal(at)}
}

func flagOf[R any](at func(*R) *bool) Access[R] {
	return Access[R]{func(r *R) slog.Value { return flag(*at(r)) }, unmarshal(at)}
}

// numberOf leaves out a zero, which integerOf does not.
func numberOf[R any, N int | int64](at func(*R) *N) Access[R] {
	return Access[R]{func(r *R) slog.Value {
		if *at(r) == 0 {
			return slog.Value{}
		}
		return slog.Int64Value(int64(*at(r)))
	}, unmarshal(at)}
}

func integerOf[R any](at func(*R) *int64) Access[R] {
	return Access[R]{func(r *R) slog.Value { return slog.Int64Value(*at(r)) }, unmarshal(at)}
}

func truthOf[R any](at func(*R) *telemetry.Maybe[bool]) Access[R] {
	return known(at, slog.BoolValue, setJSON[bool])
}

func countOf[R any](at func(*R) *telemetry.Maybe[int64]) Access[R] {
	return known(at, slog.Int64Value, setJSON[int64])
}

func durationOf[R any](at func(*R) *time.Duration) Access[R] {
	return Access[R]{
		func(r *R) slog.Value { return slog.DurationValue(*at(r)) },
		func(r *R, value []byte) error { return setDuration(at(r), value) },
	}
}

func maybeDurationOf[R any](at func(*R) *telemetry.Maybe[time.Duration]) Access[R] {
	return known(at, slog.DurationValue, setDuration)
}

// idOf is for bytes in hexadecimal, as trace context is; all zero is none.
func idOf[R any](at func(*R) []byte) Access[R] {
	return Access[R]{
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

func timeOf[R any](at func(*R) *time.Time) Access[R] {
	return Access[R]{
		func(r *R) slog.Value { return slog.TimeValue(*at(r)) },
		func(r *R, value []byte) error {
			var t time.Time
			if json.Unmarshal(value, &t) != nil {
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

// within is the Access of a field of a part that a record may not have.
func within[R, P any](at func(*R) **P, of Access[P]) Access[R] {
	return Access[R]{
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

// known is the Access of what may be unknown, or of a field of it. It is known when it is written.
func known[R, T any](at func(*R) *telemetry.Maybe[T], read func(T) slog.Value, set func(*T, []byte) error) Access[R] {
	return Access[R]{
		func(r *R) slog.Value {
			if v, ok := at(r).Get(); ok {
				return read(v)
			}
			return slog.Value{}
		},
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

// The parts of the records, and the fields of a Failure.
var (
	categoryField = textOf(func(f *telemetry.Failure) *telemetry.Category { return &f.Category })
	sqlStateField = textOf(func(f *telemetry.Failure) *string { return &f.SQLState })
	messageField  = textOf(func(f *telemetry.Failure) *string { return &f.Message })
)

func failureOf(s *telemetry.Statement) **telemetry.Failure                 { return &s.Failure }
func closeFailureOf(s *telemetry.Statement) **telemetry.Failure            { return &s.CloseFailure }
func openFailureOf(s *telemetry.SessionOpened) **telemetry.Failure         { return &s.Failure }
func sessionCloseFailureOf(s *telemetry.SessionClosed) **telemetry.Failure { return &s.Failure }
func cloudFetch(s *telemetry.Statement) **telemetry.CloudFetch             { return &s.CloudFetch }

func polling(s *telemetry.Statement) *telemetry.Maybe[telemetry.Polling] { return &s.Polling }

var (
	pollCalls = known(polling,
		func(p telemetry.Polling) slog.Value { return slog.Int64Value(p.Calls) },
		func(p *telemetry.Polling, value []byte) error { return setJSON(&p.Calls, value) })
	pollLatency = known(polling,
		func(p telemetry.Polling) slog.Value { return slog.DurationValue(p.Latency) },
		func(p *telemetry.Polling, value []byte) error { return setDuration(&p.Latency, value) })
)

// downloadOf is for a latency of downloaded files; there is none until one was.
func downloadOf(at func(*telemetry.CloudFetch) *time.Duration) Access[telemetry.CloudFetch] {
	a := durationOf(at)
	return Access[telemetry.CloudFetch]{func(c *telemetry.CloudFetch) slog.Value {
		if c.Downloaded == 0 {
			return slog.Value{}
		}
		return a.Value(c)
	}, a.Set}
}

// sumOf is for a sum over the calls of all methods. It is written to an entry that stands for all
// of them. RPCs that are known to be none are not nil.
func sumOf(at func(*telemetry.RPC) *int64) Access[telemetry.Statement] {
	return Access[telemetry.Statement]{
		func(s *telemetry.Statement) slog.Value { return sumOfRPCs(s, at) },
		func(s *telemetry.Statement, value []byte) error {
			var n int64
			if err := json.Unmarshal(value, &n); err != nil {
				return err
			}
			if s.RPCs == nil {
				s.RPCs = []telemetry.RPC{}
			}
			if n == 0 {
				return nil
			}
			if len(s.RPCs) == 0 || s.RPCs[0].Method != "" {
				s.RPCs = slices.Insert(s.RPCs, 0, telemetry.RPC{})
			}
			*at(&s.RPCs[0]) = n
			return nil
		},
	}
}

func sumOfRPCs(s *telemetry.Statement, at func(*telemetry.RPC) *int64) slog.Value {
	if s.RPCs == nil {
		return slog.Value{}
	}
	var sum int64
	for i := range s.RPCs {
		sum += *at(&s.RPCs[i])
	}
	return slog.Int64Value(sum)
}

func retried(s *telemetry.Statement) slog.Value {
	var by []slog.Attr
	for _, r := range s.RPCs {
		if r.Retries > 0 {
			by = append(by, slog.Int64(r.Method, r.Retries))
		}
	}
	if by == nil {
		return slog.Value{}
	}
	return slog.GroupValue(by...)
}

// setRetried adds an entry per method, in their order.
func setRetried(s *telemetry.Statement, value []byte) error {
	if value[0] != '{' {
		return json.Unmarshal(value, &struct{}{})
	}
	d := json.NewDecoder(bytes.NewReader(value))
	_, _ = d.Token() // the brace
	for d.More() {
		key, _ := d.Token()
		var n int64
		if err := d.Decode(&n); err != nil {
			return err
		}
		if method, _ := key.(string); n > 0 && method != "" {
			s.RPCs = append(s.RPCs, telemetry.RPC{Method: method, Retries: n})
		}
	}
	return nil
}

func unmarshal[R, T any](at func(*R) *T) func(*R, []byte) error {
	return func(r *R, value []byte) error { return setJSON(at(r), value) }
}

func setJSON[T any](to *T, value []byte) error { return json.Unmarshal(value, to) }

// longest is far beyond any statement, and far from overflow when durations are added.
const longest = 10 * 365 * 24 * time.Hour

var (
	errDuration = errors.New("no duration of less than 10 years")
	errTime     = errors.New("no time as RFC 3339 writes it")
	errYear     = errors.New("no year of four digits")
)

func setDuration(to *time.Duration, milliseconds []byte) error {
	var v float64
	if err := json.Unmarshal(milliseconds, &v); err != nil {
		return err
	}
	micros := math.Round(v * 1000)
	if math.Abs(micros) > float64(longest/time.Microsecond) {
		return errDuration
	}
	*to = time.Duration(micros) * time.Microsecond
	return nil
}

// The readers below turn what is unknown, or false and therefore not worth a key, into the
// zero Value.

func text[S ~string](s S) slog.Value {
	if s == "" {
		return slog.Value{}
	}
	return slog.StringValue(string(s))
}

func flag(b bool) slog.Value {
	if !b {
		return slog.Value{}
	}
	return slog.BoolValue(true)
}

func truth(m telemetry.Maybe[bool]) slog.Value {
	if v, ok := m.Get(); ok {
		return slog.BoolValue(v)
	}
	return slog.Value{}
}

func count(m telemetry.Maybe[int64]) slog.Value {
	if v, ok := m.Get(); ok {
		return slog.Int64Value(v)
	}
	return slog.Value{}
}

func duration(m telemetry.Maybe[time.Duration]) slog.Value {
	if v, ok := m.Get(); ok {
		return slog.DurationValue(v)
	}
	return slog.Value{}
}
