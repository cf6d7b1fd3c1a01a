package driverwrap

import (
	"context"
	"slices"

	"github.com/seed-01322ee7/databricks-telemetry/internal/contain"
	"github.com/seed-01322ee7/databricks-telemetry/internal/spancontext"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// The application supplies tracers, and they run on its goroutine. Each call of a tracer is contained
// separately, so that a panic costs only that tracer's span. A runtime.Goexit is counted, and ends
// the application's goroutine as it would anywhere else.

// tracing reports whether a sink has a tracer.
func (r *recorder) tracing() bool {
	return slices.ContainsFunc(r.fanouts, (*telemetry.Fanout).Tracing)
}

// startSpans starts a span of each tracer that follows calls now. start describes the call. Without tracers,
// startSpans returns the caller's context and no spans.
func startSpans[Start any, Span comparable](ctx context.Context, fanouts []*telemetry.Fanout, start Start, begin func(telemetry.Tracer, context.Context, Start) (context.Context, Span)) (_ context.Context, spans []Span) {
	var none Span
	for _, f := range fanouts {
		for _, t := range f.Tracers() {
			var span Span
			if ctx, span = startSpan(ctx, t, start, begin); span != none {
				spans = append(spans, span)
			}
		}
	}
	return ctx, spans
}

func startSpan[Start, Span any](ctx context.Context, t telemetry.Tracer, start Start, begin func(telemetry.Tracer, context.Context, Start) (context.Context, Span)) (within context.Context, span Span) {
	contain.Process.Call(contain.Tracer, func() {
		if t.Tracing() {
			within, span = begin(t, ctx, start) //nolint:fatcontext // a tracer adds one context, for one call
		}
	})
	if within == nil {
		within = ctx // the tracer is idle, has panicked, or returned no context
	}
	return within, span
}

// endSpans ends the spans of a call that has returned, the innermost first.
func endSpans[Span, Record any](spans []Span, r Record, end func(Span, Record)) {
	last := len(spans) - 1
	contain.Each(len(spans), func(i int) {
		contain.Process.Call(contain.Tracer, func() { end(spans[last-i], r) })
	})
}

// callersSpan returns the ids of the caller's span. The span is user-supplied code.
func callersSpan(ctx context.Context) (traceID [16]byte, spanID [8]byte) {
	defer contain.Process.Recover(contain.Spans)
	return spancontext.In(ctx)
}

// spanContext returns the ids of the first span that has any.
func spanContext(spans []telemetry.StatementSpan) (traceID [16]byte, spanID [8]byte) {
	for _, s := range spans {
		contain.Process.Call(contain.Tracer, func() { traceID, spanID = s.Context() })
		if traceID != [16]byte{} {
			break
		}
	}
	return traceID, spanID
}
