package debugpage

import (
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/internal/format"
)

// chart shows how many statements ran at the same time, on average, and what they waited for: for
// each minute of the last hour or, in the first ten minutes of the process, for every ten seconds.
type chart struct {
	Columns []chartColumn `json:"columns"`
	Grid    []gridLine    `json:"-"`
	Ticks   []tick        `json:"-"`
	Desc    string        `json:"-"`
}

const chartHeight = 110

// chartOf draws the columns. It returns nil without statements.
func chartOf(now time.Time, columns []columnCounts) *chart {
	var most float64 // statements at the same time
	var statements, failed int64
	for _, c := range columns {
		most = max(most, c.atOnce(c.times.Total()))
		statements += c.statements
		failed += c.failed
	}
	if most == 0 {
		return nil
	}
	each := "Each column is a minute"
	if columns[len(columns)/2].length < time.Minute { // not the first one, which may be shorter
		each = "Each column is 10 s"
	}
	c := &chart{Desc: fmt.Sprintf("%s ended, %s failed. %s, colored by what statements waited for.", format.Plural(statements, "statement"), format.Count(failed), each)}
	top := 2 * format.RoundStep(most/2)
	for _, at := range []float64{1, 0.5} {
		c.Grid = append(c.Grid, gridLine{Y: chartHeight - int(at*chartHeight), Label: strconv.FormatFloat(math.Round(top*at*1e6)/1e6, 'g', -1, 64)})
	}
	width := 100 / float64(max(12, len(columns)))
	every := tickEvery(columns)
	for i, from := range columns {
		x := width * float64(i)
		v := chartColumn{
			Began: moment{from.began.Add(from.late), now}, Length: duration(from.length), Statements: count(from.statements), Failed: count(from.failed),
			AtOnce: rate(from.atOnce(from.times.Total())), Split: splitOf(from.times), X: percentage(x + width*0.08), W: percentage(width * 0.84),
		}
		y := float64(chartHeight)
		for _, p := range v.Split.Parts {
			h := from.atOnce(time.Duration(p.Time)) / top * chartHeight
			y -= h
			v.Segments = append(v.Segments, chartSegment{Class: p.Name, Y: pixels(y), H: pixels(h)})
		}
		v.Title = fmt.Sprintf("%s UTC: %s ended, %s failed; %s at work at once", from.began.UTC().Format("15:04:05"), format.Plural(from.statements, "statement"), v.Failed, v.AtOnce)
		if largest := v.Split.Largest(); largest != nil {
			v.Title += fmt.Sprintf(", %s of the time %s", largest.Share, largest.Name)
		}
		c.Columns = append(c.Columns, v)
		if at := from.began.Unix(); at%every == 0 {
			c.Ticks = append(c.Ticks, tick{X: percentage(x), Label: from.began.UTC().Format("15:04"), Anchor: anchor(x / 100), Minor: at/every%2 != 0})
		}
	}
	return c
}

// atOnce returns how many statements ran at the same time, on average, if together they took that
// long.
func (c columnCounts) atOnce(together time.Duration) float64 {
	return together.Seconds() / c.length.Seconds()
}

// tickEvery returns the number of seconds between two labels.
func tickEvery(columns []columnCounts) int64 {
	span := columns[len(columns)-1].began.Sub(columns[0].began)
	for _, minutes := range []int64{1, 2, 5} {
		if span <= time.Duration(6*minutes)*time.Minute {
			return 60 * minutes
		}
	}
	return 600
}

// chartColumn is a column of the chart.
type chartColumn struct {
	Began      moment   `json:"began"`
	Length     duration `json:"length_ms"`
	Statements count    `json:"statements"` // that ended
	Failed     count    `json:"failed"`
	AtOnce     rate     `json:"at_once"`
	Split      split    `json:"split"`

	X, W     string         `json:"-"`
	Segments []chartSegment `json:"-"`
	Title    string         `json:"-"`
}

// chartSegment is the segment of a column that shows one part of the time.
type chartSegment struct {
	Class, Y, H string
}

type gridLine struct {
	Y     int
	Label string
}
