// Package spancontext makes a context with the span of a statement for what handles the statement's
// record later: exemplars of metrics, and handlers of log lines that write trace identifiers.
package spancontext

import (
	"context"

	"go.opentelemetry.io/otel/trace"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// Of returns a context with the span that was around the statement's call; the background context
// where no tracer made one.
func Of(r *telemetry.Statement) context.Context {
	if r.TraceID == [16]byte{} {
		return context.Background()
	}
	return trace.ContextWithSpanContext(context.Background(), trace.NewSpanContext(trace.SpanContextConfig{
		TraceID: r.TraceID, SpanID: r.SpanID, TraceFlags: trace.FlagsSampled,
	}))
}
