package main

import (
	"math"
	"slices"
	"strings"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/internal/format"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry/explain"
)

// styleOf is the colour of a part of the time, styleOfBar that of a bar: what they have in
// common looks the same.
func styleOf(b explain.Bound) style {
	switch b {
	case explain.BoundServer, explain.BoundExecute:
		return blue
	case explain.BoundPoll:
		return yellow
	case explain.BoundRetry:
		return red
	case explain.BoundPage:
		return cyan
	case explain.BoundDownload:
		return green
	case explain.BoundReader:
		return magenta
	}
	return dim
}

func styleOfBar(b explain.Bar) style {
	if b.Failed {
		return red
	}
	switch b.Kind {
	case explain.BarExecute:
		return blue
	case explain.BarPoll:
		return yellow
	case explain.BarPage:
		return cyan
	case explain.BarFile:
		return green
	case explain.BarReading:
		return magenta
	}
	return plain
}

// waterfall draws a timeline with characters: a scale, a line per lane, and on the right how
// long the bars of the lane are together. Lanes in which no time passed are left out.
func waterfall(t explain.Timeline, on screen) []string {
	const sum = 9 // characters of the right column
	name := 0
	lanes := slices.DeleteFunc(slices.Clone(t.Lanes), func(l explain.Lane) bool { return together(l) == 0 })
	for _, l := range lanes {
		name = max(name, length(l.Name))
	}
	margin := strings.Repeat(" ", name+2)
	d := drawing{total: t.Total, cells: on.width - name - 2 - sum, on: on}
	ticks, rule := d.scale()
	lines := []string{margin + on.paint(dim, ticks), margin + on.paint(dim, rule)}
	for _, l := range lanes {
		text := format.Duration(together(l))
		pad := strings.Repeat(" ", max(1, sum-length(text)))
		lines = append(lines, l.Name+strings.Repeat(" ", name+2-length(l.Name))+d.lane(l.Bars)+pad+on.paint(dim, text))
	}
	return lines
}

func together(l explain.Lane) (sum time.Duration) {
	for _, b := range l.Bars {
		sum += b.End - b.Start
	}
	return sum
}

// drawing maps time to characters.
type drawing struct {
	total time.Duration
	cells int
	on    screen
}

// at is where on the line a moment is.
func (d drawing) at(t time.Duration) float64 { return float64(t) / float64(d.total) * float64(d.cells) }

// cell is the character a moment falls into.
func (d drawing) cell(t time.Duration) int { return min(int(d.at(t)), d.cells-1) }

// scale writes the time above a rule, at round steps.
func (d drawing) scale() (ticks, rule string) {
	const apart = 11 // characters, at least
	step := roundStep(d.total, max(1, d.cells/apart))
	top, bottom := []rune(strings.Repeat(" ", d.cells+apart)), []rune(strings.Repeat("─", d.cells))
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

// roundStep is a duration of 1, 2 or 5 and zeros, or of minutes, of which at most n fit.
func roundStep(total time.Duration, n int) time.Duration {
	least := float64(total) / float64(n)
	unit := math.Pow(10, math.Floor(math.Log10(max(1, least))))
	for _, m := range []float64{1, 2, 5, 10} {
		if m*unit >= least {
			least = m * unit
			break
		}
	}
	return max(1, time.Duration(least))
}

// lane draws bars, each at least a sliver. Neighbours that touch are told apart by their
// shade.
func (d drawing) lane(bars []explain.Bar) string {
	glyphs := []rune(strings.Repeat(" ", d.cells))
	styles := make([]style, d.cells)
	full, before := '█', -2
	for _, b := range bars {
		first, end := d.cell(b.Start), d.at(b.End)
		last := max(first, min(int(math.Ceil(end))-1, d.cells-1))
		if first == before && first < last {
			first++ // what ends there is seen, too
		}
		switch {
		case first > before+1:
			full = '█'
		case full == '█':
			full = '▓'
		default:
			full = '█'
		}
		body := max(first, d.body(b, last))
		for i := first; i <= last; i++ {
			styles[i] = styleOfBar(b)
			if i < body {
				glyphs[i] = '░'
			} else {
				glyphs[i] = full
			}
		}
		if part := end - max(float64(last), d.at(b.Start)); part < 1 && full == '█' && last >= body {
			glyphs[last] = sliver(part)
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

// body is where a bar's wait is over and its work begins; behind last where it does not.
func (d drawing) body(b explain.Bar, last int) int {
	switch at, ok := b.FirstByte.Get(); {
	case b.Kind == explain.BarFirstRow, b.Kind == explain.BarFile && !ok:
		return last + 1
	case b.Kind == explain.BarFile:
		return min(d.cell(min(max(at, b.Start), b.End)), last)
	}
	return 0
}

// paint colours runs of one style.
func (d drawing) paint(glyphs []rune, styles []style) string {
	var b strings.Builder
	for i := 0; i < len(glyphs); {
		j := i + 1
		for j < len(glyphs) && styles[j] == styles[i] && (glyphs[j] == ' ') == (glyphs[i] == ' ') {
			j++
		}
		b.WriteString(d.on.paint(styles[i], string(glyphs[i:j])))
		i = j
	}
	return b.String()
}

// sliver fills a part of a character, from the left.
func sliver(part float64) rune {
	return []rune("▏▎▍▌▋▊▉█")[min(7, max(0, int(math.Ceil(part*8))-1))]
}

// eighths is a bar of so many characters and parts of one, at least a sliver.
func eighths(width float64) string {
	whole := int(width)
	text := strings.Repeat("█", whole)
	if part := width - float64(whole); part > 1.0/16 || whole == 0 {
		text += string(sliver(part))
	}
	return text
}
