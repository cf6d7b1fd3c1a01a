package debugpage

import (
	"cmp"
	"slices"
	"sync"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// Bounds on what is kept. Operators look for slow and failed statements, which are rare. These are
// kept separately, so that the many fast ones cannot displace them.
const (
	recentKept, recentBytes   = 256, 4 << 20
	slowestKept, slowestBytes = 64, 2 << 20
	failedKept, failedBytes   = 64, 2 << 20
	failedOpensKept           = 32 // connections that could not be opened
)

// memory is the sink behind the pages. The fan-out of telemetry delivers records on one
// goroutine; any number of requests read.
type memory struct {
	registeredPools func() []telemetry.Pool

	counts   counts
	shapes   shapes
	failures failures
	pools    pools
	reports  serverReports

	mu          sync.Mutex                 // guards all below
	recent      boundedRecords             // the latest statements, oldest first
	slowest     boundedRecords             // the slowest statements of the last hour, in no order
	failed      boundedRecords             // the latest that failed, oldest first
	failedOpens []*telemetry.SessionOpened // the latest that failed, oldest first
}

var (
	_ telemetry.SessionSink = (*memory)(nil)
	_ telemetry.ReportSink  = (*memory)(nil)
)

func newMemory(registeredPools func() []telemetry.Pool) *memory {
	now := time.Now()
	line := newTimeline(now)
	return &memory{
		counts:          counts{timeline: line, since: now},
		shapes:          shapes{groups[string, counted]{timeline: line, most: shapesKept, merge: (*counted).add}},
		failures:        failures{groups[errorKind, int64]{timeline: line, most: errorsKept, merge: func(to, one *int64) { *to += *one }}},
		registeredPools: registeredPools,
		recent:          boundedRecords{maxRecords: recentKept, maxBytes: recentBytes},
		slowest:         boundedRecords{maxRecords: slowestKept, maxBytes: slowestBytes},
		failed:          boundedRecords{maxRecords: failedKept, maxBytes: failedBytes},
	}
}

// StatementFinished counts and keeps a statement.
func (m *memory) StatementFinished(s *telemetry.Statement) {
	now := time.Now()
	m.counts.addStatement(now, s)
	m.shapes.addStatement(now, s)
	if s.Failed() {
		m.failures.add(now, ofStatement, s.Failure, keyOf(s))
	}
	m.pools.sample(now, m.registeredPools)
	s = withShortQuery(s)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.recent.add(s)
	if s.Failed() {
		m.failed.add(s)
	}
	m.slowest.offer(now, s)
}

// SessionOpened counts a connection, and keeps one that could not be opened.
func (m *memory) SessionOpened(s *telemetry.SessionOpened) {
	now := time.Now()
	m.counts.addSession(now, s)
	if !s.Failed() {
		return
	}
	m.failures.add(now, ofConnection, s.Failure, "")
	m.mu.Lock()
	defer m.mu.Unlock()
	m.failedOpens = appendBounded(m.failedOpens, failedOpensKept, s)
}

// SessionClosed does nothing: no page shows closed connections.
func (m *memory) SessionClosed(*telemetry.SessionClosed) {}

// snapshot is a copy of what a memory keeps.
type snapshot struct {
	all         []*telemetry.Statement // each once, latest first
	failedOpens []*telemetry.SessionOpened
}

// snapshot copies what is kept, so that nothing is locked while a page is built from the copy.
func (m *memory) snapshot() snapshot {
	m.mu.Lock()
	c := snapshot{
		all:         slices.Concat(m.recent.records, m.slowest.records, m.failed.records),
		failedOpens: slices.Clone(m.failedOpens),
	}
	m.mu.Unlock()
	slices.SortStableFunc(c.all, latestFirst)
	seen := map[*telemetry.Statement]bool{}
	c.all = slices.DeleteFunc(c.all, func(s *telemetry.Statement) bool {
		duplicate := seen[s]
		seen[s] = true
		return duplicate
	})
	slices.Reverse(c.failedOpens)
	return c
}

func latestFirst(a, b *telemetry.Statement) int { return b.Started.Compare(a.Started) }

func slowestFirst(a, b *telemetry.Statement) int { return cmp.Compare(b.Total, a.Total) }
