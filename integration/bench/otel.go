package main

import (
	"context"

	"go.opentelemetry.io/otel"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// startOpenTelemetry installs global providers like a service's, up to the point where data would
// leave the process: every span is sampled and batched by the SDK's defaults, every metric is
// aggregated, and the exporter discards everything.
func startOpenTelemetry() error {
	tracers = sdktrace.NewTracerProvider(
		sdktrace.WithSampler(sdktrace.AlwaysSample()),
		sdktrace.WithBatcher(noSpans{}),
	)
	otel.SetTracerProvider(tracers)
	otel.SetMeterProvider(sdkmetric.NewMeterProvider(sdkmetric.WithReader(sdkmetric.NewManualReader())))
	return nil
}

// tracers belongs to a client's one goroutine.
var tracers *sdktrace.TracerProvider

func flushOpenTelemetry(ctx context.Context) { _ = tracers.ForceFlush(ctx) }

type noSpans struct{}

var _ sdktrace.SpanExporter = noSpans{}

func (noSpans) ExportSpans(context.Context, []sdktrace.ReadOnlySpan) error { return nil }
func (noSpans) Shutdown(context.Context) error                             { return nil }
