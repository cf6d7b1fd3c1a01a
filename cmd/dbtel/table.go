package main

import (
	"cmp"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/internal/format"
)

// table is text in columns.
type table struct {
	columns []column
	rows    [][]cell
}

// column is a column of a table. If the screen is too narrow, columns are dropped, those with the
// highest rank first. Columns of rank 0 are never dropped.
type column struct {
	title string
	right bool // aligned right, as numbers are
	least int  // width to which the column may be shortened before others are dropped, if set
	rank  int
}

type cell struct {
	text  string
	style style
}

func number(n int64) cell { return cell{text: format.Count(n)} }

func duration(d millis) cell { return cell{text: format.Duration(time.Duration(d))} }

// cellIf returns c, or a dash if the condition is false.
func cellIf(condition bool, c cell) cell {
	if condition {
		return c
	}
	return cell{"-", dim}
}

const (
	gap       = 2  // characters between columns
	leastText = 28 // characters of a text; below that, other columns are dropped first
)

func (t *table) add(cells ...cell) { t.rows = append(t.rows, cells) }

// print writes the table, at most as wide as the screen.
func (t *table) print(w io.Writer, s screen) {
	widths, shown := t.layout(s.width)
	head := make([]cell, len(t.columns))
	for i, c := range t.columns {
		head[i] = cell{c.title, dim}
	}
	for _, row := range slices.Concat([][]cell{head}, t.rows) {
		var b strings.Builder
		for _, i := range shown {
			c := row[i]
			text := truncate(c.text, widths[i])
			pad := strings.Repeat(" ", widths[i]-textWidth(text))
			if t.columns[i].right {
				b.WriteString(pad + s.paint(c.style, text))
			} else {
				b.WriteString(s.paint(c.style, text) + pad)
			}
			b.WriteString(strings.Repeat(" ", gap))
		}
		_, _ = io.WriteString(w, strings.TrimRight(b.String(), " ")+"\n")
	}
}

// layout decides which columns are shown, and how wide. An empty column is not shown.
func (t *table) layout(width int) (widths, shown []int) {
	content := make([]int, len(t.columns))
	for _, row := range t.rows {
		for i, c := range row {
			content[i] = max(content[i], textWidth(c.text))
		}
	}
	widths = make([]int, len(t.columns))
	for i, c := range t.columns {
		if content[i] > 0 {
			content[i] = max(content[i], textWidth(c.title))
			widths[i] = content[i]
			if c.least > 0 {
				widths[i] = min(content[i], c.least)
			}
			shown = append(shown, i)
		}
	}
	room := func() int {
		left := width - gap*(len(shown)-1)
		for _, i := range shown {
			left -= widths[i]
		}
		return left
	}
	rank := func(a, b int) int { return cmp.Compare(t.columns[a].rank, t.columns[b].rank) }
	for room() < 0 {
		last := slices.MaxFunc(shown, rank)
		if t.columns[last].rank == 0 { // shorten the widest
			i := slices.MaxFunc(shown, func(a, b int) int { return cmp.Compare(widths[a], widths[b]) })
			widths[i] = max(1, widths[i]+room())
			break
		}
		shown = slices.DeleteFunc(shown, func(i int) bool { return i == last })
	}
	for _, i := range shown {
		widths[i] += max(0, min(room(), content[i]-widths[i]))
	}
	return widths, shown
}
