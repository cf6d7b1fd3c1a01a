package engine

import (
	"database/sql/driver"
	"fmt"
	"math"
	"math/bits"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"
	"unicode/utf8"
)

// onPattern adapts functions of a string and a regular expression.
func onPattern(f func(s string, re *regexp.Regexp) driver.Value) goFunction {
	return func(args []driver.Value) (driver.Value, *Error) {
		re, err := pattern(textArg(args[1]))
		if err != nil {
			return nil, err
		}
		return f(textArg(args[0]), re), nil
	}
}

var moreFunctions = map[string]goFunction{
	"like": func(args []driver.Value) (_ driver.Value, bad *Error) {
		defer catch(&bad)
		checkLike(textArg(args[1]), textArg(args[2]))
		escape, _ := utf8.DecodeRuneInString(textArg(args[2]))
		return truth(matchLike([]rune(textArg(args[0])), likePattern(textArg(args[1]), escape))), nil
	},
	"regexp_count": onPattern(func(s string, re *regexp.Regexp) driver.Value {
		return int64(len(re.FindAllStringIndex(s, -1)))
	}),
	"regexp_substr": onPattern(func(s string, re *regexp.Regexp) driver.Value {
		if at := re.FindStringIndex(s); at != nil {
			return s[at[0]:at[1]]
		}
		return nil
	}),
	"regexp_instr": onPattern(func(s string, re *regexp.Regexp) driver.Value {
		if at := re.FindStringIndex(s); at != nil {
			return int64(utf8.RuneCountInString(s[:at[0]]) + 1)
		}
		return int64(0)
	}),
	"encode": func(args []driver.Value) (driver.Value, *Error) {
		return encodeText(textArg(args[0]), textArg(args[1]))
	},
	"decode": func(args []driver.Value) (driver.Value, *Error) {
		return decodeText(bytesArg(args[0]), textArg(args[1]))
	},
	"bit_count": func(args []driver.Value) (driver.Value, *Error) {
		return int64(bits.OnesCount64(uint64(integerArg(args[0])))), nil
	},
	"bin": func(args []driver.Value) (driver.Value, *Error) {
		return strconv.FormatUint(uint64(integerArg(args[0])), 2), nil
	},
	"conv": func(args []driver.Value) (driver.Value, *Error) {
		from, to := int(integerArg(args[1])), int(integerArg(args[2]))
		if from < 2 || from > 36 || to < 2 || to > 36 {
			return nil, nil
		}
		n, err := strconv.ParseUint(strings.TrimSpace(textArg(args[0])), from, 64)
		if err != nil {
			return "0", nil
		}
		return strings.ToUpper(strconv.FormatUint(n, to)), nil
	},
	"factorial": func(args []driver.Value) (driver.Value, *Error) {
		n := integerArg(args[0])
		if n < 0 || n > 20 {
			return nil, nil
		}
		f := int64(1)
		for ; n > 1; n-- {
			f *= n
		}
		return f, nil
	},
	"hypot": func(args []driver.Value) (driver.Value, *Error) {
		return math.Hypot(floatArg(args[0]), floatArg(args[1])), nil
	},
	"substring_index": func(args []driver.Value) (driver.Value, *Error) {
		s, sep, n := textArg(args[0]), textArg(args[1]), integerArg(args[2])
		if sep == "" || n == 0 {
			return "", nil
		}
		parts := strings.Split(s, sep)
		if n > 0 {
			return strings.Join(parts[:min(n, int64(len(parts)))], sep), nil
		}
		return strings.Join(parts[max(int64(len(parts))+n, 0):], sep), nil
	},
	"overlay": func(args []driver.Value) (driver.Value, *Error) {
		s, with, at := []rune(textArg(args[0])), []rune(textArg(args[1])), integerArg(args[2])
		n := int64(len(with))
		if len(args) == 4 {
			if given := integerArg(args[3]); given >= 0 {
				n = given
			}
		}
		start := min(max(at-1, 0), int64(len(s)))
		end := min(max(start+n, start), int64(len(s)))
		return string(s[:start]) + string(with) + string(s[end:]), nil
	},
	"find_in_set": func(args []driver.Value) (driver.Value, *Error) {
		want := textArg(args[0])
		for i, s := range strings.Split(textArg(args[1]), ",") {
			if s == want {
				return int64(i + 1), nil
			}
		}
		return int64(0), nil
	},
	"levenshtein": func(args []driver.Value) (driver.Value, *Error) {
		return levenshtein([]rune(textArg(args[0])), []rune(textArg(args[1])))
	},
	"soundex":       onText(func(a []string) string { return soundex(a[0]) }),
	"format":        formatString,
	"format_number": formatNumber,
	"next_day": func(args []driver.Value) (driver.Value, *Error) {
		name := strings.ToUpper(strings.TrimSpace(textArg(args[1])))
		for day := time.Sunday; day <= time.Saturday; day++ {
			if full := strings.ToUpper(day.String()); name == full || name == full[:3] || name == full[:2] {
				today := timeOfDay(integerArg(args[0]))
				return integerArg(args[0]) + int64((day-today.Weekday()+6)%7+1), nil
			}
		}
		return nil, failure("ILLEGAL_DAY_OF_WEEK", "22009", "Illegal input for day of week: %s.", textArg(args[1]))
	},
	"make_timestamp": func(args []driver.Value) (driver.Value, *Error) {
		var n [5]int
		for i := range n {
			n[i] = int(integerArg(args[i]))
		}
		seconds, _ := decimalOf(args[5])
		micros, ok := decimal{seconds.unscaled, seconds.scale - 6}.truncated()
		at := time.Date(n[0], time.Month(n[1]), n[2], n[3], n[4], 0, 0, time.UTC)
		valid := n[0] >= 1 && n[0] <= 9999 && int(at.Month()) == n[1] && at.Day() == n[2] && at.Hour() == n[3] && at.Minute() == n[4]
		if !ok || !valid || micros < 0 || micros > 60*microsPerSecond {
			return nil, failure("DATETIME_FIELD_OUT_OF_BOUNDS", "22023", "Invalid timestamp '%04d-%02d-%02d %02d:%02d:%s'.", n[0], n[1], n[2], n[3], n[4], textArg(args[5]))
		}
		return time.Date(n[0], time.Month(n[1]), n[2], n[3], n[4], 0, int(micros)*1000, zoneArg(args[6])).UnixMicro(), nil
	},
	"months_between": func(args []driver.Value) (driver.Value, *Error) {
		loc := zoneArg(args[3])
		a, c := time.UnixMicro(integerArg(args[0])).In(loc), time.UnixMicro(integerArg(args[1])).In(loc)
		whole := float64((a.Year()-c.Year())*12 + int(a.Month()) - int(c.Month()))
		lastDay := func(t time.Time) bool { return t.AddDate(0, 0, 1).Day() == 1 }
		if a.Day() == c.Day() || lastDay(a) && lastDay(c) {
			return whole, nil
		}
		part := func(t time.Time) float64 {
			return float64(t.Day()*86_400 + t.Hour()*3600 + t.Minute()*60 + t.Second())
		}
		months := whole + (part(a)-part(c))/(31*86_400)
		if integerArg(args[2]) != 0 {
			months = math.Round(months*1e8) / 1e8
		}
		return months, nil
	},
	"try_parse_time": func(args []driver.Value) (driver.Value, *Error) {
		v, err := timeFunctions["parse_time"](args)
		if err != nil && err.Class == "CANNOT_PARSE_TIMESTAMP" {
			return nil, nil
		}
		return v, err
	},
}

