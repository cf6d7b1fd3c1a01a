package export

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/internal/contain"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

const urgentDelay = 200 * time.Millisecond // how long a terminal failure waits to be sent

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

	builder uploadBuilder // owned by the goroutine

	refs int // open handles; guarded by exporter.mu

	mu          sync.Mutex // guards all below
	queue       collector
	sending     int           // events the goroutine has taken out
	sendingFrom uint64        // number of the first of them
	running     bool          // the goroutine exists
	idle        chan struct{} // closed while it does not
	timer       *time.Timer   // starts it; nil until first needed
	wake        time.Time     // when the timer is due; zero: it is not set
	wait        time.Duration // how long an event may wait
	urgent      time.Time     // when to send a terminal failure; zero: none waits
	sent        time.Time     // when the goroutine last sent one
	notBefore   time.Time
	loggedIn    bool   // the driver has logged in: the authenticator may be called
	ended       string // why the pipeline is closed, a drop reason; empty while it is open
	waiters     []*waiter
	lastError   string
}

func newPipeline(x *Exporter, f *flag, c *Connection, settings telemetry.Settings) *pipeline {
	p := &pipeline{exporter: x, settings: settings, flag: f, client: newClient(c, settings, &x.contained)}
	p.breaker = newBreaker(settings, func() { x.counts.opened.Add(1) })
	p.ctx, p.cancel = context.WithCancel(context.Background())
	// The first wait is a random part of the interval: processes that are started together have
	// their first events together, and should not report them together.
	p.wait = settings.FlushInterval/10 + rand.N(settings.FlushInterval*9/10+1)
	p.idle = make(chan struct{})
	close(p.idle)
	return p
}

// enqueue takes an entry of h. It blocks no longer than another enqueue takes.
func (p *pipeline) enqueue(h *Handle, e entry, loggedIn, urgent bool) {
	x := p.exporter
	x.counts.recorded.Add(int64(e.events))
	now := time.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ended != "" {
		x.counts.drop(p.ended, int(e.events))
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
	p.evictOverflow()
	if urgent && p.urgent.IsZero() {
		p.urgent = now.Add(urgentDelay)
		if again := p.sent.Add(p.settings.FlushInterval); again.After(p.urgent) {
			p.urgent = again
		}
	}
	p.schedule(now)
}

// evictOverflow drops records until the rest has room. One record always has room: otherwise a
// record with more events than a small queue holds would never be sent.
func (p *pipeline) evictOverflow() {
	for p.queue.events > p.settings.QueueSize && p.queue.Len() > 1 {
		p.exporter.counts.drop(DropQueueFull, int(p.queue.evict().Value.events))
	}
	for int64(p.queue.bytes) > maxQueueBytes(p.settings) {
		p.exporter.counts.drop(DropQueueBytes, int(p.queue.evict().Value.events))
	}
}

// due returns when the next batch is to be sent; false when there is nothing to wait for.
func (p *pipeline) due(now time.Time) (at time.Time, ok bool) {
	if p.queue.Len() == 0 || !p.loggedIn && !p.canSendAnonymously(now) {
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

// canSendAnonymously reports whether the flag is known to be on: requesting it takes a login.
func (p *pipeline) canSendAnonymously(now time.Time) bool {
	if p.settings.ForceEnable {
		return true
	}
	state, _ := p.flag.state(p.client.transportID, now)
	return state == flagOn
}

// schedule starts the goroutine, or sets the timer for when it is needed. p.mu is held.
func (p *pipeline) schedule(now time.Time) {
	if p.running || p.ended != "" {
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
			p.timer = time.AfterFunc(at.Sub(now), p.onTimer)
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

func (p *pipeline) onTimer() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.wake = time.Time{}
	p.schedule(time.Now())
}

// run does one step after another until there is nothing to do now.
func (p *pipeline) run() {
	returned := false
	defer func() {
		if !returned {
			p.recoverRun()
		}
	}()
	returned = p.exporter.contained.Call(contain.Export, func() {
		for p.runOnce() {
		}
	})
}

// recoverRun cleans up after a panic in run, of which none is known: the events that were taken out
// are dropped and counted, the others wait for FlushInterval.
func (p *pipeline) recoverRun() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.exporter.counts.drop(DropBroken, p.sending)
	p.sending, p.notBefore = 0, time.Now().Add(p.settings.FlushInterval)
	p.stopRunning(time.Now())
}

// step is what the goroutine does next, without the lock. The zero step is nothing: nextStep has
// to be called again.
type step struct {
	done      bool     // the goroutine ends
	flagFor   *origin  // request the flag, as this connector
	batch     []queued // send these
	anonymous bool     // without authentication
}

// runOnce requests the flag, or sends a batch. It reports false when the goroutine ends.
func (p *pipeline) runOnce() bool {
	switch s := p.nextStep(); {
	case s.done:
		return false
	case s.flagFor != nil:
		p.requestFlag(s.flagFor)
	case s.batch != nil:
		p.finishBatch(p.deliver(s.batch, s.anonymous))
	}
	return true
}

// nextStep decides what to do, and takes the batch to send out of the queue.
func (p *pipeline) nextStep() step {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	p.finishWaiters()
	at, ok := p.due(now)
	if p.ended != "" {
		p.dropAll(p.ended)
		ok = false
	}
	if !ok || at.After(now) {
		p.stopRunning(now)
		return step{done: true}
	}
	if until, open := p.breaker.openUntil(); open {
		p.notBefore = until
		return step{}
	}
	state := flagOn
	if !p.settings.ForceEnable {
		state, at = p.flag.state(p.client.transportID, now)
	}
	switch state {
	case flagOff:
		p.dropAll(DropFlagOff)
	case flagUnreadable:
		p.notBefore = at
	case flagUnknown:
		if p.loggedIn {
			return step{flagFor: p.queue.Oldest().Value.origin}
		}
	default:
		batch, anonymous := p.takeBatch(now)
		return step{batch: batch, anonymous: anonymous}
	}
	return step{}
}

// stopRunning ends the goroutine, and the flushes that wait for events that cannot be sent now.
// p.mu is held.
func (p *pipeline) stopRunning(now time.Time) {
	p.failWaiters()
	if p.running {
		p.running = false
		close(p.idle)
	}
	p.schedule(now)
}

// takeBatch takes the next batch out of the queue: up to BatchSize records, all for one endpoint and
// one workspace. p.mu is held.
func (p *pipeline) takeBatch(now time.Time) (batch []queued, anonymous bool) {
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
		p.sending += int(batch[len(batch)-1].Value.events)
	}
	if len(batch) > 0 {
		p.sendingFrom = batch[0].Seq
	}
	if p.queue.Len() == 0 {
		p.urgent = time.Time{}
	}
	return batch, anonymous
}

// finishBatch takes the result of a batch.
func (p *pipeline) finishBatch(d delivery) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sending = 0
	p.lastError = d.lastError
	if len(d.unsent) == 0 {
		return
	}
	p.queue.requeue(d.unsent)
	p.evictOverflow()
	now := time.Now()
	p.notBefore = now.Add(d.pause)
	p.failWaiters()
}

// latestError is the error of the latest request.
func (p *pipeline) latestError() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.lastError
}

// dropAll empties the queue. p.mu is held.
func (p *pipeline) dropAll(why string) {
	for p.queue.Len() > 0 {
		p.exporter.counts.drop(why, int(p.queue.pop().Value.events))
	}
	p.finishWaiters()
}
