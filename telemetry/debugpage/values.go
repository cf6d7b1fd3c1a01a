package debugpage

import (
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/internal/format"
	"github.com/seed-01322ee7/databricks-telemetry/internal/registry"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// With the types in this file, one struct can be rendered as HTML and as JSON: templates print their
// String, which is for people; JSON has plain numbers.

// duration is written "1.2 s" in HTML, and in milliseconds in JSON.
type duration time.Duration

func (d duration) String() string { return format.Duration(time.Duration(d)) }

// MarshalJSON writes milliseconds with microsecond precision, as every sink does.
func (d duration) MarshalJSON() ([]byte, error) {
	return registry.AppendJSON(nil, slog.DurationValue(time.Duration(d))), nil
}

// count is written with commas between its thousands in HTML.
type count int64

func (c count) String() string { return format.Count(int64(c)) }

// size is a number of bytes.
type size int64

func (s size) String() string { return format.Bytes(int64(s)) }

// knownAs returns a measurement as one of the types above, or nil if it is unknown.
func knownAs[To, From ~int64](m telemetry.Maybe[From]) *To {
	if v, ok := m.Get(); ok {
		to := To(v)
		return &to
	}
	return nil
}

// textOf returns the text of a value; empty if there is none.
func textOf[T fmt.Stringer](v *T) string {
	if v == nil {
		return ""
	}
	return (*v).String()
}

// share is a fraction between 0 and 1, written as a percentage in HTML.
type share float64

func (s share) String() string { return format.Percent(float64(s)) }

// MarshalJSON keeps four decimals, because more would be noise.
func (s share) MarshalJSON() ([]byte, error) {
	return strconv.AppendFloat(nil, float64(s), 'f', 4, 64), nil
}

// shareOf returns the share that a part has of a whole, or 0 if the whole is 0.
func shareOf(part, whole time.Duration) share {
	if whole <= 0 {
		return 0
	}
	return share(min(1, max(0, float64(part)/float64(whole))))
}

// rate is an average: events per second, or statements that run at the same time.
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

// MarshalJSON keeps four decimals.
func (r rate) MarshalJSON() ([]byte, error) {
	return strconv.AppendFloat(nil, float64(r), 'f', 4, 64), nil
}

// moment is a point in time together with the time of its page, so that it can say how long ago it
// was.
type moment struct{ at, now time.Time }

// MarshalJSON writes RFC 3339 in UTC.
func (m moment) MarshalJSON() ([]byte, error) { return m.at.UTC().MarshalJSON() }

// String returns the time of day, with milliseconds, in UTC.
func (m moment) String() string { return m.at.UTC().Format("15:04:05.000") }

// Clock returns the time of day in UTC.
func (m moment) Clock() string { return m.at.UTC().Format("15:04:05") }

// Full returns date and time in UTC, for tooltips.
func (m moment) Full() string { return m.at.UTC().Format("2006-01-02 15:04:05.000 UTC") }

// RFC3339 returns the time for the datetime attribute.
func (m moment) RFC3339() string { return m.at.UTC().Format(time.RFC3339Nano) }

// Ago says how long ago the moment was, or how soon it will be.
func (m moment) Ago() string {
	switch d := m.now.Sub(m.at); {
	case d <= -500*time.Millisecond:
		return "in " + approximate(-d)
	case d < 500*time.Millisecond:
		return "just now"
	default:
		return approximate(d) + " ago"
	}
}

// approximate writes a duration rounded to seconds, minutes, hours or days.
func approximate(d time.Duration) string {
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

// value is the value of a record's field, read through the registry.
type value struct{ slog.Value }

// Known reports whether the record has a value.
func (v value) Known() bool { return registry.Known(v.Value) }

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
		if v.Bool() {
			return "yes"
		}
		return "no"
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

// MarshalJSON writes what the NDJSON sink writes, and null for an unknown value.
func (v value) MarshalJSON() ([]byte, error) {
	if !v.Known() {
		return []byte("null"), nil
	}
	return registry.AppendJSON(nil, v.Value), nil
}
