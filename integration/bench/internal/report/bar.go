package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// bar is a limit the project has set itself.
type bar struct {
	what    string
	variant string
	// against is the variant that the figure compares with; empty for the first.
	against  string
	workload string
	limit    float64
	unit     string // "×" for ratios
	// slack is how far the limit may be exceeded without significance: sinks receive records in
	// batches, whose number depends on time.
	slack float64
	// measure returns the figures to which the limit applies, one per round.
	measure func(*Results, bar) []float64
	// exact figures hardly vary, so even a short run can judge them.
	exact bool
}

// base is the variant that the figure compares with.
func (b bar) base(r *Results) string { return cmp.Or(b.against, r.first()) }

func ratio(m metric) func(*Results, bar) []float64 {
	return func(r *Results, b bar) []float64 { return r.ratios(m, b.variant, b.base(r), b.workload) }
}

func excess(m metric) func(*Results, bar) []float64 {
	return func(r *Results, b bar) []float64 { return r.excess(m, b.variant, b.base(r), b.workload) }
}

// excessPerRow shares the excess of an operation among the rows it reads.
func excessPerRow(m metric) func(*Results, bar) []float64 {
	return func(r *Results, b bar) []float64 {
		values := excess(m)(r, b)
		for _, w := range r.Workloads {
			if w.Name == b.workload && w.Rows > 0 {
				for i := range values {
					values[i] /= float64(w.Rows)
				}
			}
		}
		return values
	}
}

// per1000 returns the figure for a thousand operations.
func per1000(m metric) func(*Results, bar) []float64 {
	return func(r *Results, b bar) []float64 {
		values := m.of(r.Blocks(b.variant, b.workload))
		for i := range values {
			values[i] *= 1000
		}
		return values
	}
}

// bars are the project's own, in the order of the report.
var bars = slices.Concat(
	againstNative("time", ratio(wall), 1.005, "Warehouse20"),
	againstNative("time", ratio(wall), 1.01, "Inline", "CloudFetch20"),
	belowOtelsql(),
	[]bar{
		{what: "time per statement, beyond sqlmw", variant: "ours", against: "sqlmw", workload: "NoNetwork", limit: 5000, unit: "ns", measure: excess(wall)},
		{what: "time per statement, beyond sqlmw", variant: "ours", against: "sqlmw", workload: "OneRow", limit: 5000, unit: "ns", measure: excess(wall)},
		{what: "allocations per statement, measured", variant: "ours-local", workload: "OneRow", limit: 12, slack: 2, measure: excess(allocs), exact: true},
		{what: "allocations per statement, encoded and sent, too", variant: "ours", workload: "OneRow", limit: 12, measure: excess(allocs)},
		{what: "allocations per connection and statement", variant: "ours", workload: "Churn", limit: 25 + 12, measure: excess(allocs)},
		{what: "allocations per connection and statement", variant: "ours", workload: "ChurnNoNetwork", limit: 25 + 12, measure: excess(allocs)},
		{what: "time per row", variant: "ours", workload: "Inline", limit: 5, unit: "ns", measure: excessPerRow(wall)},
		{what: "time per row", variant: "ours", workload: "CloudFetch20", limit: 5, unit: "ns", measure: excessPerRow(wall)},
		{what: "allocations per row", variant: "ours", workload: "Inline", limit: 0, slack: 0.005, measure: excessPerRow(allocs), exact: true},
		{what: "allocations per row", variant: "ours", workload: "CloudFetch20", limit: 0, slack: 0.005, measure: excessPerRow(allocs), exact: true},
		{what: "time per statement, switched off", variant: "ours-off", workload: "NoNetwork", limit: 200, unit: "ns", measure: excess(wall)},
		{what: "allocations per statement, switched off", variant: "ours-off", workload: "OneRow", limit: 0, slack: 0.5, measure: excess(allocs), exact: true},
		{what: "telemetry requests per 1,000 statements", variant: "ours", workload: "OneRow", limit: 12, measure: per1000(telemetry)},
	},
)

// againstNative holds a limit on workloads, with the page and without.
func againstNative(what string, measure func(*Results, bar) []float64, limit float64, workloads ...string) (list []bar) {
	for _, workload := range workloads {
		for _, variant := range []string{"ours", "ours-page"} {
			list = append(list, bar{what: what, variant: variant, workload: workload, limit: limit, unit: "×", measure: measure})
		}
	}
	return list
}

