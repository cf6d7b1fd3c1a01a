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

	"github.com/seed-01322ee7/databricks-telemetry/internal/contain"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// Exporter reports to Databricks. Connectors that are opened with one share its pipelines,
// one per host, credential and settings. All methods may be called concurrently. The zero
// value is ready; an Exporter must not be copied.
type Exporter struct {
	counts    counts
	contained contain.Log
	recent    recent
	down      atomic.Bool // Shutdown was called

	mu        sync.Mutex                // guards all below
	pipelines map[pipelineKey]*pipeline // with at least one connector
	flags     flags
}

// Default is the Exporter every wrapped driver of the process uses. telemetry.Flush and
// telemetry.Shutdown reach it, too.
var Default = Exporter{contained: contain.Log{Parent: &contain.Process}}

func init() {
	telemetry.Default.Join(telemetry.Part{
		Flush: Default.Flush, Shutdown: Default.Shutdown,
		Stats: func(s *telemetry.Stats) { s.Export = Default.Stats() },
	})
}

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
	if settings.Enabled == telemetry.SwitchOff || c.endpoint() == "" || x.down.Load() {
		return nil
	}
	settings = settings.WithDefaults()
	settings.BatchSize, settings.QueueSize = max(1, settings.BatchSize), max(1, settings.QueueSize)
	settings.FlushInterval, settings.RetryDelay = max(time.Millisecond, settings.FlushInterval), max(0, settings.RetryDelay)
	h := &Handle{origin: newOrigin(c), rate: settings.SampleRate.Or(1), closeTimeout: settings.CloseTimeout}
	key := pipelineKey{flagKey: flagKey{c.endpoint(), h.origin.pathOrg}, credential: c.identity(), transport: transportIdentity(&c), settings: settings}
	// What does not change how a pipeline works does not divide it.
	key.settings.SampleRate, key.settings.CloseTimeout, key.settings.Enabled = telemetry.Maybe[float64]{}, 0, telemetry.SwitchUnset
	key.settings.LogLevel, key.settings.SlowThreshold, key.settings.QueryText = "", 0, false
	key.settings.ErrorText = ""
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.down.Load() {
		return nil
	}
	if x.pipelines == nil {
		x.pipelines = map[pipelineKey]*pipeline{}
	}
	p := x.pipelines[key]
	if p == nil {
		p = newPipeline(x, x.flags.join(key.flagKey), &c, settings)
		x.pipelines[key] = p
	}
	p.refs++
	h.membership = membership{x, p, key}
	h.leaveWhenDropped()
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

// leave gives up a share in a pipeline, and ends the pipeline when it was the last.
func (m *membership) leave() {
	if m.exporter.leave(m) {
		m.pipeline.end(DropClosed)
	}
}

func (x *Exporter) leave(m *membership) (last bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	m.pipeline.refs--
	if m.pipeline.refs > 0 {
		return false
	}
	if x.pipelines[m.key] == m.pipeline {
		delete(x.pipelines, m.key)
	}
	x.flags.leave(m.key.flagKey)
	return true
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
		wg.Go(func() { errs[i] = p.flush(ctx, p.queue.Last) })
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
		p.end(DropShutDown)
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

// KeepRecent makes [Exporter.Recent] return the latest n documents, at most 1000; 0, which
// is the default, keeps none. Keeping them costs their memory, about 1 KiB each, and
// encoding them once more.
func (x *Exporter) KeepRecent(n int) { x.recent.keep(n) }

// Recent returns the latest documents that were sent, or failed to be, oldest first.
func (x *Exporter) Recent() []Document { return x.recent.list() }
