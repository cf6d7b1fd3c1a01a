package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/codes"
	otelprometheus "go.opentelemetry.io/otel/exporters/prometheus"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/trace"
)

// setProviders sets the global providers. Metrics are read from the handler.
func setProviders(spans bool, out io.Writer) (metrics http.Handler, shutdown func(), err error) {
	registry := prometheus.NewRegistry()
	reader, err := otelprometheus.New(otelprometheus.WithRegisterer(registry))
	if err != nil {
		return nil, nil, err
	}
	meters := metric.NewMeterProvider(metric.WithReader(reader))
	otel.SetMeterProvider(meters)

	// A tracer provider without an exporter still gives every statement a trace id, which
	// metrics carry as exemplars and records as trace_id.
	var opts []trace.TracerProviderOption
	if spans {
		opts = append(opts, trace.WithSyncer(printer{out}))
	}
	tracers := trace.NewTracerProvider(opts...)
	otel.SetTracerProvider(tracers)

	return promhttp.HandlerFor(registry, promhttp.HandlerOpts{EnableOpenMetrics: true}), func() {
		_ = tracers.Shutdown(context.Background())
		_ = meters.Shutdown(context.Background())
	}, nil
}

// printer is an exporter that writes a line for each span.
type printer struct{ to io.Writer }

func (p printer) ExportSpans(_ context.Context, spans []trace.ReadOnlySpan) error {
	for _, s := range spans {
		status := ""
		if s.Status().Code == codes.Error {
			status = ": " + s.Status().Description
		}
		fmt.Fprintf(p.to, "  %-30s %8s  %s%s\n", s.Name(), s.EndTime().Sub(s.StartTime()).Round(time.Millisecond), s.SpanContext().TraceID(), status)
	}
	return nil
}

func (printer) Shutdown(context.Context) error { return nil }
