package main

import (
	"cmp"
	"fmt"
	"io"

	"github.com/seed-01322ee7/databricks-telemetry/internal/format"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// poolSummary sums the samples of a pool. Times are in ms.
type poolSummary struct {
	Name    string `json:"name"`
	MaxOpen int    `json:"max_open"` // the highest limit; 0 for none
	InUse   int    `json:"in_use"`   // most at the same time
	Samples int64  `json:"samples"`
	Full    int64  `json:"full"` // samples in which all connections that the limit allows were in use
	Waits   int64  `json:"waits"`
	Waited  millis `json:"waited_ms"`
}

func (p *poolSummary) add(s *telemetry.PoolSample) {
	if p.Samples == 0 || s.MaxOpen == 0 || p.MaxOpen > 0 && p.MaxOpen < s.MaxOpen {
		p.MaxOpen = s.MaxOpen
	}
	p.InUse = max(p.InUse, s.InUse)
	p.Samples++
	if s.MaxOpen > 0 && s.InUse >= s.MaxOpen {
		p.Full++
	}
	p.Waits += s.Waits
	p.Waited += millis(s.Waited)
}

func printPools(w io.Writer, pools []*poolSummary, on screen) {
	if len(pools) == 0 {
		return
	}
	fmt.Fprintln(w)
	t := table{columns: []column{
		{title: "POOL", least: leastText}, {title: "MOST IN USE", right: true}, {title: "OF", right: true}, {title: "FULL", right: true, rank: 2},
		{title: "WAITS", right: true}, {title: "WAITED", right: true},
	}}
	for _, p := range pools {
		full := cell{format.Percent(float64(p.Full) / float64(p.Samples)), red}
		t.add(cell{cmp.Or(p.Name, "(unnamed)"), bold}, number(int64(p.InUse)), cellIf(p.MaxOpen != 0, number(int64(p.MaxOpen))), cellIf(p.Full > 0, full),
			number(p.Waits), cellIf(p.Waited > 0, duration(p.Waited))) // decided by waits that ended, not by those that began
	}
	t.print(w, on)
}
