package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"time"
)

// plan describes a run.
type plan struct {
	rounds    int
	renew     int           // rounds after which clients are restarted
	block     time.Duration // how long a block of the native driver should take
	rows      int           // of a large result
	seed      uint64        // of the order
	profiles  int           // turns under a profile, of ten blocks each
	workloads []workload
	variants  []variant // the first is the one to compare with
}

var (
	fullPlan  = plan{rounds: 24, renew: 4, block: 300 * time.Millisecond, rows: 1_000_000, profiles: 5}
	shortPlan = plan{rounds: 6, renew: 3, block: 60 * time.Millisecond, rows: 100_000}
)

// choose narrows a plan to the workloads a regular expression matches and the variants in a
// comma-separated list. Empty is all. The first variant of all is always among them.
func (p plan) choose(expression, names string) (plan, error) {
	p.workloads, p.variants = nil, nil
	wanted, err := regexp.Compile(expression)
	if err != nil {
		return p, err
	}
	for _, w := range workloads {
		if wanted.MatchString(w.name) {
			p.workloads = append(p.workloads, w)
		}
	}
	if len(p.workloads) == 0 {
		return p, fmt.Errorf("no workload matches %q", expression)
	}
	list := strings.FieldsFunc(names, func(r rune) bool { return r == ',' || r == ' ' })
	for _, name := range list {
		if _, err := variantNamed(name); err != nil {
			return p, err
		}
	}
	for i, v := range variants {
		if i == 0 || len(list) == 0 || slices.Contains(list, v.name) {
			p.variants = append(p.variants, v)
		}
	}
	return p, p.check()
}

func (p plan) check() error {
	if p.rounds < 1 || p.renew < 1 || p.block <= 0 {
		return errors.New("there must be a round, and time for it")
	}
	if p.rows < files || p.rows%files != 0 {
		return fmt.Errorf("%d rows cannot be shared among %d files", p.rows, files)
	}
	return nil
}

// order is the order of the variants in a round: random, and reversed in the next round, so that
// over two rounds no variant always follows another.
func (p plan) order(round, workload int) []variant {
	random := rand.New(rand.NewPCG(p.seed, uint64(round/2*len(p.workloads)+workload)))
	order := slices.Clone(p.variants)
	random.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
	if round%2 == 1 {
		slices.Reverse(order)
	}
	return order
}

func (p plan) blocks() int { return p.rounds * len(p.workloads) * len(p.variants) }

// opsFor is how many operations fill a block, if ops of them took this long.
func (p plan) opsFor(ops int, took time.Duration) int {
	perOp := max(took/time.Duration(max(ops, 1)), time.Nanosecond)
	return int(max((p.block+perOp/2)/perOp, 1))
}
