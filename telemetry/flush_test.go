package telemetry_test

import (
	"context"
	"errors"
	"runtime"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/internal/shared"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// sinkFunc is a sink made of a function.
type sinkFunc func(*telemetry.Statement)

func (f sinkFunc) StatementFinished(s *telemetry.Statement) { f(s) }

func withTimeout(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// 900 records a second and a sink that takes a millisecond for each: the queue is hardly ever
// empty, and a flush ends all the same, as soon as what came before it is delivered.
func TestFlushIsNotProlongedByLaterRecords(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var f telemetry.Fanout
		var delivered []string
		f.Attach(sinkFunc(func(s *telemetry.Statement) {
			time.Sleep(time.Millisecond)
			delivered = append(delivered, s.StatementID)
		}))
		stop := make(chan struct{})
		var recording sync.WaitGroup
		recording.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				case <-time.After(time.Second / 900):
					f.Statement(statement(i, false))
				}
			}
		})
		for range 5 {
			time.Sleep(time.Second)
			start := time.Now()
			require.NoError(t, f.Flush(withTimeout(t)))
			require.Less(t, time.Since(start), 100*time.Millisecond, "in fake time")
		}
		close(stop)
		recording.Wait()
		require.NoError(t, f.Flush(t.Context()))
		require.Greater(t, len(delivered), 4000)
	})
}

// A sink that blocks does not delay the others, and the error of a flush names it.
func TestASinkThatBlocksDelaysNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var f telemetry.Fanout
		blocked, free := newGate(), newGate()
		close(free.open)
		f.Attach(blocked)
		f.Attach(free)
		for i := range 10 {
			f.Statement(statement(i, false))
		}
		err := f.Flush(withTimeout(t))
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Equal(t, 10, free.count())

		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		f.Statement(statement(10, false))
		require.ErrorIs(t, f.Flush(ctx), context.Canceled)
		close(blocked.open)
		require.NoError(t, f.Flush(t.Context()))
		require.Equal(t, 11, blocked.count())
		require.Equal(t, 11, free.count())
	})
}

// A pool that is closed waits for its own records, not for the records of another pool.
func TestFlushingAConnectorWaitsForItsOwnRecords(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var f telemetry.Fanout
		g := newGate()
		f.Attach(g)
		of := func(connector int64) *telemetry.Statement { return &telemetry.Statement{Connector: connector} }

		require.NoError(t, f.FlushConnector(withTimeout(t), 1))
		for range 10 {
			f.Statement(of(2))
		}
		time.Sleep(time.Second) // the sink hangs with one of them
		start := time.Now()
		require.NoError(t, f.FlushConnector(withTimeout(t), 1))
		require.Zero(t, time.Since(start), "no record of its own waits")

		f.Statement(of(1))
		require.Error(t, f.FlushConnector(withTimeout(t), 1))
		require.Error(t, f.FlushConnector(withTimeout(t), 2), "the sink has one of its records")
		close(g.open)
		synctest.Wait() // until then the sink counts as one that hangs
		require.NoError(t, f.FlushConnector(withTimeout(t), 1))
		require.NoError(t, f.Flush(t.Context()))
	})
}

// The error of a flush is that of its context, also where the application gave that a cause of its own.
func TestAFlushThatRunsOutOfTimeSaysSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var f telemetry.Fanout
		g := newGate()
		defer close(g.open)
		f.Attach(g)
		f.Statement(&telemetry.Statement{Connector: 1})
		for _, flush := range []func(context.Context) error{f.Flush, func(ctx context.Context) error { return f.FlushConnector(ctx, 1) }} {
			ctx, cancel := context.WithTimeoutCause(t.Context(), time.Millisecond, errors.New("the job is over"))
			defer cancel()
			require.ErrorIs(t, flush(ctx), context.DeadlineExceeded)
		}
	})
}

func TestAFlushThatIsGivenUpEndsNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var f telemetry.Fanout
		g := newGate()
		f.Attach(g)
		f.Statement(statement(1, false))
		patient := make(chan error)
		go func() { patient <- f.Flush(t.Context()) }()
		synctest.Wait()
		require.Error(t, f.Flush(withTimeout(t)))
		close(g.open)
		require.NoError(t, <-patient)
	})
}

