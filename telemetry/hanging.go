package telemetry

import (
	"context"
	"errors"
	"reflect"
	"sync"
)

// hanging has the sinks that a flush gave up on while they had the same record for a second: one in a hurry
// gives up on sinks that work, too. A pool that is closed does not wait for them: an application that opens
// a pool for each of its jobs would wait again in every close. A sink may have a queue for each pool
// (Config.Sinks), so they are known to the whole process.
var hanging hangingSinks

// hung is the context of a flush that does not wait, because the sink hangs; errHung is why such a flush failed.
var (
	hung    = canceled()
	errHung = errors.New("the sink has not returned from an earlier record")
)

func canceled() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}

// hangingSinks counts the queues of each sink that were given up on. A sink that is no pointer is known by
// its queue only: not all others can be compared.
type hangingSinks struct {
	mu     sync.Mutex
	queues map[any]int // by identity; guarded by mu
}

// identity is what a queue's sink is known by.
func identity(q *sinkQueue) any {
	if reflect.TypeOf(q.sink).Kind() == reflect.Pointer {
		return q.sink
	}
	return q
}

// add notes that a queue was given up on.
func (h *hangingSinks) add(q *sinkQueue) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.queues == nil {
		h.queues = map[any]int{}
	}
	h.queues[identity(q)]++
}

// remove notes that the record has returned which a queue was given up on for.
func (h *hangingSinks) remove(q *sinkQueue) {
	h.mu.Lock()
	defer h.mu.Unlock()
	id := identity(q)
	if h.queues[id]--; h.queues[id] == 0 {
		delete(h.queues, id)
	}
}

// has reports whether the queue, or another one of its sink, was given up on.
func (h *hangingSinks) has(q *sinkQueue) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.queues) > 0 && h.queues[identity(q)] > 0
}
