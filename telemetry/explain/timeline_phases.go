package explain

import (
	"fmt"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/internal/breakdown"
	"github.com/seed-01322ee7/databricks-telemetry/internal/format"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// addPhases draws the phases of the server. A report has only their lengths, measured by a different
// clock than the record's, so the phases are drawn one after the other, from the latest
// ExecuteStatement request on. If they do not fit before the statement ended or had a result, none is
// drawn.
func (t *Timeline) addPhases(s *telemetry.Statement, r *telemetry.ServerReport) {
	times := breakdown.PhasesOf(r)
	if len(times) == 0 {
		return
	}
	begin, sum := t.requested(), sumOf(times)
	room := t.Total - begin
	switch {
	case contradictsItself(r):
		worked := sumOf(phasesBefore(r, breakdown.PhaseFetch))
		t.PhasesNote = fmt.Sprintf("The phases that the query history reports overlap and are not drawn: they add up to %s, and the server took %s.",
			format.Duration(worked), shorter(r.Total.Or(0), worked))
		return
	case exceed(times, room):
		t.PhasesNote = fmt.Sprintf("The phases that the query history reports are not drawn: they add up to %s, and the statement ended %s after its request.",
			format.Duration(sum), shorter(room, sum))
		return
	case contradicts(r, s):
		early := sumOf(phasesBefore(r, breakdown.PhaseExecute))
		t.PhasesNote = fmt.Sprintf("The phases that the query history reports are not drawn: those before the execution add up to %s, and the statement had a result after %s at most.",
			format.Duration(early), shorter(beforeResult(s), early))
		return
	}
	t.PhasesNote = "The query history reports how long the server's phases took, not when: they are drawn in their usual order, from the request on."

	t.addLanes("server", false, []Bar{{
		Kind: breakdown.BarServer, Label: "server", Start: begin, End: begin + sum, Note: format.Plural(int64(len(times)), "phase") + " of the query history",
	}})
	for _, p := range times {
		b := Bar{Kind: p.Bar(), Label: p.Description(), Start: begin, End: begin + p.Time}
		begin = b.End
		if b.End > t.Total {
			b.Note = format.Duration(p.Time) + " reported"
		}
		t.addLanes(p.String(), false, []Bar{b})
		t.Lanes[len(t.Lanes)-1].Within = "server"
	}
}

// shorter formats a duration and, if another duration looks the same when formatted, adds by how much
// it is shorter.
func shorter(d, than time.Duration) string {
	text := format.Duration(d)
	if text == format.Duration(than) {
		text += " (" + format.Duration(than-d) + " less)"
	}
	return text
}

// requested returns when the latest attempt of ExecuteStatement began, or 0, the start of the call,
// if no request was observed.
func (t *Timeline) requested() (at time.Duration) {
	for _, l := range t.Lanes {
		for _, b := range l.Bars {
			if b.Kind == breakdown.BarExecute {
				at = max(at, b.Start)
			}
		}
	}
	return at
}
