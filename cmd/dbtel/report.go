package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"

	"github.com/seed-01322ee7/databricks-telemetry/internal/breakdown"
	"github.com/seed-01322ee7/databricks-telemetry/internal/format"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry/explain"
)

// causes prints the causes of the server's time that the verdict does not name.
func (v *view) causes(verdict explain.Verdict) {
	causes := explain.CausesOf(v.statement, v.report)
	if verdict.Reported {
		causes = causes[1:]
	}
	for _, c := range causes {
		v.paragraph(bold, "On the server: "+clean(c.Sentence))
		v.paragraph(plain, c.Advice)
	}
}

// phases draws what the query history says about the server's time.
func (v *view) phases() {
	var shares []share
	for _, p := range breakdown.PhasesOf(v.report) {
		shares = append(shares, share{p.Description(), barStyles[p.Bar()], p.Time, p.Share})
	}
	v.shares("ON THE SERVER, AS THE QUERY HISTORY SAYS", shares)
}

func reportFacts(r *telemetry.ServerReport) []string {
	if r == nil {
		return nil
	}
	readCache := "read from cache"
	if read, known := r.BytesRead.Get(); known && r.BytesReadCache.Or(0) <= read {
		readCache = "of it from cache"
	}
	return []string{
		textIf(r.Status != "" && r.Status != "FINISHED", "status "+r.Status),
		textIf(!r.Final, "not final"),
		known(r.Total, "took", format.Duration),
		textIf(r.FromCache.Or(false), "result from cache"),
		known(r.BytesRead, "read", format.Bytes),
		known(r.BytesReadCache, readCache, format.Bytes),
		known(r.FilesRead, "files", format.Count),
		known(r.FilesPruned, following(r.FilesRead, "files", "pruned"), format.Count),
		textIf(r.BytesSpilled.Or(0) > 0, "spilled "+format.Bytes(r.BytesSpilled.Or(0))),
		textIf(r.BytesWritten.Or(0) > 0, "written "+format.Bytes(r.BytesWritten.Or(0))),
		known(r.RowsRead, "rows read", format.Count),
		known(r.RowsProduced, following(r.RowsRead, "rows", "produced"), format.Count),
		known(r.PhotonShare, "Photon", format.Percent),
	}
}

// following removes the name of the counted things from fact if an earlier fact has it.
func following(before telemetry.Maybe[int64], name, fact string) string {
	if _, known := before.Get(); known {
		return fact
	}
	return name + " " + fact
}

// reportSummary sums reports, by the phases of the server's time.
type reportSummary struct {
	Statements int64    `json:"statements"`
	Read       int64    `json:"bytes_read"`
	ReadCache  int64    `json:"bytes_read_cache"`
	Spilled    int64    `json:"bytes_spilled"`
	Phases     []*phase `json:"phases"`

	uncached bool // for some reports it is not known what was read from the cache
}

// phase sums one phase of the server's time over the statements that had it. Times are in ms.
type phase struct {
	Name       string `json:"name"`
	Statements int64  `json:"statements"`
	spread

	phase breakdown.Phase
}

func (s *reportSummary) add(r *telemetry.ServerReport) {
	s.Statements++
	s.Read += r.BytesRead.Or(0)
	s.ReadCache += r.BytesReadCache.Or(0)
	cached, known := r.BytesReadCache.Get()
	s.uncached = s.uncached || r.BytesRead.Or(0) > 0 && !known || cached > r.BytesRead.Or(0)
	s.Spilled += r.BytesSpilled.Or(0)
	for _, p := range breakdown.PhasesOf(r) {
		i := slices.IndexFunc(s.Phases, func(sum *phase) bool { return sum.phase == p.Phase })
		if i < 0 {
			i = len(s.Phases)
			s.Phases = append(s.Phases, &phase{Name: p.String(), phase: p.Phase})
		}
		s.Phases[i].Statements++
		s.Phases[i].times.add(p.Time)
	}
}

// finish sorts the phases by their total.
func (s *reportSummary) finish() {
	for _, p := range s.Phases {
		p.finish()
	}
	slices.SortFunc(s.Phases, func(a, b *phase) int { return cmp.Or(cmp.Compare(b.Total, a.Total), cmp.Compare(a.phase, b.phase)) })
}

func (s *reportSummary) print(w io.Writer, on screen) {
	on.printWrapped(w, format.JoinKnown(", ",
		"Query history of "+format.Plural(s.Statements, "statement"),
		textIf(s.Read > 0, "read "+format.Bytes(s.Read)),
		textIf(s.Read > 0 && !s.uncached, format.Percent(float64(s.ReadCache)/float64(s.Read))+" of it from cache"),
		textIf(s.Spilled > 0, "spilled "+format.Bytes(s.Spilled)),
	)+".")
	if len(s.Phases) == 0 {
		return
	}
	fmt.Fprintln(w)
	t := table{columns: append([]column{{title: "ON THE SERVER", least: leastText}, {title: "COUNT", right: true}}, spreadColumns...)}
	for _, p := range s.Phases {
		t.add(append([]cell{{p.phase.Description(), bold}, number(p.Statements)}, p.cells()...)...)
	}
	t.print(w, on)
}

// longestPhase returns, in a few words, the longest phase of a report in which the server did not wait
// for the client. It is empty without a report or such a phase, and if the report explains nothing.
func longestPhase(s *telemetry.Statement, r *telemetry.ServerReport) string {
	if len(explain.CausesOf(s, r)) == 0 {
		return ""
	}
	phases := slices.DeleteFunc(breakdown.PhasesOf(r), func(p breakdown.PhaseTime) bool { return p.Phase == breakdown.PhaseFetch })
	if len(phases) == 0 {
		return ""
	}
	longest := slices.MaxFunc(phases, func(a, b breakdown.PhaseTime) int { return cmp.Compare(a.Time, b.Time) })
	return format.Duration(longest.Time) + " " + longest.Description()
}
