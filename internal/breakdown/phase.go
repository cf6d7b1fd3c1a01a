package breakdown

import (
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// Phase is what the server did with a statement, as the query history reports it.
type Phase uint8

// The phases, in the order of a statement's life.
const (
	PhaseCompute  Phase = iota // the statement waited for its warehouse to start
	PhaseCapacity              // the statement waited because the warehouse ran as many statements as it can
	PhaseCompile               // metadata was read, and a plan was made
	PhaseExecute               // the plan was executed
	PhaseFetch                 // the client fetched the result

	numPhases // also stands for any phase that does not exist
)

var phases = [numPhases + 1]struct {
	name, description string
	bar               string
}{
	PhaseCompute:  {"compute", "waiting for compute", "waiting_for_compute"},
	PhaseCapacity: {"capacity", "queued at capacity", "queued_at_capacity"},
	PhaseCompile:  {"compile", "compiling", "compiling"},
	PhaseExecute:  {"execute", "executing", "executing"},
	PhaseFetch:    {"fetch", "result fetch", "result_fetch"},
	numPhases:     {"unknown", "unknown", ""},
}

// String returns the name of the phase, such as "compile".
func (p Phase) String() string { return phases[min(p, numPhases)].name }

// Description returns what the server did, such as "compiling".
func (p Phase) Description() string { return phases[min(p, numPhases)].description }

// Bar returns the kind of the phase's bar; empty for a phase that does not exist.
func (p Phase) Bar() string { return phases[min(p, numPhases)].bar }

// PhaseTime is the time of one phase.
type PhaseTime struct {
	Phase
	// Time is the length of the phase. Share is its share of the server's total, or of the sum of all
	// phases if that is longer, 0 to 1.
	Time  time.Duration
	Share float64
}

// PhasesOf divides the server's time on a statement into phases, in their order. Phases that took no
// time, or whose time is unknown, are left out. The server measures each phase separately, so they
// need not add up to its total. A nil report has no phases.
func PhasesOf(r *telemetry.ServerReport) []PhaseTime {
	if r == nil {
		return nil
	}
	measured := [numPhases]telemetry.Maybe[time.Duration]{
		PhaseCompute: r.WaitingForCompute, PhaseCapacity: r.QueuedAtCapacity, PhaseCompile: r.Compiling, PhaseExecute: r.Executing, PhaseFetch: r.ResultFetch,
	}
	sum := time.Duration(0)
	for _, d := range measured {
		sum += max(0, d.Or(0)) // a record from a file may have any number
	}
	total := max(sum, r.Total.Or(0))
	times := make([]PhaseTime, 0, len(measured))
	for p, d := range measured {
		if d := d.Or(0); d > 0 {
			times = append(times, PhaseTime{Phase(p), d, float64(d) / float64(total)})
		}
	}
	return times
}
