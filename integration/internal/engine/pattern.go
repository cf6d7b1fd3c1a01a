package engine

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// patternPart is a piece of a datetime pattern: a letter and how often it is repeated, or, with
// letter 0, literal text.
type patternPart struct {
	letter byte
	n      int
	text   string
}

// patternLetters are the letters of datetime patterns and how often each may be repeated.
var patternLetters = map[byte]int{
	'G': 3, 'y': 6, 'D': 3, 'M': 4, 'L': 4, 'd': 2, 'Q': 3, 'q': 3, 'E': 4, 'F': 1, 'a': 1,
	'h': 2, 'K': 2, 'k': 2, 'H': 2, 'm': 2, 's': 2, 'S': 9, 'V': 2, 'z': 3, 'O': 1, 'X': 3, 'x': 3, 'Z': 5,
}

// datetimePattern reads a pattern of date_format, to_timestamp and their like.
func datetimePattern(text string) ([]patternPart, *Error) {
	var parts []patternPart
	for i := 0; i < len(text); {
		c := text[i]
		switch {
		case c == '\'':
			quoted, end, ok := quotedText(text, i+1)
			if !ok {
				return nil, errPattern(text, c)
			}
			parts = append(parts, patternPart{text: quoted})
			i = end
		case c|0x20 >= 'a' && c|0x20 <= 'z':
			n := 1
			for i+n < len(text) && text[i+n] == c {
				n++
			}
			most := patternLetters[c]
			switch {
			case strings.IndexByte("YWwuec", c) >= 0:
				return nil, failure("INCONSISTENT_BEHAVIOR_CROSS_VERSION.DATETIME_WEEK_BASED_PATTERN", "42K0B",
					"You may get a different result due to the upgrading to Spark >= 3.0: all week-based patterns are unsupported since Spark 3.0, detected week-based character: %c. Please use the SQL function EXTRACT instead.", c)
			case most == 0:
				return nil, errPattern(text, c)
			case n > most || c == 'V' && n != 2 || c == 'Z' && n == 4:
				return nil, errUnsupported("DATETIME_PATTERN", "the datetime pattern letters "+text[i:i+n])
			}
			parts = append(parts, patternPart{letter: c, n: n})
			i += n
		case strings.IndexByte("[]", c) >= 0:
			return nil, errUnsupported("DATETIME_PATTERN", "an optional section in a datetime pattern")
		case strings.IndexByte("#{}", c) >= 0:
			return nil, errPattern(text, c)
		default:
			parts = append(parts, patternPart{text: text[i : i+1]})
			i++
		}
	}
	return parts, nil
}

// quotedText reads from after an opening quote: two quotes mean one, both inside quoted text and
// alone.
func quotedText(text string, i int) (quoted string, end int, ok bool) {
	if strings.HasPrefix(text[i:], "'") {
		return "'", i + 1, true
	}
	for ; i < len(text); i++ {
		switch {
		case text[i] != '\'':
			quoted += text[i : i+1]
		case strings.HasPrefix(text[i+1:], "'"):
			quoted += "'"
			i++
		default:
			return quoted, i + 1, true
		}
	}
	return "", i, false
}

func errPattern(text string, c byte) *Error {
	return failure("INVALID_DATETIME_PATTERN.ILLEGAL_CHARACTER", "22007",
		"Unrecognized datetime pattern: '%s'. Illegal pattern character found in datetime pattern: '%c'. Please provide legal character.", text, c)
}

// number is the field of a numeric letter.
func (p patternPart) number(at time.Time) (int, bool) {
	switch p.letter {
	case 'y':
		return at.Year(), true
	case 'D':
		return at.YearDay(), true
	case 'M', 'L':
		return int(at.Month()), p.n < 3
	case 'd':
		return at.Day(), true
	case 'Q', 'q':
		return int(at.Month()+2) / 3, p.n < 3
	case 'F':
		return (at.Day()-1)/7 + 1, true
	case 'h':
		return (at.Hour()+11)%12 + 1, true
	case 'K':
		return at.Hour() % 12, true
	case 'k':
		return (at.Hour()+23)%24 + 1, true
	case 'H':
		return at.Hour(), true
	case 'm':
		return at.Minute(), true
	case 's':
		return at.Second(), true
	}
	return 0, false
}

