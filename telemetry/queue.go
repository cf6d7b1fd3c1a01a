package telemetry

import (
	"context"
	"sync"
)

// queue delivers records to one sink, in order, on a goroutine that exists only while there
// is something to deliver.
type queue struct {
	sink Sink
	size int // most records that wait

	mu      sync.Mutex
	waiting []record      // oldest first; guarded by mu
	running bool          // a goroutine delivers; guarded by mu
	idle    chan struct{} // closed while nothing waits and nobody delivers; guarded by mu
	stats   QueueStats    // guarded by mu
}

// QueueStats counts what became of the records offered to one sink.
type QueueStats struct {
	Delivered int64 // handed to the sink
	Dropped   int64 // pushed out because the sink was too slow
	Panics    int64 // deliveries in which the sink panicked
	Waiting   int   // not delivered yet
}

func newQueue(sink Sink, size int) *queue {
	idle := make(chan struct{})
	close(idle)
	return &queue{sink: sink, size: size, idle: idle}
}

// put takes the record and returns at once. A full queue loses its oldest success, or its
// oldest record when all of them are failures.
func (q *queue) put(r record) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.waiting) >= q.size {
		q.dropOne()
	}
	q.waiting = append(q.waiting, r)
	if !q.running {
		q.running = true
		q.idle = make(chan struct{})
		go q.run()
	}
}

func (q *queue) dropOne() {
	victim := 0
	for i, r := range q.waiting {
		if !r.Failed() {
			victim = i
			break
		}
	}
	copy(q.waiting[1:], q.waiting[:victim])
	q.waiting[0] = nil
	q.waiting = q.waiting[1:]
	q.stats.Dropped++
}

// run delivers until nothing waits.
func (q *queue) run() {
	for {
		q.mu.Lock()
		if len(q.waiting) == 0 {
			q.waiting = nil // let the backing array go
			q.running = false
			close(q.idle)
			q.mu.Unlock()
			return
		}
		next := q.waiting[0]
		q.waiting[0] = nil
		q.waiting = q.waiting[1:]
		q.mu.Unlock()

		panicked := q.deliver(next)

		q.mu.Lock()
		q.stats.Delivered++
		if panicked {
			q.stats.Panics++
		}
		q.mu.Unlock()
	}
}

// deliver contains whatever the sink does: a sink is somebody else's code.
func (q *queue) deliver(r record) (panicked bool) {
	panicked = true
	defer func() {
		if panicked {
			_ = recover()
		}
	}()
	r.deliver(q.sink)
	return false
}

// settle waits until everything put so far is delivered, and reports whether it was before
// ctx was done.
func (q *queue) settle(ctx context.Context) bool {
	q.mu.Lock()
	idle := q.idle
	q.mu.Unlock()
	select {
	case <-idle: // even when ctx is done already
		return true
	default:
	}
	select {
	case <-idle:
		return true
	case <-ctx.Done():
		return false
	}
}

func (q *queue) snapshot() QueueStats {
	q.mu.Lock()
	defer q.mu.Unlock()
	s := q.stats
	s.Waiting = len(q.waiting)
	return s
}
