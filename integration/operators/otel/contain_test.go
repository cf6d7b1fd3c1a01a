package otel

import (
	"context"
	"database/sql"
	"log/slog"
	"runtime"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/databricks/databricks-sql-go/driverctx"
	"github.com/stretchr/testify/require"
	metricapi "go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/sdk/metric"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/seed-01322ee7/databricks-telemetry/driverwrap"
	"github.com/seed-01322ee7/databricks-telemetry/integration/workspace"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry/otelsink"
)

// tracers is an SDK's provider that misbehaves.
type tracers struct {
	trace.TracerProvider
	tracer func(trace.Tracer) trace.Tracer
}

func (p tracers) Tracer(name string, opts ...trace.TracerOption) trace.Tracer {
	return p.tracer(p.TracerProvider.Tracer(name, opts...))
}

// starts is a tracer that misbehaves.
type starts struct {
	trace.Tracer
	start func(context.Context) (context.Context, trace.Span)
}

func (t starts) Start(ctx context.Context, _ string, _ ...trace.SpanStartOption) (context.Context, trace.Span) {
	return t.start(ctx)
}

type sampler struct{ sdktrace.Sampler }

func (sampler) ShouldSample(sdktrace.SamplingParameters) sdktrace.SamplingResult { panic("sampler") }

func TestNoTracerCostsAMetric(t *testing.T) {
	sdk := sdktrace.NewTracerProvider()
	onStart := sdktrace.NewTracerProvider()
	onStart.RegisterSpanProcessor(angry{"start"})
	onEnd := sdktrace.NewTracerProvider()
	onEnd.RegisterSpanProcessor(angry{"end"})
	for name, p := range map[string]trace.TracerProvider{
		"provider panics": tracers{sdk, func(trace.Tracer) trace.Tracer { panic("tracer") }},
		"no tracer":       tracers{sdk, func(trace.Tracer) trace.Tracer { return nil }},
		"nil pointer":     (*sdktrace.TracerProvider)(nil),
		"tracer panics": tracers{sdk, func(o trace.Tracer) trace.Tracer {
			return starts{o, func(context.Context) (context.Context, trace.Span) { panic("start") }}
		}},
		"no span": tracers{sdk, func(o trace.Tracer) trace.Tracer {
			return starts{o, func(ctx context.Context) (context.Context, trace.Span) { return ctx, nil }}
		}},
		"no context, no span": tracers{sdk, func(o trace.Tracer) trace.Tracer {
			return starts{o, func(context.Context) (context.Context, trace.Span) { return nil, nil }}
		}},
		"no context": tracers{sdk, func(o trace.Tracer) trace.Tracer {
			return starts{o, func(ctx context.Context) (context.Context, trace.Span) { _, s := o.Start(ctx, "x"); return nil, s }} //nolint:spancheck // the sink ends it
		}},
		"sampler panics":     sdktrace.NewTracerProvider(sdktrace.WithSampler(sampler{})),
		"processor at start": onStart,
		"processor at end":   onEnd,
	} {
		t.Run(name, func(t *testing.T) {
			ws := workspace.New(t, workspace.Options{})
			s := &sight{reader: metric.NewManualReader()}
			s.meter = metric.NewMeterProvider(metric.WithReader(s.reader))
			s.sink = otelsink.New(otelsink.WithTracerProvider(p), otelsink.WithMeterProvider(s.meter))
			db := s.open(t, ws.DSN("enableTelemetry=false"))
			require.NoError(t, read(t.Context(), db, "SELECT 1"))
			require.NoError(t, read(t.Context(), db, "SELECT 1"))
			require.NoError(t, db.Close())
			metrics := s.collect(t)
			require.EqualValues(t, 2, total(metrics["databricks.client.statement.duration"]).count)
			require.EqualValues(t, 2, total(metrics["db.client.operation.duration"]).count)
			require.NoError(t, s.sink.Close())
		})
	}
}

// meters is an SDK's provider that misbehaves.
type meters struct {
	metricapi.MeterProvider
	meter func(metricapi.Meter) metricapi.Meter
}

func (p *meters) Meter(name string, opts ...metricapi.MeterOption) metricapi.Meter {
	return p.meter(p.MeterProvider.Meter(name, opts...))
}

type brokenMeter struct {
	metricapi.Meter
	histogram func(metricapi.Float64Histogram) metricapi.Float64Histogram
	register  func(metricapi.Registration) metricapi.Registration
}

func (m brokenMeter) Float64Histogram(name string, opts ...metricapi.Float64HistogramOption) (metricapi.Float64Histogram, error) {
	h, err := m.Meter.Float64Histogram(name, opts...)
	if m.histogram != nil {
		h = m.histogram(h)
	}
	return h, err
}

func (m brokenMeter) RegisterCallback(f metricapi.Callback, o ...metricapi.Observable) (metricapi.Registration, error) {
	r, err := m.Meter.RegisterCallback(f, o...)
	if m.register != nil {
		r = m.register(r)
	}
	return r, err
}

