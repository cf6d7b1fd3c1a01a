package telemetry

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/internal/contain"
)

// Fanout passes records to the sinks attached to it. All methods may be called concurrently; the
// methods that take a record return at once and never do I/O. The zero value is ready to use.
type Fanout struct {
	// QueueSize is the largest number of records that wait for one sink; 0 means 1000. A full queue
	// drops its oldest success, or its oldest failure if it holds only failures. Set QueueSize before
	// the first Attach.
	QueueSize int

	mu     sync.Mutex                   // serializes writers of queues
	queues atomic.Pointer[[]*sinkQueue] // replaced as a whole, read without a lock

	tracers atomic.Pointer[[]Tracer] // those among the sinks of queues; replaced with them
}

// detachTimeout is how long detaching a sink waits for it.
const detachTimeout = 2 * time.Second

// Attach adds a sink. The returned detach removes it, accepts no more records for it, and waits up to 2 s until
// the queued records have reached the sink, so that the application can then close the sink's file. Records that a
// slower sink has not received by then still reach it later. A sink must not detach itself while it receives a
// record: detach would wait the full 2 s.
func (f *Fanout) Attach(sink Sink) (detach func()) {
	size := f.QueueSize
	if size <= 0 {
		size = defaultQueueSize
	}
	q := newSinkQueue(sink, size)
	f.change(func(queues []*sinkQueue) []*sinkQueue { return append(queues, q) })
	return func() {
		f.change(func(queues []*sinkQueue) []*sinkQueue {
			return slices.DeleteFunc(queues, func(other *sinkQueue) bool { return other == q })
		})
		q.detach()
		ctx, cancel := context.WithTimeout(context.Background(), detachTimeout)
		defer cancel()
		if w := q.beginFlush((*sinkQueue).everything); w != nil {
			q.awaitFlush(ctx, w)
		}
	}
}

func (f *Fanout) change(edit func([]*sinkQueue) []*sinkQueue) {
	f.mu.Lock()
	defer f.mu.Unlock()
	queues := edit(slices.Clone(f.load()))
	var tracers []Tracer
	for _, q := range queues {
		if t, ok := q.sink.(Tracer); ok {
			tracers = append(tracers, t)
		}
	}
	f.tracers.Store(&tracers)
	f.queues.Store(&queues)
}

func (f *Fanout) load() []*sinkQueue {
	if p := f.queues.Load(); p != nil {
		return *p
	}
	return nil
}

// Recording reports whether an attached sink wants records.
func (f *Fanout) Recording() bool {
	return slices.ContainsFunc(f.load(), (*sinkQueue).recording)
}

// Tracers returns the attached sinks that follow calls while they happen, in the order of
// Attach. The slice must not be changed.
func (f *Fanout) Tracers() []Tracer {
	if p := f.tracers.Load(); p != nil {
		return *p
	}
	return nil
}

// Tracing reports whether an attached Tracer wants to follow calls now.
func (f *Fanout) Tracing() bool {
	return slices.ContainsFunc(f.Tracers(), tracing)
}

// tracing calls a tracer on the application's goroutine: a panic means no.
func tracing(t Tracer) (wants bool) {
	contain.Process.Call(contain.Tracer, func() { wants = t.Tracing() })
	return wants
}

// Statement passes a finished statement to every sink. The record must not change afterwards.
func (f *Fanout) Statement(s *Statement) { f.enqueue(s) }

// PendingStatement passes a finished statement to every sink, with its Shape. The record must not
// change afterwards. It may be passed to several fan-outs.
func (f *Fanout) PendingStatement(p *PendingStatement) { f.enqueue(p) }

// SessionOpened passes the record to every sink that is a SessionSink.
func (f *Fanout) SessionOpened(s *SessionOpened) { f.enqueue(s) }

// SessionClosed passes the record to every sink that is a SessionSink.
func (f *Fanout) SessionClosed(s *SessionClosed) { f.enqueue(s) }

// ServerReported passes the report to every sink that is a ReportSink.
func (f *Fanout) ServerReported(r *ServerReport) { f.enqueue(r) }

// Reporting reports whether an attached ReportSink wants records. While none does, the query
// history is not asked.
func (f *Fanout) Reporting() bool {
	return slices.ContainsFunc(f.load(), func(q *sinkQueue) bool {
		_, ok := q.sink.(ReportSink)
		return ok && q.recording()
	})
}

func (f *Fanout) enqueue(r record) {
	queues := f.load()
	contain.Each(len(queues), func(i int) {
		if q := queues[i]; takes(q.sink, r) && q.recording() {
			q.enqueue(r)
		}
	})
}

// Flush waits until every sink has received what was recorded before the call, or ctx is done; then
// the error says how many records still wait, and for which sink. Later records do not prolong the
// wait, and a sink that blocks does not delay the others.
func (f *Fanout) Flush(ctx context.Context) error {
	return f.flush(ctx, (*sinkQueue).everything, nil)
}

// FlushConnector is Flush for the records of one connector (ConnectorInfo.ID). It waits for records of
// other connectors only if they are ahead of that connector's in a queue. FlushConnector does not wait for
// a sink that hangs: one that an earlier flush gave up on after the sink had spent a second or longer on a
// single record. The sink hangs until it returns from that record.
func (f *Fanout) FlushConnector(ctx context.Context, id int64) error {
	return f.flush(ctx, func(q *sinkQueue) uint64 { return q.latest[id] }, hanging.has)
}

// flush waits, in each queue that skip does not exclude (nil excludes none), for the records up to the number
// that last returns.
func (f *Fanout) flush(ctx context.Context, last func(*sinkQueue) uint64, skip func(*sinkQueue) bool) error {
	queues := f.load()
	waiters := make([]*flushWaiter, len(queues))
	var errs []error
	add := func(q *sinkQueue, why error) {
		stats := q.snapshot()
		errs = append(errs, fmt.Errorf("databricks-telemetry: records for %s still wait (%d): %w", stats.Sink, stats.Waiting, why))
	}
	for i, q := range queues {
		if skip == nil || !skip(q) {
			waiters[i] = q.beginFlush(last)
		} else if q.behind(last) {
			add(q, errHangs)
		}
	}
	for i, q := range queues {
		if w := waiters[i]; w != nil && !q.awaitFlush(ctx, w) {
			add(q, ctx.Err())
		}
	}
	return errors.Join(errs...)
}

// Stats returns the counts of each attached sink, in the order of Attach.
func (f *Fanout) Stats() []QueueStats {
	var all []QueueStats
	for _, q := range f.load() {
		all = append(all, q.snapshot())
	}
	return all
}
