package debugpage

import (
	"cmp"
	"fmt"
	"log/slog"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

func TestConnectionsThatCouldNotBeOpenedAreListedLatestFirst(t *testing.T) {
	f := newFixture()
	for _, server := range []string{"first", "second"} {
		f.memory.SessionOpened(&telemetry.SessionOpened{Started: time.Now(), Server: server, Failure: &telemetry.Failure{Category: telemetry.CategoryAuth}})
	}
	var o struct {
		Opens []struct{ Server string } `json:"refused_connections"`
	}
	f.json(t, "/?format=json", &o)
	require.Equal(t, "second", o.Opens[0].Server)
}

func TestMemoryIsBoundedWhateverTheRecords(t *testing.T) {
	m := newMemory(telemetry.Default.Pools)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for n := range 800 {
		m.StatementFinished(largeStatement(n))
		m.SessionOpened(&telemetry.SessionOpened{Failure: &telemetry.Failure{Category: telemetry.Category(fmt.Sprint(n))}})
	}
	for _, f := range []*boundedRecords{&m.recent, &m.slowest, &m.failed} {
		require.LessOrEqual(t, f.bytes, f.maxBytes)
		require.LessOrEqual(t, len(f.records), f.maxRecords)
		sum := 0
		for _, s := range f.records {
			sum += bytesOf(s)
		}
		require.Equal(t, sum, f.bytes)
	}
	require.Len(t, m.failedOpens, failedOpensKept)
	require.LessOrEqual(t, len(m.shapes.all), shapesKept)
	require.LessOrEqual(t, len(m.failures.all), errorsKept)
	runtime.GC()
	runtime.ReadMemStats(&after)
	require.Less(t, int64(after.HeapAlloc)-int64(before.HeapAlloc), int64(10<<20))
	runtime.KeepAlive(m)
}

// largeStatement is a record with full lists, long texts and much in its context.
func largeStatement(n int) *telemetry.Statement {
	s := downloaded()
	s.StatementID, s.Total = fmt.Sprint("large ", n), time.Duration(n)*time.Millisecond
	s.Query = strings.Repeat("SELECT 'ä' ", 50_000)
	s.CloudFetch.Files = make([]telemetry.File, 256)
	s.Calls = make([]telemetry.Call, 512)
	for i := range s.CloudFetch.Files {
		s.CloudFetch.Files[i].Retried = make([]telemetry.Attempt, 16)
	}
	for i := range s.Calls {
		s.Calls[i].Retried = make([]telemetry.Attempt, 16)
	}
	s.QueryTags = map[string]string{}
	for i := range 32 {
		key := fmt.Sprint(i, strings.Repeat("k", 250))
		s.QueryTags[key] = strings.Repeat("v", 256)
		s.Attributes = append(s.Attributes, slog.String(key, strings.Repeat("v", 256)))
	}
	s.Outcome, s.Failure = telemetry.OutcomeFailed, &telemetry.Failure{Message: fmt.Sprint(n, strings.Repeat("m", 64<<10))}
	return s
}

func TestARecordLargerThanTheBoundIsNotKept(t *testing.T) {
	m := newMemory(telemetry.Default.Pools)
	m.StatementFinished(&telemetry.Statement{Total: ms(1), Failure: &telemetry.Failure{Message: strings.Repeat("m", recentBytes+1)}})
	require.Empty(t, m.snapshot().all)
	m.StatementFinished(failed())
	require.Len(t, m.snapshot().all, 1)
}

func TestLongQueryIsTruncatedInACopy(t *testing.T) {
	s, failure := largeStatement(1), failed()
	short := withShortQuery(s)
	require.Same(t, failure, withShortQuery(failure), "a record with a short query is kept itself")
	require.Len(t, s.Query, 600_000)
	require.Less(t, len(short.Query), queryKept+10)
	require.True(t, utf8.ValidString(short.Query))
	require.True(t, strings.HasSuffix(short.Query, " …"))
}

func TestSlowAndFailedStatementsAreKeptLonger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(telemetry.Default.Pools)
		m.StatementFinished(downloaded())
		quickly := failed()
		quickly.Total = ms(1)
		m.StatementFinished(quickly)
		for n := range 1000 {
			m.StatementFinished(quick(2 + n%100))
		}
		k := m.snapshot()
		require.Equal(t, downloaded().StatementID, slices.MaxFunc(k.all, func(a, b *telemetry.Statement) int { return cmp.Compare(a.Total, b.Total) }).StatementID)
		require.Contains(t, k.all, quickly)
		require.Len(t, m.slowest.records, slowestKept)
		require.LessOrEqual(t, len(k.all), recentKept+slowestKept+failedKept)
	})
}

func TestAllocationsOfAStatement(t *testing.T) {
	m, s := newMemory(func() []telemetry.Pool { return nil }), downloaded()
	for range 2 * recentKept {
		m.StatementFinished(s)
	}
	require.LessOrEqual(t, testing.AllocsPerRun(1000, func() { m.StatementFinished(s) }), 1.0)
}

func BenchmarkStatementFinished(b *testing.B) {
	m, s := newMemory(func() []telemetry.Pool { return nil }), downloaded()
	b.ReportAllocs()
	for b.Loop() {
		m.StatementFinished(s)
	}
}

// The bound of the memory counts every text of a record, but for those that are constants.
func TestTheTextsOfARecordCount(t *testing.T) {
	constants := []string{"State", "Volume"}
	base := bytesOf(&telemetry.Statement{})
	for i, f := range reflect.VisibleFields(reflect.TypeFor[telemetry.Statement]()) {
		if f.Type == reflect.TypeFor[string]() && !slices.Contains(constants, f.Name) {
			var s telemetry.Statement
			reflect.ValueOf(&s).Elem().FieldByIndex(f.Index).SetString(strings.Repeat("x", 1000))
			require.Equal(t, base+1000, bytesOf(&s), "%d: %s", i, f.Name)
		}
	}
}

func TestNoSlowStatementIsDroppedForOneThatDoesNotFit(t *testing.T) {
	sized := func(took time.Duration, calls int) *telemetry.Statement {
		return &telemetry.Statement{Started: time.Now().Add(-took), Total: took, Calls: make([]telemetry.Call, calls)}
	}
	b := boundedRecords{maxRecords: 10, maxBytes: bytesOf(sized(0, 50)) * 3}
	for _, took := range []time.Duration{time.Second, 10 * time.Second, 20 * time.Second} {
		b.offer(time.Now(), sized(took, 50))
	}
	require.Len(t, b.records, 3)
	b.offer(time.Now(), sized(5*time.Second, 120))
	require.Len(t, b.records, 3, "the room of the only faster one is not enough")
	b.offer(time.Now(), sized(4*time.Second, 50))
	require.Len(t, b.records, 3)
	require.Equal(t, 4*time.Second, b.records[2].Total, "this one fits")
	b.offer(time.Now(), sized(15*time.Second, 80))
	require.Len(t, b.records, 2)
	require.LessOrEqual(t, b.bytes, b.maxBytes)
}
