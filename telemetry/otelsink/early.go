package otelsink

import (
	"context"
	"fmt"
	"sync"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"
)

// earlyCalls are the calls that returned before there were instruments.
type earlyCalls struct {
	mu      sync.Mutex     // also held while instruments become those of the sink
	waiting []callDuration // guarded by mu
	lost    int            // calls that were too many; guarded by mu
}

// callDuration is one measurement of db.client.operation.duration.
type callDuration struct {
	ctx        context.Context
	took       time.Duration
	attributes metric.MeasurementOption
}

// maxEarly bounds how many durations wait, and so their memory to about 2 MB. Creating instruments takes
// well under a millisecond, unless the SDK is busy collecting: a callback of the application may take seconds.
const maxEarly = 10_000

// keepEarly keeps a duration until there are instruments; the first one starts their creation. If there
// are instruments by now, keepEarly returns them and does not keep the duration.
func (s *Sink) keepEarly(d callDuration) *instruments {
	s.early.mu.Lock()
	defer s.early.mu.Unlock()
	if i := s.metrics.Load(); i != nil {
		return i
	}
	if len(s.early.waiting) == maxEarly {
		s.early.lost++
	} else {
		// Only the span is kept, because the context holds everything that the application put into
		// it.
		d.ctx = trace.ContextWithSpanContext(context.Background(), trace.SpanContextFromContext(d.ctx))
		s.early.waiting = append(s.early.waiting, d)
	}
	if len(s.early.waiting) == 1 {
		go s.instruments()
	}
	return nil
}

// publish makes instruments those of the sink and records the durations that waited. From then on,
// none waits.
func (s *Sink) publish(i *instruments) {
	s.early.mu.Lock()
	s.metrics.Store(i)
	waiting, lost := s.early.waiting, s.early.lost
	s.early.waiting = nil
	s.early.mu.Unlock()
	for _, d := range waiting {
		i.operationDuration.Record(d.ctx, d.took.Seconds(), d.attributes)
	}
	if lost > 0 {
		otel.Handle(fmt.Errorf("databricks-telemetry: db.client.operation.duration lacks %d calls, because the meter provider was busy", lost))
	}
}