// formatPattern formats a time by a pattern.
func formatPattern(at time.Time, parts []patternPart) string {
	var b strings.Builder
	for _, p := range parts {
		if n, ok := p.number(at); ok {
			if p.letter == 'y' && p.n == 2 {
				n %= 100
			}
			fmt.Fprintf(&b, "%0*d", p.n, n)
			continue
		}
		switch p.letter {
		case 0:
			b.WriteString(p.text)
		case 'G':
			b.WriteString("AD")
		case 'M', 'L':
			b.WriteString(at.Format(map[int]string{3: "Jan", 4: "January"}[p.n]))
		case 'Q', 'q':
			b.WriteString("Q" + strconv.Itoa(int(at.Month()+2)/3))
		case 'E':
			b.WriteString(at.Format(map[bool]string{true: "Monday", false: "Mon"}[p.n == 4]))
		case 'a':
			b.WriteString(at.Format("PM"))
		case 'S':
			b.WriteString(fmt.Sprintf("%09d", at.Nanosecond())[:p.n])
		case 'V':
			b.WriteString(at.Location().String())
		case 'z':
			b.WriteString(at.Format("MST"))
		default:
			b.WriteString(formatOffset(at, p))
		}
	}
	return b.String()
}

func formatOffset(at time.Time, p patternPart) string {
	_, seconds := at.Zone()
	switch {
	case seconds == 0 && (p.letter == 'X' || p.letter == 'Z' && p.n == 5):
		return "Z"
	case seconds == 0 && p.letter == 'O':
		return "GMT"
	}
	sign, minutes := "+", seconds/60
	if minutes < 0 {
		sign, minutes = "-", -minutes
	}
	hour, minute := minutes/60, minutes%60
	switch {
	case p.letter == 'O' && minute == 0:
		return fmt.Sprintf("GMT%s%d", sign, hour)
	case p.letter == 'O':
		return fmt.Sprintf("GMT%s%d:%02d", sign, hour, minute)
	case p.letter != 'Z' && p.n == 1 && minute == 0:
		return fmt.Sprintf("%s%02d", sign, hour)
	case p.letter != 'Z' && p.n < 3, p.letter == 'Z' && p.n < 4:
		return fmt.Sprintf("%s%02d%02d", sign, hour, minute)
	}
	return fmt.Sprintf("%s%02d:%02d", sign, hour, minute)
}

// patternReader parses a text by a pattern.
type patternReader struct {
	rest   string
	fields map[byte]int
	nanos  int
	loc    *time.Location
}

// parsePattern parses a time by a pattern; ok is false if the text does not match it.
func parsePattern(text string, parts []patternPart, loc *time.Location) (at time.Time, ok bool, bad *Error) {
	r := patternReader{text, map[byte]int{}, 0, loc}
	for i, p := range parts {
		if strings.IndexByte("QqF", p.letter) >= 0 && p.letter != 0 {
			return at, false, errUnsupported("DATETIME_PATTERN", "reading the datetime pattern letter "+string(p.letter))
		}
		if !r.part(p, parts[i+1:]) {
			return at, false, nil
		}
	}
	if r.rest != "" {
		return at, false, nil
	}
	at, ok = r.time()
	return at, ok, nil
}

func (r *patternReader) part(p patternPart, following []patternPart) bool {
	if _, ok := p.number(time.Time{}); ok {
		return r.number(p, following)
	}
	switch p.letter {
	case 0:
		return r.take(p.text)
	case 'G':
		return r.take("AD")
	case 'M', 'L':
		return r.name('M', p.n == 4, 12, func(i int) string { return time.Month(i).String() })
	case 'E':
		return r.name('E', p.n == 4, 7, func(i int) string { return time.Weekday(i % 7).String() })
	case 'a':
		r.fields['a'] = 0
		if r.take("AM") {
			return true
		}
		r.fields['a'] = 1
		return r.take("PM")
	case 'S':
		n := digits(r.rest, p.n)
		nanos, err := strconv.Atoi((r.rest[:n] + "000000000")[:9])
		r.nanos, r.rest = nanos, r.rest[n:]
		return n > 0 && err == nil
	}
	return r.zone()
}

