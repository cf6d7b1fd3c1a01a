package debugpage

import (
	"fmt"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/internal/format"
	"github.com/seed-01322ee7/databricks-telemetry/internal/history"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

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
