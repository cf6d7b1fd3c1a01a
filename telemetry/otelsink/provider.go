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

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// scope names who instruments; with telemetry.Version, it is on every span and metric.
const scope = "github.com/seed-01322ee7/databricks-telemetry/telemetry/otelsink"

// Until an application sets global providers, those of the API itself stand in for them.
// They would take everything and do nothing, at a cost. Nothing exported tells them; their
// types are in a package of the API's own. Any other provider counts as set.
var (
	tracersStandIn = standIn(otel.GetTracerProvider())
	metersStandIn  = standIn(otel.GetMeterProvider())
)

// standIn returns p if it is the API's own; otherwise it was set before this package was
// initialised, and there is nothing to wait for.
func standIn[P any](p P) (own P) {
	t := reflect.TypeOf(p)
	if t != nil && t.Kind() == reflect.Pointer && strings.HasSuffix(t.Elem().PkgPath(), "otel/internal/global") {
		return p
	}
	return own
}

// tracing is a tracer once there is one.
type tracing struct{ tracer trace.Tracer }

// tracer is nil while nobody wants spans.
func (s *Sink) tracer() trace.Tracer {
	switch t := s.tracing.Load(); {
	case s.closed.Load():
		return nil
	case t != nil:
		return t.tracer
	}
	p := s.tracerProvider
	if p == nil {
		if p = otel.GetTracerProvider(); p == nil || p == tracersStandIn {
			return nil
		}
	}
	if _, off := p.(notrace.TracerProvider); off {
		return nil
	}
	return s.trace(p)
}

func (s *Sink) trace(p trace.TracerProvider) trace.Tracer {
	t := p.Tracer(scope, trace.WithInstrumentationVersion(telemetry.Version), trace.WithSchemaURL(semconv.SchemaURL))
	s.tracing.CompareAndSwap(nil, &tracing{t})
	return s.tracing.Load().tracer
}

// meters is the provider to measure with, nil while nobody wants measurements.
func (s *Sink) meters() metric.MeterProvider {
	p := s.meterProvider
	if p == nil {
		if p = otel.GetMeterProvider(); p == nil || p == metersStandIn {
			return nil
		}
	}
	if _, off := p.(nometric.MeterProvider); off {
		return nil
	}
	return p
}

// measures reports whether a measurement made now would be taken.
func (s *Sink) measures(ctx context.Context) bool {
	switch i := s.metrics.Load(); {
	case s.closed.Load():
		return false
	case i != nil:
		return i.enabled(ctx)
	}
	return s.meters() != nil
}
