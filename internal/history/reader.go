package history

import (
	"context"
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/seed-01322ee7/databricks-telemetry/internal/contain"
	"github.com/seed-01322ee7/databricks-telemetry/internal/export"
	"github.com/seed-01322ee7/databricks-telemetry/internal/lasting"
	"github.com/seed-01322ee7/databricks-telemetry/internal/ondemand"
	"github.com/seed-01322ee7/databricks-telemetry/internal/settings"
	"github.com/seed-01322ee7/databricks-telemetry/internal/shared"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// Reader asks the query histories of workspaces. Connectors that are opened with the same Reader
// share its workers, one for each host and credential. All methods may be called concurrently. The
// zero value is ready to use; a Reader must not be copied.
type Reader struct {
	counts counts
	down   atomic.Bool // Shutdown was called

	mu      sync.Mutex            // guards all below
	workers map[any]*worker       // with at least one open handle, by tenant
	paces   lasting.States[*pace] // by tenant
}

// Of returns the Reader of a process, which takes part in its Shutdown.
func Of(p *telemetry.Process) *Reader {
	return shared.Of(p.Shared(), func() *Reader { return &Reader{} })
}

// Open returns a connector's handle, which passes its reports to fan-outs. It does no I/O and starts
// no goroutine; that begins two seconds after the first statement to ask about. It returns nil, on
// which all methods of Handle do nothing, if the settings do not want reports or Enabled is SwitchOff,
// if the host or the authenticator is unknown (which is counted), or after Shutdown.
func (r *Reader) Open(c export.Connection, s telemetry.Settings, to []*telemetry.Fanout) *Handle {
	s = s.WithDefaults()
	if s.QueryHistory == settings.QueryHistoryOff || s.Enabled == telemetry.SwitchOff {
		return nil
	}
	key, ok := c.Tenant()
	if !ok || c.Authenticator == nil {
		r.counts.unavailable.Add(1)
		return nil
	}
	h := &Handle{all: s.QueryHistory == settings.QueryHistoryAll, slow: s.SlowThreshold}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.down.Load() {
		return nil
	}
	if r.workers == nil {
		r.workers = map[any]*worker{}
	}
	w := r.workers[key]
	if w == nil {
		w = newWorker(r, r.paces.Acquire(key, func() *pace { return &pace{} }), &c)
		r.workers[key] = w
	}
	w.refs++
	ref := workerRef{w, key, &target{to: to, done: make(chan struct{})}}
	h.workerRef = ref
	h.watch = contain.WhenDropped(func() {
		if ref.worker.beginClose(ref.target, false) {
			ref.release()
		}
	})
	return h
}

// Shutdown drops and counts waiting statements, interrupts running requests, and makes no more
// requests.
func (r *Reader) Shutdown(context.Context) error {
	r.mu.Lock()
	r.down.Store(true) // from here on Open adds no worker
	r.mu.Unlock()
	workers, here := r.list(), contain.Bubble()
	return ondemand.Each(len(workers), func(i int) error {
		if workers[i].bubble == here { // the timers of another bubble must not be touched
			workers[i].end(DropShutDown)
		}
		return nil
	})
}

// workerRef is one of the references that keep a worker. Each target has one.
type workerRef struct {
	worker *worker
	key    any
	target *target
}

// release gives up the reference, and ends the worker if it was the last one.
func (ref *workerRef) release() {
	w, r := ref.worker, ref.worker.reader
	r.mu.Lock()
	w.refs--
	last := w.refs == 0
	if last {
		delete(r.workers, ref.key)
	}
	r.mu.Unlock()
	if !last {
		return
	}
	w.end(DropClosed) // ending may show that the host hangs
	r.mu.Lock()
	defer r.mu.Unlock()
	r.paces.Release(ref.key)
}

func (r *Reader) list() []*worker {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Collect(maps.Values(r.workers))
}
