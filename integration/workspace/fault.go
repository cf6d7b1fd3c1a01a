package workspace

import (
	"math/rand/v2"
	"slices"
	"sync"
	"time"
)

// Fault makes chosen requests go wrong. Its conditions narrow each other: a request suffers
// it when On chooses it and every condition that is set holds.
type Fault struct {
	// On chooses requests; [Method], [Endpoint], [Storage], [ResultDownloads] and
	// [VolumeTransfers] make targets. Default: every request on both listeners.
	On Target

	// Skip leaves the first so many chosen requests alone: Skip 2 and First 1 hit the third
	// request only. Default: 0.
	Skip int

	// First ends the fault after it has hit so many requests. Default: 0, no end.
	First int

	// Share hits that share of the chosen requests, at random but repeatable with
	// Options.Seed. Default: 0, which means all of them.
	Share float64

	// For ends the fault so long after it was injected. Default: 0, no end.
	For time.Duration

	// Do is what happens. Default: nothing but counting.
	Do Action
}

// Injected is a fault in force. Its methods may be called from any goroutine.
type Injected struct {
	set   *faultSet
	fault Fault
	until time.Time // zero: no end

	seen, hits int  // guarded by set.mu
	removed    bool // guarded by set.mu
}

// faultSet holds the faults in force, in the order they were injected, which is the order
// they act in.
type faultSet struct {
	mu     sync.Mutex
	active []*Injected // guarded by mu
	random *rand.Rand  // guarded by mu
}

func newFaultSet(seed int64) *faultSet {
	return &faultSet{random: rand.New(rand.NewPCG(uint64(seed), 0))}
}

// Inject puts a fault in force until it is removed or its conditions end it. Several faults
// may hit one request: each acts in turn until one of them answers.
func (w *Workspace) Inject(f Fault) *Injected {
	i := &Injected{set: w.faults, fault: f}
	if f.For > 0 {
		i.until = time.Now().Add(f.For)
	}
	w.faults.mu.Lock()
	defer w.faults.mu.Unlock()
	w.faults.active = append(w.faults.active, i)
	return i
}

// Remove ends the fault. Requests it holds up already stay held up.
func (i *Injected) Remove() {
	i.set.mu.Lock()
	defer i.set.mu.Unlock()
	i.remove()
}

// remove takes the fault out of force. i.set.mu is held.
func (i *Injected) remove() {
	i.removed = true
	i.set.active = slices.DeleteFunc(i.set.active, func(other *Injected) bool { return other == i })
}

// Hits is the number of requests the fault has hit.
func (i *Injected) Hits() int {
	i.set.mu.Lock()
	defer i.set.mu.Unlock()
	return i.hits
}

// apply lets every fault that chooses the request act on it, and reports that one of them
// has answered. Those behind it have then not seen the request.
func (s *faultSet) apply(x *exchange) bool {
	s.mu.Lock()
	active := slices.Clone(s.active)
	s.mu.Unlock()
	for _, i := range active {
		if !i.hit(x) {
			continue
		}
		do := i.fault.Do
		if do.act == nil {
			continue
		}
		x.ws.ledger.update(func() { x.record.Faults = append(x.record.Faults, do.name) })
		if do.act(x) {
			return true
		}
	}
	return false
}

// hit decides whether the fault applies to the request, and counts.
func (i *Injected) hit(x *exchange) bool {
	f := i.fault
	if f.On != nil {
		var seen Request
		x.ws.ledger.update(func() { seen = *x.record })
		if !f.On(seen) {
			return false
		}
	}
	i.set.mu.Lock()
	defer i.set.mu.Unlock()
	if i.removed {
		return false
	}
	if !i.until.IsZero() && time.Now().After(i.until) {
		i.remove()
		return false
	}
	i.seen++
	if i.seen <= f.Skip || f.Share > 0 && i.set.random.Float64() >= f.Share {
		return false
	}
	i.hits++
	if i.hits == f.First {
		i.remove()
	}
	return true
}
