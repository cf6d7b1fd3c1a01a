package main

import (
	"math"
	"slices"
	"strings"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/internal/breakdown"
	"github.com/seed-01322ee7/databricks-telemetry/internal/format"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry/explain"
)

// partStyles are the colors of the parts of the time. Bars of the same kind have the same color.
var partStyles = [len(telemetry.Parts)]style{
	telemetry.PartServer: blue, telemetry.PartPoll: yellow, telemetry.PartRetry: red, telemetry.PartPage: cyan, telemetry.PartFile: green,
	telemetry.PartTransfer: brightGreen, telemetry.PartDecode: brightMagenta, telemetry.PartApplication: magenta, telemetry.PartClose: brightYellow,
	telemetry.PartNetwork: brightBlue, telemetry.PartUnknown: dim,
}

var barStyles = map[string]style{
	breakdown.BarExecute: blue, breakdown.BarPoll: yellow, breakdown.BarRetry: red, breakdown.BarPause: red, breakdown.BarPage: cyan, breakdown.BarFile: green,
	breakdown.BarApplication: magenta, breakdown.BarReading: magenta, breakdown.BarClose: brightYellow,
	breakdown.BarServer: blue, breakdown.PhaseCompute.Bar(): yellow, breakdown.PhaseCapacity.Bar(): red, breakdown.PhaseCompile.Bar(): cyan,
	breakdown.PhaseExecute.Bar(): blue, breakdown.PhaseFetch.Bar(): green,
}

// waterfall draws a timeline with characters: a scale, and a line per lane that ends with the sum of
// its bars. Lanes without time are left out. Names of lanes within another lane are indented.
func waterfall(t explain.Timeline, s screen) []string {
	name, sum := 0, 9
	lanes := slices.DeleteFunc(slices.Clone(t.Lanes), func(l explain.Lane) bool { return laneTime(l) == 0 })
	for i := range lanes {
		if lanes[i].Within != "" {
			lanes[i].Name = "  " + lanes[i].Name
		}
		name = max(name, textWidth(lanes[i].Name))
		sum = max(sum, 1+textWidth(format.Duration(laneTime(lanes[i]))))
	}
	margin := strings.Repeat(" ", name+2)
	d := drawing{total: t.Total, cells: s.width - name - 2 - sum, screen: s}
	ticks, rule := d.scale()
	lines := []string{margin + s.paint(dim, ticks), margin + s.paint(dim, rule)}
	for _, l := range lanes {
		text := format.Duration(laneTime(l))
		pad := strings.Repeat(" ", sum-textWidth(text))
		lines = append(lines, l.Name+strings.Repeat(" ", name+2-textWidth(l.Name))+d.lane(l.Bars)+pad+s.paint(dim, text))
	}
	return lines
}

func laneTime(l explain.Lane) (sum time.Duration) {
	for _, b := range l.Bars {
		sum += b.End - b.Start
	}
	return sum
}

// drawing maps time to characters.
type drawing struct {
	total  time.Duration
	cells  int
	screen screen
}

// position returns the position of a time on the line, in characters.
func (d drawing) position(t time.Duration) float64 {
	return float64(t) / float64(d.total) * float64(d.cells)
}

// cell returns the index of the character that a time falls into.
func (d drawing) cell(t time.Duration) int { return min(int(d.position(t)), d.cells-1) }

// scale writes the time above a rule, at round steps.
func (d drawing) scale() (ticks, rule string) {
	const minTick = 11 // characters between two ticks
	least := float64(d.total) / float64(max(1, d.cells/minTick))
	step := time.Duration(format.RoundStep(max(1, least)))
	top, bottom := []rune(strings.Repeat(" ", d.cells+minTick)), []rune(strings.Repeat("─", d.cells))
	for t := time.Duration(0); t < d.total; t += step {
		at := d.cell(t)
		bottom[at] = '┬'
		label := []rune(format.Duration(t))
		if at+len(label) <= d.cells {
			copy(top[at:], label)
		}
	}
	bottom[0] = '├'
	return strings.TrimRight(string(top), " "), string(bottom)
}

// lane draws bars, each at least an eighth of a character wide. Adjacent bars differ in shade.
func (d drawing) lane(bars []explain.Bar) string {
	glyphs := []rune(strings.Repeat(" ", d.cells))
	styles := make([]style, d.cells)
	full, before := '█', -2
	for _, b := range bars {
		first, end := d.cell(b.Start), d.position(b.End)
		last := max(first, min(int(math.Ceil(end))-1, d.cells-1))
		switch {
		case first == before && first < last:
			first++ // keep the end of the previous bar visible
		case first == before && glyphs[first] == '✗':
			continue // a bar too short for a character must not hide a failure
		}
		if full == '█' && first <= before+1 {
			full = '▓'
		} else {
			full = '█'
		}
		color := barStyles[b.Kind]
		if b.Failed {
			color = red
		}
		body := max(first, d.body(b, last))
		for i := first; i <= last; i++ {
			styles[i] = color
			if i < body {
				glyphs[i] = '░'
			} else {
				glyphs[i] = full
			}
		}
		if part := end - max(float64(last), d.position(b.Start)); part < 1 && full == '█' && last >= body {
			glyphs[last] = eighth(part)
		}
		switch {
		case b.Failed:
			glyphs[last] = '✗'
		case b.Open:
			glyphs[last] = '▶'
		}
		before = last
	}
	return d.paint(glyphs, styles)
}

// body returns the index of the character at which the wait of a bar ends. It is after last if all of
// the bar is waiting.
func (d drawing) body(b explain.Bar, last int) int {
	switch wait := b.Waited(); {
	case b.Kind == breakdown.BarPause, wait > 0 && wait == b.End-b.Start:
		return last + 1
	case wait > 0:
		return min(d.cell(b.Start+wait), last)
	}
	return 0
}

// paint colors runs of characters that have the same style.
func (d drawing) paint(glyphs []rune, styles []style) string {
	var b strings.Builder
	for i := 0; i < len(glyphs); {
		j := i + 1
		for j < len(glyphs) && styles[j] == styles[i] && (glyphs[j] == ' ') == (glyphs[i] == ' ') {
			j++
		}
		b.WriteString(d.screen.paint(styles[i], string(glyphs[i:j])))
		i = j
	}
	return b.String()
}

// eighth returns a character of which a part is filled from the left, rounded up to eighths.
func eighth(part float64) rune {
	return []rune("▏▎▍▌▋▊▉█")[min(7, max(0, int(math.Ceil(part*8))-1))]
}

// bar returns a bar of a width in characters, at least an eighth of one.
func bar(width float64) string {
	whole := int(width)
	text := strings.Repeat("█", whole)
	if part := width - float64(whole); part > 1.0/16 || whole == 0 {
		text += string(eighth(part))
	}
	return text
}
