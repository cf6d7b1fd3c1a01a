package engine

import (
	"database/sql/driver"
	"math"
	"strings"
	"time"
)

var timeFunctions = map[string]goFunction{
	// shift(value, amount, unit, sign, type, zone) adds an interval.
	"shift": func(args []driver.Value) (driver.Value, *Error) {
		amount := floatArg(args[1]) * floatArg(args[3])
		t := typeArg(args[4])
		loc := zoneArg(args[5])
		var at time.Time
		if t.ID == Date {
			at = timeOfDay(integerArg(args[0]))
		} else {
			at = time.UnixMicro(integerArg(args[0])).In(loc)
		}
		unit := textArg(args[2])
		if math.Abs(amount) > 1e15 || spans[unit] == 0 && math.Abs(amount) > 1e7 {
			return nil, failure("DATETIME_OVERFLOW", "22008", "Datetime operation overflow: add %v %s to '%s'.", amount, unit, at.UTC().Format(time.RFC3339))
		}
		at = shiftTime(at, unit, amount)
		if t.ID == Date {
			return dayOf(at), nil
		}
		return at.UnixMicro(), nil
	},
	// between(unit, from, to, zone) counts whole units.
	"between": func(args []driver.Value) (driver.Value, *Error) {
		unit := textArg(args[0])
		from, to := integerArg(args[1]), integerArg(args[2])
		span := spans[unit]
		if span >= spans["DAY"] || span == 0 { // units of the calendar: local times are compared
			loc := zoneArg(args[3])
			from, to = wallClock(time.UnixMicro(from).In(loc)), wallClock(time.UnixMicro(to).In(loc))
		}
		if span > 0 {
			return (to - from) / span, nil
		}
		return monthsBetween(time.UnixMicro(from).UTC(), time.UnixMicro(to).UTC()) / months[unit], nil
	},
	"part": func(args []driver.Value) (driver.Value, *Error) {
		at := time.UnixMicro(integerArg(args[1])).In(zoneArg(args[2]))
		switch textArg(args[0]) {
		case "year":
			return int64(at.Year()), nil
		case "quarter":
			return int64(at.Month()+2) / 3, nil
		case "month":
			return int64(at.Month()), nil
		case "day", "dayofmonth":
			return int64(at.Day()), nil
		case "dayofweek":
			return int64(at.Weekday()) + 1, nil
		case "weekday":
			return (int64(at.Weekday()) + 6) % 7, nil
		case "dayofyear":
			return int64(at.YearDay()), nil
		case "week", "weekofyear":
			_, w := at.ISOWeek()
			return int64(w), nil
		case "hour":
			return int64(at.Hour()), nil
		case "minute":
			return int64(at.Minute()), nil
		case "second":
			return int64(at.Second()), nil
		case "second with fraction":
			return at.Format("5.000000"), nil
		case "isoyear":
			y, _ := at.ISOWeek()
			return int64(y), nil
		}
		return nil, nil
	},
	"last_day": func(args []driver.Value) (driver.Value, *Error) {
		at := timeOfDay(integerArg(args[0]))
		return dayOf(time.Date(at.Year(), at.Month()+1, 0, 0, 0, 0, 0, time.UTC)), nil
	},
	"make_date": func(args []driver.Value) (driver.Value, *Error) {
		y, m, d := int(integerArg(args[0])), int(integerArg(args[1])), int(integerArg(args[2]))
		at := time.Date(y, time.Month(m), d, 0, 0, 0, 0, time.UTC)
		if y < 1 || y > 9999 || int(at.Month()) != m || at.Day() != d {
			return nil, failure("DATETIME_FIELD_OUT_OF_BOUNDS", "22023", "Invalid date '%d-%d-%d'.", y, m, d)
		}
		return dayOf(at), nil
	},
	"truncate": func(args []driver.Value) (driver.Value, *Error) {
		at := time.UnixMicro(integerArg(args[1])).In(zoneArg(args[2]))
		cut, ok := truncateTime(at, strings.ToUpper(textArg(args[0])))
		if !ok {
			return nil, nil
		}
		return cut.UnixMicro(), nil
	},
	// truncate_date(unit, micros) has no unit below a week.
	"truncate_date": func(args []driver.Value) (driver.Value, *Error) {
		at := time.UnixMicro(integerArg(args[1])).UTC()
		switch unit := strings.ToUpper(textArg(args[0])); unit {
		case "YEAR", "YYYY", "YY", "QUARTER", "MONTH", "MM", "MON", "WEEK":
			cut, _ := truncateTime(at, unit)
			return cut.UnixMicro(), nil
		}
		return nil, nil
	},
	"date_format": func(args []driver.Value) (driver.Value, *Error) {
		parts, err := datetimePattern(textArg(args[1]))
		if err != nil {
			return nil, err
		}
		return formatPattern(time.UnixMicro(integerArg(args[0])).In(zoneArg(args[2])), parts), nil
	},
	"parse_time": func(args []driver.Value) (driver.Value, *Error) {
		parts, err := datetimePattern(textArg(args[1]))
		if err != nil {
			return nil, err
		}
		at, ok, err := parsePattern(textArg(args[0]), parts, zoneArg(args[2]))
		if err != nil {
			return nil, err
		}
		if !ok {
			return nil, failure("CANNOT_PARSE_TIMESTAMP", "22007", "Text '%s' could not be parsed with the pattern '%s'. Use `try_to_timestamp` to tolerate invalid input string and return NULL instead.", textArg(args[0]), textArg(args[1]))
		}
		return at.UnixMicro(), nil
	},
}

