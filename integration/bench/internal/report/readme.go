package report

import (
	"fmt"
	"slices"
	"strings"
)

// The README has the figures a reader looks for first, between these two lines.
const (
	costBegins = "<!-- generated: cost -->\n"
	costEnds   = "<!-- end: cost -->"
)

// costColumns are the columns of the README's table: the wrapped driver first, then the variants it
// is compared with.
var costColumns = []struct{ variant, title string }{
	{"ours-off", "off"},
	{"ours-local", "measured only"},
	{"ours", "and reported"},
	{"native-telemetry", "native telemetry"},
	{"otelsql", "otelsql"},
}

// costRows are the rows of the README's table.
var costRows = []struct {
	title    string
	workload string
	figure   func(r *Results, variant, workload string) string
}{
	{"client's own work for a statement, without a network", "NoNetwork", added(wall, func(ns float64) string { return signed(ns/1000, 1) + " µs" })},
	{"allocations for a statement, without a network", "NoNetwork", added(allocs, func(n float64) string { return signed(n, 0) })},
	{"allocations for a connection and a statement, without a network", "ChurnNoNetwork", added(allocs, func(n float64) string { return signed(n, 0) })},
	{"time of a statement that takes the warehouse no time", "OneRow", times},
	{"time of a statement that takes it 20 ms", "Warehouse20", times},
	{"64 at a time that take it no time", "Concurrent64", times},
	{"a connection for each of them", "Churn", times},
	{"`Exec` of a statement that takes it no time", "Exec", times},
	{"time of a large result, inline", "Inline", times},
	{"time of a large result in 20 files", "CloudFetch20", times},
}

func added(m metric, write func(float64) string) func(*Results, string, string) string {
	return func(r *Results, variant, workload string) string {
		return write(estimate(r.excess(m, variant, r.first(), workload)).Median)
	}
}

// signed writes a difference with its sign; one that rounds to zero has none.
func signed(x float64, digits int) string {
	text := fmt.Sprintf("%+.*f", digits, x)
	if strings.Trim(text, "+-0.") == "" {
		return text[1:]
	}
	return text
}

func times(r *Results, variant, workload string) string {
	return fmt.Sprintf("× %.2f", estimate(r.ratios(wall, variant, r.first(), workload)).Median)
}

// Readme is the README with the figures of these results in their place.
func (r *Results) Readme(text string) (string, error) {
	before, rest, ok := strings.Cut(text, costBegins)
	if !ok {
		return "", fmt.Errorf("README.md has no %q", costBegins)
	}
	_, after, ok := strings.Cut(rest, costEnds)
	if !ok {
		return "", fmt.Errorf("README.md has no %q", costEnds)
	}
	return before + costBegins + r.costTable() + costEnds + after, nil
}

func (r *Results) costTable() string {
	var d document
	head := []string{"compared with the native driver alone"}
	for _, c := range costColumns {
		head = append(head, ">"+c.title)
	}
	d.head(head...)
	for _, row := range costRows {
		if !slices.ContainsFunc(r.Workloads, func(w Workload) bool { return w.Name == row.workload }) {
			continue
		}
		cells := []string{row.title}
		for _, c := range costColumns {
			cell := ""
			if slices.Contains(r.Variants, c.variant) {
				cell = row.figure(r, c.variant, row.workload)
			}
			cells = append(cells, cell)
		}
		d.row(cells...)
	}
	if list := r.verdicts(); len(list) > 0 {
		d.linef("")
		d.linef("%s%s", tally(list), r.aboutNoise())
	}
	return d.String()
}
