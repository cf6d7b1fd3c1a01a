package explain

import (
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// Part is all of a statement's time in which it waited for the same.
type Part struct {
	telemetry.Part
	// Time is the length of the part, and Share its share of the statement's total, 0 to 1.
	Time  time.Duration
	Share float64
}

// PartsOf divides a statement's time into parts, in the order of telemetry.Parts. Parts that took
// no time are left out. The parts add up to the total: what a record leaves open is unknown. The
// statement may still be running.
func PartsOf(s *telemetry.Statement) []Part {
	split, total := s.Split, s.Split.Total()
	if open := s.Total - total; open > 0 { // a record that was read back, or made by hand
		split[telemetry.PartUnknown] += open
		total = s.Total
	}
	parts := make([]Part, 0, len(telemetry.Parts))
	for _, p := range telemetry.Parts {
		if d := split[p]; d > 0 {
			parts = append(parts, Part{p, d, float64(d) / float64(total)})
		}
	}
	return parts
}

// Meaning says in a sentence what a statement waits for in a part.
func Meaning(p telemetry.Part) string { return meanings[p] }

var meanings = [len(telemetry.Parts)]string{
	telemetry.PartServer:      "The server worked on the statement, or had not answered yet.",
	telemetry.PartPoll:        "The server had finished, and no status call had noticed.",
	telemetry.PartRetry:       "Requests failed and were repeated, after a pause.",
	telemetry.PartPage:        "A result page, or what describes the result, was on its way.",
	telemetry.PartFile:        "A CloudFetch file with the next row was on its way.",
	telemetry.PartTransfer:    "A volume file went up or down.",
	telemetry.PartDecode:      "The driver turned bytes into rows.",
	telemetry.PartApplication: "The application had control; decoding single rows is in it.",
	telemetry.PartClose:       "The statement was canceled or closed.",
	telemetry.PartNetwork:     "None of the others: the network, and the driver.",
	telemetry.PartUnknown:     "What the statement waited for was not observed.",
}
