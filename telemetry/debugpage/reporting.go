package debugpage

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/internal/export"
	"github.com/seed-01322ee7/databricks-telemetry/internal/format"
	"github.com/seed-01322ee7/databricks-telemetry/internal/history"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// reporting is the state of the pipelines to Databricks.
type reporting struct {
	telemetry.ExportStats
	now time.Time
}

// dropMeanings has the texts that say why events were dropped. A text follows the number of events.
var dropMeanings = map[string]string{
	export.DropSampledOut: "left out by telemetry_sample_rate",
	export.DropFlagOff:    "while the server's flag is off",
	export.DropQueueFull:  "because more events waited than telemetry_queue_size allows",
	export.DropQueueBytes: "because the waiting events took too much memory",
	export.DropExpired:    "after more than an hour of waiting",
	export.DropRefused:    "refused by the endpoint",
	export.DropTooLarge:   "too large for the endpoint even alone",
	export.DropRejected:   "because the service accepted fewer events than it was sent",
	export.DropBroken:     "because encoding failed",
	export.DropClosed:     "when the last connector was closed before they could be sent",
	export.DropShutDown:   "when reporting was shut down before they could be sent",
}

// Summary says how many events were sent, dropped or wait.
func (r reporting) Summary() string {
	text := "No event was recorded for Databricks."
	if r.Recorded > 0 {
		text = fmt.Sprintf("%s recorded, %s sent in %s, %s waiting, %s.", format.Plural(r.Recorded, "event"), format.Count(r.Sent),
			format.Plural(r.Requests, "request"), format.Count(r.Pending), dropped("dropped", r.Dropped, dropMeanings))
	}
	if r.Failures > 0 {
		text += " " + format.Plural(r.Failures, "request") + " failed."
	}
	return text
}

// dropped says how many of something ended in a certain way, and how many for which reason.
func dropped(end string, by map[string]int64, meanings map[string]string) string {
	var all int64
	because, separator := "", ": "
	for _, reason := range slices.Sorted(maps.Keys(by)) {
		all += by[reason]
		because += separator + format.Count(by[reason]) + " " + cmp.Or(meanings[reason], reason)
		separator = "; "
	}
	return format.Count(all) + " " + end + because
}

// queryHistory counts the statements that the query history was asked about.
type queryHistory struct {
	telemetry.HistoryStats
	now time.Time
}

// unreportedMeanings has the texts that say why statements have no report. A text follows the number
// of statements.
var unreportedMeanings = map[string]string{
	history.DropNotFound:  "in no answer, as where the credential may not see them",
	history.DropRefused:   "after a request was refused, answered with something else, or not made because the credential or transport failed",
	history.DropQueueFull: "because 500 others waited",
	history.DropExpired:   "after more than five minutes of waiting",
	history.DropClosed:    "when the connector was closed",
	history.DropShutDown:  "when telemetry was shut down",
	history.DropBroken:    "because asking failed in this library",
}

// Summary says how many statements have a report, and why the others have none.
func (h queryHistory) Summary() string {
	if h.Statements == 0 && h.Unavailable == 0 && len(h.Clients) == 0 {
		return "No open connector asks for it (telemetry_query_history)."
	}
	text := fmt.Sprintf("%s to ask about, %s reported, %s waiting, %s. %s", format.Plural(h.Statements, "statement"), format.Count(h.Reported),
		format.Count(h.Waiting), dropped("without a report", h.Dropped, unreportedMeanings), format.Plural(h.Requests, "request"))
	if h.Failures > 0 {
		text += ", of which " + format.Count(h.Failures) + " failed"
	}
	text += "."
	if h.Unavailable > 0 {
		text += " " + format.Plural(h.Unavailable, "connector") + " could not ask: behind Wrap the credential is unknown."
	}
	return text
}
