package debugpage

import (
	"cmp"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/internal/format"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry/explain"
)

// The counters of sql.DBStats only grow, so what happened is the difference between two samples.
// Samples are taken when statements end and when pages are requested. One sample per second is kept
// for two minutes, and one per 30 s for an hour.
const (
	fineEvery, fineKept     = time.Second, 120
	coarseEvery, coarseKept = 30 * time.Second, 120
	poolsKept               = 64
)

// pools keeps samples of the statistics of the registered pools.
type pools struct {
	mu      sync.Mutex
	sampled time.Time     // when the latest sample was taken; guarded by mu
	all     []poolHistory // one per pool; guarded by mu
	others  int           // registered pools beyond poolsKept; guarded by mu
}

type poolHistory struct {
	id           int64        // id of its registration
	name         string       // with a number if several pools have the same name
	answered     bool         // the last time it was asked
	fine, coarse []poolSample // oldest first
}

type poolSample struct {
	at    time.Time
	stats sql.DBStats
}

// sample reads the statistics of every pool, unless it did so less than a second ago. It holds no
// lock while it reads the pools.
func (p *pools) sample(now time.Time, registered func() []telemetry.Pool) {
	p.mu.Lock()
	due := now.Sub(p.sampled) >= fineEvery
	if due {
		p.sampled = now
	}
	p.mu.Unlock()
	if !due {
		return
	}
	all := registered()
	others := max(0, len(all)-poolsKept)
	all = all[:len(all)-others]
	answers := telemetry.ReadPools(all)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.others = others
	before := p.all
	p.all = make([]poolHistory, 0, len(all))
	for i, pool := range all {
		h := poolHistory{id: pool.ID}
		if at := slices.IndexFunc(before, func(h poolHistory) bool { return h.id == pool.ID }); at >= 0 {
			h = before[at]
		}
		h.name = pool.Name
		for n := 2; slices.ContainsFunc(p.all, func(other poolHistory) bool { return other.name == h.name }); n++ {
			h.name = fmt.Sprintf("%s (%d)", pool.Name, n)
		}
		stats, answered := answers[i].Get()
		if h.answered = answered; answered {
			sample := poolSample{now, stats}
			h.fine = appendBounded(h.fine, fineKept, sample)
			if n := len(h.coarse); n == 0 || now.Sub(h.coarse[n-1].at) >= coarseEvery {
				h.coarse = appendBounded(h.coarse, coarseKept, sample)
			}
		}
		p.all = append(p.all, h)
	}
}

// appendBounded appends to a list and drops the oldest element when there are more than most.
func appendBounded[T any](list []T, most int, latest T) []T {
	if len(list) == most {
		list = slices.Delete(list, 0, 1)
	}
	return append(list, latest)
}

// views returns the pools, sorted by name, with a verdict on the last minute of each. A pool that does
// not answer is left out.
func (p *pools) views() []poolView {
	p.mu.Lock()
	defer p.mu.Unlock()
	all := make([]poolView, 0, len(p.all))
	for _, h := range p.all {
		if !h.answered {
			continue
		}
		latest := h.fine[len(h.fine)-1]
		before := h.fine[0]
		for _, s := range h.fine {
			if latest.at.Sub(s.at) >= time.Minute {
				before = s
			}
		}
		v := explain.OfPool(h.name, before.stats, latest.stats)
		s := latest.stats
		all = append(all, poolView{
			Name: h.name, Open: count(s.OpenConnections), InUse: count(s.InUse), Idle: count(s.Idle), MaxOpen: count(s.MaxOpenConnections),
			Waits: count(s.WaitCount), Waited: duration(s.WaitDuration),
			Verdict: v.Sentence, Advice: v.Advice, Since: duration(latest.at.Sub(before.at)), waited: count(latest.stats.WaitCount - before.stats.WaitCount), took: v.Time,
			ClosedIdle: count(s.MaxIdleClosed + s.MaxIdleTimeClosed), ClosedAge: count(s.MaxLifetimeClosed),
		})
	}
	slices.SortFunc(all, func(a, b poolView) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// leftOff returns how many registered pools are not sampled.
func (p *pools) leftOff() count {
	p.mu.Lock()
	defer p.mu.Unlock()
	return count(p.others)
}

// poolView describes a pool as of its latest sample.
type poolView struct {
	Name    string   `json:"name"`
	Open    count    `json:"open"`
	InUse   count    `json:"in_use"`
	Idle    count    `json:"idle"`
	MaxOpen count    `json:"max_open"` // 0 means no limit
	Waits   count    `json:"waits"`    // since the pool was opened
	Waited  duration `json:"waited_ms"`
	Verdict string   `json:"verdict,omitempty"` // on the last minute
	Advice  string   `json:"advice,omitempty"`
	Since   duration `json:"verdict_over_ms"`
	// Connections that the pool closed because of its limits.
	ClosedIdle count `json:"closed_idle"` // too many were idle, or one was idle for too long
	ClosedAge  count `json:"closed_age"`  // they were too old

	// In the period of the verdict.
	waited count         // calls that began to wait
	took   time.Duration // of the waits that ended
}

// Full reports whether all the connections that the pool may open are in use.
func (p poolView) Full() bool { return p.MaxOpen > 0 && p.InUse >= p.MaxOpen }

// allInUse returns a clause that says that the pool is full.
func (p poolView) allInUse() string {
	if p.MaxOpen == 1 {
		return "the only connection of " + p.Name + " is in use"
	}
	return "all " + p.MaxOpen.String() + " connections of " + p.Name + " are in use"
}

// Limit returns the number of connections that the pool may open, for people.
func (p poolView) Limit() string {
	if p.MaxOpen == 0 {
		return "no limit"
	}
	return p.MaxOpen.String()
}

// queueing returns a sentence for each pool that callers waited for around a time, between the two samples before
// and after it. It is unknown which pool a statement ran on and whether it waited.
func (p *pools) queueing(at time.Time) []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var sentences []string
	for _, h := range p.all {
		for _, samples := range [][]poolSample{h.fine, h.coarse} {
			i := slices.IndexFunc(samples, func(s poolSample) bool { return s.at.After(at) })
			if i <= 0 {
				continue
			}
			before, next := samples[i-1], samples[i]
			if next.at.Sub(before.at) > 2*coarseEvery {
				continue
			}
			waits := next.stats.WaitCount - before.stats.WaitCount
			if waits > 0 {
				none := ", and none of them got one"
				if waits == 1 {
					none = ", and did not get one"
				}
				took := cmp.Or(format.EndedWaits(next.stats.WaitDuration-before.stats.WaitDuration), none)
				sentences = append(sentences, fmt.Sprintf("Within %s around the start of this statement, %s for a connection of pool %s%s.",
					format.Duration(next.at.Sub(before.at)), format.Choose(waits, "call waited", "calls waited"), h.name, took))
			}
			break
		}
	}
	return sentences
}
