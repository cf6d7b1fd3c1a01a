package otelsink

import (
	"context"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/metric"
	nometric "go.opentelemetry.io/otel/metric/noop"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"

	"github.com/seed-01322ee7/databricks-telemetry/internal/contain"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// instruments are the instruments of a Sink.
type instruments struct {
	// Recorded for each call.
	operationDuration metric.Float64Histogram

	// Recorded for each finished statement.
	statementDuration metric.Float64Histogram
	statementTime     metric.Float64Counter
	serverTime        metric.Float64Counter
	statementPolls    metric.Int64Counter
	statementPages    metric.Int64Counter
	returnedRows      metric.Int64Histogram
	rpcCalls          metric.Int64Counter
	rpcRetries        metric.Int64Counter
	rpcDuration       metric.Float64Counter
	rpcIO             metric.Int64Counter
	files             metric.Int64Counter
	fileRetries       metric.Int64Counter
	fileIO            metric.Int64Counter
	fileDuration      metric.Float64Histogram

	// Recorded for each connection.
	createTime      metric.Float64Histogram
	sessionLifetime metric.Float64Histogram

	// Observed.
	running      metric.Int64ObservableUpDownCounter
	sessions     metric.Int64ObservableUpDownCounter
	poolCount    metric.Int64ObservableUpDownCounter
	poolMax      metric.Int64ObservableUpDownCounter
	poolWaits    metric.Int64ObservableCounter
	poolWaitTime metric.Float64ObservableCounter
	poolClosed   metric.Int64ObservableCounter
	sent         metric.Int64ObservableCounter
	dropped      metric.Int64ObservableCounter
	pending      metric.Int64ObservableUpDownCounter
	requests     metric.Int64ObservableCounter
	retries      metric.Int64ObservableCounter
	failures     metric.Int64ObservableCounter
	sentBytes    metric.Int64ObservableCounter
	breaker      metric.Int64ObservableCounter
	incidents    metric.Int64ObservableCounter

	meter    metric.Meter
	recorded []interface{ Enabled(context.Context) bool } // all but the observed ones
	observed []metric.Observable
}

// instruments returns the sink's instruments, or nil while no measurements are wanted. The first call
// that finds a meter provider creates them. It may block in the meter provider, so it is never called
// on the caller's goroutine.
func (s *Sink) instruments() *instruments {
	if s.closed.Load() {
		return nil
	}
	if i := s.metrics.Load(); i != nil {
		return i
	}
	defer contain.Process.Recover(contain.Spans)
	s.creating.Lock()
	defer s.creating.Unlock()
	if i := s.metrics.Load(); i != nil {
		return i
	}
	p := s.activeMeterProvider()
	if p == nil || s.closed.Load() {
		return nil
	}
	i := newInstruments(p)
	s.release = observe(s.process, p, i, s.attributes)
	s.publish(i)
	return i
}

// newInstruments creates all instruments. The no-op meter creates the ones that the provider refuses.
func newInstruments(p metric.MeterProvider) *instruments {
	i := &instruments{meter: p.Meter(scope, metric.WithInstrumentationVersion(telemetry.Version), metric.WithSchemaURL(semconv.SchemaURL))}
	for _, d := range definitions {
		recorded, observed := i.recorded, i.observed
		if err := d.create(i.meter, i); err != nil {
			otel.Handle(err)
			_ = d.create(nometric.Meter{}, i)
			i.recorded, i.observed = recorded, observed
		}
	}
	return i
}

// enabled reports whether any measurement would be taken. It is called on the caller's goroutine;
// usually the first instrument decides. It reports false if an instrument panics: the call keeps its span.
func (i *instruments) enabled(ctx context.Context) (wanted bool) {
	defer contain.Process.Recover(contain.Spans)
	for _, r := range i.recorded {
		if r.Enabled(ctx) {
			return true
		}
	}
	return false
}
