package debugpage

import (
	"cmp"
	"slices"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// period is a length of time that ends now.
type period struct {
	key, name, words string
	length           time.Duration // 0 means all time
}

var (
	lastMinutes = period{"5m", "5 min", "the last 5 min", 5 * time.Minute}
	lastHour    = period{"1h", "1 h", "the last hour", time.Hour}
	sinceStart  = period{"all", "all", "since the process started", 0}
	periods     = []period{lastMinutes, lastHour, sinceStart}
)

// period returns the period that the request asks for, or else the default.
func (req *request) period(otherwise period) period {
	asked := req.query.Get("window")
	if i := slices.IndexFunc(periods, func(p period) bool { return p.key == asked }); i >= 0 {
		return periods[i]
	}
	return otherwise
}

// windows returns links to the same page for every period.
func (req *request) windows(page string, chosen period) []tab {
	var tabs []tab
	for _, p := range periods {
		tabs = append(tabs, tab{p.name, req.link(cmp.Or(page, "./"), "window", p.key), p == chosen})
	}
	return tabs
}

// within returns the statements that ended in the period or are running, as a new slice.
func (p period) within(now time.Time, all []*telemetry.Statement) []*telemetry.Statement {
	return slices.DeleteFunc(slices.Clone(all), func(s *telemetry.Statement) bool {
		return p.length > 0 && s.Outcome != telemetry.OutcomeRunning && now.Sub(s.Started)-s.Total > p.length
	})
}
