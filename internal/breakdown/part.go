package breakdown

import (
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// Part is all the time that a statement spent waiting for one thing.
type Part struct {
	telemetry.Part
	// Time is the length of the part, and Share its share of the statement's total, 0 to 1.
	Time  time.Duration
	Share float64
}

// PartsOf divides a statement's time into parts, in the order of telemetry.Parts. Parts that took no
// time are left out. The parts add up to the total: time that the record does not account for is
// PartUnknown. The statement may still be running.
func PartsOf(s *telemetry.Statement) []Part {
	split := SplitOf(s)
	total := split.Total()
	parts := make([]Part, 0, len(telemetry.Parts))
	for _, p := range telemetry.Parts {
		if d := split[p]; d > 0 {
			parts = append(parts, Part{p, d, float64(d) / float64(total)})
		}
	}
	return parts
}

// SplitOf returns the times of PartsOf, with 0 for each part that took no time.
func SplitOf(s *telemetry.Statement) (split telemetry.Split) {
	for p, d := range s.Split {
		split[p] = max(0, d)
	}
	total := split.Total()
	if open := s.Total - total; open > 0 { // a record made by hand or read from a file
		to := telemetry.PartUnknown
		if open < Rounding {
			for p, d := range split {
				if d > split[to] {
					to = telemetry.Part(p)
				}
			}
		}
		split[to] += open
	}
	return split
}

// Rounding is the most by which the parts of a record that was written in whole microseconds can fall
// short of its total.
const Rounding = time.Duration(len(telemetry.Parts)) * time.Microsecond

// Bound returns the Bound of the verdict on a statement whose largest part is p.
func Bound(p telemetry.Part) string {
	if p == telemetry.PartUnknown {
		return p.String()
	}
	return p.String() + "-bound"
}

// Meaning returns a sentence that says what a statement waits for in a part.
func Meaning(p telemetry.Part) string {
	if int(p) >= len(meanings) {
		return meanings[telemetry.PartUnknown]
	}
	return meanings[p]
}

var meanings = [len(telemetry.Parts)]string{
	telemetry.PartServer:      "The server worked on the statement, or had not answered yet.",
	telemetry.PartPoll:        "The server had finished, and no status call had noticed.",
	telemetry.PartRetry:       "Requests failed and were repeated, after a pause.",
	telemetry.PartPage:        "A result page, or what describes the result, was on its way.",
	telemetry.PartFile:        "A CloudFetch file with the next row was on its way.",
	telemetry.PartTransfer:    "A volume file went up or down; attempts that failed are in it.",
	telemetry.PartDecode:      "The driver turned bytes into rows.",
	telemetry.PartApplication: "The application had control; decoding single rows is in it.",
	telemetry.PartClose:       "The statement was canceled or closed.",
	telemetry.PartNetwork:     "What no other part explains: the network, and the driver itself.",
	telemetry.PartUnknown:     "What the statement waited for was not observed.",
}
