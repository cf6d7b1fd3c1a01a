package telemetry_test

import (
	"bytes"
	"context"
	"runtime"
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
		require.Equal(t, []telemetry.QueueStats{{Sink: "*telemetry_test.gate", Delivered: 100}}, f.Stats())
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
		require.Equal(t, []telemetry.QueueStats{{Sink: "*telemetry_test.gate", Dropped: 3, Waiting: 4}}, f.Stats())
		close(g.open)
		require.NoError(t, f.Flush(t.Context()))
		require.Equal(t, []string{"0", "3", "5", "6"}, g.seen)
	})
}

// A sink of statements only is slow while a pool opens and closes a connection for each statement.
func TestRecordsThatASinkDoesNotTakeNeitherWaitNorCount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := telemetry.Fanout{QueueSize: 3}
		g := newGate()
		f.Attach(g)
		f.Statement(statement(0, false))
		time.Sleep(time.Second) // 0 is with the sink, the queue is empty
		for i := range 3 {
			f.SessionOpened(&telemetry.SessionOpened{})
			f.Statement(statement(i+1, false))
			f.SessionClosed(&telemetry.SessionClosed{})
			f.ServerReported(&telemetry.ServerReport{})
		}
		close(g.open)
		require.NoError(t, f.Flush(t.Context()))
		require.Equal(t, []string{"0", "1", "2", "3"}, g.seen)
		require.Equal(t, []telemetry.QueueStats{{Sink: "*telemetry_test.gate", Delivered: 4}}, f.Stats())
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

		for i := range 2 {
			f.Statement(statement(i, false))
			time.Sleep(3 * time.Millisecond)
		}
		synctest.Wait()
		require.Equal(t, 129, g.count(), "the second does not keep the first waiting")
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
		require.ErrorContains(t, err, "records for *telemetry_test.gate still wait (2)")
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

// hesitant is a sink that takes its time to say that it wants records.
type hesitant struct {
	gate
	asked chan struct{} // closed when it is asked
}

func (h *hesitant) Recording() bool {
	close(h.asked)
	<-h.open
	return true
}

// The application closes the file of a sink once it is detached, while other goroutines still run statements.
func TestNoRecordReachesASinkAfterDetachHasReturned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var f telemetry.Fanout
		h := &hesitant{gate{open: make(chan struct{})}, make(chan struct{})}
		detach := f.Attach(h)
		go f.Statement(statement(1, false))
		<-h.asked
		detach()
		close(h.open)
		time.Sleep(time.Second)
		require.Zero(t, h.count())
	})
}

// A sink of the process, such as the debug page, is used by tests in bubbles and by others: none of them ends
// the process, or keeps the sink from the records of the next.
func TestASinkMayBeUsedInBubblesAndOutside(t *testing.T) {
	record := func(f *telemetry.Fanout) { f.Statement(&telemetry.Statement{}) }
	inBubble := func(t *testing.T, f *telemetry.Fanout, then func(*testing.T)) {
		synctest.Test(t, func(t *testing.T) {
			record(f)
			if then != nil {
				then(t)
			}
		})
	}
	settle := func(*testing.T) { time.Sleep(time.Second) }
	for name, use := range map[string]func(t *testing.T, f *telemetry.Fanout, delivered <-chan struct{}){
		"a bubble, then none":                               func(t *testing.T, f *telemetry.Fanout, _ <-chan struct{}) { inBubble(t, f, settle) },
		"a bubble that ends before its record is delivered": func(t *testing.T, f *telemetry.Fanout, _ <-chan struct{}) { inBubble(t, f, nil) },
		"a bubble that is full": func(t *testing.T, f *telemetry.Fanout, _ <-chan struct{}) {
			inBubble(t, f, func(*testing.T) {
				for range 100 {
					record(f)
				}
			})
		},
		"none, then a bubble": func(t *testing.T, f *telemetry.Fanout, delivered <-chan struct{}) {
			record(f)
			<-delivered
			awaitDeliveries() // else the goroutine outside may take the record of the bubble, too
			inBubble(t, f, func(t *testing.T) {
				time.Sleep(time.Second)
				require.Zero(t, f.Stats()[0].Waiting)
			})
		},
		"two bubbles": func(t *testing.T, f *telemetry.Fanout, _ <-chan struct{}) {
			inBubble(t, f, nil)
			inBubble(t, f, func(t *testing.T) {
				time.Sleep(time.Second)
				require.Zero(t, f.Stats()[0].Waiting)
			})
		},
	} {
		for end, leave := range map[string]func(*telemetry.Fanout, func()) error{
			"flush":  func(f *telemetry.Fanout, _ func()) error { return f.Flush(context.Background()) },
			"record": func(f *telemetry.Fanout, _ func()) error { record(f); return nil },
			"detach": func(_ *telemetry.Fanout, detach func()) error { detach(); return nil },
		} {
			t.Run(name+"/"+end, func(t *testing.T) {
				var f telemetry.Fanout
				delivered := make(chan struct{}, 1000)
				detach := f.Attach(sinkFunc(func(*telemetry.Statement) { delivered <- struct{}{} }))
				use(t, &f, delivered)
				before := len(delivered)
				require.NoError(t, leave(&f, detach))
				if end == "record" {
					for range before + 1 {
						<-delivered
					}
				}
				detach()
				require.Empty(t, f.Stats())
			})
		}
	}
}

// awaitDeliveries waits until no goroutine of a queue runs. One may still run when its sink has the last record.
func awaitDeliveries() {
	stacks := make([]byte, 1<<20)
	for bytes.Contains(stacks[:runtime.Stack(stacks, true)], []byte("(*sinkQueue).run(")) {
		runtime.Gosched()
	}
}

// A test in a bubble closes its pool while the goroutine of another test delivers.
func TestAFlushInABubbleMayEndOutside(t *testing.T) {
	var f telemetry.Fanout
	taken, open := make(chan struct{}), make(chan struct{})
	f.Attach(sinkFunc(func(s *telemetry.Statement) {
		if s.Connector == 1 {
			close(taken)
			<-open
		}
	}))
	f.Statement(&telemetry.Statement{Connector: 1})
	<-taken
	synctest.Test(t, func(t *testing.T) {
		f.Statement(&telemetry.Statement{Connector: 2})
		var flushed sync.WaitGroup
		flushed.Go(func() { require.NoError(t, f.FlushConnector(t.Context(), 2)) })
		synctest.Wait()
		close(open)
		flushed.Wait()
	})
}
