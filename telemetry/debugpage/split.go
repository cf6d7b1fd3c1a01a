package debugpage

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry/explain"
)

// split says where an amount of time went.
type split struct {
	Total duration `json:"total_ms"`
	Parts []part   `json:"parts"` // in the order of a statement's life; parts that took no time are left out
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

// splitOf names the parts of a total. Time that is in none of explain's parts has no name and
// leaves a gap at the end of a bar.
func splitOf(t partTimes, total time.Duration) split {
	total = max(total, t.sum())
	s := split{Total: duration(total), Parts: []part{}}
	var at time.Duration
	for i, d := range t {
		if d <= 0 {
			continue
		}
		k := &explain.PartKinds[i]
		s.Parts = append(s.Parts, part{
			Bound: k.Bound, Name: k.Name, Meaning: k.Meaning, Time: duration(d), Share: shareOf(d, total),
			Class: classOf(k.Bound), X: percent(at, total), W: percent(d, total),
		})
		at += d
	}
	return s
}

// Largest is the part that took the most time, nil where no time passed.
func (s split) Largest() *part {
	if len(s.Parts) == 0 {
		return nil
	}
	largest := slices.MaxFunc(s.Parts, func(a, b part) int { return cmp.Compare(a.Time, b.Time) })
	return &largest
}

// partTimes is how long the parts of each of explain.PartKinds took.
type partTimes [len(explain.PartKinds)]time.Duration

func timesOf(s *telemetry.Statement) (t partTimes) {
	for _, p := range explain.PartsOf(s) {
		for i := range explain.PartKinds {
			if explain.PartKinds[i].Bound == p.Bound {
				t[i] += p.Time
			}
		}
	}
	return t
}

func (t *partTimes) sum() (all time.Duration) {
	for _, d := range t {
		all += d
	}
	return all
}

// classOf is the CSS class that decides the colour of a kind of part. Where a waterfall has bars
// for that kind of part, they have the same class.
func classOf(b explain.Bound) string {
	switch b {
	case explain.BoundExecute:
		return string(explain.BarCall)
	case explain.BoundDownload:
		return string(explain.BarFile)
	case explain.BoundReader:
		return string(explain.BarReading)
	}
	return strings.TrimSuffix(string(b), "-bound")
}
