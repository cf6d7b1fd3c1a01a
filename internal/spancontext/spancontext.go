// Package spancontext reads the caller's span from a context. It also makes a context with the span of a
// statement for code that handles the statement's record later: exemplars of metrics, and log handlers
// that write trace identifiers.
package spancontext

import (
	"context"

	"go.opentelemetry.io/otel/trace"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// In returns the ids of the span in a context, or zeros if there is none or it is not sampled.
func In(ctx context.Context) (traceID [16]byte, spanID [8]byte) {
	if span := trace.SpanContextFromContext(ctx); span.IsValid() && span.IsSampled() {
		return span.TraceID(), span.SpanID()
	}
	return traceID, spanID
}

// Of returns a context with the span around the statement's call, or the background context if there
// was none.
func Of(r *telemetry.Statement) context.Context {
	if r.TraceID == [16]byte{} {
		return context.Background()
	}
	return trace.ContextWithSpanContext(context.Background(), trace.NewSpanContext(trace.SpanContextConfig{
		TraceID: r.TraceID, SpanID: r.SpanID, TraceFlags: trace.FlagsSampled,
	}))
}
