package debugpage

import (
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

// A pool's statistics only ever grow: what happened is the difference between two looks. For
// the last two minutes there is one a second, for the last hour one in half a minute, when
// there was anything to look for.
const (
	fineEvery, fineKept     = time.Second, 120
	coarseEvery, coarseKept = 30 * time.Second, 120
	poolsKept               = 64
)

// pools remembers what the registered pools said of themselves.
type pools struct {
	mu     sync.Mutex
	looked time.Time     // guarded by mu
	all    []poolHistory // one per pool, by name; guarded by mu
}

type poolHistory struct {
	name         string
	fine, coarse []poolSample // oldest first
}

type poolSample struct {
	at    time.Time
	stats sql.DBStats
}

// look asks every pool, if the latest look was a second ago or longer. Nothing is locked
// meanwhile, and a pool that does not answer is left out.
func (p *pools) look(now time.Time, registered func() []telemetry.Pool) {
	p.mu.Lock()
	due := now.Sub(p.looked) >= fineEvery
	if due {
		p.looked = now
	}
	p.mu.Unlock()
	if !due {
		return
	}
	fresh := map[string]poolSample{}
	var names []string
	for _, pool := range registered() {
		if len(names) == poolsKept {
			break
		}
		stats, ok := pool.Stats()
		if !ok {
			continue
		}
		name := pool.Name
		for n := 2; slices.Contains(names, name); n++ {
			name = fmt.Sprintf("%s (%d)", pool.Name, n)
		}
		names = append(names, name)
		fresh[name] = poolSample{now, stats}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.all = slices.DeleteFunc(p.all, func(h poolHistory) bool { return !slices.Contains(names, h.name) })
	for _, name := range names {
		i := slices.IndexFunc(p.all, func(h poolHistory) bool { return h.name == name })
		if i < 0 {
			i = len(p.all)
			p.all = append(p.all, poolHistory{name: name})
		}
		h := &p.all[i]
		h.fine = after(h.fine, fineKept, fresh[name])
		if n := len(h.coarse); n == 0 || now.Sub(h.coarse[n-1].at) >= coarseEvery {
			h.coarse = after(h.coarse, coarseKept, fresh[name])
		}
	}
}

func after(samples []poolSample, most int, s poolSample) []poolSample {
	if len(samples) == most {
		samples = slices.Delete(samples, 0, 1)
	}
	return append(samples, s)
}

// poolView is a pool on a page.
type poolView struct {
	Name    string   `json:"name"`
	Open    count    `json:"open"`
	InUse   count    `json:"in_use"`
	Idle    count    `json:"idle"`
	MaxOpen count    `json:"max_open"` // 0 is no limit
	Waits   count    `json:"waits"`    // since the pool was opened
	Waited  duration `json:"waited_ms"`
	Verdict string   `json:"verdict,omitempty"` // about the last minute
	Advice  string   `json:"advice,omitempty"`
	Since   duration `json:"verdict_over_ms"`
	// Closed counts the connections the pool gave up because of its own limits.
	ClosedIdle count `json:"closed_idle"`
	ClosedAge  count `json:"closed_age"`
}

// Full reports whether every connection it may have is in use.
func (p poolView) Full() bool { return p.MaxOpen > 0 && p.InUse >= p.MaxOpen }

// Room is the limit as people write it.
func (p poolView) Room() string {
	if p.MaxOpen == 0 {
		return "no limit"
	}
	return p.MaxOpen.String()
}

// views describes the pools as of the latest look, and what the last minute did to them.
func (p *pools) views() []poolView {
	p.mu.Lock()
	defer p.mu.Unlock()
	all := make([]poolView, 0, len(p.all))
	for _, h := range p.all {
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
			Verdict: v.Sentence, Advice: v.Advice, Since: duration(latest.at.Sub(before.at)),
			ClosedIdle: count(s.MaxIdleClosed + s.MaxIdleTimeClosed), ClosedAge: count(s.MaxLifetimeClosed),
		})
	}
	slices.SortFunc(all, func(a, b poolView) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// queueing says which pools had callers waiting about a moment. Which of them a statement
// ran on, and whether it was among those that waited, nobody can tell.
func (p *pools) queueing(at time.Time) []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var said []string
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
				each := (next.stats.WaitDuration - before.stats.WaitDuration) / time.Duration(waits)
				said = append(said, fmt.Sprintf("Pool %s was queueing when it started: within %s about then, %s for a connection, %s on average.",
					h.name, format.Duration(next.at.Sub(before.at)), format.Choose(waits, "call waited", "calls waited"), format.Duration(each)))
			}
			break
		}
	}
	return said
}
