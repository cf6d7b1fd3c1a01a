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
	periods     = []period{lastMinutes, lastHour, {"all", "all", "since the process started", 0}}
)

// period is the stretch of time that the request asks for; otherwise is the key of the default.
func (req *request) period(otherwise string) period {
	indexOf := func(key string) int { return slices.IndexFunc(periods, func(p period) bool { return p.key == key }) }
	if i := indexOf(req.query.Get("window")); i >= 0 {
		return periods[i]
	}
	return periods[indexOf(otherwise)]
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