// An application that opens a pool for each of its jobs waits once for a sink that hangs, not in every close.
func TestASinkThatHangsIsWaitedForOnce(t *testing.T) {
	uncomparable := func(g *gate) telemetry.Sink { return sinkFunc(g.StatementFinished) }
	itself := func(g *gate) telemetry.Sink { return g }
	for name, tc := range map[string]struct {
		sink    func(*gate) telemetry.Sink
		fanouts int
	}{
		"attached to the process": {itself, 1},
		"of the Config of pools":  {itself, 20},
		"of no comparable type":   {uncomparable, 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newGate()
				sink := tc.sink(g)
				fanouts := make([]telemetry.Fanout, tc.fanouts)
				for i := range fanouts {
					fanouts[i].Attach(sink)
				}
				start := time.Now()
				closed := func(connector int64) error {
					f := &fanouts[connector%int64(len(fanouts))]
					f.Statement(&telemetry.Statement{Connector: connector})
					return f.FlushConnector(withTimeout(t), connector)
				}
				require.ErrorIs(t, closed(0), context.DeadlineExceeded)
				for i := range int64(19) {
					require.ErrorContains(t, closed(i+1), "still has an earlier record")
				}
				require.Equal(t, 2*time.Second, time.Since(start))

				// Who says how long to wait is not refused, and a sink that works again is waited for again.
				require.ErrorIs(t, fanouts[0].Flush(withTimeout(t)), context.DeadlineExceeded)
				close(g.open)
				synctest.Wait()
				require.NoError(t, closed(20))
				for i := range fanouts {
					require.NoError(t, fanouts[i].Flush(t.Context()))
				}
				require.Equal(t, 21, g.count())
			})
		})
	}
}

func TestANilSinkIsToldApartFromOneThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var hangs, broken telemetry.Fanout
		g := newGate()
		hangs.Attach(g)
		broken.Attach(nil)
		for _, f := range []*telemetry.Fanout{&hangs, &broken} {
			f.Statement(&telemetry.Statement{Connector: 1})
		}
		require.ErrorIs(t, hangs.FlushConnector(withTimeout(t), 1), context.DeadlineExceeded)
		broken.Statement(&telemetry.Statement{Connector: 1})
		require.NoError(t, broken.FlushConnector(withTimeout(t), 1))
		close(g.open)
		require.NoError(t, hangs.Flush(t.Context()))
	})
}

// A sink that ends its goroutine, or panics, costs the record it was passed and no other.
func TestASinkMayExitItsGoroutine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var f telemetry.Fanout
		delivered := 0
		f.Attach(sinkFunc(func(s *telemetry.Statement) {
			switch i, _ := strconv.Atoi(s.StatementID); i % 10 {
			case 3:
				runtime.Goexit()
			case 7:
				panic("no")
			}
			delivered++
		}))
		before := sinkIncidents()
		for i := range 100 {
			f.Statement(statement(i, false))
			time.Sleep(time.Millisecond)
		}
		require.NoError(t, f.Flush(t.Context()))
		require.Equal(t, 80, delivered)
		require.Equal(t, []telemetry.QueueStats{{Sink: "telemetry_test.sinkFunc", Delivered: 100, Panics: 10, Goexits: 10}}, f.Stats())
		after := sinkIncidents()
		require.EqualValues(t, 10, after.Panics-before.Panics)
		require.EqualValues(t, 10, after.Goexits-before.Goexits)
		require.Contains(t, after.First, "(*sinkQueue)", "the stack of the first, whichever test that was in")
	})
}

func sinkIncidents() telemetry.Contained {
	for _, c := range telemetry.ReadStats().Contained {
		if c.Place == "sink" {
			return c
		}
	}
	return telemetry.Contained{}
}

// A queue full of failures takes a record as fast as an empty one, because this happens on the
// application's goroutine. If it looked at every record, this test would not end.
func TestAFullQueueOfFailuresTakesARecordAtOnce(t *testing.T) {
	const size = 50_000
	f := telemetry.Fanout{QueueSize: size}
	g := newGate()
	f.Attach(g)
	failed := statement(0, true)
	for range 5 * size {
		f.Statement(failed)
	}
	s := f.Stats()[0]
	require.InDelta(t, 4*size, s.Dropped, 1)
	require.EqualValues(t, 5*size, s.Dropped+int64(s.Waiting), "the first is with the sink by now, or was dropped")
	close(g.open)
	require.NoError(t, f.Flush(t.Context()))
}

