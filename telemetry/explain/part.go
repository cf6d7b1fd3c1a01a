package explain

import (
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// Part is a stretch of a statement's time that is of one kind.
type Part struct {
	// Bound is what a statement is bound by of which this is the largest part.
	Bound Bound
	// Name is what tables and legends call it, such as "downloads".
	Name string
	// Time is how long it took, Share its part of the whole, 0 to 1.
	Time  time.Duration
	Share float64
}

// PartsOf cuts a statement's time into parts, in the order of its life, what took no time
// left out. They do not overlap, and sum to the whole or less: what lies between them is of
// no kind that the record tells. The statement may still be running.
func PartsOf(s *telemetry.Statement) []Part {
	k := knife{statement: s, left: s.Total}
	call := s.Execute
	if s.Outcome == telemetry.OutcomeRunning && call == 0 {
		call = s.Total
	}
	server, timed := s.Split.Server.Get()
	if timed {
		k.cut(BoundServer, min(server, call))
	} else {
		k.cut(BoundExecute, call-pausesIn(s, call))
	}
	k.cut(BoundPoll, s.Split.PollWait.Or(0))
	k.cut(BoundRetry, s.Split.Retries.Or(0))
	k.cut(BoundPage, s.Split.Pages.Or(0))
	k.cut(BoundDownload, s.Split.Files.Or(0))
	k.cut(BoundReader, readingOf(s))
	k.cut(BoundClose, s.Close.Or(0))
	if timed || len(s.RPCs) > 0 {
		k.cut(BoundNetwork, k.left)
	}
	return k.parts
}

// knife cuts parts off a statement's time.
type knife struct {
	statement *telemetry.Statement
	left      time.Duration
	parts     []Part
}

func (k *knife) cut(b Bound, d time.Duration) {
	if d = min(d, k.left); d > 0 {
		k.left -= d
		k.parts = append(k.parts, Part{b, kindOf(b).Name, d, float64(d) / float64(k.statement.Total)})
	}
}

// pausesIn is how much of the pauses between attempts lies within the call. Where a record
// does not say which calls the pauses were between, they count as the call's unless others
// were repeated, too.
func pausesIn(s *telemetry.Statement, call time.Duration) (d time.Duration) {
	elsewhere := false
	for _, r := range s.RPCs {
		switch r.Method {
		case "FetchResults", "CancelOperation", "CloseOperation":
			elsewhere = elsewhere || r.Retries > 0
		default:
			d += r.Backoff
		}
	}
	if !elsewhere {
		d = s.Split.Retries.Or(0)
	}
	return min(d, call)
}

// readingOf is the time rows were read; where it is not split, what waiting leaves of it.
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
