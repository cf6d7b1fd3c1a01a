package debugpage

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/internal/format"
)

// Pictures are SVG without a view box: widths are percentages and heights are pixels, so that
// bars stretch with the window while text keeps its size.

// tick is a mark on an axis.
type tick struct {
	X, Label, Anchor string
	Minor            bool // hidden on narrow screens
}

// timeTicks returns marks at round times on an axis that covers length and takes up width percent of
// the picture.
func timeTicks(length time.Duration, width float64) []tick {
	if length <= 0 {
		return nil
	}
	step := format.RoundStep(float64(length) / 8)
	var ticks []tick
	for i := 0; ; i++ {
		at := time.Duration(float64(i) * step)
		if at > length {
			return ticks
		}
		ticks = append(ticks, tick{X: percentage(width * float64(at) / float64(length)), Label: axisLabel(at), Anchor: anchor(float64(at) / float64(length)), Minor: i%2 == 1})
	}
}

// axisLabel writes a duration with as many digits as a round number needs: 1.5 s, 20 ms.
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

// anchor returns the SVG text-anchor that keeps a label at that share of the width inside the
// picture.
func anchor(at float64) string {
	switch {
	case at < 0.04:
		return "start"
	case at > 0.96:
		return "end"
	}
	return "middle"
}

// pixels writes a length with up to two decimals.
func pixels(v float64) string { return strconv.FormatFloat(math.Round(v*100)/100, 'f', -1, 64) }

// percent writes the share that a part has of a whole as a percentage for SVG.
func percent(part, whole time.Duration) string {
	return percentage(100 * float64(part) / float64(whole))
}

// percentage writes a number with up to two decimals and a percent sign.
func percentage(p float64) string {
	return strings.TrimSuffix(strings.TrimRight(strconv.FormatFloat(p, 'f', 2, 64), "0"), ".") + "%"
}
