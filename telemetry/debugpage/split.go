package debugpage

import (
	"slices"
	"strings"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry/explain"
)

// class is what decides the colour of a kind of part, see style.css: that of the bars a
// waterfall has for it, where there are any.
func class(b explain.Bound) string {
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

// times is how long the parts of each of explain.PartKinds took.
type times [len(explain.PartKinds)]time.Duration

func timesOf(s *telemetry.Statement) (t times) {
	for _, p := range explain.PartsOf(s) {
		t[place(p.Bound)] += p.Time
	}
	return t
}

func place(b explain.Bound) int {
	for i := range explain.PartKinds {
		if explain.PartKinds[i].Bound == b {
			return i
		}
	}
	return len(explain.PartKinds) - 1
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
		k := &explain.PartKinds[i]
		s.Parts = append(s.Parts, part{
			Bound: k.Bound, Name: k.Name, Meaning: k.Meaning, Time: duration(d), Share: shareOf(d, total),
			Class: class(k.Bound), X: percent(at, total), W: percent(d, total),
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
