package export

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// Exporter reports to Databricks. Connectors that are opened with one share its pipelines,
// one per host, credential and settings. All methods may be called concurrently. The zero
// value is ready; an Exporter must not be copied.
type Exporter struct {
	counts counts
	recent recent
	down   atomic.Bool // Shutdown was called

	mu        sync.Mutex                // guards all below
	pipelines map[pipelineKey]*pipeline // with at least one connector
	flags     map[flagKey]*flag         // kept when pipelines go: the answers stay good
}

// Default is the Exporter every wrapped driver of the process uses. telemetry.Flush and
// telemetry.Shutdown reach it, too.
var Default Exporter

func init() { telemetry.RegisterExporter(&Default) }

// Open joins a connector to [Default]; see [Exporter.Open].
func Open(c Connection, settings telemetry.Settings) *Handle { return Default.Open(c, settings) }

// Flush sends what waits in [Default] now; see [Exporter.Flush].
func Flush(ctx context.Context) error { return Default.Flush(ctx) }

// Shutdown ends [Default]; see [Exporter.Shutdown].
func Shutdown(ctx context.Context) error { return Default.Shutdown(ctx) }

// pipelineKey is what connectors must have in common to share a pipeline.
type pipelineKey struct {
	flagKey
	credential any
	transport  any
	settings   telemetry.Settings
}

// flagKey tells hosts apart. A host shared by several workspaces has one flag for each.
type flagKey struct{ endpoint, org string }

// Open joins a connector to the pipeline of its host and credential. It does no I/O and
// starts nothing: that begins with the first record. It returns nil, on which all methods
// of Handle work and do nothing, when settings.Enabled is Off, when the host is unknown, or
// after Shutdown.
//
// Settings are used as they are; zero values mean their defaults.
func (x *Exporter) Open(c Connection, settings telemetry.Settings) *Handle {
	if settings.Enabled == telemetry.Off || c.endpoint() == "" || x.down.Load() {
		return nil
	}
	settings = settings.WithDefaults()
	settings.BatchSize, settings.QueueSize = max(1, settings.BatchSize), max(1, settings.QueueSize)
	settings.FlushInterval, settings.RetryDelay = max(time.Millisecond, settings.FlushInterval), max(0, settings.RetryDelay)
	h := newHandle(x, c)
	h.rate, h.closeTimeout = settings.SampleRate.Or(1), settings.CloseTimeout

	key := pipelineKey{flagKey: flagKey{c.endpoint(), h.pathOrg}, credential: c.identity(), transport: transportIdentity(&c), settings: settings}
	// What does not change how a pipeline works does not divide it.
	key.settings.SampleRate, key.settings.CloseTimeout, key.settings.Enabled = telemetry.Maybe[float64]{}, 0, telemetry.Unset
	key.settings.LogLevel, key.settings.SlowThreshold, key.settings.QueryText = "", 0, false
	key.settings.ErrorText = ""
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.down.Load() {
		return nil
	}
	if x.pipelines == nil {
		x.pipelines, x.flags = map[pipelineKey]*pipeline{}, map[flagKey]*flag{}
	}
	p := x.pipelines[key]
	if p == nil {
		f := x.flags[key.flagKey]
		if f == nil {
			f = &flag{}
			x.flags[key.flagKey] = f
		}
		p = newPipeline(x, f, &c, settings)
		x.pipelines[key] = p
	}
	p.refs++
	h.pipeline, h.key = p, key
	return h
}

// transportIdentity: requests must go the way their connector's do.
func transportIdentity(c *Connection) any {
	switch t := c.Transport; {
	case t == nil:
		return c.TLS
	case reflect.ValueOf(t).Comparable():
		return t
	}
	return new(byte)
}

// release lets go of a connector's pipeline, and ends it when it was the last.
func (x *Exporter) release(h *Handle) {
	x.mu.Lock()
	h.pipeline.refs--
	last := h.pipeline.refs == 0
	if last && x.pipelines[h.key] == h.pipeline {
		delete(x.pipelines, h.key)
	}
	x.mu.Unlock()
	if last {
		h.pipeline.end(Closed)
	}
}

