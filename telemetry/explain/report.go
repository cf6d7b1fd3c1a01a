package explain

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/internal/format"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// Phase is what the server did with a statement, as the query history reports it.
type Phase uint8

// The phases, in the order of a statement's life.
const (
	PhaseCompute  Phase = iota // it waited for its warehouse to start
	PhaseCapacity              // it waited because the warehouse ran as many statements as it can
	PhaseCompile               // metadata was read, and a plan was made
	PhaseExecute               // the plan was executed
	PhaseFetch                 // the client fetched the result

	numPhases
)

var phases = [numPhases]struct {
	name, description string
	bar               BarKind
}{
	PhaseCompute:  {"compute", "waiting for compute", "waiting_for_compute"},
	PhaseCapacity: {"capacity", "queued at capacity", "queued_at_capacity"},
	PhaseCompile:  {"compile", "compiling", "compiling"},
	PhaseExecute:  {"execute", "executing", "executing"},
	PhaseFetch:    {"fetch", "result fetch", "result_fetch"},
}

// String returns the name of the phase, such as "compile".
func (p Phase) String() string {
	if p >= numPhases {
		return "unknown"
	}
	return phases[p].name
}

// Description says what the server did, such as "compiling".
func (p Phase) Description() string {
	if p >= numPhases {
		return p.String()
	}
	return phases[p].description
}

// Bar is the kind of the phase's bar in a Timeline; empty for a phase that does not exist.
func (p Phase) Bar() BarKind {
	if p >= numPhases {
		return ""
	}
	return phases[p].bar
}

// PhaseTime is the time of one phase.
type PhaseTime struct {
	Phase
	// Time is the length of the phase, and Share its share of the server's total, 0 to 1.
	Time  time.Duration
	Share float64
}

// PhasesOf divides the server's time on a statement into phases, in their order. Phases that took no
// time, or whose time is unknown, are left out. The server measures them one by one: they need not add
// up to its total. A nil report has none.
func PhasesOf(r *telemetry.ServerReport) []PhaseTime {
	if r == nil {
		return nil
	}
	measured := [numPhases]telemetry.Maybe[time.Duration]{
		PhaseCompute: r.WaitingForCompute, PhaseCapacity: r.QueuedAtCapacity, PhaseCompile: r.Compiling, PhaseExecute: r.Executing, PhaseFetch: r.ResultFetch,
	}
	sum := time.Duration(0)
	for _, d := range measured {
		sum += max(0, d.Or(0)) // a file may have any number
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

// sumOf adds up phases.
func sumOf(phases []PhaseTime) (sum time.Duration) {
	for _, p := range phases {
		sum += p.Time
	}
	return sum
}

// ServerCause is one cause of the time a server took.
type ServerCause struct {
	PhaseTime
	// Sentence states the cause and its evidence, such as "waited 11 s of 14 s for the warehouse
	// to start".
	Sentence string
	// Advice says what to try.
	Advice string
}

// considerable is the share of the server's time from which on a phase counts as a cause.
const considerable = 0.1

// OfReport says why the server took its time with a statement: the causes, those of the longest phase
// first. That the client fetched the result comes last, because the server only waited for it. OfReport
// returns nothing when the report has no times, or is nil.
func OfReport(r *telemetry.ServerReport) []ServerCause {
	var longest []*PhaseTime // pointers, as all that is sorted: see docs/DESIGN.md, in the binary
	for _, p := range PhasesOf(r) {
		if p.Share >= considerable {
			longest = append(longest, &p)
		}
	}
	slices.SortStableFunc(longest, func(a, b *PhaseTime) int {
		if a.Phase == PhaseFetch || b.Phase == PhaseFetch {
			return cmp.Compare(a.Phase, b.Phase)
		}
		return cmp.Compare(b.Time, a.Time)
	})
	var causes []ServerCause
	for _, p := range longest {
		for _, c := range causesOf(r, *p) {
			causes = append(causes, ServerCause{*p, c.evidence, c.advice})
		}
	}
	return causes
}

func causesOf(r *telemetry.ServerReport, p PhaseTime) []reason {
	took := format.Duration(p.Time)
	ofTotal := took
	if total, known := r.Total.Get(); known && total >= p.Time {
		ofTotal += " of " + format.Duration(total)
	}
	switch p.Phase {
	case PhaseCompute:
		return []reason{{
			"waited " + ofTotal + " for the warehouse to start",
			"A serverless warehouse starts in seconds. A longer auto stop keeps this one running between statements.",
		}}
	case PhaseCapacity:
		return []reason{{
			"queued " + took + " at capacity",
			"Raise the warehouse's maximum number of clusters, run fewer statements at once, or give this workload a warehouse of its own.",
		}}
	case PhaseCompile:
		return []reason{{
			"compiled " + ofTotal,
			"Planning reads the metadata of every table and file: compact small files (OPTIMIZE), and avoid deep views and very long IN lists.",
		}}
	case PhaseFetch:
		return []reason{{
			"the client fetched the result for " + ofTotal,
			"The server waited for the client: see where the statement's own time went.",
		}}
	}
	return executionCauses(r, ofTotal)
}

// executionCauses says what made the execution long, as far as the report shows it.
func executionCauses(r *telemetry.ServerReport, ofTotal string) (causes []reason) {
	if spilled := r.BytesSpilled.Or(0); spilled >= muchSpilled {
		causes = append(causes, reason{
			"spilled " + format.Bytes(spilled),
			"Memory did not suffice: a larger warehouse size has more; so does less data per join, sort or aggregation.",
		})
	}
	if read := r.BytesRead.Or(0); read >= muchRead {
		causes = append(causes, readCause(r, read))
	}
	if len(causes) == 0 {
		causes = []reason{{"executed " + ofTotal, inspect}}
	}
	return causes
}

// From how many bytes on reading and spilling count as causes.
const (
	muchRead    = 1e9
	muchSpilled = 1e8
)

func readCause(r *telemetry.ServerReport, read int64) reason {
	evidence := []string{"read " + format.Bytes(read)}
	if cached, known := r.BytesReadCache.Get(); known && cached <= read {
		evidence = append(evidence, format.Percent(float64(cached)/float64(read))+" from cache")
	}
	advice := "Select fewer columns and rows, or use a larger warehouse size. The disk cache is filled while the warehouse runs."
	pruned, known := r.FilesPruned.Get()
	switch files := r.FilesRead.Or(0) + pruned; {
	case !known:
	case pruned == 0:
		evidence = append(evidence, "no file pruned")
		advice = "Cluster the table (liquid clustering) by the columns that are filtered on, and collect statistics (ANALYZE TABLE): files that cannot match are then not read."
	case files > pruned:
		evidence = append(evidence, fmt.Sprintf("%s of %s pruned", format.Count(pruned), format.Plural(files, "file")))
	}
	return reason{strings.Join(evidence, ", "), advice}
}
