package otelsink

import (
	"context"
	"sync"
	"time"

	"go.opentelemetry.io/otel/metric"
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

// keep reports whether the duration waits for instruments, and whether it is the first.
func (e *earlyDurations) keep(d earlyDuration) (kept, first bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.recorded {
		return false, false
	}
	if len(e.waiting) < maxEarly {
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