// live returns the pipelines in a stable order.
func (x *Exporter) live() []*pipeline {
	x.mu.Lock()
	defer x.mu.Unlock()
	all := make([]*pipeline, 0, len(x.pipelines))
	for _, p := range x.pipelines {
		all = append(all, p)
	}
	slices.SortStableFunc(all, func(a, b *pipeline) int { return strings.Compare(a.client.endpoint, b.client.endpoint) })
	return all
}

// Flush sends what was recorded before the call, of all connectors, now instead of later.
// This is what a serverless function does before it returns and its process is frozen. It
// waits until that is settled, until it turns out that it cannot be sent now (the error is
// or contains a *PendingError, and the events go on waiting), or until ctx is done.
func (x *Exporter) Flush(ctx context.Context) error {
	if x.down.Load() {
		return errStopped
	}
	pipelines := x.live()
	errs := make([]error, len(pipelines))
	var wg sync.WaitGroup
	for i, p := range pipelines {
		wg.Go(func() { errs[i] = p.flush(ctx) })
	}
	wg.Wait()
	return errors.Join(errs...)
}

// Shutdown flushes and ends all pipelines for good. When it returns, because all is sent or
// ctx is done, whatever is left is dropped and counted, and nothing is sent ever after.
func (x *Exporter) Shutdown(ctx context.Context) error {
	if x.down.Load() {
		return nil
	}
	err := x.Flush(ctx)
	x.mu.Lock()
	x.down.Store(true) // from here on Open adds none
	x.mu.Unlock()
	for _, p := range x.live() {
		p.end(ShutDown)
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	clear(x.pipelines)
	return err
}

// Stats says what became of the events so far.
func (x *Exporter) Stats() Stats {
	pipelines := x.live()
	s := x.counts.snapshot()
	for _, p := range pipelines {
		ps := p.stats()
		s.Pending += ps.Pending
		s.PendingBytes += ps.PendingBytes
		s.Pipelines = append(s.Pipelines, ps)
	}
	return s
}

// KeepRecent makes [Exporter.Recent] return the latest n documents, at most 1000; 0, which
// is the default, keeps none. Keeping them costs their memory, about 1 KiB each, and
// encoding them once more.
func (x *Exporter) KeepRecent(n int) { x.recent.keep(n) }

// Recent returns the latest documents that were sent, or failed to be, oldest first.
func (x *Exporter) Recent() []Document { return x.recent.list() }

// flush asks for everything that waits to be sent now and waits for it.
func (p *pipeline) flush(ctx context.Context) error {
	w := &waiter{done: make(chan error, 1)}
	p.mu.Lock()
	w.upTo = p.seq
	p.waiters = append(p.waiters, w)
	p.wakeWaiters()
	now := time.Now()
	p.schedule(now)
	if !p.running && len(p.waiters) > 0 { // nothing can be sent now
		for _, w := range p.waiters {
			w.done <- p.pendingError()
		}
		p.waiters = nil
		p.schedule(now)
	}
	p.mu.Unlock()
	select {
	case err := <-w.done:
		return err
	case <-ctx.Done():
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.waiters = slices.DeleteFunc(p.waiters, func(other *waiter) bool { return other == w })
	select {
	case err := <-w.done:
		return err
	default:
		return errors.Join(p.pendingError(), ctx.Err())
	}
}

// endGrace is how long ending a pipeline waits for a request it has interrupted.
const endGrace = 100 * time.Millisecond

// end drops what waits, interrupts what is under way, and lets nothing through any more.
func (p *pipeline) end(why Reason) {
	p.mu.Lock()
	if p.over == "" {
		p.over = why
	}
	p.stopTimer()
	p.cancel()
	if !p.running {
		p.dropAll(p.over)
	}
	idle := p.idle
	p.mu.Unlock()
	grace := time.NewTimer(endGrace)
	defer grace.Stop()
	select {
	case <-idle:
	case <-grace.C:
	}
	p.client.close()
}

func (p *pipeline) stats() PipelineStats {
	p.exporter.mu.Lock()
	refs := p.refs
	p.exporter.mu.Unlock()
	now := time.Now()
	state, _ := p.flag.state(now)
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
