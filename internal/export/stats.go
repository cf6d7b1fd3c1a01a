package export

import (
	"sync/atomic"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// Reason says why an event was not sent.
type Reason = telemetry.DropReason

// The reasons.
const (
	DropSampledOut Reason = "sampled_out" // Settings.SampleRate
	DropFlagOff    Reason = "flag_off"    // the server does not want telemetry
	DropQueueFull  Reason = "queue_full"  // Settings.QueueSize
	DropQueueBytes Reason = "queue_bytes" // more than 4 MiB of records waited, or 4 KiB for each of Settings.QueueSize
	DropExpired    Reason = "expired"     // waited an hour longer than the settings ask for
	DropRefused    Reason = "refused"     // the endpoint answered 4xx
	DropTooLarge   Reason = "too_large"   // the endpoint answered 413 to the event alone
	DropRejected   Reason = "rejected"    // the service took the request and counted fewer events
	DropBroken     Reason = "broken"      // could not be encoded; see Stats.Panics
	DropClosed     Reason = "closed"      // the last connector was closed before it could be sent
	DropShutDown   Reason = "shut_down"   // Shutdown was called before it could be sent
)

var reasons = [...]Reason{DropSampledOut, DropFlagOff, DropQueueFull, DropQueueBytes, DropExpired, DropRefused, DropTooLarge, DropRejected, DropBroken, DropClosed, DropShutDown}

func indexOf(r Reason) int {
	for i, other := range reasons {
		if r == other {
			return i
		}
	}
	return len(reasons) - 1
}

// Stats counts events and requests, PipelineStats is the state of one pipeline. Both are part
// of [telemetry.Stats].
type (
	Stats         = telemetry.ExportStats
	PipelineStats = telemetry.PipelineStats
)

// counts is what Stats sums up. All of it is atomic.
type counts struct {
	recorded, sent, requests, retries, failures, flagRequests, bytes, opened atomic.Int64

	dropped [len(reasons)]atomic.Int64
}

func (c *counts) drop(r Reason, events int) { c.dropped[indexOf(r)].Add(int64(events)) }

func (c *counts) snapshot() Stats {
	s := Stats{
		Recorded: c.recorded.Load(), Sent: c.sent.Load(), Requests: c.requests.Load(), Retries: c.retries.Load(),
		Failures: c.failures.Load(), FlagRequests: c.flagRequests.Load(), Bytes: c.bytes.Load(),
		BreakerOpened: c.opened.Load(), Dropped: map[Reason]int64{},
	}
	for i, r := range reasons {
		if n := c.dropped[i].Load(); n > 0 {
			s.Dropped[r] = n
		}
	}
	return s
}

func (p *pipeline) stats() PipelineStats {
	p.exporter.mu.Lock()
	refs := p.refs
	p.exporter.mu.Unlock()
	now := time.Now()
	state, _ := p.flag.state(p.client.via, now)
	p.mu.Lock()
	defer p.mu.Unlock()
	s := PipelineStats{
		Server: p.client.shown, Connectors: refs, Pending: int64(p.queue.events + p.out), PendingBytes: int64(p.queue.bytes),
		Breaker: p.breaker.state(), LoggedIn: p.loggedIn, LastError: p.lastError,
		Flag: [...]string{"unknown", "on", "off", "unreadable"}[state],
	}
	if p.settings.ForceEnable {
		s.Flag = "skipped"
	}
	if p.notBefore.After(now) {
		s.NotBefore = p.notBefore
	}
	return s
}
