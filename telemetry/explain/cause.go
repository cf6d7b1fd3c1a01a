package explain

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/internal/breakdown"
	"github.com/seed-01322ee7/databricks-telemetry/internal/format"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// ServerCause is one cause of the time a server took.
type ServerCause struct {
	// Phase is what the server did: compute (the statement waited for its warehouse to start), capacity (the
	// warehouse ran as many statements as it can), compile, execute, or fetch (the client fetched the result).
	Phase string
	// Time is the length of the phase. Share is its share of the server's total, or of the sum of all
	// phases if that is longer, 0 to 1.
	Time  time.Duration
	Share float64
	// Sentence states the cause and its evidence, such as "waited 11 s of 14 s for the warehouse
	// to start".
	Sentence string
	// Advice says what to try.
	Advice string
}

// considerable is the smallest share of the server's time with which a phase counts as a cause.
const considerable = 0.1

// CausesOf returns the causes of the server's time on the statement s, according to the report r: those of the
// longest phase first. The client's fetching of the result comes last, because the server only waited for it.
// CausesOf returns nil if r is nil, has no times, or contradicts itself or the statement, for example if the server
// worked for longer than its total, or for longer than a completed statement took. s may be nil.
func CausesOf(s *telemetry.Statement, r *telemetry.ServerReport) []ServerCause {
	if s == nil {
		s = &telemetry.Statement{Outcome: telemetry.OutcomeRunning} // no report contradicts a statement that may go on
	}
	if r == nil || contradicts(r, s) {
		return nil
	}
	return causesOf(r, inspectExecution(s))
}

// causesOf returns the causes that a report shows. It gives the general advice where the report does not say why
// the execution took long.
func causesOf(r *telemetry.ServerReport, general string) []ServerCause {
	var longest []*breakdown.PhaseTime // pointers, like everything that is sorted: see "In the binary" in docs/DESIGN.md
	for _, p := range breakdown.PhasesOf(r) {
		if p.Share >= considerable {
			longest = append(longest, &p)
		}
	}
	slices.SortStableFunc(longest, func(a, b *breakdown.PhaseTime) int {
		if a.Phase == breakdown.PhaseFetch || b.Phase == breakdown.PhaseFetch {
			return cmp.Compare(a.Phase, b.Phase)
		}
		return cmp.Compare(b.Time, a.Time)
	})
	var causes []ServerCause
	for _, p := range longest {
		for _, c := range causesOfPhase(r, *p, general) {
			causes = append(causes, ServerCause{p.String(), p.Time, p.Share, c.evidence, c.advice})
		}
	}
	return causes
}

func causesOfPhase(r *telemetry.ServerReport, p breakdown.PhaseTime, general string) []reason {
	took := format.Duration(p.Time)
	ofTotal := took
	if total := r.Total.Or(0); total >= p.Time {
		ofTotal += " of " + format.Duration(total)
	}
	switch p.Phase {
	case breakdown.PhaseCompute:
		return []reason{{
			"waited " + ofTotal + " for the warehouse to start",
			"A serverless warehouse starts in seconds. A longer auto stop keeps this one running between statements.",
		}}
	case breakdown.PhaseCapacity:
		return []reason{{
			"queued " + took + " at capacity",
			"Raise the warehouse's maximum number of clusters, run fewer statements at once, or give this workload a warehouse of its own.",
		}}
	case breakdown.PhaseCompile:
		return []reason{{
			"compiled " + ofTotal,
			"Planning reads the metadata of every table and file: compact small files (OPTIMIZE), and avoid deep views and very long IN lists.",
		}}
	case breakdown.PhaseFetch:
		return []reason{{
			"the client fetched the result for " + took, // may not be part of the total: see contradictsItself
			"The server waited for the client: see where the statement's own time went.",
		}}
	}
	return executionCauses(r, ofTotal, general)
}

// executionCauses returns the causes of a long execution that the report shows.
func executionCauses(r *telemetry.ServerReport, ofTotal, general string) (causes []reason) {
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
		advice := general
		switch r.Status {
		case "FAILED", "CANCELED", "CLOSED":
			advice = "The query profile shows how far the statement came before it ended."
		}
		causes = []reason{{"executed " + ofTotal, advice}}
	}
	return causes
}

// The smallest sizes, in bytes, with which reading and spilling count as causes.
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
		evidence = append(evidence, format.Count(pruned)+" of "+format.Plural(files, "file")+" pruned")
	}
	return reason{strings.Join(evidence, ", "), advice}
}