type brokenHistogram struct {
	metricapi.Float64Histogram
	enabled, record func()
}

func (h brokenHistogram) Enabled(ctx context.Context) bool                           { h.enabled(); return true }
func (h brokenHistogram) Record(context.Context, float64, ...metricapi.RecordOption) { h.record() }

func TestNoMeterCostsASpan(t *testing.T) {
	quiet := func() {}
	broken := func() { panic("meter") }
	for name, meter := range map[string]func(metricapi.Meter) metricapi.Meter{
		"provider panics": func(metricapi.Meter) metricapi.Meter { panic("meter") },
		"no meter":        func(metricapi.Meter) metricapi.Meter { return nil },
		"no instrument": func(m metricapi.Meter) metricapi.Meter {
			return brokenMeter{Meter: m, histogram: func(metricapi.Float64Histogram) metricapi.Float64Histogram { return nil }}
		},
		"enabled panics": func(m metricapi.Meter) metricapi.Meter {
			return brokenMeter{Meter: m, histogram: func(h metricapi.Float64Histogram) metricapi.Float64Histogram {
				return brokenHistogram{h, broken, quiet}
			}}
		},
		"record panics": func(m metricapi.Meter) metricapi.Meter {
			return brokenMeter{Meter: m, histogram: func(h metricapi.Float64Histogram) metricapi.Float64Histogram {
				return brokenHistogram{h, quiet, broken}
			}}
		},
		"no registration": func(m metricapi.Meter) metricapi.Meter {
			return brokenMeter{Meter: m, register: func(metricapi.Registration) metricapi.Registration { return nil }}
		},
	} {
		t.Run(name, func(t *testing.T) {
			ws := workspace.New(t, workspace.Options{})
			s := newSight(t)
			sink := otelsink.New(otelsink.WithTracerProvider(s.tracer), otelsink.WithMeterProvider(&meters{s.meter, meter}))
			c, err := driverwrap.Config{Sinks: []telemetry.Sink{sink}, Settings: telemetry.Settings{CloseTimeout: time.Minute}}.OpenConnector(ws.DSN("enableTelemetry=false"))
			require.NoError(t, err)
			db := sql.OpenDB(c)
			require.NoError(t, read(t.Context(), db, "SELECT 1"))
			require.NoError(t, read(t.Context(), db, "SELECT 1"))
			require.NoError(t, db.Close())
			require.Len(t, s.named("QUERY "+serverOf(ws)), 2)
			require.NoError(t, sink.Close())
			require.NoError(t, sink.Close())
		})
	}
}

// The goroutine that calls a filter is the application's: where the filter ends it, the call was not made.
func TestAFilterThatExitsIsCountedOnceAndCostsNoOtherStatement(t *testing.T) {
	ws := workspace.New(t, workspace.Options{})
	exits := true
	s := newSight(t, otelsink.WithFilter(func(context.Context, telemetry.StatementStart) bool {
		if exits {
			exits = false
			runtime.Goexit()
		}
		return true
	}))
	db := s.open(t, ws.DSN("enableTelemetry=false"))
	incidents, ended := telemetry.ReadStats().Incidents(), make(chan struct{})
	go func() {
		defer close(ended)
		_ = read(t.Context(), db, "SELECT 1")
	}()
	<-ended
	require.Equal(t, incidents+1, telemetry.ReadStats().Incidents())
	require.NoError(t, read(t.Context(), db, "SELECT 1"))
	metrics := s.eventually(t, "databricks.client.statement.duration", 1)
	require.EqualValues(t, 1, total(metrics["db.client.operation.duration"]).count)
	require.Len(t, s.named("QUERY "+serverOf(ws)), 1)
}

func TestEveryTextIsValid(t *testing.T) {
	ws := workspace.New(t, workspace.Options{})
	s := newSight(t)
	db := s.open(t, ws.DSN("enableTelemetry=false", "telemetry_error_text=full", "telemetry_query_text=true"))
	ctx := driverctx.NewContextWithCorrelationId(t.Context(), "c\xff")
	ctx = driverctx.NewContextWithQueryTags(ctx, map[string]string{"k\xff": "v\xff"})
	ctx = telemetry.WithAttributes(ctx, slog.String("a\xff", "b\xff"), slog.Any("e", struct{ S string }{"\xff"}))
	_ = read(ctx, db, "SELECT 1")
	require.Error(t, read(ctx, db, "SELECT '\xff' FROM `no\xff`"))
	for _, span := range s.spans.GetSpans() {
		require.True(t, utf8.ValidString(span.Name))
		require.True(t, utf8.ValidString(span.Status.Description), span.Status.Description)
		for _, a := range span.Attributes {
			require.True(t, utf8.ValidString(string(a.Key)), "%q", a.Key)
			require.True(t, utf8.ValidString(a.Value.String()), "%s %q", a.Key, a.Value.String())
		}
	}
}
