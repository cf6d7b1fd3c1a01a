// Package format writes numbers for people. The debug page, the terminal, log lines and
// verdicts all use it, so that a number looks the same everywhere.
//
//	time.Duration ─▶ Duration       "1.5 s"
//	bytes         ─▶ Bytes          "1.2 MB"
//	number        ─▶ Count          "1,200"
//	              ─▶ Plural, Choose "1,200 retries", "3 calls waited"
//	time waited   ─▶ EndedWaits     "; the waits that ended took 1.5 s in all"
//	share         ─▶ Percent        "71 %"
//	scale         ─▶ RoundStep      1, 2, 5, 10
//	category      ─▶ OneSpelling    "canceled"
//	texts         ─▶ JoinKnown      "attempt 2, status 503"
package format

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Duration writes a duration in a suitable unit: with two or three digits below two minutes, as
// minutes and seconds below two hours, and as hours and minutes above that. From a millisecond on, only whole
// microseconds count, as in records, so that a process and a reader of its records round the same number.
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
		return digits(float64(d.Microseconds())/1e3) + " ms"
	case d < 2*time.Minute:
		return digits(float64(d.Microseconds())/1e6) + " s"
	case d < 2*time.Hour:
		return fmt.Sprintf("%d min %02d s", int(d.Minutes()), int(d.Seconds())%60)
	}
	return fmt.Sprintf("%d h %02d min", int(d.Hours()), int(d.Minutes())%60)
}

// Bytes writes a size in powers of 1000, up to terabytes.
func Bytes(n int64) string {
	if n < 0 {
		return "-" + Bytes(-max(n, -math.MaxInt64))
	}
	if n < 1000 {
		return strconv.FormatInt(n, 10) + " B"
	}
	v := float64(n) / 1000
	for _, unit := range []string{"kB", "MB", "GB"} {
		if v < 999.5 {
			return digits(v) + " " + unit
		}
		v /= 1000
	}
	return digits(v) + " TB"
}

// digits writes a number with one decimal below 10, and without decimals otherwise.
func digits(v float64) string {
	if v < 9.95 {
		return strconv.FormatFloat(v, 'f', 1, 64)
	}
	return strconv.FormatFloat(v, 'f', 0, 64)
}

// Count writes a number with commas between its thousands.
func Count(n int64) string {
	if n < 0 {
		return "-" + Count(-max(n, -math.MaxInt64))
	}
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// Plural writes a number with the noun that it counts: "1 retry", "1,200 retries".
func Plural(n int64, noun string) string {
	if stem, ok := strings.CutSuffix(noun, "y"); ok {
		return Choose(n, noun, stem+"ies")
	}
	return Choose(n, noun, noun+"s")
}

// Choose writes a number with one of two phrases: "1 call waited", "3 calls waited".
func Choose(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return Count(n) + " " + many
}

// EndedWaits returns the end of a sentence: how long the waits for a connection took that ended between two
// readings of sql.DBStats. database/sql adds the time of a wait when the wait ends, so these may be other
// waits than those that began. It returns "" if none ended.
func EndedWaits(took time.Duration) string {
	if took <= 0 {
		return ""
	}
	return "; the waits that ended took " + Duration(took) + " in all"
}

// Percent writes a share of 1 as a whole percentage. Only a share of 1 is "100 %", and only a share of 0 is "0 %".
func Percent(share float64) string {
	n := math.Floor(share*100 + 0.5)
	switch {
	case n == 0 && share > 0:
		return "<1 %"
	case n == 100 && share < 1:
		return ">99 %"
	}
	return strconv.FormatFloat(n, 'f', 0, 64) + " %"
}

// RoundStep returns the smallest of 1, 2, 5, 10, 20, 50 and so on that is not less than least.
func RoundStep(least float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(least)))
	for _, m := range []float64{1, 2, 5} {
		if m*power >= least*0.9999 {
			return m * power
		}
	}
	return 10 * power
}

// OneSpelling spells "canceled" in a category as outcomes do. Categories are the service's names,
// which spell it with two l's.
func OneSpelling(category string) string {
	return strings.ReplaceAll(category, "cancelled", "canceled")
}

// JoinKnown joins the texts that are not empty.
func JoinKnown(separator string, texts ...string) string {
	return strings.Join(slices.DeleteFunc(texts, func(t string) bool { return t == "" }), separator)
}
