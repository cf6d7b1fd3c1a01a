// Package format writes numbers for people. Everything of this module that people read does it
// the same way: the page, the terminal, log lines and verdicts.
package format

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Duration writes a duration for people: three digits at most, in the unit that suits.
func Duration(d time.Duration) string {
	switch {
	case d < 0:
		return "-" + Duration(-max(d, -math.MaxInt64))
	case d == 0:
		return "0 s"
	case d < time.Microsecond:
		return fmt.Sprintf("%d ns", d)
	case d < 999500*time.Nanosecond:
		return digits(float64(d)/1e3) + " µs"
	case d < 999500*time.Microsecond:
		return digits(float64(d)/1e6) + " ms"
	case d < 2*time.Minute:
		return digits(d.Seconds()) + " s"
	case d < 2*time.Hour:
		return fmt.Sprintf("%d min %02d s", int(d.Minutes()), int(d.Seconds())%60)
	}
	return fmt.Sprintf("%d h %02d min", int(d.Hours()), int(d.Minutes())%60)
}

// Bytes writes a size for people, in powers of 1000.
func Bytes(n int64) string {
	if n < 0 {
		return "-" + Bytes(-max(n, -math.MaxInt64))
	}
	if n < 1000 {
		return strconv.FormatInt(n, 10) + " B"
	}
	v := float64(n)
	for _, unit := range []string{"kB", "MB", "GB", "TB"} {
		if v /= 1000; v < 999.5 || unit == "TB" {
			return digits(v) + " " + unit
		}
	}
	return ""
}

// Count writes a number with its thousands apart.
func Count(n int64) string {
	if n < 0 {
		return "-" + Count(-max(n, -math.MaxInt64))
	}
	s := strconv.FormatInt(n, 10)
	start := len(s) % 3
	var groups []string
	if start > 0 {
		groups = append(groups, s[:start])
	}
	for ; start < len(s); start += 3 {
		groups = append(groups, s[start:start+3])
	}
	return strings.Join(groups, ",")
}

// Percent writes a share of 1.
func Percent(share float64) string { return fmt.Sprintf("%.0f %%", math.Floor(share*100+0.5)) }

// digits keeps two digits of small numbers and no more than the whole of large ones.
func digits(v float64) string {
	if v < 9.95 {
		return strconv.FormatFloat(v, 'f', 1, 64)
	}
	return strconv.FormatFloat(v, 'f', 0, 64)
}

// Plural writes a number with what it counts: "1 retry", "1,200 retries".
func Plural(n int64, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	if stem, ok := strings.CutSuffix(noun, "y"); ok {
		return Count(n) + " " + stem + "ies"
	}
	return Count(n) + " " + noun + "s"
}

// Choose writes a number with one of two phrases: "1 call waited", "3 calls waited".
func Choose(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return Count(n) + " " + many
}
