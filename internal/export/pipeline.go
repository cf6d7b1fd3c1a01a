package export

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/internal/contain"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

const urgentWait = 200 * time.Millisecond // how soon after a terminal failure it is sent

// pipeline sends the events of one host and credential. Records are put in from any
// goroutine; one goroutine takes them out, and exists only while it has something to send.
// Between two batches there is a timer and nothing else.
type pipeline struct {
	exporter *Exporter
	settings telemetry.Settings // with defaults
	flag     *flag              // of the host
	client   *client
	breaker  *breaker
	ctx      context.Context // done when the pipeline is over
	cancel   context.CancelFunc

	sendBody body // owned by the goroutine

	refs int // connectors; guarded by exporter.mu

	mu        sync.Mutex // guards all below
	queue     collector
	out       int           // events the goroutine has taken out
	outFrom   uint64        // number of the first of them
	running   bool          // the goroutine exists
	idle      chan struct{} // closed while it does not
	timer     *time.Timer   // starts it; nil until first needed
	wake      time.Time     // when the timer is due; zero: it is not set
	wait      time.Duration // how long an event may wait
	urgent    time.Time     // when to send earlier than that; zero: no need
	sent      time.Time     // when the goroutine last sent for urgency
	notBefore time.Time
	loggedIn  bool // the driver has logged in: the authenticator may be asked
	over      Reason
	waiters   []*waiter
	lastError string
}

func newPipeline(x *Exporter, f *flag, c *Connection, settings telemetry.Settings) *pipeline {
	p := &pipeline{exporter: x, settings: settings, flag: f, client: newClient(c, settings, &x.contained)}
	p.breaker = newBreaker(settings, func() { x.counts.opened.Add(1) })
	p.ctx, p.cancel = context.WithCancel(context.Background())
	// The first wait is nearly any part of the interval: processes that are started together
	// have their first events together, and should not report them together.
	p.wait = settings.FlushInterval/10 + rand.N(settings.FlushInterval*9/10+1)
	p.idle = make(chan struct{})
	close(p.idle)
	return p
}

// put takes an entry of h. It never blocks for longer than another put takes.
func (p *pipeline) put(h *Handle, e entry, loggedIn, urgent bool) {
	x := p.exporter
	x.counts.recorded.Add(int64(e.events))
	now := time.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.over != "" {
		x.counts.drop(p.over, int(e.events))
		return
	}
	p.loggedIn = p.loggedIn || loggedIn
	if !p.settings.ForceEnable && p.flag.off() {
		x.counts.drop(DropFlagOff, int(e.events))
		return
	}
	e.at = now
	p.queue.push(e)
	h.last = p.queue.Last()
	p.bound()
	if urgent && p.urgent.IsZero() {
		p.urgent = now.Add(urgentWait)
		if again := p.sent.Add(p.settings.FlushInterval); again.After(p.urgent) {
			p.urgent = again
		}
	}
	p.schedule(now)
}

// bound makes room by dropping what can be missed most. One record always has room, or those
// that make more events than a small queue holds would never be sent.
func (p *pipeline) bound() {
	for p.queue.events > p.settings.QueueSize && p.queue.Len() > 1 {
		p.exporter.counts.drop(DropQueueFull, int(p.queue.evict().Value.events))
	}
	for int64(p.queue.bytes) > maxQueueBytes(p.settings) {
		p.exporter.counts.drop(DropQueueBytes, int(p.queue.evict().Value.events))
	}
}

// due returns when the next batch is to be sent; false when there is nothing to wait for.
func (p *pipeline) due(now time.Time) (at time.Time, ok bool) {
	if p.queue.Len() == 0 || !p.loggedIn && !p.mayGoAnonymously(now) {
		return time.Time{}, false
	}
	at = now
	// A queue that is smaller than a batch is emptied before it overflows.
	if len(p.waiters) == 0 && p.queue.Len() < p.settings.BatchSize && p.queue.events < (p.settings.QueueSize+1)/2 {
		at = p.queue.Oldest().Value.at.Add(p.wait)
		if !p.urgent.IsZero() && p.urgent.Before(at) {
			at = p.urgent
		}
	}
	if at.Before(p.notBefore) {
		at = p.notBefore
	}
	return at, true
}

// mayGoAnonymously: the flag cannot be asked for without logging in, so it must be known.
func (p *pipeline) mayGoAnonymously(now time.Time) bool {
	if p.settings.ForceEnable {
		return true
	}
	state, _ := p.flag.state(p.client.via, now)
	return state == flagOn
}

// schedule starts the goroutine, or sets the timer for when it is needed. p.mu is held.
func (p *pipeline) schedule(now time.Time) {
	if p.running || p.over != "" {
		return
	}
	at, ok := p.due(now)
	switch {
	case !ok:
		p.stopTimer()
	case !at.After(now):
		p.stopTimer()
		p.running = true
		p.idle = make(chan struct{})
		go p.run()
	case p.wake.IsZero() || !p.wake.Equal(at):
		p.wake = at
		if p.timer == nil {
			p.timer = time.AfterFunc(at.Sub(now), p.alarm)
		} else {
			p.timer.Reset(at.Sub(now))
		}
	}
}

