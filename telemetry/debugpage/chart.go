package debugpage

import (
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/internal/format"
)

// chart shows the last hour, minute by minute: how many statements were in progress at the same
// time, on average, and where their time went.
type chart struct {
	Minutes []chartMinute `json:"minutes"`
	Grid    []gridLine    `json:"-"`
	Ticks   []tick        `json:"-"`
	Desc    string        `json:"-"`
}

const chartHeight = 110

// chartOf draws the minutes. It is nil without statements.
func chartOf(now time.Time, minutes []minute) *chart {
	var most time.Duration
	var statements, failed int64
	for _, m := range minutes {
		most = max(most, m.total)
		statements += m.statements
		failed += m.failed
	}
	if statements == 0 {
		return nil
	}
	c := &chart{Desc: fmt.Sprintf("%s, %d failed. Each column is a minute, coloured by where the time of its statements went.", format.Plural(statements, "statement"), failed)}
	top := 2 * roundStep(most.Seconds()/60/2)
	for _, at := range []float64{1, 0.5} {
		c.Grid = append(c.Grid, gridLine{Y: chartHeight - int(at*chartHeight), Label: strconv.FormatFloat(math.Round(top*at*1e6)/1e6, 'g', -1, 64)})
	}
	width := 100 / float64(len(minutes))
	for i, m := range minutes {
		x := width * float64(i)
		v := chartMinute{
			Began: moment{m.began, now}, Statements: count(m.statements), Failed: count(m.failed), Split: splitOf(m.times),
			X: percentage(x + width*0.08), W: percentage(width * 0.84), Middle: percentage(x + width/2),
		}
		y := float64(chartHeight)
		for _, p := range v.Split.Parts {
			h := time.Duration(p.Time).Seconds() / 60 / top * chartHeight
			y -= h
			v.Segments = append(v.Segments, chartSegment{Class: p.Name, Y: round(y), H: round(h)})
		}
		v.Title = fmt.Sprintf("%s UTC: %s, %d failed", m.began.UTC().Format("15:04"), format.Plural(m.statements, "statement"), m.failed)
		if largest := v.Split.Largest(); largest != nil {
			v.Title += fmt.Sprintf("; %s in total, %s of it %s", v.Split.Total, largest.Share, largest.Name)
		}
		c.Minutes = append(c.Minutes, v)
		if m.began.Unix()/60%10 == 0 {
			c.Ticks = append(c.Ticks, tick{X: percentage(x), Label: m.began.UTC().Format("15:04"), Anchor: anchor(x / 100), Minor: m.began.Unix()/60%20 != 0})
		}
	}
	return c
}

// chartMinute is a column of the chart.
type chartMinute struct {
	Began      moment `json:"began"`
	Statements count  `json:"statements"`
	Failed     count  `json:"failed"`
	Split      split  `json:"split"`

	X, W, Middle string         `json:"-"`
	Segments     []chartSegment `json:"-"`
	Title        string         `json:"-"`
}

// chartSegment is the part of a column for one kind of part.
type chartSegment struct {
	Class string
	Y, H  float64
}

type gridLine struct {
	Y     int
	Label string
}

func round(v float64) float64 { return math.Round(v*100) / 100 }
