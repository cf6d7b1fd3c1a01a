package debugpage

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/internal/export"
	"github.com/seed-01322ee7/databricks-telemetry/internal/format"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// reporting is the state of the pipelines to Databricks.
type reporting struct {
	telemetry.ExportStats
	now time.Time
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
		var dropped int64
		because, separator := "", ": "
		for _, reason := range slices.Sorted(maps.Keys(r.Dropped)) {
			n := r.Dropped[reason]
			dropped += n
			because += fmt.Sprintf("%s%s because %s", separator, format.Count(n), dropMeanings[reason])
			separator = "; "
		}
		text = fmt.Sprintf("%s recorded, %s sent in %s, %s waiting, %s dropped%s.", format.Plural(r.Recorded, "event"), format.Count(r.Sent),
			format.Plural(r.Requests, "request"), format.Count(r.Pending), format.Count(dropped), because)
	}
	if r.Failures > 0 {
		text += " " + format.Plural(r.Failures, "request") + " failed."
	}
	return text
}
