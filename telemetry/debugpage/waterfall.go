package debugpage

import (
	"fmt"
	"strings"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/internal/breakdown"
	"github.com/seed-01322ee7/databricks-telemetry/internal/format"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry/explain"
)

// waterfall is the timeline of a statement, as data in JSON and as a picture in HTML.
type waterfall struct {
	Total   duration `json:"total_ms"`
	Lanes   []lane   `json:"lanes"`
	Missing string   `json:"missing,omitempty"`
	Phases  string   `json:"phases_note,omitempty"` // how phases of the server are drawn, or why not

	Height, AxisY int           `json:"-"`
	Ticks         []tick        `json:"-"`
	Legend        []legendEntry `json:"-"`
	Desc          string        `json:"-"`
}

const (
	laneHeight, barHeight = 26, 18
	slimLane, slimBar     = 21, 14 // for kinds of lanes of which there may be many
	indent                = 8      // of the names of lanes within another
	plotWidth             = 97.0   // percent of the width; the rest is for the tips of bars that have not ended
	minBarWidth           = 0.3    // percent; a narrower bar cannot be seen
	minTextWidth          = 7.0    // percent
	axisRoom              = 22
	topRoom               = 4
)

// waterfallOf lays out the timeline of a statement; r is nil without a report of the query history.
func waterfallOf(s *telemetry.Statement, r *telemetry.ServerReport) waterfall {
	t := explain.TimelineWithReport(s, r)
	w := waterfall{Total: duration(t.Total), Missing: t.Missing, Phases: t.PhasesNote, Lanes: []lane{}}
	seen := map[string]bool{} // kinds of bars, and classes of marks on them
	y, files, bars := topRoom, 0, 0
	for _, from := range t.Lanes {
		l := lane{Name: from.Name, Within: from.Within, Label: from.Name, Y: y, H: laneHeight, Striped: len(w.Lanes)%2 == 1, Bars: []bar{}}
		height := barHeight
		switch {
		case from.Within != "":
			l.H, height, l.LabelX = slimLane, slimBar, indent
		case strings.HasPrefix(from.Name, "files"):
			l.H, height, l.Label = slimLane, slimBar, ""
			if files++; files == 1 {
				l.Label = "files"
			}
		}
		l.Middle = y + l.H/2 + 4
		for _, b := range from.Bars {
			drawn := barOf(b, t.Total, y+(l.H-height)/2, height)
			seen[b.Kind] = true
			seen["wait"] = seen["wait"] || drawn.Wait != "" && b.Kind != breakdown.BarPause
			seen["queue"] = seen["queue"] || drawn.QueueX != ""
			seen["failed"] = seen["failed"] || drawn.Hatched
			seen["open"] = seen["open"] || b.Open
			l.Bars = append(l.Bars, drawn)
			bars++
		}
		w.Lanes = append(w.Lanes, l)
		y += l.H
	}
	w.AxisY, w.Height = y+2, y+2+axisRoom
	w.Ticks = timeTicks(t.Total, plotWidth)
	for _, k := range barKinds {
		if class := k.class; seen[k.kind] && k.name != "" {
			if k.kind == breakdown.BarPause {
				class = "pause"
			}
			w.Legend = append(w.Legend, legendEntry{class, k.name})
		}
	}
	for _, mark := range []legendEntry{
		{"wait", "until the first byte or row"}, {"queue", "link received, not yet requested"}, {"failed", "failed"}, {"open", "has not ended"},
	} {
		if seen[mark.Class] {
			w.Legend = append(w.Legend, mark)
		}
	}
	w.Desc = fmt.Sprintf("%s in %s over %s. The tables below say the same in numbers.",
		format.Plural(int64(bars), "bar"), format.Plural(int64(len(w.Lanes)), "lane"), format.Duration(t.Total))
	return w
}

// lane is a row of the picture.
type lane struct {
	Name   string `json:"name"`
	Within string `json:"within,omitempty"` // name of the lane that this lane is part of
	Bars   []bar  `json:"bars"`

	Label   string `json:"-"` // the label of the first lane of files stands for all of them
	LabelX  int    `json:"-"`
	Y, H    int    `json:"-"`
	Middle  int    `json:"-"`
	Striped bool   `json:"-"`
}

type legendEntry struct{ Class, Name string }

// barKinds are the kinds of bar in the order of the legend, with their CSS classes.
var barKinds = []struct {
	kind        string
	class, name string
}{
	{breakdown.BarCall, "call", "the call"},
	{breakdown.BarExecute, "server", "ExecuteStatement"},
	{breakdown.BarPoll, "poll", "status call"},
	{breakdown.BarServer, "server", ""}, // its lane shows the name
	{breakdown.PhaseCompute.Bar(), "compute", breakdown.PhaseCompute.Description()},
	{breakdown.PhaseCapacity.Bar(), "capacity", breakdown.PhaseCapacity.Description()},
	{breakdown.PhaseCompile.Bar(), "compiling", breakdown.PhaseCompile.Description()},
	{breakdown.PhaseExecute.Bar(), "executing", breakdown.PhaseExecute.Description()},
	{breakdown.PhaseFetch.Bar(), "fetch", breakdown.PhaseFetch.Description()},
	{breakdown.BarPage, "page", "result page"},
	{breakdown.BarFile, "file", "file"},
	{breakdown.BarRetry, "retry", "attempt that failed and was repeated"},
	{breakdown.BarPause, "retry", "pause before the next attempt"},
	{breakdown.BarApplication, "application", "in the application"},
	{breakdown.BarReading, "reading", "reading: waiting, decoding and the application"},
	{breakdown.BarClose, "close", "canceling and closing"},
}

