package debugpage

import (
	"cmp"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// What is kept. Slow and failed statements are what an operator comes for, and rare: they
// have shelves of their own, from which the many fast ones cannot push them.
const (
	recentKept, recentBytes   = 256, 4 << 20
	slowestKept, slowestBytes = 64, 2 << 20
	failedKept, failedBytes   = 64, 2 << 20
	refusedKept               = 32 // connections that could not be opened

	slowestFor = time.Hour // how long a slow statement defends its place
	queryKept  = 16 << 10  // bytes of a statement's text
)

// memory is the sink behind the pages. It is told about records by the fan-out's goroutine,
// and asked by any number of requests.
type memory struct {
	registered func() []telemetry.Pool

	counts counts
	pools  pools

	mu      sync.Mutex                 // guards all below
	recent  shelf                      // the latest, oldest first
	slowest shelf                      // the slowest of the last hour, in no order
	failed  shelf                      // the latest that failed, oldest first
	refused []*telemetry.SessionOpened // the latest that failed, oldest first
}

var _ telemetry.SessionSink = (*memory)(nil)

func newMemory(registered func() []telemetry.Pool) *memory {
	return &memory{
		registered: registered,
		recent:     shelf{most: recentKept, mostBytes: recentBytes},
		slowest:    shelf{most: slowestKept, mostBytes: slowestBytes},
		failed:     shelf{most: failedKept, mostBytes: failedBytes},
	}
}

// StatementFinished remembers a statement.
func (m *memory) StatementFinished(s *telemetry.Statement) {
	now := time.Now()
	m.counts.statement(now, s)
	m.pools.look(now, m.registered)
	s = keepable(s)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.recent.push(s)
	if s.Failed() {
		m.failed.push(s)
	}
	m.slowest.challenge(now, s)
}

// SessionOpened remembers a connection that could not be opened, and counts the others.
func (m *memory) SessionOpened(s *telemetry.SessionOpened) {
	m.counts.session(time.Now(), s)
	if !s.Failed() {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.refused = append(m.refused, s); len(m.refused) > refusedKept {
		m.refused = slices.Delete(m.refused, 0, 1)
	}
}

// SessionClosed has nothing a page shows.
func (m *memory) SessionClosed(*telemetry.SessionClosed) {}

// kept is what the shelves hold.
type kept struct {
	all             []*telemetry.Statement // each once, latest first
	slowest, failed []*telemetry.Statement // slowest first, latest first
	refused         []*telemetry.SessionOpened
}

// look copies the shelves, so that nothing is locked while a page is made of them.
func (m *memory) look(now time.Time) kept {
	m.mu.Lock()
	k := kept{
		all:     slices.Concat(m.recent.records, m.slowest.records, m.failed.records),
		slowest: slices.Clone(m.slowest.records),
		failed:  slices.Clone(m.failed.records),
		refused: slices.Clone(m.refused),
	}
	m.mu.Unlock()
	slices.SortStableFunc(k.all, latestFirst)
	once := map[*telemetry.Statement]bool{}
	k.all = slices.DeleteFunc(k.all, func(s *telemetry.Statement) bool {
		seen := once[s]
		once[s] = true
		return seen
	})
	k.slowest = slices.DeleteFunc(k.slowest, func(s *telemetry.Statement) bool { return stale(now, s) })
	slices.SortStableFunc(k.slowest, func(a, b *telemetry.Statement) int { return cmp.Compare(b.Total, a.Total) })
	slices.Reverse(k.failed)
	slices.Reverse(k.refused)
	return k
}

func latestFirst(a, b *telemetry.Statement) int { return b.Started.Compare(a.Started) }

// shelf holds a bounded number of records that take a bounded number of bytes.
type shelf struct {
	most, mostBytes int

	records []*telemetry.Statement
	bytes   int
}

// push adds a record and lets the oldest go.
func (f *shelf) push(s *telemetry.Statement) {
	f.records = append(f.records, s)
	f.bytes += weight(s)
	for len(f.records) > f.most || f.bytes > f.mostBytes {
		f.bytes -= weight(f.records[0])
		f.records[0] = nil // the array behind it stays until append needs a new one
		f.records = f.records[1:]
	}
}

// challenge adds a record in the place of one that is stale or faster, if there is such a
// one or room.
func (f *shelf) challenge(now time.Time, s *telemetry.Statement) {
	added := weight(s)
	for len(f.records) == f.most || f.bytes+added > f.mostBytes {
		weakest := 0
		for i, other := range f.records {
			if stale(now, other) {
				weakest = i
				break
			}
			if other.Total < f.records[weakest].Total {
				weakest = i
			}
		}
		if other := f.records[weakest]; !stale(now, other) && other.Total >= s.Total {
			return
		}
		f.bytes -= weight(f.records[weakest])
		f.records = slices.Delete(f.records, weakest, weakest+1)
	}
	f.records = append(f.records, s)
	f.bytes += added
}

func stale(now time.Time, s *telemetry.Statement) bool {
	return now.Sub(s.Started.Add(s.Total)) > slowestFor
}

// keepable returns the record, or, where its text is long enough to matter, a copy with the
// beginning of it: records are shared and must not be changed.
func keepable(s *telemetry.Statement) *telemetry.Statement {
	if len(s.Query) <= queryKept {
		return s
	}
	end := queryKept
	for end > 0 && !utf8.RuneStart(s.Query[end]) {
		end--
	}
	short := *s
	short.Query = strings.Clone(s.Query[:end]) + " …"
	return &short
}

var (
	statementBytes = int(reflect.TypeFor[telemetry.Statement]().Size())
	failureBytes   = int(reflect.TypeFor[telemetry.Failure]().Size())
	fetchBytes     = int(reflect.TypeFor[telemetry.CloudFetch]().Size())
	fileBytes      = int(reflect.TypeFor[telemetry.File]().Size())
	callBytes      = int(reflect.TypeFor[telemetry.Call]().Size())
	rpcBytes       = int(reflect.TypeFor[telemetry.RPC]().Size())
)

// weight is about what memory a record keeps.
func weight(s *telemetry.Statement) int {
	n := statementBytes + len(s.Server) + len(s.SessionID) + len(s.StatementID) + len(s.WorkspaceID) + len(s.Query) +
		cap(s.Calls)*callBytes + cap(s.RPCs)*rpcBytes
	for _, f := range []*telemetry.Failure{s.Failure, s.CloseFailure} {
		if f != nil {
			n += failureBytes + len(f.Message)
		}
	}
	if c := s.CloudFetch; c != nil {
		n += fetchBytes + cap(c.Files)*fileBytes
	}
	return n
}
