package engine

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// A stored value is nil, int64 (booleans, integers, dates, timestamps), float64, string
// (strings and decimals) or []byte.

const (
	microsPerSecond = int64(1_000_000)
	secondsPerDay   = int64(86_400)
)

// formatFloat writes a number as Databricks casts it to STRING: at least one digit after
// the point, scientific below 1e-3 and from 1e7 on.
func formatFloat(f float64, t Type) string {
	bits := 64
	if t.ID == Float {
		bits = 32
	}
	switch a := math.Abs(f); {
	case math.IsNaN(f):
		return "NaN"
	case math.IsInf(f, 1):
		return "Infinity"
	case math.IsInf(f, -1):
		return "-Infinity"
	case a == 0 || a >= 1e-3 && a < 1e7:
		text := strconv.FormatFloat(f, 'f', -1, bits)
		if !strings.Contains(text, ".") {
			text += ".0"
		}
		return text
	}
	mantissa, exponent, _ := strings.Cut(strconv.FormatFloat(f, 'e', -1, bits), "e")
	if !strings.Contains(mantissa, ".") {
		mantissa += ".0"
	}
	n, _ := strconv.Atoi(exponent)
	return mantissa + "E" + strconv.Itoa(n)
}

func parseFloat(text string) (float64, bool) {
	text = strings.TrimSpace(text)
	switch strings.ToLower(text) {
	case "infinity", "+infinity", "inf", "+inf":
		return math.Inf(1), true
	case "-infinity", "-inf":
		return math.Inf(-1), true
	case "nan":
		return math.NaN(), true
	}
	if strings.Trim(text, "+-.0123456789eE") != "" { // Go would take hex and underscores
		return 0, false
	}
	f, err := strconv.ParseFloat(text, 64)
	return f, err == nil || math.IsInf(f, 0)
}

func dayOf(t time.Time) int64 {
	y, m, d := t.Date()
	return floorDiv(time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix(), secondsPerDay)
}

func timeOfDay(days int64) time.Time { return time.Unix(days*secondsPerDay, 0).UTC() }

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

func formatDate(days int64) string { return timeOfDay(days).Format("2006-01-02") }

// parseDate reads yyyy[-M[-d]], and ignores a time that follows.
func parseDate(text string) (int64, bool) {
	text = strings.TrimSpace(text)
	if i := strings.IndexAny(text, " T"); i > 0 {
		text = text[:i]
	}
	t, ok := parseDay(text, time.UTC)
	return floorDiv(t.Unix(), secondsPerDay), ok
}

func parseDay(text string, loc *time.Location) (time.Time, bool) {
	sign := 1
	if strings.HasPrefix(text, "-") {
		sign, text = -1, text[1:]
	}
	parts := strings.Split(text, "-")
	if len(parts) > 3 || len(parts[0]) < 4 || len(parts[0]) > 6 {
		return time.Time{}, false
	}
	n := [3]int{0, 1, 1}
	for i, p := range parts {
		v, err := strconv.Atoi(p)
		if err != nil || v < 0 || i > 0 && (len(p) > 2 || v == 0) || p[0] == '+' {
			return time.Time{}, false
		}
		n[i] = v
	}
	t := time.Date(sign*n[0], time.Month(n[1]), n[2], 0, 0, 0, 0, loc)
	check := time.Date(sign*n[0], time.Month(n[1]), n[2], 0, 0, 0, 0, time.UTC)
	return t, int(check.Month()) == n[1] && check.Day() == n[2]
}

