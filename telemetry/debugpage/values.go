package debugpage

import (
	"log/slog"
	"strconv"
	"strings"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/internal/format"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// The types of this file are what makes one struct two renderings: templates print their
// String, for people, and JSON has the plain number.

// duration is written "1.2 s", and in JSON in milliseconds.
type duration time.Duration

func (d duration) String() string { return format.Duration(time.Duration(d)) }

// MarshalJSON writes milliseconds with microsecond precision, as every sink does.
func (d duration) MarshalJSON() ([]byte, error) { return millis(time.Duration(d)), nil }

func millis(d time.Duration) []byte {
	return strconv.AppendFloat(nil, float64(d.Microseconds())/1000, 'f', -1, 64)
}

func known(m telemetry.Maybe[time.Duration]) *duration {
	if v, ok := m.Get(); ok {
		return (*duration)(&v)
	}
	return nil
}

// count is written with its thousands apart.
type count int64

func (c count) String() string { return format.Count(int64(c)) }

func counted(m telemetry.Maybe[int64]) *count {
	if v, ok := m.Get(); ok {
		return (*count)(&v)
	}
	return nil
}

// size is a number of bytes.
type size int64

func (s size) String() string { return format.Bytes(int64(s)) }

// share is a part of 1, written as a percentage.
type share float64

func (s share) String() string { return format.Percent(float64(s)) }

// MarshalJSON keeps four digits: more would be noise.
func (s share) MarshalJSON() ([]byte, error) {
	return strconv.AppendFloat(nil, float64(s), 'f', 4, 64), nil
}

func shareOf(part, whole time.Duration) share {
	if whole <= 0 {
		return 0
	}
	return share(min(1, max(0, float64(part)/float64(whole))))
}

// rate is a number per second.
type rate float64

func (r rate) String() string {
	switch {
	case r == 0:
		return "0"
	case r < 0.095:
		return strconv.FormatFloat(float64(r), 'f', 3, 64)
	case r < 9.95:
		return strconv.FormatFloat(float64(r), 'f', 1, 64)
	}
	return format.Count(int64(r + 0.5))
}

// MarshalJSON keeps four digits.
func (r rate) MarshalJSON() ([]byte, error) {
	return strconv.AppendFloat(nil, float64(r), 'f', 4, 64), nil
}

// moment is a point in time, and how long ago that is on the page it stands on.
type moment struct{ at, now time.Time }

// MarshalJSON writes RFC 3339 in UTC.
func (m moment) MarshalJSON() ([]byte, error) { return m.at.UTC().MarshalJSON() }

// String is the time of day, to be told apart from its neighbours.
func (m moment) String() string { return m.at.UTC().Format("15:04:05.000") }

// Full is the whole of it, as a tooltip has it.
func (m moment) Full() string { return m.at.UTC().Format("2006-01-02 15:04:05.000 UTC") }

// RFC3339 is for machines that read the page.
func (m moment) RFC3339() string { return m.at.UTC().Format(time.RFC3339Nano) }

// Ago says how long ago it was, or in how long it will be.
func (m moment) Ago() string {
	switch d := m.now.Sub(m.at); {
	case d <= -500*time.Millisecond:
		return "in " + coarse(-d)
	case d < 500*time.Millisecond:
		return "just now"
	default:
		return coarse(d) + " ago"
	}
}

// coarse is a duration nobody needs the details of.
func coarse(d time.Duration) string {
	switch {
	case d < 90*time.Second:
		return strconv.Itoa(int(d.Seconds()+0.5)) + " s"
	case d < 90*time.Minute:
		return strconv.Itoa(int(d.Minutes()+0.5)) + " min"
	case d < 36*time.Hour:
		return strconv.Itoa(int(d.Hours()+0.5)) + " h"
	}
	return strconv.Itoa(int(d.Hours()/24+0.5)) + " d"
}

// value is a field of a record, read through the registry.
type value struct{ slog.Value }

// Known reports whether the record says it.
func (v value) Known() bool { return !v.Equal(slog.Value{}) }

func (v value) String() string {
	if !v.Known() {
		return "–"
	}
	switch v.Kind() {
	case slog.KindDuration:
		return format.Duration(v.Duration())
	case slog.KindInt64:
		return format.Count(v.Int64())
	case slog.KindTime:
		return v.Time().UTC().Format("2006-01-02 15:04:05.000000 UTC")
	case slog.KindBool:
		return map[bool]string{true: "yes", false: "no"}[v.Bool()]
	case slog.KindGroup:
		var all []string
		for _, a := range v.Group() {
			all = append(all, a.Key+" "+value{a.Value}.String())
		}
		return strings.Join(all, ", ")
	default:
		return v.Value.String()
	}
}

// MarshalJSON writes what the NDJSON sink would, and null for what is unknown.
func (v value) MarshalJSON() ([]byte, error) {
	if !v.Known() {
		return []byte("null"), nil
	}
	switch v.Kind() {
	case slog.KindDuration:
		return millis(v.Duration()), nil
	case slog.KindInt64:
		return strconv.AppendInt(nil, v.Int64(), 10), nil
	case slog.KindBool:
		return strconv.AppendBool(nil, v.Bool()), nil
	case slog.KindTime:
		return v.Time().UTC().MarshalJSON()
	default:
		return quoted(v.String()), nil
	}
}
