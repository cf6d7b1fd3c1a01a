package telemetry

import (
	"errors"
	"reflect"
	"sync"
)

// hanging has the sinks that a flush gave up on after they had had one record for a second or longer. (A
// flush in a hurry also gives up on sinks that work.) Closing a pool does not wait for these sinks: an
// application that opens a pool for each of its jobs would wait again in every close. They are known to the
// whole process, because a sink of Config.Sinks has a queue for each pool.
var hanging hangingSinks

// errHangs is why records wait for a sink that is not waited for.
var errHangs = errors.New("the sink still has an earlier record")

// hangingSinks counts the queues of each sink that were given up on. Sinks are told apart as pointers. Other
// types may not be comparable, so such a sink is known by its queue only.
type hangingSinks struct {
	mu     sync.Mutex
	queues map[any]int // by identity; guarded by mu
}

// identity is the key of a queue's sink.
func identity(q *sinkQueue) any {
	if reflect.ValueOf(q.sink).Kind() == reflect.Pointer {
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

// remove notes that the sink has returned from the record for which its queue was given up on.
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
