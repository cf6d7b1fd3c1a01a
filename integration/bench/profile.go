package main

import (
	"bytes"
	"context"
	"runtime/pprof"
	"slices"
	"strings"

	"github.com/google/pprof/profile"

	"github.com/seed-01322ee7/databricks-telemetry/integration/bench/internal/report"
)

// parts of a client's program, by the prefix of a function's name and, where below is set, by a
// function that calls it: the first match counts. Everything else is the driver with the libraries
// it uses.
var parts = []struct{ name, prefix, below string }{
	{"request", inCloudfetch, inCloudfetch + "readRequest"},
	{"answer", inCloudfetch, inCloudfetch + "(*exchangeBody).Read"},
	{"finish", inCloudfetch, inCloudfetch + "(*Trace).Finish"},
	{"cloudfetch", inCloudfetch, ""},
	{"begin", inDriverwrap, inDriverwrap + "beginStatement"},
	{"finish", inDriverwrap, inDriverwrap + "(*statement).finish"},
	{"driverwrap", inDriverwrap, ""},
	{"export", inModule + "internal/export.", ""},
	{"telemetry", inModule + "telemetry.", ""},
	{"sqlmw", "github.com/ngrok/sqlmw.", ""},
	{"otelsql", "github.com/XSAM/otelsql.", ""},
	{"otelsql", "go.opentelemetry.io/", ""},
}

const (
	inModule     = "github.com/seed-01322ee7/databricks-telemetry/"
	inCloudfetch = inModule + "cloudfetch."
	inDriverwrap = inModule + "driverwrap."
)

const (
	theDriver  = "driver"
	theRuntime = "runtime" // work besides the statements: the collector, the scheduler
)

// profile runs operations under a CPU profile and shares their time among the parts.
func (c *client) profile(ctx context.Context, ops int) ([]report.Share, error) {
	var raw bytes.Buffer
	if err := pprof.StartCPUProfile(&raw); err != nil {
		return nil, err
	}
	err := c.workload.run(ctx, c.db, c.target, ops)
	c.rest(ctx)
	pprof.StopCPUProfile()
	if err != nil {
		return nil, err
	}
	p, err := profile.Parse(&raw)
	if err != nil {
		return nil, err
	}
	all := map[string]*report.Share{}
	for _, s := range p.Sample {
		part, allocates := partOf(s)
		if all[part] == nil {
			all[part] = &report.Share{Variant: c.variant.name, Part: part}
		}
		share := float64(s.Value[1]) / float64(ops) // nanoseconds, after a count
		all[part].Time += share
		if allocates {
			all[part].Memory += share
		}
	}
	var shares []report.Share
	for _, s := range all {
		shares = append(shares, *s)
	}
	return shares, nil
}

// partOf returns the part of the innermost function on the stack that is not part of Go. Allocates
// reports whether it was allocating memory.
func partOf(s *profile.Sample) (part string, allocates bool) {
	for _, location := range s.Location {
		for _, line := range location.Line {
			name := line.Function.Name
			allocates = allocates || strings.HasPrefix(name, "runtime.mallocgc")
			for _, p := range parts {
				if strings.HasPrefix(name, p.prefix) && (p.below == "" || calls(s, p.below)) {
					return p.name, allocates
				}
			}
			if first, _, _ := strings.Cut(name, "/"); strings.HasPrefix(name, "main.") || strings.Contains(first, ".") && strings.Contains(name, "/") {
				return theDriver, allocates
			}
		}
	}
	return theRuntime, false
}

// calls reports whether a function is on the stack.
func calls(s *profile.Sample, function string) bool {
	return slices.ContainsFunc(s.Location, func(l *profile.Location) bool {
		return slices.ContainsFunc(l.Line, func(line profile.Line) bool { return line.Function.Name == function })
	})
}
