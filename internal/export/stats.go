package export

import (
	"slices"
	"sync/atomic"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// The reasons why an event was not sent, which are the keys of ExportStats.Dropped.
const (
	DropSampledOut = "sampled_out" // Settings.SampleRate
	DropFlagOff    = "flag_off"    // the server's flag is off
	DropQueueFull  = "queue_full"  // Settings.QueueSize
	DropQueueBytes = "queue_bytes" // the waiting records took more than 4 KiB times Settings.QueueSize, and more than 4 MiB
	DropExpired    = "expired"     // waited more than an hour longer than the settings ask for
	DropRefused    = "refused"     // the endpoint answered 4xx
	DropTooLarge   = "too_large"   // the endpoint answered 413 to the event alone
	DropRejected   = "rejected"    // the service accepted the request, but fewer events
	DropBroken     = "broken"      // could not be encoded; see ExportStats.Panics
	DropClosed     = "closed"      // the last connector was closed before it could be sent
	DropShutDown   = "shut_down"   // Shutdown was called before it could be sent
)

var reasons = [...]string{DropSampledOut, DropFlagOff, DropQueueFull, DropQueueBytes, DropExpired, DropRefused, DropTooLarge, DropRejected, DropBroken, DropClosed, DropShutDown}

// counts are the numbers of telemetry.ExportStats.
type counts struct {
	recorded, sent, requests, retries, failures, flagRequests, bytes, opened atomic.Int64

	dropped [len(reasons)]atomic.Int64
}

func (c *counts) drop(reason string, events int) {
	c.dropped[slices.Index(reasons[:], reason)].Add(int64(events))
}

// AddTo adds the counts to those of a process.
func (x *Exporter) AddTo(s *telemetry.Stats) { s.Export = x.Stats() }

// Stats counts the events and requests so far.
func (x *Exporter) Stats() telemetry.ExportStats {
	pipelines, c := x.list(), &x.counts
	s := telemetry.ExportStats{
		Recorded: c.recorded.Load(), Sent: c.sent.Load(), Requests: c.requests.Load(), Retries: c.retries.Load(),
		Failures: c.failures.Load(), FlagRequests: c.flagRequests.Load(), Bytes: c.bytes.Load(),
		BreakerOpened: c.opened.Load(), Dropped: map[string]int64{},
	}
	for i, r := range reasons {
		if n := c.dropped[i].Load(); n > 0 {
			s.Dropped[r] = n
		}
	}
	for _, i := range x.contained.List() {
		s.Panics += i.Panics
	}
	for _, p := range pipelines {
		ps := p.stats()
		s.Pending += ps.Pending
		s.PendingBytes += ps.PendingBytes
		s.Pipelines = append(s.Pipelines, ps)
	}
	return s
}

func (p *pipeline) stats() telemetry.PipelineStats {
	p.exporter.mu.Lock()
	refs := p.refs
	p.exporter.mu.Unlock()
	now := time.Now()
	state, _ := p.flag.state(p.client.asker, now)
	p.mu.Lock()
	defer p.mu.Unlock()
	s := telemetry.PipelineStats{
		Server: p.client.shown, Connectors: refs, Pending: int64(p.queue.events + p.sending), PendingBytes: int64(p.queue.bytes),
		Breaker: p.breaker.state(), LoggedIn: p.loggedIn, LastError: p.lastError,
		Flag: [...]string{"unknown", "on", "off", "unreadable"}[state],
	}
	if p.settings.ForceEnable {
		s.Flag = "skipped"
	}
	if p.notBefore.After(now) {
		s.NotBefore = p.notBefore.UTC()
	}
	return s
}