func errCharset(name string) *Error {
	return failure("INVALID_PARAMETER_VALUE.CHARSET", "22023", "The value of parameter(s) `charset` in `encode` or `decode` is invalid: expects one of the iso-8859-1, us-ascii, utf-16, utf-16be, utf-16le, utf-8, but got %s.", name)
}

func encodeText(s, charset string) (driver.Value, *Error) {
	name := strings.ToUpper(charset)
	out := []byte{}
	switch name {
	case "UTF-8":
		return []byte(s), nil
	case "US-ASCII", "ISO-8859-1":
		limit := map[string]rune{"US-ASCII": 0x7f, "ISO-8859-1": 0xff}[name]
		for _, r := range s {
			if r > limit {
				return nil, failure("MALFORMED_CHARACTER_CODING", "22000", "Invalid value found when performing `encode` with %s.", name)
			}
			out = append(out, byte(r))
		}
		return out, nil
	case "UTF-16":
		out = append(out, 0xfe, 0xff) // Java's, with a byte order mark
	case "UTF-16BE", "UTF-16LE":
	default:
		return nil, errCharset(charset)
	}
	for _, u := range utf16.Encode([]rune(s)) {
		if name == "UTF-16LE" {
			out = append(out, byte(u), byte(u>>8))
		} else {
			out = append(out, byte(u>>8), byte(u))
		}
	}
	return out, nil
}

