package telemetry

import (
	"errors"
	"reflect"
	"sync"
)

// hanging lists the sinks that a flush gave up on after they had spent a second or longer on a single
// record. (A flush with a short deadline also gives up on sinks that work.) Closing a pool does not wait
// for these sinks: an application that opens a pool for each of its jobs would wait again in every close.
// The list belongs to the process, because a sink of Config.Sinks has a queue for each pool.
var hanging hangingSinks

// errHangs is the error for records that wait for a sink that hangs.
var errHangs = errors.New("the sink still has an earlier record")

// hangingSinks counts, for each sink, the queues that a flush gave up on. A sink that is a pointer is
// identified by it. Other types may not be comparable, so such a sink is identified by its queue.
type hangingSinks struct {
	mu     sync.Mutex
	queues map[any]int // by identity; guarded by mu
}

// identity returns the key of a queue's sink.
func identity(q *sinkQueue) any {
	if reflect.ValueOf(q.sink).Kind() == reflect.Pointer {
		return q.sink
	}
	return q
}

// add notes that a flush gave up on a queue.
func (h *hangingSinks) add(q *sinkQueue) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.queues == nil {
		h.queues = map[any]int{}
	}
	h.queues[identity(q)]++
}

// remove notes that the sink has returned from the record because of which a flush gave up on its
// queue.
func (h *hangingSinks) remove(q *sinkQueue) {
	h.mu.Lock()
	defer h.mu.Unlock()
	id := identity(q)
	if h.queues[id]--; h.queues[id] == 0 {
		delete(h.queues, id)
	}
}

// has reports whether a flush gave up on the queue, or on another queue of the same sink.
func (h *hangingSinks) has(q *sinkQueue) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.queues) > 0 && h.queues[identity(q)] > 0
}
