package otelsink

import (
	"context"
	"sync"
	"time"

	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"
)

// earlyDurations holds the durations of calls that returned before there were instruments.
type earlyDurations struct {
	mu       sync.Mutex
	recorded bool            // there are instruments; guarded by mu
	waiting  []earlyDuration // guarded by mu
}

type earlyDuration struct {
	ctx        context.Context
	took       time.Duration
	attributes metric.MeasurementOption
}

// maxEarly bounds how many wait: creating instruments takes well under a millisecond, unless
// the SDK is busy collecting.
const maxEarly = 1000

// drop drops what waits: there will be no instruments.
func (e *earlyDurations) drop() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.waiting = nil
}

// keep reports whether the duration waits for instruments, and whether it is the first.
func (e *earlyDurations) keep(d earlyDuration) (kept, first bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.recorded {
		return false, false
	}
	if len(e.waiting) < maxEarly {
		// A context holds all that the application put into it.
		d.ctx = trace.ContextWithSpanContext(context.Background(), trace.SpanContextFromContext(d.ctx))
		e.waiting = append(e.waiting, d)
	}
	return true, len(e.waiting) == 1
}

// record calls publish and records the durations that waited. From then on none waits.
func (e *earlyDurations) record(publish func(), i *instruments) {
	e.mu.Lock()
	publish()
	e.recorded = true
	waiting := e.waiting
	e.waiting = nil
	e.mu.Unlock()
	for _, d := range waiting {
		i.operationDuration.Record(d.ctx, d.took.Seconds(), d.attributes)
	}
}
