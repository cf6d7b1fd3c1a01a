package telemetry

import (
	"context"
	"slices"
	"time"
)

// flushWaiter waits until every record up to a number is delivered or dropped.
type flushWaiter struct {
	upTo   uint64
	done   chan struct{} // closed then, by a goroutine of the same testing/synctest bubble
	bubble string        // the bubble that done belongs to
	polls  bool          // the waiter must poll: a goroutine of another bubble delivers, and must not close done
}

// everything returns the number of the latest record. q.mu is held.
func (q *sinkQueue) everything() uint64 { return q.waiting.Last() }

// beginFlush starts delivery at once and returns a waiter for the records up to the number that last
// returns, or nil when there is nothing to wait for. last is called with q.mu held.
func (q *sinkQueue) beginFlush(last func(*sinkQueue) uint64) *flushWaiter {
	q.mu.Lock()
	defer q.mu.Unlock()
	upTo := last(q)
	if q.settled(upTo) {
		return nil
	}
	if !q.running {
		q.start()
		go q.run()
	}
	here := bubble()
	w := &flushWaiter{upTo: upTo, done: make(chan struct{}), bubble: here, polls: here != "" && here != q.runner}
	q.flushes = append(q.flushes, w)
	return w
}

// behind reports whether a flush would have to wait.
func (q *sinkQueue) behind(last func(*sinkQueue) uint64) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return !q.settled(last(q))
}

// settled reports whether every record up to a number is delivered or dropped. q.mu is held.
func (q *sinkQueue) settled(upTo uint64) bool { return upTo < q.oldest() }

// hangsAfter is how long a sink may take for one record before it counts as hanging.
const hangsAfter = time.Second

// awaitFlush waits for a flush and reports whether everything was delivered before ctx was done.
func (q *sinkQueue) awaitFlush(ctx context.Context, w *flushWaiter) bool {
	var poll <-chan time.Time
	if w.polls {
		ticker := time.NewTicker(batchDelay)
		defer ticker.Stop()
		poll = ticker.C
	}
	for waits := true; waits; {
		select {
		case <-w.done:
			return true
		case <-poll:
			q.mu.Lock()
			waits = !q.settled(w.upTo)
			q.mu.Unlock()
		case <-ctx.Done():
			waits = false
		}
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.flushes = slices.DeleteFunc(q.flushes, func(other *flushWaiter) bool { return other == w })
	if q.settled(w.upTo) {
		return true // delivered just as ctx was done
	}
	if q.delivering.Value != nil && !q.gaveUp && time.Since(q.since) >= hangsAfter {
		q.gaveUp = true
		hanging.add(q)
	}
	return false
}

// endFlushes ends the flushes that have nothing left to wait for. q.mu is held.
func (q *sinkQueue) endFlushes() {
	if len(q.flushes) == 0 {
		return
	}
	q.flushes = slices.DeleteFunc(q.flushes, func(w *flushWaiter) bool {
		if !q.settled(w.upTo) || w.bubble != "" && w.bubble != bubble() {
			return false
		}
		close(w.done)
		return true
	})
}
