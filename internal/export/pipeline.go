package export

import (
	"cmp"
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/internal/ondemand"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

const urgentDelay = 200 * time.Millisecond // how long a terminal failure waits before it is sent

// pipeline sends the events of one host and credential. Any goroutine may put records in. One
// goroutine takes them out, and exists only while there is something to send. Between two batches
// there is only a timer.
type pipeline struct {
	exporter *Exporter
	settings telemetry.Settings // with defaults
	flag     *flag              // of the host
	client   *client
	breaker  *breaker        // of the host, the credential and the settings
	ctx      context.Context // done when the pipeline is over
	cancel   context.CancelFunc

	bubble  string        // the testing/synctest bubble in which the pipeline was made
	builder uploadBuilder // owned by the goroutine

	refs int // open handles; guarded by exporter.mu

	mu          sync.Mutex // guards all below
	queue       collector
	sending     int    // events the goroutine has taken out
	sendingFrom uint64 // queue number of the first of them
	goroutine   ondemand.Goroutine
	wait        time.Duration // how long an event may wait
	urgent      time.Time     // when to send a terminal failure; zero if none waits
	sent        time.Time     // when the goroutine last sent a terminal failure
	notBefore   time.Time
	loggedIn    bool   // the driver has logged in, so the authenticator may be called
	ended       string // why the pipeline is closed, a drop reason; empty while it is open
	waiters     []*waiter
	lastError   string
}

func newPipeline(x *Exporter, f *flag, b *breaker, c *Connection, settings telemetry.Settings) *pipeline {
	p := &pipeline{exporter: x, settings: settings, flag: f, breaker: b, client: newClient(c, settings, &x.contained), notBefore: b.pausedUntil()}
	p.ctx, p.cancel = context.WithCancel(context.Background())
	// The first wait is a random part of the interval, because processes that start together have
	// their first events at the same time, and should not report them at the same time.
	p.wait = settings.FlushInterval/10 + rand.N(settings.FlushInterval*9/10+1)
	p.goroutine = ondemand.New(&p.mu, p.due, p.run)
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
	p.goroutine.Schedule(now)
}

const (
	bytesPerEvent = 4 << 10 // more than the largest statement takes
	minQueueBytes = 4 << 20
)

// evictOverflow drops records until the rest fits. One record always fits; otherwise a record with
// more events than a small queue holds would never be sent.
func (p *pipeline) evictOverflow() {
	for p.queue.events > p.settings.QueueSize && p.queue.Len() > 1 {
		p.exporter.counts.drop(DropQueueFull, p.queue.evict())
	}
	// QueueSize records always fit.
	for int64(p.queue.bytes) > max(minQueueBytes, int64(p.settings.QueueSize)*bytesPerEvent) {
		p.exporter.counts.drop(DropQueueBytes, p.queue.evict())
	}
}

// due returns when the next batch must be sent, or dropped as too old. ok is false if there is nothing to wait
// for.
func (p *pipeline) due(now time.Time) (at time.Time, ok bool) {
	if p.queue.Len() == 0 {
		return time.Time{}, false
	}
	expires := p.queue.Oldest().Value.at.Add(maxAge(p.settings))
	if p.loggedIn || p.canSendAnonymously(now) {
		at = p.sendAt(now)
	}
	if at.IsZero() || expires.Before(at) {
		at = expires
	}
	return at, true
}

// sendAt returns when the next batch must be sent. p.mu is held.
func (p *pipeline) sendAt(now time.Time) (at time.Time) {
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
	return at
}

// canSendAnonymously reports whether the flag is known to be on. (Requesting the flag needs a login.)
func (p *pipeline) canSendAnonymously(now time.Time) bool {
	if p.settings.ForceEnable {
		return true
	}
	state, _ := p.flag.state(p.client.asker, now)
	return state == flagOn
}

// end drops waiting records, interrupts the running request, and makes the pipeline accept no more
// records.
func (p *pipeline) end(why string) {
	p.mu.Lock()
	p.ended = cmp.Or(p.ended, why)
	idle := p.goroutine.End()
	p.cancel()
	if !p.goroutine.Running() {
		p.dropAll(p.ended)
	}
	p.mu.Unlock()
	ondemand.Await(idle)
	p.client.close()
}

// dropAll empties the queue. p.mu is held.
func (p *pipeline) dropAll(why string) {
	for p.queue.Len() > 0 {
		p.exporter.counts.drop(why, int(p.queue.pop().Value.events))
	}
	p.finishWaiters()
}
