package debugpage

import (
	"fmt"
	"math"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/internal/format"
)

// histogram shows how many statements took how long, on a logarithmic scale.
type histogram struct {
	Bars      []column   `json:"buckets"`
	Ticks     []tick     `json:"-"`
	Quantiles []quantile `json:"quantiles"`
	Desc      string     `json:"-"`
}

const histogramHeight = 96

// histogramOf draws the counts of a window, two buckets to a column, from the first column that has
// statements to the last. It returns nil without statements.
func histogramOf(w *window) *histogram {
	if w.statements == 0 {
		return nil
	}
	const merged = 2
	var columns [(latencyBuckets + merged - 1) / merged]int64
	first, last, most := len(columns), 0, int64(0)
	for i, n := range w.took {
		// Column 0 is bucket 0 alone, so that both end at 100 µs.
		at := (i + merged - 1) / merged
		columns[at] += n
		if n > 0 {
			first, last, most = min(first, at), max(last, at), max(most, columns[at])
		}
	}
	// Very similar latencies get a picture of 12 columns instead of one broad column.
	for last-first < 11 {
		first, last = max(0, first-1), min(len(columns)-1, last+1)
	}
	n := last - first + 1
	g := &histogram{}
	for i := first; i <= last; i++ {
		from, to := latencies.End((i-1)*merged), latencies.End(i*merged)
		switch i {
		case 0:
			from = 0
		case len(columns) - 1:
			to = max(to, w.slowest) // its second bucket has no end
		}
		h := int(math.Ceil(float64(columns[i]) / float64(most) * histogramHeight))
		g.Bars = append(g.Bars, column{
			UpTo: duration(to), Count: count(columns[i]),
			X: percentage(100*float64(i-first)/float64(n) + 0.15), W: percentage(100/float64(n) - 0.3), Y: histogramHeight - h, H: h,
			Title: fmt.Sprintf("%s to %s: %s", format.Duration(from), format.Duration(to), format.Plural(columns[i], "statement")),
		})
	}
	begin, doublings := math.Log2(float64(latencies.End((first-1)*merged))), float64(n*merged)/latencies.PerDoubling
	position := func(d time.Duration) float64 { return min(1, max(0, (math.Log2(float64(d))-begin)/doublings)) }
	for d := time.Microsecond; d <= 10*time.Hour; d *= 10 {
		if at := position(d); at > 0 && at < 1 {
			g.Ticks = append(g.Ticks, tick{X: percentage(100 * at), Label: axisLabel(d), Anchor: anchor(at)})
		}
	}
	for i, of := range []float64{0.5, 0.9, 0.99} {
		d := w.quantile(of)
		at := position(d)
		q := quantile{
			Name: fmt.Sprintf("p%.0f", 100*of), Time: duration(d),
			X: percentage(100 * at), Y: 12 + 15*i, Anchor: "start", Offset: "5",
		}
		if at > 0.7 {
			q.Anchor, q.Offset = "end", "-5"
		}
		g.Quantiles = append(g.Quantiles, q)
	}
	g.Desc = fmt.Sprintf("%s; median %s, 90th percentile %s, 99th percentile %s.", format.Plural(w.statements, "statement"),
		g.Quantiles[0].Time, g.Quantiles[1].Time, g.Quantiles[2].Time)
	return g
}

// column is a bar of the histogram.
type column struct {
	UpTo  duration `json:"up_to_ms"`
	Count count    `json:"count"`

	X, W  string `json:"-"`
	Y, H  int    `json:"-"`
	Title string `json:"-"`
}

// quantile is a line through the histogram, with a label.
type quantile struct {
	Name string   `json:"name"`
	Time duration `json:"time_ms"`

	X, Anchor string `json:"-"`
	Offset    string `json:"-"` // keeps the label beside the line
	Y         int    `json:"-"`
}
