package export

import (
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/internal/contain"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// run does one step after another until there is nothing to do now.
func (p *pipeline) run() {
	p.exporter.contained.Guard(contain.Export, func() {
		for step := p.nextStep(); step != nil; step = p.nextStep() {
			step()
		}
	}, p.recoverRun)
}

// nextStep returns a function that does the next step and must be called without the lock: it requests the
// flag, or sends a batch that nextStep has taken out of the queue. nextStep returns nil when the goroutine
// must end.
func (p *pipeline) nextStep() func() {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	p.dropExpired(now)
	p.finishWaiters()
	at, ok := p.due(now)
	if p.ended != "" {
		p.dropAll(p.ended)
		ok = false
	}
	if !ok || at.After(now) {
		p.failWaiters() // what they wait for cannot be sent now
		p.goroutine.Stopped(now)
		return nil
	}
	lookAgain := func() {}
	if until, open := p.breaker.openUntil(); open {
		p.notBefore = until
		return lookAgain
	}
	state := flagOn
	if !p.settings.ForceEnable {
		state, at = p.flag.state(p.client.asker, now)
	}
	switch state {
	case flagOff:
		p.dropAll(DropFlagOff)
	case flagUnreadable:
		p.notBefore = at
	case flagUnknown:
		if p.loggedIn {
			o := p.queue.Oldest().Value.origin
			return func() { p.requestFlag(o) }
		}
	default:
		batch, anonymous := p.takeBatch(now)
		return func() { p.finishBatch(p.deliver(batch, anonymous)) }
	}
	return lookAgain
}

// maxDelay is how late an event may be sent. After that, it is dropped.
const maxDelay = time.Hour

// maxAge returns how old an event may become: maxDelay plus the time that the settings make it wait.
func maxAge(s telemetry.Settings) time.Duration {
	age := maxDelay + s.FlushInterval
	if s.CircuitBreaker != telemetry.SwitchOff {
		age += s.CircuitBreakerTimeout + s.CircuitBreakerTimeout/10
	}
	return age
}

// dropExpired drops the events that are too old, whatever they waited for. p.mu is held.
func (p *pipeline) dropExpired(now time.Time) {
	for it := p.queue.Oldest(); it != nil && !now.Before(it.Value.at.Add(maxAge(p.settings))); it = p.queue.Oldest() {
		p.exporter.counts.drop(DropExpired, int(p.queue.pop().Value.events))
	}
}

// takeBatch takes the next batch out of the queue, which must not be empty: up to BatchSize records, all for the
// same endpoint and workspace. p.mu is held.
func (p *pipeline) takeBatch(now time.Time) (batch []queued, anonymous bool) {
	anonymous = !p.loggedIn
	p.wait = p.settings.FlushInterval
	if !p.urgent.IsZero() && !p.urgent.After(now) {
		p.sent = now
	}
	p.sendingFrom = p.queue.Oldest().Seq
	batch = make([]queued, 0, min(p.queue.Len(), p.settings.BatchSize))
	org := ""
	for it := p.queue.Oldest(); it != nil && len(batch) < p.settings.BatchSize; it = p.queue.Oldest() {
		if id := it.Value.org(); id != "" && id != org {
			if org != "" {
				break
			}
			org = id
		}
		p.sending += int(it.Value.events)
		batch = append(batch, p.queue.pop())
	}
	if p.queue.Len() == 0 {
		p.urgent = time.Time{}
	}
	return batch, anonymous
}

// counted notes that events of the batch are sent or dropped, and that all its records up to a number in the
// queue are done. It is called for each part of a batch, because parts are delivered one after another and each
// may take long.
func (p *pipeline) counted(events int, upTo uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sending -= events
	p.sendingFrom = max(p.sendingFrom, upTo+1)
	p.finishWaiters()
}

// finishBatch takes the result of a batch.
func (p *pipeline) finishBatch(d delivery) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sending = 0
	if d.requested {
		p.lastError = d.lastError
	}
	if len(d.unsent) == 0 {
		return
	}
	p.queue.requeue(d.unsent)
	p.evictOverflow()
	p.notBefore = time.Now().Add(d.pause)
	if d.failed {
		p.breaker.pause(p.notBefore)
	}
	p.failWaiters()
}

// recoverRun cleans up after a panic in run: events that were taken out are dropped and counted, and
// the others wait for FlushInterval. No such panic is known.
func (p *pipeline) recoverRun() {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	p.exporter.counts.drop(DropBroken, p.sending)
	p.sending, p.notBefore = 0, now.Add(p.settings.FlushInterval)
	p.failWaiters()
	p.goroutine.Stopped(now)
}