// parseTimestamp reads a date with an optional time and an optional zone; without a zone the
// text is local time in loc.
func parseTimestamp(text string, loc *time.Location) (micros int64, ok bool) {
	text = strings.TrimSpace(text)
	i := strings.IndexAny(text, " T")
	if i < 0 {
		t, ok := parseDay(text, loc)
		return t.UnixMicro(), ok
	}
	clock, zone := splitZone(text[i+1:])
	if zone != "" {
		if loc, ok = location(zone); !ok {
			return 0, false
		}
	}
	d, ok := parseDay(text[:i], time.UTC)
	if !ok {
		return 0, false
	}
	clock, fraction, _ := strings.Cut(clock, ".")
	parts := strings.Split(clock, ":")
	if len(parts) > 3 {
		return 0, false
	}
	var n [3]int
	limits := [3]int{23, 59, 59}
	for i, p := range parts {
		v, err := strconv.Atoi(p)
		if err != nil || len(p) > 2 || v < 0 || v > limits[i] {
			return 0, false
		}
		n[i] = v
	}
	micro := 0
	if fraction != "" {
		if strings.Trim(fraction, "0123456789") != "" || len(fraction) > 9 {
			return 0, false
		}
		micro, _ = strconv.Atoi((fraction + "000000")[:6])
	}
	t := time.Date(d.Year(), d.Month(), d.Day(), n[0], n[1], n[2], micro*1000, loc)
	return t.UnixMicro(), true
}

func splitZone(clock string) (string, string) {
	clock = strings.TrimSpace(clock)
	i := strings.IndexFunc(clock, func(r rune) bool { return r != ':' && r != '.' && (r < '0' || r > '9') })
	if i < 0 {
		return clock, ""
	}
	return strings.TrimSpace(clock[:i]), strings.TrimSpace(clock[i:])
}

var locations bounded[*time.Location]

// location returns a zone by name or offset (Z, +02:00, UTC+2, Europe/Berlin).
func location(name string) (*time.Location, bool) {
	if l, ok := locations.get(name); ok {
		return l, true
	}
	l, ok := offsetZone(name)
	if !ok {
		if strings.EqualFold(name, "local") { // would be the machine's, not the workspace's
			return nil, false
		}
		var err error
		if l, err = time.LoadLocation(name); err != nil {
			return nil, false
		}
	}
	locations.put(name, l)
	return l, true
}

func offsetZone(name string) (*time.Location, bool) {
	text := strings.ToUpper(name)
	if text == "Z" || text == "UTC" || text == "GMT" || text == "" {
		return time.UTC, true
	}
	text = strings.TrimPrefix(strings.TrimPrefix(text, "UTC"), "GMT")
	if len(text) < 2 || text[0] != '+' && text[0] != '-' {
		return nil, false
	}
	hours, minutes, _ := strings.Cut(text[1:], ":")
	if minutes == "" && len(hours) == 4 {
		hours, minutes = hours[:2], hours[2:]
	}
	h, err := strconv.ParseUint(hours, 10, 8)
	m := uint64(0)
	if err == nil && minutes != "" {
		m, err = strconv.ParseUint(minutes, 10, 8)
	}
	if err != nil || h > 18 || m > 59 {
		return nil, false
	}
	seconds := int(h*60+m) * 60
	if text[0] == '-' {
		seconds = -seconds
	}
	return time.FixedZone(text, seconds), true
}

func formatTimestamp(micros int64, loc *time.Location) string {
	t := time.UnixMicro(micros).In(loc)
	text := t.Format("2006-01-02 15:04:05")
	if us := t.Nanosecond() / 1000; us != 0 {
		text += strings.TrimRight("."+strconv.Itoa(1_000_000 + us)[1:], "0")
	}
	return text
}

// formatValue renders a stored value as CAST(... AS STRING) does.
func formatValue(v any, t Type, loc *time.Location) string {
	switch x := v.(type) {
	case nil:
		return "NULL"
	case int64:
		switch t.ID {
		case Boolean:
			return strconv.FormatBool(x != 0)
		case Date:
			return formatDate(x)
		case Timestamp:
			return formatTimestamp(x, loc)
		case intervalMonth, intervalDay:
			return formatInterval(x, t)
		}
		return strconv.FormatInt(x, 10)
	case float64:
		return formatFloat(x, t)
	case []byte:
		return string(x)
	case string:
		if t.isNested() {
			return formatNested(readParts(x, t), t, loc)
		}
		return x
	case []any:
		return formatNested(x, t, loc)
	case bool:
		return strconv.FormatBool(x)
	}
	return ""
}
