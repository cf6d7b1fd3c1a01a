package export

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// PendingError is the error of a flush that could not send all events.
type PendingError struct {
	Server string // as in PipelineStats
	Events int    // the number of events that wait
	Cause  string // why: an HTTP status, an error category, or what must happen first
}

func (e *PendingError) Error() string {
	return fmt.Sprintf("databricks-telemetry: events for %s still wait (%d): %s", e.Server, e.Events, e.Cause)
}

// waiter is a flush that waits until everything up to a number in the queue is sent or dropped.
type waiter struct {
	upTo uint64
	done chan error // buffered: receives once
}

// flush sends everything up to a number in the queue at once, and waits until that is done. upTo is
// called with p.mu held.
func (p *pipeline) flush(ctx context.Context, upTo func() uint64) error {
	w := p.beginFlush(upTo)
	select {
	case err := <-w.done:
		return err
	case <-ctx.Done():
		return p.abandonFlush(w, ctx.Err())
	}
}

func (p *pipeline) beginFlush(upTo func() uint64) *waiter {
	p.mu.Lock()
	defer p.mu.Unlock()
	w := &waiter{upTo: upTo(), done: make(chan error, 1)}
	p.waiters = append(p.waiters, w)
	p.finishWaiters()
	now := time.Now()
	p.goroutine.Schedule(now)
	if !p.goroutine.Running() && len(p.waiters) > 0 { // nothing can be sent now
		p.failWaiters()
		p.goroutine.Schedule(now)
	}
	return w
}

// abandonFlush ends a flush whose context is done.
func (p *pipeline) abandonFlush(w *waiter, why error) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.waiters = slices.DeleteFunc(p.waiters, func(other *waiter) bool { return other == w })
	select {
	case err := <-w.done: // ended just as ctx was done
		return err
	default:
		return errors.Join(p.pendingError(), why)
	}
}

// finishWaiters ends the flushes whose events are sent or dropped. p.mu is held.
func (p *pipeline) finishWaiters() {
	first := p.queue.Last() + 1
	if p.sending > 0 {
		first = p.sendingFrom
	} else if it := p.queue.Oldest(); it != nil {
		first = it.Seq
	}
	p.waiters = slices.DeleteFunc(p.waiters, func(w *waiter) bool {
		done := w.upTo < first
		if done {
			w.done <- nil
		}
		return done
	})
}

// failWaiters ends all flushes with an error, because their events cannot be sent now. p.mu is held.
func (p *pipeline) failWaiters() {
	for _, w := range p.waiters {
		w.done <- p.pendingError()
	}
	p.waiters = nil
}

// pendingError says why events wait. p.mu is held.
func (p *pipeline) pendingError() error {
	cause := p.lastError
	switch _, open := p.breaker.openUntil(); {
	case open:
		cause = strings.TrimSuffix("the circuit breaker is open after "+cause, " after ")
	case !p.loggedIn:
		cause = "the driver has not logged in yet"
	case cause == "":
		cause = "not yet sent"
	}
	return &PendingError{Server: p.client.shown, Events: p.queue.events + p.sending, Cause: cause}
}
