package telemetry_test

import (
	"context"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// gate is a sink that blocks until it is opened, then keeps the ids it received.
type gate struct {
	open chan struct{}
	mu   sync.Mutex
	seen []string
}

func (g *gate) count() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.seen)
}

func newGate() *gate { return &gate{open: make(chan struct{})} }

func (g *gate) StatementFinished(s *telemetry.Statement) {
	<-g.open
	g.mu.Lock()
	defer g.mu.Unlock()
	g.seen = append(g.seen, s.StatementID)
}

func statement(id int, failed bool) *telemetry.Statement {
	s := &telemetry.Statement{StatementID: strconv.Itoa(id)}
	if failed {
		s.Failure = &telemetry.Failure{Category: telemetry.CategoryOther}
	}
	return s
}

func TestRecordsArriveInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var f telemetry.Fanout
		g := newGate()
		f.Attach(g)
		var want []string
		for i := range 100 {
			f.Statement(statement(i, false))
			want = append(want, strconv.Itoa(i))
		}
		close(g.open)
		require.NoError(t, f.Flush(t.Context()))
		require.Equal(t, want, g.seen)
		require.Equal(t, []telemetry.QueueStats{{Delivered: 100}}, f.Stats())
	})
}

func TestAFullQueueDropsItsOldestSuccessesFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := telemetry.Fanout{QueueSize: 3}
		g := newGate()
		f.Attach(g)
		f.Statement(statement(0, false))
		time.Sleep(time.Second) // 0 is with the sink, the queue is empty
		f.Statement(statement(1, true))
		f.Statement(statement(2, false))
		f.Statement(statement(3, true))
		f.Statement(statement(4, false)) // drops 2, the only success
		f.Statement(statement(5, true))  // drops 4
		f.Statement(statement(6, true))  // drops 1, the oldest of failures only
		require.Equal(t, []telemetry.QueueStats{{Dropped: 3, Waiting: 4}}, f.Stats())
		close(g.open)
		require.NoError(t, f.Flush(t.Context()))
		require.Equal(t, []string{"0", "3", "5", "6"}, g.seen)
	})
}

func TestRecordsWaitAMomentForOthersAtMost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var f telemetry.Fanout
		g := newGate()
		close(g.open)
		f.Attach(g)
		for i := range 63 {
			f.Statement(statement(i, false))
		}
		synctest.Wait()
		require.Zero(t, g.count())
		time.Sleep(5 * time.Millisecond)
		synctest.Wait()
		require.Equal(t, 63, g.count(), "after 5 ms")

		for i := range 64 {
			f.Statement(statement(i, false))
		}
		synctest.Wait()
		require.Equal(t, 127, g.count(), "enough not to wait")
	})
}

func TestNothingRunsWhileNothingWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // fails when a goroutine is left
		var f telemetry.Fanout
		require.False(t, f.Recording())
		detach := f.Attach(newGate())
		require.True(t, f.Recording())
		detach()
		detach()
		require.False(t, f.Recording())
		f.Statement(statement(1, false))
		require.NoError(t, f.Flush(t.Context()))
	})
}

func TestFlushEndsWithItsContextAndSaysWhatWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var f telemetry.Fanout
		g := newGate()
		f.Attach(g)
		f.Statement(statement(1, false))
		f.Statement(statement(2, false))
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		err := f.Flush(ctx)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorContains(t, err, "2 records still wait for *telemetry_test.gate")
		close(g.open)
		require.NoError(t, f.Flush(t.Context()))
	})
}

func TestRecordingFromManyGoroutinesDropsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := telemetry.Fanout{QueueSize: 10_000}
		g := newGate()
		close(g.open)
		f.Attach(g)
		var wg sync.WaitGroup
		for range 10 {
			wg.Go(func() {
				for i := range 1000 {
					f.Statement(statement(i, false))
				}
			})
		}
		wg.Wait()
		require.NoError(t, f.Flush(t.Context()))
		require.Len(t, g.seen, 10_000)
	})
}

func TestTakingARecordAllocatesNothing(t *testing.T) {
	var f telemetry.Fanout
	g := newGate()
	f.Attach(g)
	defer close(g.open)
	s := statement(1, false)
	for range 2000 { // twice the size of the queue: from here on each record replaces one
		f.Statement(s)
	}
	require.Zero(t, testing.AllocsPerRun(1000, func() { f.Statement(s) }))
}

// What a sink writes to is closed as soon as the sink is detached.
func TestDetachingWaitsForWhatWasRecorded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var f telemetry.Fanout
		var taken []string
		slow := 20 * time.Millisecond
		detach := f.Attach(sinkFunc(func(s *telemetry.Statement) {
			time.Sleep(slow)
			taken = append(taken, s.StatementID)
		}))
		for i := range 50 {
			f.Statement(&telemetry.Statement{StatementID: strconv.Itoa(i)})
		}
		detach()
		require.Len(t, taken, 50)
		require.Equal(t, "49", taken[49])

		slow = time.Hour
		detach = f.Attach(sinkFunc(func(*telemetry.Statement) { time.Sleep(slow) }))
		f.Statement(&telemetry.Statement{})
		start := time.Now()
		detach()
		require.Equal(t, 2*time.Second, time.Since(start))
		time.Sleep(slow)
	})
}

func TestASinkMayBeDetachedOutsideTheBubbleThatUsedIt(t *testing.T) {
	var f telemetry.Fanout
	detach := f.Attach(sinkFunc(func(*telemetry.Statement) {}))
	synctest.Test(t, func(*testing.T) { f.Statement(&telemetry.Statement{}) })
	detach()
	require.Empty(t, f.Stats())
}
