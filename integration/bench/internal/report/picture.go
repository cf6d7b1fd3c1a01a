package report

import (
	"fmt"
	"html"
	"strings"
)

// Picture is a file to be put beside the report.
type Picture struct{ Name, SVG string }

// Pictures show how each variant's ratios to the first spread, workload by workload.
func (r *Results) Pictures() []Picture {
	return []Picture{
		{"bench-time.svg", r.picture("Time, as a ratio to the native driver", "time", wall)},
		{"bench-cpu.svg", r.picture("CPU time, as a ratio to the native driver", "CPU time", cpu)},
	}
}

// The scale ends where ratios stop being of interest; a ratio beyond it is an arrow with its
// figure. All lengths are pixels.
const (
	leastRatio, mostRatio = 0.90, 1.30

	width      = 860
	labels     = 170 // to the left of the scale
	figures    = 170 // to the right of it
	margin     = 16
	heading    = 64
	lineHeight = 19
	groupGap   = 30
)

// style draws its own background, so that the picture is readable on both light and dark pages.
const style = `
	svg { --ground: #ffffff; --ink: #1f2328; --faint: #59636e; --rule: #d1d9e0; --bar: #dafbe1; --ours: #0969da; --other: #9a6700; --same: #59636e }
	@media (prefers-color-scheme: dark) {
		svg { --ground: #0d1117; --ink: #f0f6fc; --faint: #9198a1; --rule: #3d444d; --bar: #0f2a18; --ours: #4493f8; --other: #d29922; --same: #9198a1 }
	}
	text { font: 12px -apple-system, "Segoe UI", "Noto Sans", Helvetica, Arial, sans-serif; fill: var(--ink) }
	.title { font-size: 15px; font-weight: 600 }
	.group { font-weight: 600 }
	.faint { fill: var(--faint) }
	.figure { font-variant-numeric: tabular-nums }
	.ours { fill: var(--ours); stroke: var(--ours) } .other { fill: var(--other); stroke: var(--other) } .same { fill: var(--same); stroke: var(--same) }
	.round { stroke: none; opacity: .28 } .interval { stroke-width: 3; stroke-linecap: round } .median { stroke: var(--ground); stroke-width: 1.5 }
	.rule { stroke: var(--rule) } .one { stroke: var(--faint) }
`

// picture draws a line per variant and workload: a faint dot for each round, the confidence
// interval, the median. The band is where the bars named by what allow ours to be.
func (r *Results) picture(title, what string, m metric) string {
	compared := r.Variants[min(1, len(r.Variants)):]
	var shown []Workload
	for _, w := range r.Workloads {
		if !strings.HasSuffix(w.Name, "NoNetwork") { // a ratio to next to nothing
			shown = append(shown, w)
		}
	}
	height := heading + len(shown)*(groupGap+len(compared)*lineHeight) + margin
	var s drawing
	s.linef(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" role="img" aria-label="%s">`,
		width, height, width, height, html.EscapeString(title))
	s.linef("<style>%s</style>", style)
	s.linef(`<rect width="100%%" height="100%%" rx="6" fill="var(--ground)"/>`)
	s.text(margin, 28, "title", title)
	s.linef(`<text x="%d" y="28" text-anchor="end" class="faint">green: where the bars allow ours to be; dots: single rounds</text>`, width-margin)
	y := heading
	for _, w := range shown {
		if most := r.allowed(what, m, w.Name); most > leastRatio {
			s.linef(`<rect x="%.1f" y="%d" width="%.1f" height="%d" fill="var(--bar)"/>`,
				at(leastRatio), y+groupGap-3, at(most)-at(leastRatio), len(compared)*lineHeight+6)
		}
		y += groupGap + len(compared)*lineHeight
	}
	s.scale(height)
	y = heading
	for _, w := range shown {
		s.text(margin, y+18, "group", w.title())
		y += groupGap
		for _, v := range compared {
			s.variant(y, v, r.ratios(m, v, r.first(), w.Name))
			y += lineHeight
		}
	}
	s.linef("</svg>")
	return s.String()
}

// allowed is the largest ratio to the first variant that all bars of a workload allow; 0 where there
// is no bar.
func (r *Results) allowed(what string, m metric, workload string) (most float64) {
	for _, b := range bars {
		if b.what == what && b.workload == workload && len(r.Blocks(b.base(r), workload)) > 0 {
			limit := b.limit * estimate(r.ratios(m, b.base(r), r.first(), workload)).Median
			if most == 0 || limit < most {
				most = limit
			}
		}
	}
	return most
}

type drawing struct{ strings.Builder }

func (s *drawing) linef(format string, args ...any) {
	fmt.Fprintf(s, format, args...)
	s.WriteByte('\n')
}

func (s *drawing) text(x, y int, class, text string) {
	s.linef(`<text x="%d" y="%d" class="%s">%s</text>`, x, y, class, html.EscapeString(text))
}

// at is the position of a ratio on the scale.
func at(ratio float64) float64 {
	ratio = min(max(ratio, leastRatio), mostRatio)
	return labels + (ratio-leastRatio)/(mostRatio-leastRatio)*(width-labels-figures)
}

func (s *drawing) scale(height int) {
	bottom := height - margin + 3
	for ratio := 90; ratio <= 130; ratio += 10 {
		x, class := at(float64(ratio)/100), "rule"
		if ratio == 100 {
			class = "one"
		}
		s.linef(`<line x1="%.1f" x2="%.1f" y1="%d" y2="%d" class="%s"/>`, x, x, heading, bottom, class)
		s.linef(`<text x="%.1f" y="%d" text-anchor="middle" class="faint">%.1f</text>`, x, heading-8, float64(ratio)/100)
	}
	s.linef(`<text x="%d" y="%d" text-anchor="end" class="faint">median, 95 %% interval</text>`, width-margin, heading-8)
}

func (s *drawing) variant(y int, name string, ratios []float64) {
	e, middle, kind := estimate(ratios), y+lineHeight/2, kindOf(name)
	s.linef(`<text x="%d" y="%d" text-anchor="end">%s</text>`, labels-10, middle+4, html.EscapeString(variantTitle(name)))
	for i, ratio := range ratios {
		if ratio < leastRatio || ratio > mostRatio {
			continue
		}
		s.linef(`<circle cx="%.1f" cy="%.1f" r="2" class="round %s"/>`, at(ratio), float64(middle)-4+float64(i%5)*2, kind)
	}
	if e.bounded() && e.Low <= mostRatio && e.High >= leastRatio {
		s.linef(`<line x1="%.1f" x2="%.1f" y1="%d" y2="%d" class="interval %s"/>`, at(e.Low), at(e.High), middle, middle, kind)
	}
	switch x := at(e.Median); {
	case e.Median > mostRatio:
		s.linef(`<path d="M%.1f %d l-8 -5 v10 z" class="%s"/>`, x, middle, kind)
	case e.Median < leastRatio:
		s.linef(`<path d="M%.1f %d l8 -5 v10 z" class="%s"/>`, x, middle, kind)
	default:
		s.linef(`<circle cx="%.1f" cy="%d" r="4.5" class="median %s"/>`, x, middle, kind)
	}
	s.linef(`<text x="%d" y="%d" text-anchor="end" class="figure">%.3f %s</text>`, width-margin, middle+4, e.Median, e.within())
}

// kindOf colors ours, the native driver against itself, and the rest.
func kindOf(variant string) string {
	switch {
	case strings.HasPrefix(variant, "ours"):
		return "ours"
	case variant == itself:
		return "same"
	}
	return "other"
}
