package export

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/internal/contain"
	"github.com/seed-01322ee7/databricks-telemetry/internal/lasting"
	"github.com/seed-01322ee7/databricks-telemetry/internal/ondemand"
	"github.com/seed-01322ee7/databricks-telemetry/internal/shared"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// Exporter reports to Databricks. Connectors that are opened with the same Exporter share its
// pipelines, one for each host, credential and settings. All methods may be called concurrently. The
// zero value is ready to use; an Exporter must not be copied.
type Exporter struct {
	counts    counts
	contained contain.Log
	recent    recent
	down      atomic.Bool // Shutdown was called

	mu        sync.Mutex                // guards all below
	pipelines map[pipelineKey]*pipeline // with at least one open handle
	flags     lasting.States[*flag]     // by flagKey
	breakers  lasting.States[*breaker]  // by pipelineKey
}

// Of returns the Exporter of a process, which takes part in its Flush and its Shutdown.
func Of(p *telemetry.Process) *Exporter {
	return shared.Of(p.Shared(), func() *Exporter { return &Exporter{contained: contain.Log{Parent: &contain.Process}} })
}

// Open returns a connector's handle on the pipeline of its host and credential. It does no I/O and
// starts no goroutine; that begins with the first record. It returns nil, on which all methods of
// Handle do nothing, if settings.Enabled is SwitchOff, if the host is unknown, or after Shutdown.
//
// Settings are used unchecked: zero values mean their defaults, and only MaxRetries may be negative.
func (x *Exporter) Open(c Connection, settings telemetry.Settings) *Handle {
	if settings.Enabled == telemetry.SwitchOff || c.endpoint() == "" || x.down.Load() {
		return nil
	}
	settings = settings.WithDefaults()
	settings.FlushInterval = max(time.Millisecond, settings.FlushInterval)
	h := &Handle{origin: newOrigin(c), rate: settings.SampleRate.Or(1)}
	key := pipelineKey{tenant: c.tenant(), settings: settings}
	// Settings that do not change how a pipeline works do not need another one.
	key.settings.SampleRate, key.settings.CloseTimeout, key.settings.Enabled = telemetry.Maybe[float64]{}, 0, telemetry.SwitchUnset
	key.settings.LogLevel, key.settings.SlowThreshold, key.settings.QueryText = "", 0, false
	key.settings.ErrorText, key.settings.TraceTags, key.settings.QueryHistory = "", false, ""
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
		breaker := x.breakers.Acquire(key, func() *breaker { return newBreaker(settings, func() { x.counts.opened.Add(1) }) })
		p = newPipeline(x, x.flags.Acquire(key.flagKey, newFlag), breaker, &c, settings)
		p.bubble = key.bubble
		x.pipelines[key] = p
	}
	p.refs++
	ref := pipelineRef{x, p, key, settings.CloseTimeout}
	h.pipelineRef = ref
	h.watch = contain.WhenDropped(func() {
		_ = ref.close(context.Background(), ref.pipeline.queue.Last) // events that are not sent are counted
	})
	return h
}

// Flush sends at once what all connectors recorded before the call. It returns when every such event
// is sent or dropped, when they cannot be sent now (the error is or contains a *PendingError, and the
// events go on waiting), or when ctx is done.
func (x *Exporter) Flush(ctx context.Context) error {
	if x.down.Load() {
		return errStopped
	}
	pipelines := x.own()
	return ondemand.Each(len(pipelines), func(i int) error { return pipelines[i].flush(ctx, pipelines[i].queue.Last) })
}

// Shutdown flushes and ends all pipelines for good. When all events are sent, or ctx is done, the
// remaining events are dropped and counted. Nothing is sent after Shutdown has returned.
func (x *Exporter) Shutdown(ctx context.Context) error {
	var err error
	if !x.down.Load() { // otherwise another call has shut down or is doing so, and this one waits for it
		err = x.Flush(ctx)
	}
	x.mu.Lock()
	x.down.Store(true) // from here on Open adds no pipeline
	x.mu.Unlock()
	pipelines := x.own()
	_ = ondemand.Each(len(pipelines), func(i int) error {
		pipelines[i].end(DropShutDown)
		return nil
	})
	x.mu.Lock()
	defer x.mu.Unlock()
	clear(x.pipelines)
	return err
}

// KeepRecent makes [Exporter.Recent] return the latest n documents, at most 1000. The default, 0,
// keeps none. A document takes about 1 KiB, and each upload is copied.
func (x *Exporter) KeepRecent(n int) { x.recent.keep(n) }

// Recent returns the latest documents that were sent or could not be sent, oldest first.
func (x *Exporter) Recent() []Document { return x.recent.list() }

var errStopped = errors.New("databricks-telemetry: the exporter is shut down")

// pipelineKey is what connectors must have in common to share a pipeline.
type pipelineKey struct {
	tenant
	settings telemetry.Settings
}

// pipelineRef is one of the references that keep a pipeline open.
type pipelineRef struct {
	exporter     *Exporter
	pipeline     *pipeline
	key          pipelineKey
	closeTimeout time.Duration
}

// close flushes up to a number in the queue, within closeTimeout and ctx, and gives up the reference. If it was
// the last one, close ends the pipeline. The flag and the breaker are released only afterwards, so that what
// the last request shows about the host outlives the pipeline.
func (r *pipelineRef) close(ctx context.Context, upTo func() uint64) error {
	ctx, cancel := context.WithTimeout(ctx, r.closeTimeout)
	defer cancel()
	x, p := r.exporter, r.pipeline
	err := p.flush(ctx, upTo)
	x.mu.Lock()
	p.refs--
	last := p.refs == 0
	if last {
		delete(x.pipelines, r.key)
	}
	x.mu.Unlock()
	if last {
		p.end(DropClosed)
		x.mu.Lock()
		defer x.mu.Unlock()
		x.flags.Release(r.key.flagKey)
		x.breakers.Release(r.key)
	}
	return err
}

// list returns the pipelines, sorted by endpoint.
func (x *Exporter) list() []*pipeline {
	x.mu.Lock()
	defer x.mu.Unlock()
	return slices.SortedFunc(maps.Values(x.pipelines), func(a, b *pipeline) int {
		return strings.Compare(a.client.endpoint, b.client.endpoint)
	})
}

// own is list without the pipelines of other testing/synctest bubbles, whose timers must not be touched.
func (x *Exporter) own() []*pipeline {
	here := contain.Bubble()
	return slices.DeleteFunc(x.list(), func(p *pipeline) bool { return p.bubble != here })
}
