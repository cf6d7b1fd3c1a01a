package debugpage

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/internal/format"
)

// Pictures are SVG without a view box: widths are percentages and heights pixels, so that
// bars stretch with the window while text keeps its size.

func percent(part, whole time.Duration) string {
	if whole <= 0 {
		return "0%"
	}
	return percentage(100 * float64(part) / float64(whole))
}

func percentage(p float64) string {
	return strings.TrimSuffix(strings.TrimRight(strconv.FormatFloat(p, 'f', 2, 64), "0"), ".") + "%"
}

// tick is a mark on an axis.
type tick struct {
	X, Label, Anchor string
	Minor            bool // left out where there is little room
}

// timeTicks marks a time axis that ends at length, at a round number of whatever suits.
func timeTicks(length time.Duration, stretch float64) []tick {
	if length <= 0 {
		return nil
	}
	step := roundStep(float64(length) / 8)
	var ticks []tick
	for i := 0; ; i++ {
		at := time.Duration(float64(i) * step)
		if at > length {
			return ticks
		}
		ticks = append(ticks, tick{X: percentage(stretch * float64(at) / float64(length)), Label: axisLabel(at), Anchor: anchor(float64(at) / float64(length)), Minor: i%2 == 1})
	}
}

// anchor keeps a label inside the picture.
func anchor(at float64) string {
	switch {
	case at < 0.04:
		return "start"
	case at > 0.96:
		return "end"
	}
	return "middle"
}

// roundStep is the next of 1, 2, 5, 10... that is not smaller.
func roundStep(least float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(least)))
	for _, m := range []float64{1, 2, 5} {
		if m*power >= least*0.9999 {
			return m * power
		}
	}
	return 10 * power
}

// axisLabel has as many digits as a round number needs: 1.5 s, 20 ms.
func axisLabel(d time.Duration) string {
	if d == 0 {
		return "0"
	}
	for _, u := range []struct {
		length time.Duration
		name   string
	}{{time.Second, "s"}, {time.Millisecond, "ms"}, {time.Microsecond, "µs"}} {
		if d >= u.length {
			if u.length == time.Second && d >= 2*time.Minute {
				return format.Duration(d)
			}
			return strconv.FormatFloat(math.Round(float64(d)/float64(u.length)*1000)/1000, 'f', -1, 64) + " " + u.name
		}
	}
	return fmt.Sprintf("%d ns", d)
}

// histogram is how many statements took how long, on a scale that doubles.
type histogram struct {
	Bars      []column   `json:"buckets"`
	Marks     []mark     `json:"-"`
	Ticks     []tick     `json:"-"`
	Quantiles []quantile `json:"quantiles"`
	Desc      string     `json:"-"`
}

type column struct {
	UpTo  duration `json:"up_to_ms"`
	Count count    `json:"count"`

	X, W  string `json:"-"`
	Y, H  int    `json:"-"`
	Title string `json:"-"`
}

type quantile struct {
	Name string   `json:"name"`
	Time duration `json:"time_ms"`
}

// mark is a line through the histogram.
type mark struct {
	X, Label, Anchor string
	Y                int
}

const histogramHeight = 96

