package ndjson

import (
	"database/sql"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// sampleInterval is the shortest time between two samples of a pool.
const sampleInterval = 10 * time.Second

// sampler takes samples of pools.
type sampler struct {
	registered func() []telemetry.Pool

	mu     sync.Mutex
	next   time.Time // guarded by mu, like all below
	before map[string]state
}

// state is the sum of the statistics of pools with the same name.
type state struct {
	sql.DBStats

	at  time.Time
	ids []int64 // ids of the pools that answered
}

// due reports whether samples are due. If so, the next ones are due an interval later.
func (s *sampler) due(now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if now.Before(s.next) {
		return false
	}
	s.next = now.Add(sampleInterval)
	return true
}

// samples returns a sample of each pool, sorted by name, or none if they are not due. Pools with the
// same name count as one pool.
func (s *sampler) samples(now time.Time) (all []telemetry.PoolSample) {
	if !s.due(now) {
		return nil
	}
	states, silent := map[string]state{}, map[string]bool{}
	pools := s.registered()
	for i, answer := range telemetry.ReadPools(pools) {
		p := pools[i]
		stats, ok := answer.Get()
		if !ok {
			silent[p.Name] = true
			continue
		}
		others, several := states[p.Name]
		if several {
			stats = sum(others.DBStats, stats)
		}
		states[p.Name] = state{stats, now, append(others.ids, p.ID)}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if next := time.Now().Add(sampleInterval); next.After(s.next) {
		s.next = next // pools that answer slowly must not be sampled all the time
	}
	for _, name := range slices.Sorted(maps.Keys(states)) {
		all = append(all, s.since(name, states[name], now))
	}
	for name, before := range s.before {
		if silent[name] { // what happens meanwhile is in the sample after the pool's next answer
			states[name] = before
		}
	}
	s.before = states
	return all
}

// since returns a sample with what happened since the previous one, if that is known: all pools must
// have answered then, and no counter may have decreased. s.mu is held.
func (s *sampler) since(name string, stats state, now time.Time) telemetry.PoolSample {
	p := telemetry.PoolSample{
		Sampled: now, Pool: name, MaxOpen: stats.MaxOpenConnections, Open: stats.OpenConnections, InUse: stats.InUse, Idle: stats.Idle,
	}
	if before := s.before[name]; slices.Equal(before.ids, stats.ids) && stats.WaitCount >= before.WaitCount && stats.WaitDuration >= before.WaitDuration {
		p.Over, p.Waits, p.Waited = now.Sub(before.at), stats.WaitCount-before.WaitCount, stats.WaitDuration-before.WaitDuration
	}
	return p
}

func sum(a, b sql.DBStats) sql.DBStats {
	if a.MaxOpenConnections != 0 && b.MaxOpenConnections != 0 {
		a.MaxOpenConnections += b.MaxOpenConnections
	} else {
		a.MaxOpenConnections = 0 // no limit
	}
	a.OpenConnections += b.OpenConnections
	a.InUse += b.InUse
	a.Idle += b.Idle
	a.WaitCount += b.WaitCount
	a.WaitDuration += b.WaitDuration
	return a
}