// spans are the units of fixed length, in microseconds; months are the others.
var (
	spans = map[string]int64{
		"MICROSECOND": 1, "MILLISECOND": 1000, "SECOND": microsPerSecond, "MINUTE": 60 * microsPerSecond, "HOUR": 3600 * microsPerSecond,
		"DAY": secondsPerDay * microsPerSecond, "WEEK": 7 * secondsPerDay * microsPerSecond,
	}
	months = map[string]int64{"MONTH": 1, "QUARTER": 3, "YEAR": 12}
)

func shiftTime(at time.Time, unit string, amount float64) time.Time {
	switch unit {
	case "DAY":
		return at.AddDate(0, 0, int(amount))
	case "WEEK":
		return at.AddDate(0, 0, 7*int(amount))
	case "MONTH", "QUARTER", "YEAR":
		n := int(amount) * int(months[unit])
		// In a shorter month, the 31st becomes the last day.
		first := time.Date(at.Year(), at.Month()+time.Month(n), 1, at.Hour(), at.Minute(), at.Second(), at.Nanosecond(), at.Location())
		last := time.Date(first.Year(), first.Month()+1, 0, 0, 0, 0, 0, time.UTC).Day()
		return first.AddDate(0, 0, min(at.Day(), last)-1)
	}
	return time.UnixMicro(at.UnixMicro() + int64(math.Round(amount*float64(spans[unit])))).In(at.Location())
}

// wallClock is the local time in the time's zone, in microseconds.
func wallClock(at time.Time) int64 {
	_, offset := at.Zone()
	return at.UnixMicro() + int64(offset)*microsPerSecond
}

// monthsBetween counts whole months: a month is whole when its day and time of day are reached. The
// last day of a shorter month does not count as the 31st.
func monthsBetween(from, to time.Time) int64 {
	n := int64(to.Year()-from.Year())*12 + int64(to.Month()) - int64(from.Month())
	inMonth := func(at time.Time) int64 {
		return at.UnixMicro() - time.Date(at.Year(), at.Month(), 1, 0, 0, 0, 0, time.UTC).UnixMicro()
	}
	switch l, r := inMonth(from), inMonth(to); {
	case n > 0 && r < l:
		n--
	case n < 0 && r > l:
		n++
	}
	return n
}

func truncateTime(at time.Time, unit string) (time.Time, bool) {
	y, m, d := at.Date()
	h, mi, s := at.Clock()
	switch unit {
	case "YEAR", "YYYY", "YY":
		m, d, h, mi, s = 1, 1, 0, 0, 0
	case "QUARTER":
		m, d, h, mi, s = (m-1)/3*3+1, 1, 0, 0, 0
	case "MONTH", "MM", "MON":
		d, h, mi, s = 1, 0, 0, 0
	case "WEEK":
		d, h, mi, s = d-(int(at.Weekday())+6)%7, 0, 0, 0
	case "DAY", "DD":
		h, mi, s = 0, 0, 0
	case "HOUR":
		mi, s = 0, 0
	case "MINUTE":
		s = 0
	case "SECOND":
	case "MILLISECOND":
		return at.Truncate(time.Millisecond), true
	case "MICROSECOND":
		return at, true
	default:
		return at, false
	}
	return time.Date(y, m, d, h, mi, s, 0, at.Location()), true
}
