package export

import (
	"context"
	"errors"
	"slices"
	"time"
)

// waiter waits until everything up to a number in the queue is sent or dropped.
type waiter struct {
	upTo uint64
	done chan error // buffered: receives once
}

// flush asks for everything up to a number in the queue to be sent now, and waits for it.
// upTo is called with p.mu held.
func (p *pipeline) flush(ctx context.Context, upTo func() uint64) error {
	w := p.beginFlush(upTo)
	select {
	case err := <-w.done:
		return err
	case <-ctx.Done():
		return p.giveUp(w, ctx.Err())
	}
}

func (p *pipeline) beginFlush(upTo func() uint64) *waiter {
	p.mu.Lock()
	defer p.mu.Unlock()
	w := &waiter{upTo: upTo(), done: make(chan error, 1)}
	p.waiters = append(p.waiters, w)
	p.wakeWaiters()
	now := time.Now()
	p.schedule(now)
	if !p.running && len(p.waiters) > 0 { // nothing can be sent now
		p.failWaiters()
		p.schedule(now)
	}
	return w
}

// giveUp ends a flush whose context is done.
func (p *pipeline) giveUp(w *waiter, why error) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.waiters = slices.DeleteFunc(p.waiters, func(other *waiter) bool { return other == w })
	select {
	case err := <-w.done: // at the last moment
		return err
	default:
		return errors.Join(p.pendingError(), why)
	}
}

// wakeWaiters lets go of the waiters whose events are settled. p.mu is held.
func (p *pipeline) wakeWaiters() {
	first := p.queue.Last() + 1
	if p.out > 0 {
		first = p.outFrom
	} else if it := p.queue.Oldest(); it != nil {
		first = it.Seq
	}
	left := p.waiters[:0]
	for _, w := range p.waiters {
		if w.upTo < first {
			w.done <- nil
		} else {
			left = append(left, w)
		}
	}
	p.waiters = left
}

// failWaiters lets go of all waiters: what they wait for cannot be sent now. p.mu is held.
func (p *pipeline) failWaiters() {
	for _, w := range p.waiters {
		w.done <- p.pendingError()
	}
	p.waiters = nil
}

// endGrace is how long ending a pipeline waits for a request it has interrupted.
const endGrace = 100 * time.Millisecond

// end drops what waits, interrupts what is under way, and lets nothing through any more.
func (p *pipeline) end(why Reason) {
	idle := p.stop(why)
	grace := time.NewTimer(endGrace)
	defer grace.Stop()
	select {
	case <-idle:
	case <-grace.C:
	}
	p.client.close()
}

// stop returns a channel that is closed when the goroutine is over.
func (p *pipeline) stop(why Reason) (idle <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.over == "" {
		p.over = why
	}
	p.stopTimer()
	p.cancel()
	if !p.running {
		p.dropAll(p.over)
	}
	return p.idle
}
