package debugpage

import (
	"fmt"
	"slices"
	"strings"

	"github.com/seed-01322ee7/databricks-telemetry/internal/export"
	"github.com/seed-01322ee7/databricks-telemetry/internal/format"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// reporting is the state of the pipelines to Databricks.
type reporting struct {
	telemetry.ExportStats
	Drops []drop         `json:"-"` // ExportStats.Dropped with meanings, for people
	Views []pipelineView `json:"-"` // ExportStats.Pipelines, for people
}

func (req *request) reporting() reporting {
	r := reporting{ExportStats: req.process().Export}
	for reason, n := range r.Dropped {
		r.Drops = append(r.Drops, drop{reason, dropMeanings[reason], count(n)})
	}
	slices.SortFunc(r.Drops, func(a, b drop) int { return strings.Compare(a.Reason, b.Reason) })
	for _, p := range r.Pipelines {
		view := pipelineView{PipelineStats: p, Memory: size(p.PendingBytes)}
		if p.NotBefore.After(req.now) {
			view.Next = &moment{p.NotBefore, req.now}
		}
		r.Views = append(r.Views, view)
	}
	return r
}

// pipelineView is the state of a pipeline with values written for people.
type pipelineView struct {
	telemetry.PipelineStats
	Memory size    // of the events that wait
	Next   *moment // when the next request may be made; nil for any time
}

// drop counts the events dropped for one reason.
type drop struct {
	Reason  string
	Meaning string
	Count   count
}

// dropMeanings complete the sentence "5 dropped because …"; see Summary.
var dropMeanings = map[string]string{
	export.DropSampledOut: "telemetry_sample_rate left them out",
	export.DropFlagOff:    "the server's flag is off",
	export.DropQueueFull:  "more events waited than telemetry_queue_size allows",
	export.DropQueueBytes: "the waiting events took too much memory",
	export.DropExpired:    "they had waited for more than an hour",
	export.DropRefused:    "the endpoint refused them",
	export.DropTooLarge:   "a single event was too large for the endpoint",
	export.DropRejected:   "the service accepted fewer events than it was sent",
	export.DropBroken:     "they could not be encoded",
	export.DropClosed:     "their last connector was closed before they could be sent",
	export.DropShutDown:   "reporting was shut down before they could be sent",
}

// Summary says what became of the events.
func (r reporting) Summary() string {
	text := "No event was recorded for Databricks."
	if r.Recorded > 0 {
		text = fmt.Sprintf("%s recorded, %s sent in %s, %s waiting, %s dropped", format.Plural(r.Recorded, "event"), format.Count(r.Sent),
			format.Plural(r.Requests, "request"), format.Count(r.Pending), r.TotalDropped())
		for i, d := range r.Drops {
			separator := "; "
			if i == 0 {
				separator = ": "
			}
			text += fmt.Sprintf("%s%s because %s", separator, d.Count, d.Meaning)
		}
		text += "."
	}
	if r.Failures > 0 {
		text += " " + format.Plural(r.Failures, "request") + " failed."
	}
	return text
}

// TotalDropped sums the drops of all reasons.
func (r reporting) TotalDropped() (n count) {
	for _, d := range r.Drops {
		n += d.Count
	}
	return n
}
