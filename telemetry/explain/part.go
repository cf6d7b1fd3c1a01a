package explain

import (
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// Part is all of a statement's time that is of one kind; see [PartKinds].
type Part struct {
	// Bound is the verdict on a statement whose largest part is this one.
	Bound Bound
	// Name is what tables and legends call the part, such as "downloads".
	Name string
	// Time is the length of the part, and Share its share of the statement's total, 0 to 1.
	Time  time.Duration
	Share float64
}

// PartsOf divides a statement's time into parts, in the order of a statement's life. Parts
// that took no time are left out. Parts do not overlap. Their sum is the total or less: the
// rest is time whose kind the record does not tell. The statement may still be running.
func PartsOf(s *telemetry.Statement) []Part {
	a := allocator{total: s.Total, left: s.Total, parts: make([]Part, 0, len(PartKinds))}
	call := s.Execute
	if s.Outcome == telemetry.OutcomeRunning && call == 0 {
		call = s.Total
	}
	server, timed := s.Split.Server.Get()
	if timed {
		a.take(BoundServer, min(server, call))
	} else {
		a.take(BoundExecute, call-pausesIn(s, call))
	}
	a.take(BoundPoll, s.Split.PollWait.Or(0))
	a.take(BoundRetry, s.Split.Retries.Or(0))
	a.take(BoundPage, s.Split.Pages.Or(0))
	a.take(BoundDownload, s.Split.Files.Or(0))
	a.take(BoundReader, readingOf(s))
	a.take(BoundClose, s.Close.Or(0))
	if timed || len(s.RPCs) > 0 {
		a.take(BoundNetwork, a.left)
	}
	return a.parts
}

// allocator allots a statement's time to parts until none is left.
type allocator struct {
	total, left time.Duration
	parts       []Part
}

func (a *allocator) take(b Bound, d time.Duration) {
	if d = min(d, a.left); d > 0 {
		a.left -= d
		a.parts = append(a.parts, Part{b, kindOf(b).Name, d, float64(d) / float64(a.total)})
	}
}

// pausesIn is how much of the pauses between attempts lies within the call. Where a record
// does not say which RPCs the pauses were between, all of them count as the call's, unless an
// RPC outside the call was repeated, too.
func pausesIn(s *telemetry.Statement, call time.Duration) (d time.Duration) {
	outside := false
	for _, r := range s.RPCs {
		switch r.Method {
		case "FetchResults", "CancelOperation", "CloseOperation":
			outside = outside || r.Retries > 0
		default:
			d += r.Backoff
		}
	}
	if !outside {
		d = s.Split.Retries.Or(0)
	}
	return min(d, call)
}

// readingOf is the time spent reading rows. Where the record does not split it, that is what
// waiting for pages and files leaves of the time from the first row to the last.
func readingOf(s *telemetry.Statement) time.Duration {
	if reading, ok := s.Split.Reading.Get(); ok {
		return reading
	}
	consume, ok := s.Consume.Get()
	if !ok {
		return 0
	}
	return consume + s.FirstRow.Or(0) - s.Split.Pages.Or(0) - s.Split.Files.Or(0)
}