// number takes the digits of a field: as many as its letters when there are several or when the
// next field follows at once, otherwise as many as there are.
func (r *patternReader) number(p patternPart, following []patternPart) bool {
	letter := p.letter
	if letter == 'L' {
		letter = 'M'
	}
	most := p.n
	if p.n == 1 {
		most = digits(r.rest, len(r.rest))
		for _, f := range following {
			if _, ok := f.number(time.Time{}); !ok && f.letter != 'S' {
				break
			}
			most -= f.n
		}
	}
	n := digits(r.rest, most)
	if n < p.n {
		return false
	}
	v, err := strconv.Atoi(r.rest[:n])
	if letter == 'y' && p.n == 2 {
		v += 2000
	}
	r.fields[letter], r.rest = v, r.rest[n:]
	return err == nil
}

// digits counts the digits text begins with, up to most.
func digits(text string, most int) int {
	n := 0
	for n < len(text) && n < most && isDigit(text[n]) {
		n++
	}
	return n
}

func (r *patternReader) take(text string) bool {
	if len(r.rest) < len(text) || !strings.EqualFold(r.rest[:len(text)], text) {
		return false
	}
	r.rest = r.rest[len(text):]
	return true
}

func (r *patternReader) name(field byte, long bool, last int, name func(int) string) bool {
	for i := 1; i <= last; i++ {
		text := name(i)
		if !long {
			text = text[:3]
		}
		if r.take(text) {
			r.fields[field] = i
			return true
		}
	}
	return false
}

// zone takes a zone's name or an offset.
func (r *patternReader) zone() bool {
	n := 0
	for n < len(r.rest) && (strings.IndexByte("/_+-:", r.rest[n]) >= 0 || isDigit(r.rest[n]) || r.rest[n]|0x20 >= 'a' && r.rest[n]|0x20 <= 'z') {
		n++
	}
	text := r.rest[:n]
	r.rest = r.rest[n:]
	if text == "Z" {
		r.loc = time.UTC
		return true
	}
	for _, layout := range []string{"-07:00", "-0700", "-07", "GMT-07:00"} {
		if at, err := time.Parse(layout, text); err == nil {
			_, seconds := at.Zone()
			r.loc = time.FixedZone(text, seconds)
			return true
		}
	}
	loc, ok := location(text)
	if ok {
		r.loc = loc
	}
	return ok && text != ""
}

// time combines the fields; a field that the pattern does not name has its value at 1970-01-01
// 00:00:00.
func (r *patternReader) time() (at time.Time, ok bool) {
	field := func(letter byte, otherwise, lo, hi int) int {
		v, has := r.fields[letter]
		if !has {
			return otherwise
		}
		if v < lo || v > hi {
			ok = false
		}
		return v
	}
	ok = true
	year := field('y', 1970, 1, 9999)
	month, day := field('M', 1, 1, 12), field('d', 1, 1, 31)
	hour := field('H', 0, 0, 23)
	half := field('a', 0, 0, 1) * 12
	for letter, limits := range map[byte][2]int{'h': {1, 12}, 'K': {0, 11}, 'k': {1, 24}} {
		if _, has := r.fields[letter]; !has {
			continue
		}
		if v := field(letter, 0, limits[0], limits[1]); letter == 'k' {
			hour = v % 24
		} else {
			hour = v%12 + half
		}
	}
	minute, second := field('m', 0, 0, 59), field('s', 0, 0, 59)
	if n, has := r.fields['D']; has {
		first := time.Date(year, 1, n, 0, 0, 0, 0, time.UTC)
		if first.Year() != year || n < 1 {
			return at, false
		}
		month, day = int(first.Month()), first.Day()
	}
	at = time.Date(year, time.Month(month), day, hour, minute, second, r.nanos, r.loc)
	civil := time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC)
	if civil.Day() != day {
		ok = false
	}
	if n, has := r.fields['E']; has && int(civil.Weekday()) != n%7 {
		ok = false
	}
	return at, ok
}
