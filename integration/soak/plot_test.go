package soak

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// plot draws requests per second over time and shades the time in which the service failed. The SVG has
// no script and follows the reader's color scheme.
func plot(title string, perSecond []int, from, to time.Duration) []byte {
	const (
		width, height            = 760, 260
		left, right, top, bottom = 52, 12, 34, 34
	)
	most := 1
	for _, n := range perSecond {
		most = max(most, n)
	}
	step := tick(most)
	top100 := (most + step - 1) / step * step
	x := func(second int) float64 {
		return left + float64(second)*(width-left-right)/float64(len(perSecond))
	}
	y := func(n int) float64 { return height - bottom - float64(n)*(height-top-bottom)/float64(top100) }

	var b bytes.Buffer
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" role="img" aria-label="Requests per second: %s">`+"\n", width, height, title)
	b.WriteString(`<style>
  text { font: 12px system-ui, sans-serif; fill: #57606a }
  .title { font-weight: 600; fill: #24292f }
  .grid { stroke: #d0d7de; stroke-width: 1 }
  .bad { fill: #cf222e; opacity: .08 }
  .line { fill: none; stroke: #0969da; stroke-width: 1.2; stroke-linejoin: round }
  @media (prefers-color-scheme: dark) {
    text { fill: #9198a1 }
    .title { fill: #e6edf3 }
    .grid { stroke: #30363d }
    .bad { fill: #ff7b72; opacity: .14 }
    .line { stroke: #58a6ff }
  }
</style>
`)
	fmt.Fprintf(&b, `<text class="title" x="%d" y="18">Requests per second: %s</text>`+"\n", left, title)
	if to > from {
		x0, x1 := x(int(from/time.Second)), x(int(to/time.Second))
		fmt.Fprintf(&b, `<rect class="bad" x="%.1f" y="%d" width="%.1f" height="%d"/>`+"\n", x0, top, x1-x0, height-top-bottom)
	}
	for n := 0; n <= top100; n += step {
		fmt.Fprintf(&b, `<path class="grid" d="M%d %.1fH%d"/><text x="%d" y="%.1f" text-anchor="end">%s</text>`+"\n", left, y(n), width-right, left-8, y(n)+4, thousands(n))
	}
	minutes := len(perSecond) / 60
	for m := 0; m <= minutes; m += 1 + minutes/10 {
		anchor := "middle"
		if m == minutes {
			anchor = "end"
		}
		fmt.Fprintf(&b, `<text x="%.1f" y="%d" text-anchor="%s">%d min</text>`+"\n", x(m*60), height-12, anchor, m)
	}
	b.WriteString(`<path class="line" d="`)
	for second, n := range perSecond {
		move := "L"
		if second == 0 {
			move = "M"
		}
		fmt.Fprintf(&b, "%s%.1f %.1f", move, x(second), y(n))
	}
	b.WriteString("\"/>\n</svg>\n")
	return b.Bytes()
}

// tick is the smallest of 1, 2, 5, 10, 20, ... of which at most six make most.
func tick(most int) int {
	for step := 1; ; step *= 10 {
		for _, m := range []int{1, 2, 5} {
			if most <= 6*m*step {
				return m * step
			}
		}
	}
}

func TestAPlotIsWellFormedAndFitsItsFrame(t *testing.T) {
	svg := plot("all at once", []int{0, 7, 930, 110, 0}, 1*time.Second, 3*time.Second)
	d := xml.NewDecoder(bytes.NewReader(svg))
	for {
		if _, err := d.Token(); err == io.EOF {
			break
		} else {
			require.NoError(t, err)
		}
	}
	require.Equal(t, 200, tick(930))
	require.Equal(t, 1, tick(3))
	require.NotContains(t, string(svg), "NaN")
}
