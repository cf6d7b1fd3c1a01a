// Package report makes tables, a verdict and pictures from raw benchmark results.
//
//	results/*.txt ── Read ──▶ Results ──┬── Markdown ──▶ docs/BENCHMARKS.md
//	   ▲                                ├── Pictures ──▶ docs/images/bench-*.svg
//	   │                                ├── Readme   ──▶ README.md, between its markers
//	   └── Write ── a run               └── Alarms   ──▶ go run . -short
//
// results/profile.csv says what the time of a statement was spent on.
//
// A file holds the blocks of one variant in the order of their rounds, in the format of Go's
// benchmarks, which benchstat also reads. Everything in the report comes from those files,
// including the machine and the date, so that it can be reproduced and has no figure that was not
// measured.
//
// Figures are medians with confidence intervals of 95 % that assume nothing about the distribution
// of the measurements (golang.org/x/perf/benchmath, which benchstat also uses). Ratios and
// differences are taken between blocks of the same round and then summarized, so that a disturbance
// of a whole round affects them little.
package report
