package export

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

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
	seq       uint64        // of the latest entry
	out       int           // events the goroutine has taken out
	outFrom   uint64        // seq of the first of them
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

// waiter waits until everything up to a place in the queue is settled.
type waiter struct {
	upTo uint64
	done chan error // buffered: receives once
}

func newPipeline(x *Exporter, f *flag, c *Connection, settings telemetry.Settings) *pipeline {
	p := &pipeline{exporter: x, settings: settings, flag: f, client: newClient(c, settings, &x.counts.panics)}
	p.breaker = newBreaker(settings, func() { x.counts.opened.Add(1) })
	p.ctx, p.cancel = context.WithCancel(context.Background())
	// The first wait is nearly any part of the interval: processes that are started together
	// have their first events together, and should not report them together.
	p.wait = settings.FlushInterval/10 + rand.N(settings.FlushInterval*9/10+1)
	p.idle = make(chan struct{})
	close(p.idle)
	return p
}

// put takes an entry. It never blocks for longer than another put takes.
func (p *pipeline) put(e entry, loggedIn, urgent bool) {
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
	if !p.settings.ForceEnable && p.flag.off(now) {
		x.counts.drop(FlagOff, int(e.events))
		return
	}
	p.seq++
	e.seq, e.at = p.seq, now
	p.queue.push(e)
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
	for p.queue.events > p.settings.QueueSize && p.queue.records() > 1 {
		p.exporter.counts.drop(QueueFull, int(p.queue.evict().events))
	}
	for int64(p.queue.bytes) > maxQueueBytes(p.settings) {
		p.exporter.counts.drop(QueueBytes, int(p.queue.evict().events))
	}
}

// due returns when the next batch is to be sent; false when there is nothing to wait for.
func (p *pipeline) due(now time.Time) (at time.Time, ok bool) {
	if p.queue.empty() || !p.loggedIn && !p.mayGoAnonymously(now) {
		return time.Time{}, false
	}
	at = now
	// A queue that is smaller than a batch is emptied before it overflows.
	if len(p.waiters) == 0 && p.queue.records() < p.settings.BatchSize && p.queue.events < (p.settings.QueueSize+1)/2 {
		at = p.queue.oldest().at.Add(p.wait)
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
	state, _ := p.flag.state(now)
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
	defer func() {
		if recover() != nil {
			// Nothing that may panic is left uncontained below; should it happen all the
			// same, what was taken out is lost and the rest waits for better times.
			p.exporter.counts.panics.Add(1)
			p.mu.Lock()
			defer p.mu.Unlock()
			p.exporter.counts.drop(Broken, p.out)
			p.out, p.notBefore = 0, time.Now().Add(p.settings.FlushInterval)
			p.rest(time.Now())
		}
	}()
	for p.turn() {
	}
}

// turn does one thing: it asks for the flag, or sends a batch. It reports false when the
// goroutine is over.
func (p *pipeline) turn() bool {
	p.mu.Lock()
	now := time.Now()
	p.wakeWaiters()
	at, ok := p.due(now)
	if p.over != "" {
		p.dropAll(p.over)
		ok = false
	}
	if !ok || at.After(now) {
		p.rest(now)
		p.mu.Unlock()
		return false
	}
	if until, open := p.breaker.holdsUntil(); open {
		p.notBefore = until
		p.mu.Unlock()
		return true
	}
	state := flagOn
	if !p.settings.ForceEnable {
		state, at = p.flag.state(now)
	}
	switch state {
	case flagOff:
		p.dropAll(FlagOff)
	case flagUnreadable:
		p.notBefore = at
	case flagUnasked:
		by, anonymous := p.queue.oldest().handle, !p.loggedIn
		p.mu.Unlock()
		if !anonymous {
			p.askFlag(by)
		}
		return true
	default:
		batch, anonymous := p.cut(now)
		p.mu.Unlock()
		o := p.deliver(batch, anonymous)
		p.mu.Lock()
		p.settle(o)
	}
	p.mu.Unlock()
	return true
}

// rest ends the goroutine: waiters that are left cannot be served now. p.mu is held.
func (p *pipeline) rest(now time.Time) {
	for _, w := range p.waiters {
		w.done <- p.pendingError()
	}
	p.waiters = nil
	p.running = false
	close(p.idle)
	p.schedule(now)
}

// cut takes the next batch out: events that go to the same endpoint for the same workspace,
// up to the size of a batch. p.mu is held.
func (p *pipeline) cut(now time.Time) (batch []entry, anonymous bool) {
	anonymous = !p.loggedIn
	p.wait = p.settings.FlushInterval
	if !p.urgent.IsZero() && !p.urgent.After(now) {
		p.sent = now
	}
	org := ""
	for e := p.queue.oldest(); e != nil; e = p.queue.oldest() {
		if now.Sub(e.at) > maxAge(p.settings) {
			p.exporter.counts.drop(Expired, int(p.queue.pop().events))
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
			batch = make([]entry, 0, min(p.queue.records(), p.settings.BatchSize))
		}
		batch = append(batch, p.queue.pop())
		p.out += int(batch[len(batch)-1].events)
	}
	if len(batch) > 0 {
		p.outFrom = batch[0].seq
	}
	if p.queue.empty() {
		p.urgent = time.Time{}
	}
	return batch, anonymous
}

// settle takes in what became of a batch. p.mu is held.
func (p *pipeline) settle(o outcome) {
	p.out = 0
	p.lastError = o.problem
	if len(o.back) == 0 {
		return
	}
	p.queue.pushFront(o.back)
	p.bound()
	now := time.Now()
	p.notBefore = now.Add(o.pause)
	for _, w := range p.waiters {
		w.done <- p.pendingError()
	}
	p.waiters = nil
}

// problem is what the latest request failed of.
func (p *pipeline) problem() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.lastError
}

// dropAll empties the queue. p.mu is held.
func (p *pipeline) dropAll(why Reason) {
	for !p.queue.empty() {
		p.exporter.counts.drop(why, int(p.queue.pop().events))
	}
	p.wakeWaiters()
}

// wakeWaiters lets go of the waiters whose events are settled. p.mu is held.
func (p *pipeline) wakeWaiters() {
	first := p.seq + 1
	if p.out > 0 {
		first = p.outFrom
	} else if e := p.queue.oldest(); e != nil {
		first = e.seq
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
