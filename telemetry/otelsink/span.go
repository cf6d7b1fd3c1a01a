package otelsink

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"github.com/seed-01322ee7/databricks-telemetry/internal/contain"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// StatementStarting begins a client span within the caller's and returns its context, on
// the caller's goroutine. It returns ctx itself, and nil, while nobody records or the filter
// wants no part of the statement.
func (s *Sink) StatementStarting(ctx context.Context, start telemetry.StatementStart) (within context.Context, followed telemetry.StatementSpan) {
	within = ctx
	defer contain.Process.Recover(contain.Spans)
	tracer, measures := s.tracer(), s.measures(ctx)
	if tracer == nil && !measures || s.filter != nil && !s.filter(ctx, start) {
		return ctx, nil
	}
	c := &call{sink: s, operation: s.operation(start.Server, operationName(start.Kind, start.Internal)), measured: measures}
	if tracer != nil {
		name, attributes := c.operation.span, make([]attribute.KeyValue, 0, 4)
		if start.SessionID != "" {
			attributes = append(attributes, sessionIDKey.String(start.SessionID))
		}
		if start.Prepared {
			attributes = append(attributes, preparedKey.Bool(true))
		}
		if start.Query != "" {
			attributes = append(attributes, semconv.DBQueryText(start.Query))
			if summary := summarize(start.Query); summary != "" {
				attributes = append(attributes, semconv.DBQuerySummary(summary))
				name = summary
			}
		}
		ctx, c.span = begin(ctx, tracer, name, append(c.operation.start, trace.WithAttributes(attributes...)))
	}
	if c.span == nil && !measures {
		return ctx, nil
	}
	c.ctx = ctx
	return ctx, c
}

// begin starts a span. The span is nil when it is not recorded; its context matters even
// then, for what is called within it. A tracer that made no span leaves the context alone.
func begin(ctx context.Context, tracer trace.Tracer, name string, opts []trace.SpanStartOption) (context.Context, trace.Span) {
	within, span := tracer.Start(ctx, name, opts...)
	switch {
	case span.IsRecording():
		return within, span
	case span.SpanContext().Equal(trace.SpanContextFromContext(ctx)):
		return ctx, nil
	}
	return within, nil
}

// call is a Sink's place in one statement.
type call struct {
	sink      *Sink
	operation *operation
	ctx       context.Context
	span      trace.Span // nil: not recorded
	measured  bool       // its duration is wanted
}

var _ telemetry.StatementSpan = (*call)(nil)

// Context returns the ids of the span, where it is recorded.
func (c *call) Context() (traceID [16]byte, spanID [8]byte) {
	if c.span == nil {
		return traceID, spanID
	}
	sc := c.span.SpanContext()
	return sc.TraceID(), sc.SpanID()
}

// StatementExecuted ends the span and measures the call.
func (c *call) StatementExecuted(r *telemetry.Statement) {
	if c.measured {
		c.measure(r)
	}
	if c.span != nil {
		c.end(r)
	}
}

// measure takes the duration with the context of the span, for exemplars. A statement that
// the driver declined to run this way took none.
func (c *call) measure(r *telemetry.Statement) {
	defer contain.Process.Recover(contain.Spans)
	if r.Execute <= 0 {
		return
	}
	o := c.operation
	if name := operationName(r.Kind, r.Internal); name != o.name && name != "" {
		o = c.sink.operation(o.server, name)
	}
	c.sink.measureCall(c.ctx, r.Execute, o.failed(r.Failure))
}

func (c *call) end(r *telemetry.Statement) {
	defer contain.Process.Recover(contain.Spans)
	c.span.SetAttributes(c.learnt(r)...)
	finish(c.span, r.Failure)
}

// finish ends a span, with what went wrong, if anything did.
func finish(span trace.Span, f *telemetry.Failure) {
	if f != nil {
		description := f.Message
		if description == "" {
			description = string(f.Category)
		}
		span.SetAttributes(failureAttributes(f)...)
		span.SetStatus(codes.Error, description)
	}
	span.End()
}

// learnt is what the call has taught about the statement.
func (c *call) learnt(r *telemetry.Statement) []attribute.KeyValue {
	attributes := make([]attribute.KeyValue, 0, 8)
	if r.StatementID != "" {
		attributes = append(attributes, statementIDKey.String(r.StatementID))
	}
	if name := operationName(r.Kind, r.Internal); name != c.operation.name && name != "" {
		attributes = append(attributes, semconv.DBOperationName(name))
	}
	if r.Result.Format != "" {
		attributes = append(attributes, resultFormatKey.String(string(r.Result.Format)))
	}
	if r.Result.Cache != "" {
		attributes = append(attributes, resultCacheKey.String(r.Result.Cache))
	}
	if p, ok := r.Polling.Get(); ok {
		attributes = append(attributes, pollsKey.Int64(p.Calls))
	}
	if r.RPCs != nil {
		var retries int64
		for _, rpc := range r.RPCs {
			retries += rpc.Retries
		}
		attributes = append(attributes, rpcRetriesKey.Int64(retries))
	}
	if d, ok := r.Split.Server.Get(); ok {
		attributes = append(attributes, serverTimeKey.Float64(d.Seconds()))
	}
	return attributes
}

// SessionStarting does for opening a connection what StatementStarting does for a statement.
func (s *Sink) SessionStarting(ctx context.Context, start telemetry.SessionStart) (within context.Context, followed telemetry.SessionSpan) {
	within = ctx
	defer contain.Process.Recover(contain.Spans)
	tracer := s.tracer()
	if tracer == nil {
		return ctx, nil
	}
	o := s.operation(start.Server, createSession)
	ctx, span := begin(ctx, tracer, o.span, o.start)
	if span == nil {
		return ctx, nil
	}
	return ctx, opening{span}
}

// opening is a Sink's place in the opening of a connection.
type opening struct{ span trace.Span }

var _ telemetry.SessionSpan = opening{}

// SessionStarted ends the span.
func (o opening) SessionStarted(r *telemetry.SessionOpened) {
	defer contain.Process.Recover(contain.Spans)
	if r.SessionID != "" {
		o.span.SetAttributes(sessionIDKey.String(r.SessionID))
	}
	if n, ok := r.Retries.Get(); ok {
		o.span.SetAttributes(rpcRetriesKey.Int64(n))
	}
	finish(o.span, r.Failure)
}