// belowOtelsql requires that the wrapped driver costs less than otelsql, on each workload.
func belowOtelsql() (list []bar) {
	for _, b := range []bar{
		{what: "time", limit: 1, unit: "×", measure: ratio(wall)},
		{what: "CPU time", limit: 1, unit: "×", measure: ratio(cpu)},
		{what: "allocations per statement", measure: excess(allocs)},
	} {
		for _, b.workload = range []string{"OneRow", "Concurrent64", "Churn", "Exec", "Inline", "CloudFetch20"} {
			b.variant, b.against = "ours", "otelsql"
			list = append(list, b)
		}
	}
	return append(list, bar{what: "allocations per statement", variant: "ours", against: "otelsql", workload: "ChurnNoNetwork", measure: excess(allocs)})
}

// verdict is a bar and what was measured.
type verdict struct {
	bar
	Estimate
	noise float64 // how far the first variant strays from itself, in the unit of the bar
}

// verdicts compares the results with the bars whose workload and variants were run.
func (r *Results) verdicts() []verdict {
	var list []verdict
	for _, b := range bars {
		if len(r.Blocks(b.variant, b.workload)) > 0 && len(r.Blocks(b.base(r), b.workload)) > 0 {
			list = append(list, verdict{b, estimate(b.measure(r, b)), r.noiseOf(b)})
		}
	}
	return list
}

// noiseOf is how far the second run of the first variant differs from the first in the figure of a
// bar: the wider side of the confidence interval. It is 0 for exact figures and if there is no such
// variant.
func (r *Results) noiseOf(b bar) float64 {
	if b.exact || len(r.Blocks(itself, b.workload)) == 0 {
		return 0
	}
	b.variant, b.against = itself, ""
	e := estimate(b.measure(r, b))
	same := 0.0
	if b.unit == "×" {
		same = 1
	}
	return max(e.High-same, same-e.Low, 0)
}

// finding is what a run shows about a bar.
type finding int

const (
	notShown finding = iota
	met
	missed
)

// finding calls a bar met or missed only if the confidence interval, widened by the noise, lies on
// one side of the limit: otherwise another run might find the opposite. A few exact figures are
// enough, because they hardly vary.
func (v verdict) finding() finding {
	low, high := v.Low-v.noise, v.High+v.noise
	if v.exact && !v.bounded() {
		low, high = v.Median, v.Median
	}
	switch limit := v.limit + v.slack; {
	case high <= limit:
		return met
	case low > limit:
		return missed
	}
	return notShown
}

// word says whether the bar is met, and by how much it is missed.
func (v verdict) word() string {
	switch v.finding() {
	case met:
		return "met"
	case missed:
		if v.unit == "×" {
			return fmt.Sprintf("**missed** by %.1f %%", 100*(v.Median-v.limit))
		}
		return fmt.Sprintf("**missed** by %s", v.figure(v.Median-v.limit))
	}
	return "not shown"
}

// tally counts the findings in a sentence.
func tally(list []verdict) string {
	var n [missed + 1]int
	for _, v := range list {
		n[v.finding()]++
	}
	return fmt.Sprintf("%d of %d bars are met and %d missed; for the other %d this run is inconclusive.", n[met], len(list), n[missed], n[notShown])
}

// figure writes a value of the bar in its unit.
func (v verdict) figure(x float64) string {
	switch v.unit {
	case "×":
		return fmt.Sprintf("%.3f", x)
	case "":
		return plain(x)
	}
	return plain(x) + " " + v.unit
}

// Alarms lists the counts that exceed their limits. Times are no reason for an alarm: in a short run, a busy
// machine looks like a regression.
func (r *Results) Alarms() []string {
	var alarms []string
	for _, v := range r.verdicts() {
		if v.exact && v.finding() == missed {
			alarms = append(alarms, fmt.Sprintf("%s of %s with %s: %s, and the limit is %s", v.what, v.workload, v.variant, v.figure(v.Median), v.figure(v.limit)))
		}
	}
	return alarms
}

// plain writes a figure with its significant digits.
func plain(x float64) string {
	digits := 0
	switch a := math.Abs(x); {
	case a < 0.0005:
		x = 0
	case a < 0.1:
		digits = 3
	case a < 10:
		digits = 2
	case a < 100:
		digits = 1
	}
	return grouped(fmt.Sprintf("%.*f", digits, x))
}

// grouped puts commas between the thousands.
func grouped(number string) string {
	whole := len(number)
	for i := range number {
		if number[i] == '.' {
			whole = i
			break
		}
	}
	first := 0
	if number[0] == '-' {
		first = 1
	}
	for i := whole - 3; i > first; i -= 3 {
		number = number[:i] + "," + number[i:]
	}
	return number
}