func decodeText(b []byte, charset string) (driver.Value, *Error) {
	name := strings.ToUpper(charset)
	switch name {
	case "UTF-8":
		if !utf8.Valid(b) {
			return nil, failure("MALFORMED_CHARACTER_CODING", "22000", "Invalid value found when performing `decode` with UTF-8.")
		}
		return string(b), nil
	case "US-ASCII", "ISO-8859-1":
		runes := make([]rune, len(b))
		for i, c := range b {
			runes[i] = rune(c)
		}
		return string(runes), nil
	case "UTF-16", "UTF-16BE", "UTF-16LE":
		little := name == "UTF-16LE"
		if name == "UTF-16" && len(b) >= 2 && (b[0] == 0xfe && b[1] == 0xff || b[0] == 0xff && b[1] == 0xfe) {
			little, b = b[0] == 0xff, b[2:]
		}
		units := make([]uint16, len(b)/2)
		for i := range units {
			units[i] = uint16(b[2*i])<<8 | uint16(b[2*i+1])
			if little {
				units[i] = bits.ReverseBytes16(units[i])
			}
		}
		return string(utf16.Decode(units)), nil
	}
	return nil, errCharset(charset)
}

func levenshtein(a, b []rune) (driver.Value, *Error) {
	if len(a)*len(b) > 1<<24 {
		return nil, errTooLong()
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i, x := range a {
		diagonal := row[0]
		row[0] = i + 1
		for j, y := range b {
			cost := diagonal
			if x != y {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return int64(row[len(b)]), nil
}

func soundex(s string) string {
	const codes = "01230120022455012623010202" // of A to Z; 0 is silent
	upper := strings.ToUpper(s)
	if upper == "" || upper[0] < 'A' || upper[0] > 'Z' {
		return s
	}
	out, last := []byte{upper[0]}, codes[upper[0]-'A']
	for i := 1; i < len(upper) && len(out) < 4; i++ {
		c := upper[i]
		if c < 'A' || c > 'Z' {
			last = '0'
			continue
		}
		code := codes[c-'A']
		if code != '0' && code != last {
			out = append(out, code)
		}
		if c != 'H' && c != 'W' {
			last = code
		}
	}
	return (string(out) + "000")[:4]
}

// formatString is Java's printf, as far as Go's verbs mean the same.
func formatString(args []driver.Value) (driver.Value, *Error) {
	values := make([]any, 0, len(args)/2)
	for i := 3; i < len(args); i += 2 {
		v := any(args[i])
		switch t := typeArg(args[i-1]); {
		case t.ID == Boolean:
			v = integerArg(args[i]) != 0
		case t.ID == Decimal:
			v = floatArg(mustFloat(args[i]))
		case !t.isNumeric():
			v = formatValue(args[i], t, time.UTC)
		}
		values = append(values, v)
	}
	text := strings.ReplaceAll(textArg(args[1]), "%n", "\n")
	if wide.MatchString(text) {
		return nil, errTooLong()
	}
	out := fmt.Sprintf(text, values...)
	if strings.Contains(out, "%!") {
		return nil, failure("INVALID_PARAMETER_VALUE.FORMAT", "22023", "The value of parameter(s) `strfmt` in `format_string` is invalid: '%s'.", textArg(args[1]))
	}
	if len(out) > maxString {
		return nil, errTooLong()
	}
	return out, nil
}

// wide are widths and precisions that make a short format very long.
var wide = regexp.MustCompile(`%[^a-zA-Z%]*([0-9]{5}|\*)`)

func mustFloat(v driver.Value) driver.Value {
	d, ok := decimalOf(v)
	if !ok {
		return nil
	}
	return d.float()
}

// formatNumber is format_number(x, places): thousands separated by commas, rounded half away from
// zero.
func formatNumber(args []driver.Value) (driver.Value, *Error) {
	places := integerArg(args[1])
	if places < 0 || places > maxPrecision {
		return nil, nil
	}
	d, ok := decimalOf(args[0])
	if !ok {
		return nil, nil
	}
	text := d.rescale(int32(places)).String()
	sign := ""
	if strings.HasPrefix(text, "-") {
		sign, text = "-", text[1:]
	}
	whole, fraction, _ := strings.Cut(text, ".")
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	if fraction != "" {
		whole += "." + fraction
	}
	return sign + whole, nil
}
