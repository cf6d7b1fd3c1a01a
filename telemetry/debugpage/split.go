package debugpage

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/internal/breakdown"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// split says where an amount of time went.
type split struct {
	Total duration `json:"total_ms"`
	Parts []part   `json:"parts"` // in the order of a statement's life; parts that took no time are left out
}

type part struct {
	Bound   string   `json:"bound"` // of a statement whose largest part this is
	Name    string   `json:"name"`  // also its CSS class, which decides its color
	Meaning string   `json:"meaning"`
	Time    duration `json:"time_ms"`
	Share   share    `json:"share"`

	X, W string `json:"-"` // of its segment in a bar
}

// splitOf lists the parts that took time. They add up to the total.
func splitOf(times telemetry.Split) split {
	total := times.Total()
	s := split{Total: duration(total), Parts: []part{}}
	var at time.Duration
	for _, p := range telemetry.Parts {
		d := times[p]
		if d <= 0 {
			continue
		}
		s.Parts = append(s.Parts, part{
			Bound: breakdown.Bound(p), Name: p.String(), Meaning: breakdown.Meaning(p), Time: duration(d), Share: shareOf(d, total),
			X: percent(at, total), W: percent(d, total),
		})
		at += d
	}
	return s
}

// Label describes the parts in words, for screen readers.
func (s split) Label() string {
	if len(s.Parts) == 0 {
		return "no time"
	}
	texts := make([]string, len(s.Parts))
	for i, p := range s.Parts {
		texts[i] = p.Name + " " + p.Share.String()
	}
	return strings.Join(texts, ", ")
}

// Largest returns the part that took the most time, or nil if no time passed.
func (s split) Largest() *part {
	if len(s.Parts) == 0 {
		return nil
	}
	largest := slices.MaxFunc(s.Parts, func(a, b part) int { return cmp.Compare(a.Time, b.Time) })
	return &largest
}