// join adds a value to those that packages share in a process.
func join[T any](p *telemetry.Process, value T) { shared.Of(p.Shared(), func() *T { return &value }) }

// sender is called by Flush and Shutdown of its process.
type sender func(context.Context) error

func (s sender) Flush(ctx context.Context) error    { return s(ctx) }
func (s sender) Shutdown(ctx context.Context) error { return s(ctx) }

// connectorSinks are the sinks that a connector has of its own.
type connectorSinks struct{ of *telemetry.Fanout }

func (s connectorSinks) FlushSinks(ctx context.Context) error { return s.of.Flush(ctx) }

func TestShutdownDeliversWhatIsReportedLast(t *testing.T) {
	for name, sinks := range map[string]func(*telemetry.Process) *telemetry.Fanout{
		"to the sinks of the process": func(p *telemetry.Process) *telemetry.Fanout { return &p.Fanout },
		"to those of a connector": func(p *telemetry.Process) *telemetry.Fanout {
			var own telemetry.Fanout
			join(p, connectorSinks{&own})
			return &own
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var p telemetry.Process
				to := sinks(&p)
				delivered := 0
				to.Attach(sinkFunc(func(*telemetry.Statement) {
					time.Sleep(time.Second)
					delivered++
				}))
				join(&p, sender(func(context.Context) error {
					time.Sleep(time.Second)
					to.Statement(statement(1, false))
					return nil
				}))
				require.NoError(t, p.Shutdown(t.Context()))
				require.Equal(t, 1, delivered)
			})
		})
	}
}

func TestASinkThatBlocksTakesNoTimeFromTheReport(t *testing.T) {
	for name, flush := range map[string]func(*telemetry.Process, context.Context) error{
		"Flush": (*telemetry.Process).Flush, "Shutdown": (*telemetry.Process).Shutdown,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var p telemetry.Process
				release := make(chan struct{})
				defer close(release)
				p.Attach(sinkFunc(func(*telemetry.Statement) { <-release }))
				sends := func(ctx context.Context) error { // takes a second, such as a request
					select {
					case <-time.After(time.Second):
						return nil
					case <-ctx.Done():
						return ctx.Err()
					}
				}
				var errs []error
				join(&p, sender(func(ctx context.Context) error {
					err := sends(ctx)
					errs = append(errs, err)
					return err
				}))
				p.Statement(statement(1, false))
				require.ErrorIs(t, flush(&p, withTimeout(t)), context.DeadlineExceeded, "the sink has not received its record")
				require.Equal(t, []error{nil}, errs)
			})
		})
	}
}

// A request to Databricks takes a second, and meanwhile a sink begins to block with a record that was made after
// the call of Flush.
func TestAFlushOfTheProcessIsNotProlongedByLaterRecords(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p telemetry.Process
		g := newGate()
		defer close(g.open)
		p.Attach(sinkFunc(func(s *telemetry.Statement) {
			if s.Failed() {
				g.StatementFinished(s)
			}
		}))
		join(&p, sender(func(context.Context) error {
			time.Sleep(time.Second)
			return nil
		}))
		p.Statement(statement(1, false))
		time.AfterFunc(time.Second/2, func() { p.Statement(statement(2, true)) })
		require.NoError(t, p.Flush(withTimeout(t)))
	})
}

// A sink that takes a little for each record does not hang: a flush in a hurry says nothing of it to the close of
// another pool.
func TestASinkThatIsSlowIsWaitedForAfterAFlushInAHurry(t *testing.T) {
	canceled := func(t *testing.T) context.Context {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		return ctx
	}
	hurried := func(t *testing.T) context.Context {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Millisecond)
		t.Cleanup(cancel)
		return ctx
	}
	for name, hurry := range map[string]func(*testing.T) context.Context{"canceled": canceled, "a short timeout": hurried} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var f telemetry.Fanout
				delivered := 0
				f.Attach(sinkFunc(func(*telemetry.Statement) {
					time.Sleep(10 * time.Millisecond)
					delivered++
				}))
				for i := range 100 {
					f.Statement(&telemetry.Statement{Connector: int64(i % 2)})
				}
				synctest.Wait() // the sink has the first one
				require.Error(t, f.FlushConnector(hurry(t), 0))
				require.Error(t, f.Flush(hurry(t)))
				require.NoError(t, f.FlushConnector(withTimeout(t), 1))
				require.Equal(t, 100, delivered)
			})
		})
	}
}