// classOf returns the CSS class of a kind of bar.
func classOf(kind string) string {
	for _, k := range barKinds {
		if k.kind == kind {
			return k.class
		}
	}
	return ""
}

// bar is one stretch of time. Positions and widths are percentages of the picture.
type bar struct {
	Kind      string    `json:"kind"`
	Label     string    `json:"label"`
	Start     duration  `json:"start_ms"`
	End       duration  `json:"end_ms"`
	Queued    *duration `json:"queued_ms,omitempty"`
	FirstByte *duration `json:"first_byte_ms,omitempty"`
	Note      string    `json:"note,omitempty"`
	Failed    bool      `json:"failed,omitempty"`
	Open      bool      `json:"open,omitempty"`

	Class          string `json:"-"`
	X, W, Tip      string `json:"-"` // position and width of the bar, and position of its end
	Y, H, TextY    int    `json:"-"`
	QueueX, QueueW string `json:"-"` // of the line from queued to start; empty for none
	QueueY         int    `json:"-"`
	Wait, Rest     string `json:"-"` // widths within the bar before and after the first byte; empty without a wait
	Hatched        bool   `json:"-"` // it failed, and was not repeated
	Text           string `json:"-"` // label in the bar; empty where there is no room
	TextX          string `json:"-"` // where the text starts, in the part before or after the first byte
	Tinted         bool   `json:"-"` // the text is in the part before the first byte
	Title          string `json:"-"`
}

// barOf places a bar of a timeline whose length is total, with the bar's upper edge at y.
func barOf(b explain.Bar, total time.Duration, y, height int) bar {
	drawn := bar{
		Kind: b.Kind, Label: b.Label, Start: duration(b.Start), End: duration(b.End), Queued: knownAs[duration](b.Queued), FirstByte: knownAs[duration](b.FirstByte),
		Note: b.Note, Failed: b.Failed, Open: b.Open,
		Class: classOf(b.Kind), Hatched: b.Failed && b.Kind != breakdown.BarRetry, Title: titleOf(b),
		Y: y, H: height, TextX: "0%", TextY: height/2 + 4,
	}
	at := func(d time.Duration) float64 {
		if total <= 0 {
			return 0
		}
		return plotWidth * float64(d) / float64(total)
	}
	width := max(minBarWidth, at(b.End-b.Start))
	drawn.X, drawn.W, drawn.Tip = percentage(min(at(b.Start), 100-width)), percentage(width), percentage(at(b.End))
	if q, ok := b.Queued.Get(); ok && q < b.Start {
		drawn.QueueX, drawn.QueueW, drawn.QueueY = percentage(at(q)), percentage(at(b.Start-q)), y+height+1
	}
	wait, length := b.Waited(), b.End-b.Start
	if b.Kind == breakdown.BarPause {
		wait = length
	}
	if wait > 0 {
		drawn.Wait, drawn.Rest = percent(wait, length), percent(length-wait, length)
		waited := width * float64(wait) / float64(length)
		if drawn.Tinted = waited >= minTextWidth; !drawn.Tinted {
			width, drawn.TextX = width-waited, drawn.Wait
		}
	}
	if width >= minTextWidth {
		drawn.Text = b.Label
	}
	return drawn
}

// titleOf describes a bar in one line, for its tooltip.
func titleOf(b explain.Bar) string {
	title := fmt.Sprintf("%s: %s, from %s to %s", b.Label, format.Duration(b.End-b.Start), format.Duration(b.Start), format.Duration(b.End))
	if b.Open {
		title = fmt.Sprintf("%s: since %s, for %s now", b.Label, format.Duration(b.Start), format.Duration(b.End-b.Start))
	}
	if q, ok := b.Queued.Get(); ok && q < b.Start {
		title += ", requested " + format.Duration(b.Start-q) + " after its link arrived"
	}
	if first, ok := b.FirstByte.Get(); ok && first > b.Start && first <= b.End {
		title += ", began to come after " + format.Duration(first-b.Start)
	}
	if b.Note != "" {
		title += ", " + b.Note
	}
	if b.Failed && !strings.Contains(b.Note, "failed") {
		title += ", failed"
	}
	return title
}

// Arrow returns the path of the tip of a bar that has not ended.
func (b bar) Arrow() string {
	half := pixels(float64(b.H) / 2)
	return fmt.Sprintf("M-1 0l%d %sl-%d %sz", b.H, half, b.H, half)
}
