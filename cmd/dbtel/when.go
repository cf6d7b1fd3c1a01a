package main

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The layouts of times. Times are local unless they have a zone. The seconds may have a fraction.
var (
	timeLayouts  = []string{time.RFC3339, "2006-01-02 15:04:05Z07:00", "2006-01-02 15:04:05 -0700", "2006-01-02 15:04:05 -07", "2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02T15:04", "2006-01-02 15:04", time.DateOnly}
	clockLayouts = []string{"15:04:05", "15:04"}
)

var errWhen = errors.New(`a time such as 15:04, 2026-03-01 or 2026-03-01T15:04:05Z, or how long ago, such as 90s, 15m, 2h or 3d`)

// parseWhen parses a time, or how long before now it is. A time of day means the latest one at or
// before now; ofDay reports whether text was a time of day.
func parseWhen(text string, now time.Time) (at time.Time, ofDay bool, err error) {
	text = strings.TrimSpace(text)
	if ago, ok := parseAgo(text); ok {
		return now.Add(-ago), false, nil
	}
	for _, layout := range clockLayouts {
		clock, err := time.Parse(layout, text)
		if err != nil {
			continue
		}
		y, m, d := now.Date()
		onDay := func(day int) time.Time {
			return time.Date(y, m, day, clock.Hour(), clock.Minute(), clock.Second(), clock.Nanosecond(), now.Location())
		}
		if at = latestTwin(onDay(d), now); at.After(now) {
			at = latestTwin(onDay(d-1), now)
		}
		return at, true, nil
	}
	text = strings.Replace(text, " UTC", "Z", 1) // the form that show prints
	// An abbreviation has its meaning in the local zone, because CST, for example, means different
	// zones in different places.
	if at, err := time.ParseInLocation("2006-01-02 15:04:05 MST", text, now.Location()); err == nil && at.Location() == now.Location() {
		return at, false, nil
	}
	for _, layout := range timeLayouts {
		if at, err := time.ParseInLocation(layout, text, now.Location()); err == nil {
			return at, false, nil
		}
	}
	return time.Time{}, false, errWhen
}

// latestTwin returns at, or where the clock is put back and shows that time twice, the latest of both that is not after
// now. Where both are, it is the first.
func latestTwin(at, now time.Time) time.Time {
	_, offset := at.Zone()
	twins := []time.Time{at}
	for _, near := range []time.Duration{-12 * time.Hour, 12 * time.Hour} {
		_, other := at.Add(near).Zone()
		twin := at.Add(time.Duration(offset-other) * time.Second)
		if twin.Format(time.DateTime) == at.Format(time.DateTime) {
			twins = append(twins, twin)
		}
	}
	if last := slices.MaxFunc(twins, time.Time.Compare); !last.After(now) {
		return last
	}
	return slices.MinFunc(twins, time.Time.Compare)
}

// parseAgo parses a duration in the form of package time, or a number of days such as 3d.
func parseAgo(text string) (time.Duration, bool) {
	if days, ok := strings.CutSuffix(text, "d"); ok {
		n, err := strconv.ParseUint(days, 10, 16)
		return time.Duration(n) * 24 * time.Hour, err == nil
	}
	d, err := time.ParseDuration(text)
	return d, err == nil && d >= 0
}
