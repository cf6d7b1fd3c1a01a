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

// column is a column of a table. Where the screen is too narrow, columns are dropped, those
// with the highest rank first; those of rank 0 stay.
type column struct {
	title string
	right bool // aligned right, as numbers are
	flex  bool // takes the remaining width; at most one per table
	rank  int
}

type cell struct {
	text  string
	style style
}

func number(n int64) cell { return cell{text: format.Count(n)} }

func duration(d millis) cell { return cell{text: format.Duration(time.Duration(d))} }

const (
	gap     = 2  // characters between columns
	minFlex = 28 // characters of a flexible column, before other columns are dropped
)

func (t *table) add(cells ...cell) { t.rows = append(t.rows, cells) }

// print writes the table, at most as wide as the screen.
func (t *table) print(w io.Writer, s screen) {
	widths, shown := t.layout(s.width)
	line := func(cellOf func(i int) cell) {
		var b strings.Builder
		for n, i := range shown {
			c := cellOf(i)
			text := truncate(c.text, widths[i])
			pad := strings.Repeat(" ", max(0, widths[i]-textWidth(text)))
			switch {
			case t.columns[i].right:
				b.WriteString(pad + s.paint(c.style, text))
			case n == len(shown)-1:
				b.WriteString(s.paint(c.style, text))
			default:
				b.WriteString(s.paint(c.style, text) + pad)
			}
			if n < len(shown)-1 {
				b.WriteString(strings.Repeat(" ", gap))
			}
		}
		_, _ = io.WriteString(w, strings.TrimRight(b.String(), " ")+"\n")
	}
	line(func(i int) cell { return cell{t.columns[i].title, dim} })
	for _, row := range t.rows {
		line(func(i int) cell { return row[i] })
	}
}

// layout decides which columns are shown, and how wide. An empty column is not shown.
func (t *table) layout(width int) (widths, shown []int) {
	widths = make([]int, len(t.columns))
	for _, row := range t.rows {
		for i, c := range row {
			widths[i] = max(widths[i], textWidth(c.text))
		}
	}
	for i, c := range t.columns {
		if widths[i] > 0 {
			widths[i] = max(widths[i], textWidth(c.title))
			shown = append(shown, i)
		}
	}
	for {
		sum, flex, last := gap*(len(shown)-1), -1, -1
		for n, i := range shown {
			if t.columns[i].flex {
				flex = i
				sum += min(widths[i], minFlex)
			} else {
				sum += widths[i]
			}
			if t.columns[i].rank > 0 && (last < 0 || t.columns[i].rank > t.columns[shown[last]].rank) {
				last = n
			}
		}
		if sum > width && last >= 0 {
			shown = slices.Delete(shown, last, last+1)
			continue
		}
		if flex >= 0 {
			least := min(widths[flex], minFlex)
			widths[flex] = min(widths[flex], max(minFlex/2, width-sum+least))
			sum += widths[flex] - least
		}
		if len(shown) > 0 && sum > width { // shorten the widest
			i := slices.MaxFunc(shown, func(a, b int) int { return cmp.Compare(widths[a], widths[b]) })
			widths[i] = max(1, widths[i]-(sum-width))
		}
		return widths, shown
	}
}
