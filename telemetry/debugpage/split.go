package debugpage

import (
	"slices"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry/explain"
)

// bounds are the parts a statement's time is cut into, in the order of its life, and what
// pages call them. The class decides the colour, see style.css.
var bounds = [...]struct {
	bound       explain.Bound
	name, class string
	meaning     string
}{
	{explain.ServerBound, "warehouse", "server", "The warehouse worked on the statement."},
	{explain.ExecuteBound, "call", "call", "The call, where a record does not tell its parts apart."},
	{explain.PollBound, "poll wait", "poll", "The result was ready before a status call noticed."},
	{explain.RetryBound, "retry pauses", "retry", "Between calls that failed and their repetition."},
	{explain.PageBound, "result pages", "page", "The reader waited for result pages."},
	{explain.DownloadBound, "downloads", "file", "The reader waited for CloudFetch files."},
	{explain.ReaderBound, "reading", "reading", "Rows were decoded, and the application worked between them."},
	{explain.CloseBound, "close", "close", "Closing the rows."},
	{explain.NetworkBound, "network and driver", "network", "What the others leave: network, and the driver itself."},
}

// times is how long each of bounds took.
type times [len(bounds)]time.Duration

func timesOf(s *telemetry.Statement) (t times) {
	for _, p := range explain.PartsOf(s) {
		t[place(p.Bound)] += p.Time
	}
	return t
}

func place(b explain.Bound) int {
	for i, known := range bounds {
		if known.bound == b {
			return i
		}
	}
	return len(bounds) - 1
}

func (t *times) sum() (all time.Duration) {
	for _, d := range t {
		all += d
	}
	return all
}

// split is where an amount of time went.
type split struct {
	Total duration `json:"total_ms"`
	Parts []part   `json:"parts"` // in the order of a statement's life, what took no time left out
}

type part struct {
	Bound   explain.Bound `json:"bound"`
	Name    string        `json:"name"`
	Meaning string        `json:"meaning"`
	Time    duration      `json:"time_ms"`
	Share   share         `json:"share"`

	Class string `json:"-"` // decides its colour
	X, W  string `json:"-"` // of its segment in a bar
}

// splitOf names the parts. What they leave of the total, which is none of explain's parts,
// has no name and is left open in a bar.
func splitOf(t times, total time.Duration) split {
	total = max(total, t.sum())
	s := split{Total: duration(total), Parts: []part{}}
	var at time.Duration
	for i, d := range t {
		if d <= 0 {
			continue
		}
		b := bounds[i]
		s.Parts = append(s.Parts, part{
			Bound: b.bound, Name: b.name, Meaning: b.meaning, Time: duration(d), Share: shareOf(d, total),
			Class: b.class, X: percent(at, total), W: percent(d, total),
		})
		at += d
	}
	return s
}

// Largest is the part that took most, nil where no time passed.
func (s split) Largest() *part {
	if len(s.Parts) == 0 {
		return nil
	}
	largest := slices.MaxFunc(s.Parts, func(a, b part) int { return int(min(1, max(-1, a.Time-b.Time))) })
	return &largest
}
