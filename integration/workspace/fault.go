package workspace

import (
	"math/rand/v2"
	"slices"
	"sync"
	"time"
)

// Fault disturbs requests. It hits a request that On chooses, if every condition that is set holds
// too.
type Fault struct {
	// On chooses requests; [Method], [Endpoint], [Storage], [ResultDownloads] and
	// [VolumeTransfers] make targets. Default: every request on both listeners.
	On Target

	// Skip is the number of chosen requests that pass before the first hit: Skip 2 and First 1 hit
	// only the third. Default: 0.
	Skip int

	// First is the number of hits after which the fault ends. Default: 0, no end.
	First int

	// Share is the share of the chosen requests to hit, at random but repeatable with Options.Seed.
	// Default: 0, which means all of them.
	Share float64

	// For is how long after its injection the fault ends. Default: 0, no end.
	For time.Duration

	// Do is the action on a request that is hit. Default: none; the hit is only counted.
	Do Action
}

// Injected is an active fault. Its methods may be called from any goroutine.
type Injected struct {
	set   *faultSet
	fault Fault
	until time.Time // zero: no end

	seen, hits int  // guarded by set.mu
	removed    bool // guarded by set.mu
}

// faultSet holds the active faults in the order of their injection, in which they also act.
type faultSet struct {
	mu     sync.Mutex
	active []*Injected // guarded by mu
	random *rand.Rand  // guarded by mu
}

func newFaultSet(seed int64) *faultSet {
	return &faultSet{random: rand.New(rand.NewPCG(uint64(seed), 0))}
}

// Inject activates a fault until it is removed or its conditions end it. Several faults may hit one
// request: each acts in turn until one of them answers.
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

// Remove ends the fault. Requests that it already delays stay delayed.
func (i *Injected) Remove() {
	i.set.mu.Lock()
	defer i.set.mu.Unlock()
	i.remove()
}

// remove deactivates the fault. i.set.mu is held.
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

// apply lets every fault that chooses the request act on it until one has answered, and reports
// whether one has. Later faults then do not see the request.
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

// hit decides whether the fault applies to the request, and counts it.
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
