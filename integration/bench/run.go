package main

import (
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/integration/bench/internal/report"
)

// parent runs a plan: it starts the others, gives orders, and waits.
type parent struct {
	plan
	progress io.Writer

	serverCPU, clientCPU int // -1: anywhere
	server               *child
	target               target
	clients              map[string]*child
	ops                  map[string]int // per block, by workload

	begun      time.Time
	loadBefore string
	done       int // blocks
}

// run carries the plan out.
func (p plan) run(progress io.Writer) (results *report.Results, err error) {
	m := &parent{plan: p, progress: progress, clients: map[string]*child{}, ops: map[string]int{}, loadBefore: load()}
	m.serverCPU, m.clientCPU = separateCPUs()
	defer m.stopClients()
	if m.server, err = start(m.serverCPU, "server", strconv.Itoa(p.rows)); err != nil {
		return nil, err
	}
	defer func() { _ = m.server.stop() }()
	address, err := m.server.ask(order{Do: "address"})
	if err != nil {
		return nil, err
	}
	m.target = address.Target
	if err := m.calibrate(); err != nil {
		return nil, err
	}
	results = &report.Results{}
	m.begun = time.Now()
	for round := range p.rounds {
		if round%p.renew == 0 {
			if err := m.renewClients(); err != nil {
				return nil, err
			}
		}
		m.sayf("round %d of %d%s", round+1, p.rounds, m.left())
		if err := m.round(round, results); err != nil {
			return nil, err
		}
	}
	m.sayf("measured for %s", time.Since(m.begun).Round(time.Second))
	if err := m.profile(results); err != nil {
		return nil, err
	}
	results.Facts = m.facts()
	return results, nil
}

// calibrate determines how many operations make a block, with the native driver; the number is the
// same for all variants. It is not less than calibrate itself has run, however long that took: in a
// block of few operations, what else the process allocates would count for more, and a busy machine
// would seem to allocate more.
func (m *parent) calibrate() error {
	c, err := m.client(m.variants[0])
	if err != nil {
		return err
	}
	defer func() { _ = c.stop() }()
	var whole time.Duration
	for _, w := range m.workloads {
		begun := time.Now()
		b, _, err := m.block(c, w, 2*w.warm)
		if err != nil {
			return err
		}
		m.ops[w.name] = max(b.Ops, m.opsFor(b.Ops, b.Wall))
		around := time.Since(begun) - b.Wall // opening, warming up, resting
		whole += time.Duration(m.rounds*len(m.variants)) * (around + b.Wall/time.Duration(b.Ops)*time.Duration(m.ops[w.name]))
	}
	m.sayf("%d workloads, %d variants, %d rounds: about %s", len(m.workloads), len(m.variants), m.rounds, whole.Round(10*time.Second))
	return nil
}

// round runs a block of each workload with each variant.
func (m *parent) round(round int, results *report.Results) error {
	for i, w := range m.workloads {
		measured := map[string]report.Block{}
		for _, v := range m.order(round, i) {
			b, r, err := m.block(m.clients[v.name], w, m.ops[w.name])
			if err != nil {
				return err
			}
			measured[v.name] = perOp(b, r)
			m.done++
		}
		for _, v := range m.variants {
			results.Add(v.name, m.reported(w), measured[v.name])
		}
	}
	return nil
}

// profile measures what a statement's time is spent on, in turns, for the variants that explain
// each other.
func (m *parent) profile(results *report.Results) error {
	i := slices.IndexFunc(m.workloads, func(w workload) bool { return w.name == profiled })
	if i < 0 {
		return nil
	}
	for turn := range m.profiles {
		m.sayf("profile %d of %d", turn+1, m.profiles)
		for _, v := range m.variants {
			if !v.profiled {
				continue
			}
			c := m.clients[v.name]
			if _, err := c.ask(order{Do: "prepare", Workload: profiled, Ops: m.workloads[i].warm}); err != nil {
				return err
			}
			a, err := c.ask(order{Do: "profile", Ops: 10 * m.ops[profiled]})
			if err != nil {
				return err
			}
			if _, err := c.ask(order{Do: "finish"}); err != nil {
				return err
			}
			for _, s := range a.Shares {
				results.Share(s, m.profiles)
			}
		}
	}
	return nil
}

// reported is a workload as the report names it.
func (m *parent) reported(w workload) report.Workload {
	if w.rows {
		return report.Workload{Name: w.name, Rows: m.rows}
	}
	return report.Workload{Name: w.name}
}

// block runs one block with one client; no other client works meanwhile.
func (m *parent) block(c *child, w workload, ops int) (b block, r requests, err error) {
	ask := func(of *child, o order) (a answer) {
		if err == nil {
			a, err = of.ask(o)
		}
		return a
	}
	ask(c, order{Do: "prepare", Workload: w.name, Ops: w.warm})
	ask(m.server, order{Do: "forget"})
	b = ask(c, order{Do: "measure", Ops: ops}).Block
	r = ask(m.server, order{Do: "count"}).Requests
	ask(c, order{Do: "finish"})
	return b, r, err
}

// perOp divides a block by its operations.
func perOp(b block, r requests) report.Block {
	share := func(x float64) float64 { return math.Round(x/float64(b.Ops)*1e4) / 1e4 } // drops digits without meaning
	return report.Block{
		Ops: b.Ops, Wall: share(float64(b.Wall)), CPU: share(float64(b.CPU)),
		Bytes: share(float64(b.Bytes)), Allocs: share(float64(b.Allocs)),
		Workspace: share(float64(r.Workspace)), Storage: share(float64(r.Storage)), Telemetry: share(float64(r.Telemetry)),
	}
}

func (m *parent) renewClients() error {
	m.stopClients()
	for _, v := range m.variants {
		c, err := m.client(v)
		if err != nil {
			return err
		}
		m.clients[v.name] = c
	}
	return nil
}

// client starts a process for a variant.
func (m *parent) client(v variant) (*child, error) {
	c, err := start(m.clientCPU, "client", v.name)
	if err != nil {
		return nil, err
	}
	if _, err := c.ask(order{Do: "start", Target: m.target}); err != nil {
		return nil, errors.Join(err, c.stop())
	}
	return c, nil
}

func (m *parent) stopClients() {
	for name, c := range m.clients {
		_ = c.stop()
		delete(m.clients, name)
	}
}

func (m *parent) sayf(format string, args ...any) {
	fmt.Fprintf(m.progress, "bench: "+format+"\n", args...)
}

// left says how long the rest will take, once that can be estimated.
func (m *parent) left() string {
	if m.done == 0 {
		return ""
	}
	perBlock := time.Since(m.begun) / time.Duration(m.done)
	return fmt.Sprintf(", %s left", (perBlock * time.Duration(m.blocks()-m.done)).Round(time.Second))
}
