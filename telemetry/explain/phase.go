package explain

import (
	"slices"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/internal/breakdown"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// phasesBefore returns the phases that come before another. Before PhaseFetch the server works, or waits for a
// warehouse; then it waits for the client. Before PhaseExecute it has no part of a result.
func phasesBefore(r *telemetry.ServerReport, other breakdown.Phase) []breakdown.PhaseTime {
	return slices.DeleteFunc(breakdown.PhasesOf(r), func(p breakdown.PhaseTime) bool { return p.Phase >= other })
}

// sumOf returns the sum of the times of phases.
func sumOf(phases []breakdown.PhaseTime) (sum time.Duration) {
	for _, p := range phases {
		sum += p.Time
	}
	return sum
}

// exceed reports whether phases certainly take longer than d.
func exceed(phases []breakdown.PhaseTime, d time.Duration) bool {
	return sumOf(phases) > d+toleranceOf(phases)
}

// toleranceOf returns by how much the sum of phases may be off, because the query history rounds each to a
// millisecond.
func toleranceOf(phases []breakdown.PhaseTime) time.Duration {
	return time.Duration(len(phases)) * time.Millisecond
}
