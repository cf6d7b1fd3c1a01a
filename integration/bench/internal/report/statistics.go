package report

import (
	"fmt"
	"math"

	"golang.org/x/perf/benchmath"
)

const confidence = 0.95

// Estimate is a median and its 95 % confidence interval. With fewer than six measurements there is
// no such interval, and Low and High are infinite.
type Estimate struct{ Median, Low, High float64 }

func estimate(values []float64) Estimate {
	s := benchmath.AssumeNothing.Summary(benchmath.NewSample(values, &benchmath.DefaultThresholds), confidence)
	return Estimate{Median: s.Center, Low: s.Lo, High: s.Hi}
}

func (e Estimate) bounded() bool { return !math.IsInf(e.Low, 0) && !math.IsInf(e.High, 0) }

// around writes the interval as a share of the median, as benchstat does.
func (e Estimate) around() string {
	if !e.bounded() || e.Median == 0 {
		return ""
	}
	return fmt.Sprintf("± %.1f %%", 100*max(e.High-e.Median, e.Median-e.Low)/e.Median)
}

// within writes the interval after a ratio, or nothing if there is none.
func (e Estimate) within() string {
	if !e.bounded() {
		return ""
	}
	return fmt.Sprintf("(%.3f – %.3f)", e.Low, e.High)
}

// metric reads one figure of a block.
type metric func(Block) float64

func wall(b Block) float64      { return b.Wall }
func cpu(b Block) float64       { return b.CPU }
func allocated(b Block) float64 { return b.Bytes }
func allocs(b Block) float64    { return b.Allocs }
func telemetry(b Block) float64 { return b.Telemetry }
func service(b Block) float64   { return b.Workspace + b.Storage }

func (m metric) of(blocks []Block) []float64 {
	values := make([]float64, len(blocks))
	for i, b := range blocks {
		values[i] = m(b)
	}
	return values
}

// median of a variant's blocks.
func (r *Results) median(m metric, variant, workload string) Estimate {
	return estimate(m.of(r.Blocks(variant, workload)))
}

// first is the variant that the others are compared with.
func (r *Results) first() string { return r.Variants[0] }

// ratios of a variant to another, round by round.
func (r *Results) ratios(m metric, variant, base, workload string) []float64 {
	return r.paired(m, variant, base, workload, func(v, base float64) float64 { return v / base })
}

// excess of a variant over another, round by round.
func (r *Results) excess(m metric, variant, base, workload string) []float64 {
	return r.paired(m, variant, base, workload, func(v, base float64) float64 { return v - base })
}

func (r *Results) paired(m metric, variant, base, workload string, f func(v, base float64) float64) []float64 {
	values, bases := m.of(r.Blocks(variant, workload)), m.of(r.Blocks(base, workload))
	pairs := make([]float64, len(values))
	for i := range pairs {
		pairs[i] = f(values[i], bases[i])
	}
	return pairs
}

// p is the probability of such a difference to the first variant, or a greater one, by chance: the
// Mann-Whitney U test, which does not use pairs.
func (r *Results) p(m metric, variant, workload string) float64 {
	sample := func(variant string) *benchmath.Sample {
		return benchmath.NewSample(m.of(r.Blocks(variant, workload)), &benchmath.DefaultThresholds)
	}
	return benchmath.AssumeNothing.Compare(sample(r.first()), sample(variant)).P
}

// noise is how far the second run of the first variant differs from the first: the widest
// confidence interval of the ratios between the two, on both sides of 1, over the workloads that
// have bars of ratios. Without such a variant it is not known.
func (r *Results) noise(m metric) (share float64, known bool) {
	for _, b := range bars {
		if b.unit != "×" || len(r.Blocks(itself, b.workload)) == 0 {
			continue
		}
		e := estimate(r.ratios(m, itself, r.first(), b.workload))
		share, known = max(share, e.High-1, 1-e.Low), true
	}
	return share, known
}

// itself is the variant that runs the first one a second time.
const itself = "native-again"
