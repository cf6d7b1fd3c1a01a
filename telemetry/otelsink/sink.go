package otelsink

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"github.com/seed-01322ee7/databricks-telemetry/internal/contain"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// Sink reports to one tracer provider and one meter provider. Make one with New. A Sink is
// safe for concurrent use.
type Sink struct {
	process        *telemetry.Process   // that it observes
	tracerProvider trace.TracerProvider // nil: the global one
	meterProvider  metric.MeterProvider // nil: the global one
	attributes     []attribute.KeyValue
	filter         func(context.Context, telemetry.StatementStart) bool

	tracer  atomic.Pointer[trace.Tracer] // nil until there is a provider
	metrics atomic.Pointer[instruments]  // nil until they are created
	closed  atomic.Bool

	operations sync.Map     // target → *operation, for the first maxOperations targets
	built      atomic.Int64 // operations

	creating sync.Mutex   // held while instruments are created
	release  func() error // ends the observation; guarded by creating

	early earlyCalls
}

var (
	_ telemetry.Tracer      = (*Sink)(nil)
	_ telemetry.SessionSink = (*Sink)(nil)
	_ telemetry.ReportSink  = (*Sink)(nil)
	_ telemetry.Recorder    = (*Sink)(nil)
)

// Option configures a Sink.
type Option func(*Sink)

// WithTracerProvider makes spans with p. Default: the first global provider that is set, from that
// moment on. The provider of package go.opentelemetry.io/otel/trace/noop makes no spans.
func WithTracerProvider(p trace.TracerProvider) Option {
	return func(s *Sink) { s.tracerProvider = p }
}

// WithMeterProvider measures with p. Default: the first global provider that is set, from that moment
// on. The provider of package go.opentelemetry.io/otel/metric/noop measures nothing.
func WithMeterProvider(p metric.MeterProvider) Option {
	return func(s *Sink) { s.meterProvider = p }
}

// WithAttributes adds attributes to every span and every measurement. Each distinct set is a separate
// time series in every metric, so attributes should be few and constant: a team or a service, never a
// user or a request. Default: none.
func WithAttributes(attributes ...attribute.KeyValue) Option {
	return func(s *Sink) { s.attributes = append(s.attributes, attributes...) }
}

// WithFilter calls wanted before each statement, on the caller's goroutine. If it returns false, the
// call has no span and does not count in db.client.operation.duration; the metrics of finished
// statements still include the statement. If wanted panics, the call has no span, but is measured. Default:
// every statement is wanted.
func WithFilter(wanted func(context.Context, telemetry.StatementStart) bool) Option {
	return func(s *Sink) { s.filter = wanted }
}

// New returns a sink. The observation of the process (pools, running statements) is registered at
// once with the provider of WithMeterProvider, or else when the first statement finds a global
// provider set. Close ends the observation.
func New(opts ...Option) *Sink {
	s := &Sink{process: &telemetry.Default}
	for _, o := range opts {
		o(s)
	}
	s.attributes = slices.Clip(s.attributes)
	if s.meterProvider != nil {
		s.instruments()
	}
	return s
}

// Close stops the sink: from then on, Recording and Tracing return false and the sink observes
// nothing. Close neither flushes nor shuts down the providers, which belong to the application. The
// error is the meter provider's, or says that the provider panicked.
func (s *Sink) Close() error {
	s.closed.Store(true)
	s.creating.Lock()
	release := s.release // only at the first call
	s.release = nil
	s.creating.Unlock()
	s.early.mu.Lock()
	s.early.waiting = nil // there will be no instruments
	s.early.mu.Unlock()
	if release == nil {
		return nil
	}
	err := errPanicked
	contain.Process.Call(contain.Spans, func() { err = release() })
	return err
}

var errPanicked = errors.New("databricks-telemetry: the meter provider panicked")

// Recording reports whether records are wanted, which is when a meter provider is set and takes
// measurements.
func (s *Sink) Recording() bool { return s.measuring(context.Background()) }

// Tracing reports whether calls have to be followed, for their spans or their duration.
func (s *Sink) Tracing() bool { return s.activeTracer() != nil || s.measuring(context.Background()) }
