package otelsink

import (
	"context"
	"reflect"
	"strings"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/metric"
	nometric "go.opentelemetry.io/otel/metric/noop"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"
	notrace "go.opentelemetry.io/otel/trace/noop"

	"github.com/seed-01322ee7/databricks-telemetry/internal/contain"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// scope is the instrumentation scope of every span and metric, with telemetry.Version.
const scope = "github.com/seed-01322ee7/databricks-telemetry/telemetry/otelsink"

// activeTracer returns nil while no spans are wanted.
func (s *Sink) activeTracer() trace.Tracer {
	switch t := s.tracer.Load(); {
	case s.closed.Load():
		return nil
	case t != nil:
		return *t
	}
	p := s.tracerProvider
	if p == nil {
		if p = otel.GetTracerProvider(); p == nil || p == delegatingTracerProvider {
			return nil
		}
	}
	if _, off := p.(notrace.TracerProvider); off {
		return nil
	}
	return s.newTracer(p)
}

// newTracer returns nil where the provider panics: the next call asks it again, and is measured all the same.
func (s *Sink) newTracer(p trace.TracerProvider) trace.Tracer {
	defer contain.Process.Recover(contain.Spans)
	t := p.Tracer(scope, trace.WithInstrumentationVersion(telemetry.Version), trace.WithSchemaURL(semconv.SchemaURL))
	s.tracer.CompareAndSwap(nil, &t)
	return *s.tracer.Load()
}

// measuring reports whether a measurement made now would be taken.
func (s *Sink) measuring(ctx context.Context) bool {
	switch i := s.metrics.Load(); {
	case s.closed.Load():
		return false
	case i != nil:
		return i.enabled(ctx)
	}
	return s.activeMeterProvider() != nil
}

// activeMeterProvider returns nil while no measurements are wanted.
func (s *Sink) activeMeterProvider() metric.MeterProvider {
	p := s.meterProvider
	if p == nil {
		if p = otel.GetMeterProvider(); p == nil || p == delegatingMeterProvider {
			return nil
		}
	}
	if _, off := p.(nometric.MeterProvider); off {
		return nil
	}
	return p
}

// The global providers of a program that has set none are delegating providers of the OpenTelemetry
// API: they accept everything and do nothing, at a cost. Any other provider counts as set. These
// variables are nil if the program set its providers before this package was initialized.
var (
	delegatingTracerProvider = delegating(otel.GetTracerProvider())
	delegatingMeterProvider  = delegating(otel.GetMeterProvider())
)

// delegating returns p if it is a delegating provider of the API, and nil otherwise. No exported name
// identifies them, but their types are in an internal package of the API.
func delegating[P any](p P) (none P) {
	t := reflect.TypeOf(p)
	if t != nil && t.Kind() == reflect.Pointer && strings.HasSuffix(t.Elem().PkgPath(), "otel/internal/global") {
		return p
	}
	return none
}
