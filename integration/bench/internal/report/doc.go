// Package report makes tables, a verdict and pictures of raw benchmark results.
//
//	results/*.txt ── Read ──▶ Results ──┬── Markdown ──▶ docs/BENCHMARKS.md
//	   ▲                                ├── Pictures ──▶ docs/images/bench-*.svg
//	   │                                ├── Readme   ──▶ README.md, between its markers
//	   └── Write ── a run               └── Alarms   ──▶ go run . -short
//
// results/profile.csv says what the time of a statement was spent on.
//
// A file holds the blocks of one variant in the order of their rounds, in the format of Go's
// benchmarks: benchstat reads them as well. Whatever the report says comes from those files,
// the machine and the date included, so that it can be reproduced, and a figure
// that was not measured cannot get in.
//
// Figures are medians with confidence intervals of 95 % that assume nothing about how
// measurements are distributed (golang.org/x/perf/benchmath, which is what benchstat uses).
// Ratios and differences are taken between blocks of the same round, and are then
// summarized: what disturbs a whole round disturbs them little.
package report
