package telemetry

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/seed-01322ee7/databricks-telemetry/internal/contain"
)

// DefaultQueueSize is the number of records that wait for one slow sink before the oldest
// are dropped.
const DefaultQueueSize = 1000

// Fanout hands records to the sinks attached to it. All methods may be called concurrently;
// the ones that take a record return at once and never do I/O. The zero value is ready.
type Fanout struct {
	// QueueSize bounds the records that wait for one sink; 0 means DefaultQueueSize.
	// Set it before the first Attach.
	QueueSize int

	mu     sync.Mutex                   // serialises writers of queues
	queues atomic.Pointer[[]*sinkQueue] // replaced as a whole, read without a lock

	tracers atomic.Pointer[[]Tracer] // those among the sinks of queues; replaced with them
}

// Attach adds a sink. Detach takes it off again; records already queued still reach it.
func (f *Fanout) Attach(sink Sink) (detach func()) {
	size := f.QueueSize
	if size <= 0 {
		size = DefaultQueueSize
	}
	q := newSinkQueue(sink, size)
	f.change(func(queues []*sinkQueue) []*sinkQueue { return append(queues, q) })
	return func() {
		f.change(func(queues []*sinkQueue) []*sinkQueue {
			return slices.DeleteFunc(queues, func(other *sinkQueue) bool { return other == q })
		})
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

// Recording reports whether anybody listens. While nobody does, nothing is measured.
func (f *Fanout) Recording() bool {
	for _, q := range f.load() {
		if q.recording() {
			return true
		}
	}
	return false
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
	for _, t := range f.Tracers() {
		if tracing(t) {
			return true
		}
	}
	return false
}

// tracing asks a tracer, on the application's goroutine: a panic means no.
func tracing(t Tracer) (wants bool) {
	defer contain.Process.Recover(contain.Tracer)
	return t.Tracing()
}

// Statement hands a finished statement to every sink. The record must not change afterwards.
func (f *Fanout) Statement(s *Statement) { f.put(s) }

// SessionOpened hands the record to every sink that wants sessions.
func (f *Fanout) SessionOpened(s *SessionOpened) { f.put(s) }

// SessionClosed hands the record to every sink that wants sessions.
func (f *Fanout) SessionClosed(s *SessionClosed) { f.put(s) }

func (f *Fanout) put(r record) {
	for _, q := range f.load() {
		if q.recording() {
			q.put(r)
		}
	}
}

// Flush waits until every sink has received what was recorded before the call, or ctx is
// done; then the error says how many records still wait, and for which sink. Records that
// come later do not prolong it, and a sink that blocks keeps no other from its records.
func (f *Fanout) Flush(ctx context.Context) error { return f.flush(ctx, nil) }

// FlushConnector is Flush for the records of one connector (ConnectorInfo.ID): what waits of
// others is waited for only as far as it came before.
func (f *Fanout) FlushConnector(ctx context.Context, id int64) error {
	return f.flush(ctx, func(r record) bool { return r.connector() == id })
}

func (f *Fanout) flush(ctx context.Context, of func(record) bool) error {
	queues := f.load()
	waiters := make([]*flushWaiter, len(queues))
	for i, q := range queues {
		waiters[i] = q.flush(of)
	}
	var late []error
	for i, q := range queues {
		if w := waiters[i]; w != nil && !q.await(ctx, w) {
			late = append(late, fmt.Errorf("databricks-telemetry: %d records still wait for %T: %w", q.snapshot().Waiting, q.sink, ctx.Err()))
		}
	}
	return errors.Join(late...)
}

// Stats says what became of the records, one entry per attached sink, in the order of Attach.
func (f *Fanout) Stats() []QueueStats {
	var all []QueueStats
	for _, q := range f.load() {
		all = append(all, q.snapshot())
	}
	return all
}
