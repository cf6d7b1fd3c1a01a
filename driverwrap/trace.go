package driverwrap

import (
	"context"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// Tracers run on the application's goroutine and are somebody else's code: each call of
// theirs is contained by itself, so that what panics costs its own span only.

// tracing reports whether anybody wants to follow calls.
func (c *connector) tracing() bool {
	for _, f := range c.fanouts {
		if f.Tracing() {
			return true
		}
	}
	return false
}

// traceStatement lets the tracers follow a statement. Without any the context is the caller's.
func (c *connector) traceStatement(ctx context.Context, start telemetry.StatementStart) (_ context.Context, spans []telemetry.StatementSpan) {
	for _, f := range c.fanouts {
		for _, t := range f.Tracers() {
			var span telemetry.StatementSpan
			if ctx, span = startStatementSpan(ctx, t, start); span != nil {
				spans = append(spans, span)
			}
		}
	}
	return ctx, spans
}

func startStatementSpan(ctx context.Context, t telemetry.Tracer, start telemetry.StatementStart) (within context.Context, span telemetry.StatementSpan) {
	within = ctx
	defer contain()
	next, span := t.StatementStarting(ctx, start)
	if next != nil {
		within = next
	}
	return within, span
}

// spanContext returns the ids of the first span that has any.
func spanContext(spans []telemetry.StatementSpan) (traceID [16]byte, spanID [8]byte) {
	defer contain()
	for _, s := range spans {
		if traceID, spanID = s.Context(); traceID != [16]byte{} {
			return traceID, spanID
		}
	}
	return traceID, spanID
}

// endSpans tells the spans that the call has returned, the innermost first.
func endSpans(spans []telemetry.StatementSpan, r *telemetry.Statement) {
	for i := range spans {
		func() {
			defer contain()
			spans[len(spans)-1-i].StatementExecuted(r)
		}()
	}
}

// traceSession lets the tracers follow the opening of a connection.
func (c *connector) traceSession(ctx context.Context) (_ context.Context, spans []telemetry.SessionSpan) {
	for _, f := range c.fanouts {
		for _, t := range f.Tracers() {
			var span telemetry.SessionSpan
			if ctx, span = startSessionSpan(ctx, t, telemetry.SessionStart{Server: c.server}); span != nil {
				spans = append(spans, span)
			}
		}
	}
	return ctx, spans
}

func startSessionSpan(ctx context.Context, t telemetry.Tracer, start telemetry.SessionStart) (within context.Context, span telemetry.SessionSpan) {
	within = ctx
	defer contain()
	next, span := t.SessionStarting(ctx, start)
	if next != nil {
		within = next
	}
	return within, span
}

// endSessionSpans tells the spans that the connection is open or could not be opened.
func endSessionSpans(spans []telemetry.SessionSpan, r *telemetry.SessionOpened) {
	for i := range spans {
		func() {
			defer contain()
			spans[len(spans)-1-i].SessionStarted(r)
		}()
	}
}