// histogramOf draws what a window counted, two buckets to a column, from the first that has
// anything to the last.
func histogramOf(w *window) *histogram {
	if w.statements == 0 {
		return nil
	}
	const merged = 2
	var columns [(buckets + merged - 1) / merged]int64
	first, last, most := len(columns), 0, int64(0)
	for i, n := range w.took {
		// Bucket 0 ends at 100 µs, and so does column 0.
		at := (i + merged - 1) / merged
		columns[at] += n
		if n > 0 {
			first, last, most = min(first, at), max(last, at), max(most, columns[at])
		}
	}
	// A few statements alike are no reason for a picture of one broad column.
	for last-first < 11 {
		first, last = max(0, first-1), min(len(columns)-1, last+1)
	}
	n := last - first + 1
	g := &histogram{}
	for i := first; i <= last; i++ {
		from, to := bucketEnd((i-1)*merged), bucketEnd(i*merged)
		h := int(math.Ceil(float64(columns[i]) / float64(most) * histogramHeight))
		g.Bars = append(g.Bars, column{
			UpTo: duration(to), Count: count(columns[i]),
			X: percentage(100*float64(i-first)/float64(n) + 0.15), W: percentage(100/float64(n) - 0.3), Y: histogramHeight - h, H: h,
			Title: fmt.Sprintf("%s to %s: %s", format.Duration(from), format.Duration(to), format.Plural(columns[i], "statement")),
		})
	}
	begin, doublings := math.Log2(float64(bucketEnd((first-1)*merged))), float64(n*merged)/perDoubling
	position := func(d time.Duration) float64 { return min(1, max(0, (math.Log2(float64(d))-begin)/doublings)) }
	for d := time.Microsecond; d <= 10*time.Hour; d *= 10 {
		if at := position(d); at > 0 && at < 1 {
			g.Ticks = append(g.Ticks, tick{X: percentage(100 * at), Label: axisLabel(d), Anchor: anchor(at)})
		}
	}
	for i, q := range []struct {
		name string
		at   float64
	}{{"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}} {
		d := w.quantile(q.at)
		at := position(d)
		side := "start"
		if at > 0.7 {
			side = "end"
		}
		g.Quantiles = append(g.Quantiles, quantile{q.name, duration(d)})
		g.Marks = append(g.Marks, mark{X: percentage(100 * at), Y: 12 + 15*i, Label: q.name + " " + format.Duration(d), Anchor: side})
	}
	g.Desc = fmt.Sprintf("%s; half took up to %s, 90 of 100 up to %s, 99 of 100 up to %s.", format.Plural(w.statements, "statement"),
		g.Quantiles[0].Time, g.Quantiles[1].Time, g.Quantiles[2].Time)
	return g
}

// chart is the last hour, minute by minute: how many statements were at work at once, on
// average, and on what.
type chart struct {
	Minutes []chartMinute `json:"minutes"`
	Grid    []gridLine    `json:"-"`
	Ticks   []tick        `json:"-"`
	Desc    string        `json:"-"`
}

type chartMinute struct {
	Began      moment `json:"began"`
	Statements count  `json:"statements"`
	Failed     count  `json:"failed"`
	Split      split  `json:"split"`

	X, W, Middle string         `json:"-"`
	Segments     []chartSegment `json:"-"`
	Title        string         `json:"-"`
}

type chartSegment struct {
	Class string
	Y, H  float64
}

type gridLine struct {
	Y     int
	Label string
}

const chartHeight = 110

func chartOf(now time.Time, minutes []minute) *chart {
	var most time.Duration
	var statements, failed int64
	for _, m := range minutes {
		most = max(most, m.Total)
		statements += m.Statements
		failed += m.Failed
	}
	if statements == 0 {
		return nil
	}
	c := &chart{Desc: fmt.Sprintf("%s, %d failed. Each column is a minute, coloured by what its statements waited for.", format.Plural(statements, "statement"), failed)}
	top := 2 * roundStep(most.Seconds()/60/2)
	for _, at := range []float64{1, 0.5} {
		c.Grid = append(c.Grid, gridLine{Y: chartHeight - int(at*chartHeight), Label: strconv.FormatFloat(math.Round(top*at*1e6)/1e6, 'g', -1, 64)})
	}
	width := 100 / float64(len(minutes))
	for i, m := range minutes {
		x := width * float64(i)
		v := chartMinute{
			Began: moment{m.Began, now}, Statements: count(m.Statements), Failed: count(m.Failed), Split: splitOf(m.Times, m.Total),
			X: percentage(x + width*0.08), W: percentage(width * 0.84), Middle: percentage(x + width/2),
		}
		y := float64(chartHeight)
		for _, p := range v.Split.Parts {
			h := time.Duration(p.Time).Seconds() / 60 / top * chartHeight
			y -= h
			v.Segments = append(v.Segments, chartSegment{Class: p.Class, Y: round(y), H: round(h)})
		}
		v.Title = fmt.Sprintf("%s UTC: %s, %d failed", m.Began.UTC().Format("15:04"), format.Plural(m.Statements, "statement"), m.Failed)
		if largest := v.Split.Largest(); largest != nil {
			v.Title += fmt.Sprintf("; %s of their time, %s of it %s", v.Split.Total, largest.Share, largest.Name)
		}
		c.Minutes = append(c.Minutes, v)
		if m.Began.Unix()/60%10 == 0 {
			c.Ticks = append(c.Ticks, tick{X: percentage(x), Label: m.Began.UTC().Format("15:04"), Anchor: anchor(x / 100), Minor: m.Began.Unix()/60%20 != 0})
		}
	}
	return c
}

func round(v float64) float64 { return math.Round(v*100) / 100 }