func (p *pipeline) stopTimer() {
	if !p.wake.IsZero() {
		p.timer.Stop()
		p.wake = time.Time{}
	}
}

func (p *pipeline) alarm() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.wake = time.Time{}
	p.schedule(time.Now())
}

// run takes turns until there is nothing to do now.
func (p *pipeline) run() {
	over := false
	defer func() {
		if !over {
			p.breakDown()
		}
	}()
	over = p.exporter.contained.Call(contain.Export, func() {
		for p.turn() {
		}
	})
}

// breakDown ends a goroutine that panicked. Nothing below may; should it all the same, what
// was taken out is lost and the rest waits for better times.
func (p *pipeline) breakDown() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.exporter.counts.drop(DropBroken, p.out)
	p.out, p.notBefore = 0, time.Now().Add(p.settings.FlushInterval)
	p.rest(time.Now())
}

// step is what the goroutine does next, without the lock.
type step struct {
	over      bool     // nothing: the goroutine ends
	ask       *origin  // ask for the flag, as this connector
	batch     []queued // send these
	anonymous bool     // without authentication
}

// turn does one thing: it asks for the flag, or sends a batch. It reports false when the
// goroutine is over.
func (p *pipeline) turn() bool {
	switch s := p.next(); {
	case s.over:
		return false
	case s.ask != nil:
		p.askFlag(s.ask)
	case s.batch != nil:
		p.settle(p.deliver(s.batch, s.anonymous))
	}
	return true
}

// next decides. It takes out what is to be sent.
func (p *pipeline) next() step {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	p.wakeWaiters()
	at, ok := p.due(now)
	if p.over != "" {
		p.dropAll(p.over)
		ok = false
	}
	if !ok || at.After(now) {
		p.rest(now)
		return step{over: true}
	}
	if until, open := p.breaker.holdsUntil(); open {
		p.notBefore = until
		return step{}
	}
	state := flagOn
	if !p.settings.ForceEnable {
		state, at = p.flag.state(p.client.via, now)
	}
	switch state {
	case flagOff:
		p.dropAll(DropFlagOff)
	case flagUnreadable:
		p.notBefore = at
	case flagUnasked:
		if p.loggedIn {
			return step{ask: p.queue.Oldest().Value.origin}
		}
	default:
		batch, anonymous := p.cut(now)
		return step{batch: batch, anonymous: anonymous}
	}
	return step{}
}

// rest ends the goroutine: waiters that are left cannot be served now. p.mu is held.
func (p *pipeline) rest(now time.Time) {
	p.failWaiters()
	if p.running {
		p.running = false
		close(p.idle)
	}
	p.schedule(now)
}

// cut takes the next batch out: events that go to the same endpoint for the same workspace,
// up to the size of a batch. p.mu is held.
func (p *pipeline) cut(now time.Time) (batch []queued, anonymous bool) {
	anonymous = !p.loggedIn
	p.wait = p.settings.FlushInterval
	if !p.urgent.IsZero() && !p.urgent.After(now) {
		p.sent = now
	}
	org := ""
	for it := p.queue.Oldest(); it != nil; it = p.queue.Oldest() {
		e := &it.Value
		if now.Sub(e.at) > maxAge(p.settings) {
			p.exporter.counts.drop(DropExpired, int(p.queue.pop().Value.events))
			continue
		}
		if len(batch) == p.settings.BatchSize {
			break
		}
		if id := e.org(); id != "" && id != org {
			if org != "" {
				break
			}
			org = id
		}
		if batch == nil {
			batch = make([]queued, 0, min(p.queue.Len(), p.settings.BatchSize))
		}
		batch = append(batch, p.queue.pop())
		p.out += int(batch[len(batch)-1].Value.events)
	}
	if len(batch) > 0 {
		p.outFrom = batch[0].Seq
	}
	if p.queue.Len() == 0 {
		p.urgent = time.Time{}
	}
	return batch, anonymous
}

// settle takes in what became of a batch.
func (p *pipeline) settle(o outcome) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.out = 0
	p.lastError = o.problem
	if len(o.back) == 0 {
		return
	}
	p.queue.putBack(o.back)
	p.bound()
	now := time.Now()
	p.notBefore = now.Add(o.pause)
	p.failWaiters()
}

// problem is what the latest request failed of.
func (p *pipeline) problem() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.lastError
}

// dropAll empties the queue. p.mu is held.
func (p *pipeline) dropAll(why Reason) {
	for p.queue.Len() > 0 {
		p.exporter.counts.drop(why, int(p.queue.pop().Value.events))
	}
	p.wakeWaiters()
}
