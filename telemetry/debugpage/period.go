package debugpage

import (
	"cmp"
	"slices"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// period is a stretch of time that ends now.
type period struct {
	key, name, words string
	length           time.Duration // 0 is all of the time
}

var (
	lastMinutes = period{"5m", "5 min", "the last 5 min", 5 * time.Minute}
	lastHour    = period{"1h", "1 h", "the last hour", time.Hour}
	sinceStart  = period{"all", "all", "since the process started", 0}
	periods     = []period{lastMinutes, lastHour, sinceStart}
)

// period is the stretch of time that the request asks for, or otherwise the default.
func (req *request) period(otherwise period) period {
	asked := req.query.Get("window")
	if i := slices.IndexFunc(periods, func(p period) bool { return p.key == asked }); i >= 0 {
		return periods[i]
	}
	return otherwise
}

// windows are links to the same page for every stretch of time.
func (req *request) windows(page string, chosen period) []tab {
	var tabs []tab
	for _, p := range periods {
		tabs = append(tabs, tab{p.name, req.link(cmp.Or(page, "./"), "window", p.key), p == chosen})
	}
	return tabs
}

// within selects the statements that ended in the stretch of time, or run. The result is a new slice.
func (p period) within(now time.Time, all []*telemetry.Statement) []*telemetry.Statement {
	return slices.DeleteFunc(slices.Clone(all), func(s *telemetry.Statement) bool {
		return p.length > 0 && s.Outcome != telemetry.OutcomeRunning && now.Sub(s.Started)-s.Total > p.length
	})
}
