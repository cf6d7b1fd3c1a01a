package otelsink

import (
	"database/sql"
	"maps"
	"slices"
	"sync"

	"go.opentelemetry.io/otel/metric"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"

	"github.com/seed-01322ee7/databricks-telemetry/internal/contain"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// pools observes the pools that the application registered. Pools with the same name count as one, which has no
// maximum if one of them has none. If one of them does not answer, the connections are not observed. Counters keep
// the values shown before, also those of pools that are no longer registered: a reader that takes differences would
// count a whole counter as new after a collection without it, or when a sum has decreased.
func (o observer) pools(to metric.Observer) {
	defer contain.Process.Recover(contain.Spans)
	pools := o.process.Pools()
	for name, p := range o.shown.byName(pools, telemetry.ReadPools(pools)) {
		o.pool(to, name, p)
	}
}

func (o observer) pool(to metric.Observer, pool string, s *namedPool) {
	name := semconv.DBClientConnectionPoolName(pool)
	if !s.unknown {
		o.count(to, o.poolCount, int64(s.Idle), name, semconv.DBClientConnectionStateIdle)
		o.count(to, o.poolCount, int64(s.InUse), name, semconv.DBClientConnectionStateUsed)
		if !s.unlimited {
			o.count(to, o.poolMax, int64(s.MaxOpenConnections), name)
		}
	}
	if !s.counted {
		return
	}
	o.count(to, o.poolWaits, s.WaitCount, name)
	to.ObserveFloat64(o.poolWaitTime, s.WaitDuration.Seconds(), o.with(name))
	o.count(to, o.poolClosed, s.MaxIdleClosed, name, closeReasonKey.String("max_idle"))
	o.count(to, o.poolClosed, s.MaxIdleTimeClosed, name, closeReasonKey.String("max_idle_time"))
	o.count(to, o.poolClosed, s.MaxLifetimeClosed, name, closeReasonKey.String("max_lifetime"))
}

// namedPool sums the pools of one name.
type namedPool struct {
	sql.DBStats
	unknown   bool // one of them did not answer, or none is registered
	unlimited bool // one of them has no maximum
	counted   bool // one of them has answered, now or before
}

// shownPools keeps the counters of pools as they were last shown.
type shownPools struct {
	pools func() []telemetry.Pool // that are registered now

	mu         sync.Mutex             // guards all below
	registered map[int64]shownPool    // by Pool.ID
	gone       []shownPool            // no longer registered, the latest last; each may be registered again
	rest       map[string]sql.DBStats // sums of those that were too many for gone, by name
}

// maxGone bounds the pools in gone. A process may register a pool for each of its jobs.
const maxGone = 100

type shownPool struct {
	telemetry.Pool // without Stats, which would keep a pool alive that is no longer registered
	counters       sql.DBStats
}

func newShownPools(pools func() []telemetry.Pool) *shownPools {
	return &shownPools{pools: pools, registered: map[int64]shownPool{}, rest: map[string]sql.DBStats{}}
}

// byName sums pools that have just been read, by name. A pool that is no longer registered counts among those that
// are gone, because another reader may already have moved it there.
func (s *shownPools) byName(pools []telemetry.Pool, answers []telemetry.Maybe[sql.DBStats]) map[string]*namedPool {
	s.mu.Lock()
	defer s.mu.Unlock()
	registered := s.update(s.pools())
	all := map[string]*namedPool{}
	for i, p := range pools {
		if !registered[p.ID] {
			continue
		}
		sum := all[p.Name]
		if sum == nil {
			sum = &namedPool{}
			all[p.Name] = sum
		}
		stats, ok := answers[i].Get()
		if !ok {
			sum.unknown = true
			continue
		}
		s.show(p, stats)
		sum.Idle += stats.Idle
		sum.InUse += stats.InUse
		sum.MaxOpenConnections += stats.MaxOpenConnections
		sum.unlimited = sum.unlimited || stats.MaxOpenConnections == 0
	}
	count := func(name string, counters sql.DBStats) {
		sum := all[name]
		if sum == nil {
			sum = &namedPool{unknown: true}
			all[name] = sum
		}
		sum.counted = true
		addCounters(&sum.DBStats, counters)
	}
	for _, p := range s.registered {
		count(p.Name, p.counters)
	}
	for _, p := range s.gone {
		count(p.Name, p.counters)
	}
	for name, counters := range s.rest {
		count(name, counters)
	}
	return all
}

// show notes the counters of a pool. s.mu is held.
func (s *shownPools) show(p telemetry.Pool, counters sql.DBStats) {
	p.Stats = nil
	s.registered[p.ID] = shownPool{p, latest(s.registered[p.ID].counters, counters)}
}

// update notes which pools are registered now, and returns their ids. s.mu is held.
func (s *shownPools) update(pools []telemetry.Pool) map[int64]bool {
	ids, names := map[int64]bool{}, map[string]bool{}
	for _, p := range pools {
		ids[p.ID], names[p.Name] = true, true
	}
	for id, p := range s.registered {
		if !ids[id] {
			delete(s.registered, id)
			s.gone = append(s.gone, p)
		}
	}
	for _, p := range pools {
		if i := slices.IndexFunc(s.gone, func(g shownPool) bool { return g.Same(p) }); i >= 0 {
			s.show(p, s.gone[i].counters) // the same sql.DB registered again, with the same counters
			s.gone = slices.Delete(s.gone, i, i+1)
		}
	}
	for ; len(s.gone) > maxGone; s.gone = slices.Delete(s.gone, 0, 1) {
		sum := s.rest[s.gone[0].Name]
		addCounters(&sum, s.gone[0].counters)
		s.rest[s.gone[0].Name] = sum
	}
	for _, p := range s.gone {
		names[p.Name] = true
	}
	maps.DeleteFunc(s.rest, func(name string, _ sql.DBStats) bool { return !names[name] })
	return ids
}

// addCounters adds the statistics that only grow.
func addCounters(to *sql.DBStats, s sql.DBStats) {
	to.WaitCount += s.WaitCount
	to.WaitDuration += s.WaitDuration
	to.MaxIdleClosed += s.MaxIdleClosed
	to.MaxIdleTimeClosed += s.MaxIdleTimeClosed
	to.MaxLifetimeClosed += s.MaxLifetimeClosed
}

// latest returns the later of two states of a pool's counters that several readers read at the same
// time.
func latest(a, b sql.DBStats) sql.DBStats {
	return sql.DBStats{
		WaitCount:         max(a.WaitCount, b.WaitCount),
		WaitDuration:      max(a.WaitDuration, b.WaitDuration),
		MaxIdleClosed:     max(a.MaxIdleClosed, b.MaxIdleClosed),
		MaxIdleTimeClosed: max(a.MaxIdleTimeClosed, b.MaxIdleTimeClosed),
		MaxLifetimeClosed: max(a.MaxLifetimeClosed, b.MaxLifetimeClosed),
	}
}
