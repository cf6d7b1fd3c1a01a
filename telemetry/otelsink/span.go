package otelsink

import (
	"cmp"
	"context"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"github.com/seed-01322ee7/databricks-telemetry/internal/contain"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// StatementStarting starts a client span as a child of the caller's and returns its context, on the
// caller's goroutine. It returns ctx and a nil span while nothing is recorded, or if the filter
// refuses the statement.
func (s *Sink) StatementStarting(ctx context.Context, start telemetry.StatementStart) (spanCtx context.Context, followed telemetry.StatementSpan) {
	spanCtx = ctx
	defer contain.Process.Recover(contain.Spans)
	tracer, measured := s.activeTracer(), s.measuring(ctx)
	if tracer == nil && !measured {
		return ctx, nil
	}
	if s.filter != nil {
		wanted, known := s.wanted(ctx, start).Get()
		if known && !wanted {
			return ctx, nil
		}
		if !known {
			tracer = nil // the call is measured all the same
		}
	}
	operation := s.operation(target{start.Server, operationName(start.Kind, start.Internal), namespace{start.InitialCatalog, start.InitialSchema}})
	span := &statementSpan{sink: s, operation: operation, measured: measured}
	if tracer != nil {
		name, attributes := operation.spanName, make([]attribute.KeyValue, 0, 5)
		attributes = appendText(attributes, warehouseIDKey, start.WarehouseID)
		attributes = appendText(attributes, sessionIDKey, start.SessionID)
		if start.Prepared {
			attributes = append(attributes, preparedKey.Bool(true))
		}
		if start.Query != "" {
			query := strings.ToValidUTF8(start.Query, "\uFFFD") // OTLP refuses a whole batch for one text that is not UTF-8
			attributes = append(attributes, semconv.DBQueryText(query))
			if summary := summarize(query); summary != "" {
				attributes = append(attributes, semconv.DBQuerySummary(summary))
				name, span.summary = summary, true
			}
		}
		opts := append(operation.spanStart, trace.WithAttributes(attributes...))
		if len(start.Attributes) > 0 { // in front, because the later of two attributes with the same key counts
			opts = append([]trace.SpanStartOption{trace.WithAttributes(ownAttributes(start.Attributes)...)}, opts...)
		}
		ctx, span.span = startSpan(ctx, tracer, name, opts)
	}
	if span.span == nil && !measured {
		return ctx, nil
	}
	span.ctx = ctx
	return ctx, span
}

// wanted asks the filter. The answer is unknown if the filter panics.
func (s *Sink) wanted(ctx context.Context, start telemetry.StatementStart) (answer telemetry.Maybe[bool]) {
	defer contain.Process.Recover(contain.Spans)
	return telemetry.Known(s.filter(ctx, start))
}

// SessionStarting does for opening a connection what StatementStarting does for a statement.
func (s *Sink) SessionStarting(ctx context.Context, start telemetry.SessionStart) (spanCtx context.Context, followed telemetry.SessionSpan) {
	spanCtx = ctx
	defer contain.Process.Recover(contain.Spans)
	tracer := s.activeTracer()
	if tracer == nil {
		return ctx, nil
	}
	o := s.operation(target{server: start.Server, name: createSession})
	ctx, span := startSpan(ctx, tracer, o.spanName, o.spanStart)
	if span == nil {
		return ctx, nil
	}
	return ctx, sessionSpan{span}
}

// startSpan returns no span if the tracer does not record it. Its context is still returned for calls
// within it, unless the tracer made no span at all, or panicked.
func startSpan(ctx context.Context, tracer trace.Tracer, name string, opts []trace.SpanStartOption) (spanCtx context.Context, recorded trace.Span) {
	spanCtx = ctx
	defer contain.Process.Recover(contain.Spans) // the call is measured all the same
	started, span := tracer.Start(ctx, name, opts...)
	switch {
	case span.IsRecording():
		return started, span
	case span.SpanContext().Equal(trace.SpanContextFromContext(ctx)):
		return ctx, nil
	}
	return started, nil
}

// statementSpan follows one call.
type statementSpan struct {
	sink      *Sink
	operation *operation
	ctx       context.Context
	span      trace.Span // nil: not recorded
	measured  bool       // the duration is wanted
	summary   bool       // the name of the span is that of the text, not the operation's
}

var _ telemetry.StatementSpan = (*statementSpan)(nil)

// Context returns the ids of the span if it is sampled, and zeros otherwise.
func (s *statementSpan) Context() (traceID [16]byte, spanID [8]byte) {
	if s.span == nil || !s.span.SpanContext().IsSampled() {
		return traceID, spanID
	}
	sc := s.span.SpanContext()
	return sc.TraceID(), sc.SpanID()
}

// StatementExecuted ends the span and measures the call.
func (s *statementSpan) StatementExecuted(r *telemetry.Statement) {
	if s.measured {
		s.measure(r)
	}
	if s.span != nil {
		s.end(r)
	}
}

// measure records the duration with the context of the span, for exemplars. A call that the
// driver declined has no duration.
func (s *statementSpan) measure(r *telemetry.Statement) {
	defer contain.Process.Recover(contain.Spans)
	if r.Outcome == "" {
		return
	}
	call := callDuration{s.ctx, r.Execute, s.operationOf(r).executed(r)}
	i := s.sink.metrics.Load()
	if i == nil {
		i = s.sink.keepEarly(call)
	}
	if i != nil {
		i.operationDuration.Record(call.ctx, call.took.Seconds(), call.attributes)
	}
}

// operationOf is the operation that the call turned out to be: the server says what a volume's is.
func (s *statementSpan) operationOf(r *telemetry.Statement) *operation {
	t := s.operation.target
	if name := operationName(r.Kind, r.Internal); name != t.name && name != "" {
		t.name = name
		return s.sink.operation(t)
	}
	return s.operation
}

func (s *statementSpan) end(r *telemetry.Statement) {
	defer contain.Process.Recover(contain.Spans)
	if o := s.operationOf(r); o != s.operation && !s.summary {
		s.span.SetName(o.spanName)
	}
	s.span.SetAttributes(s.resultAttributes(r)...)
	endSpan(s.span, r.Failure)
}

// resultAttributes returns the attributes that are known once the call has returned.
func (s *statementSpan) resultAttributes(r *telemetry.Statement) []attribute.KeyValue {
	attributes := make([]attribute.KeyValue, 0, 9+len(r.QueryTags))
	attributes = appendText(attributes, statementIDKey, r.StatementID)
	attributes = appendText(attributes, profileKey, r.ProfileURL())
	attributes = appendText(attributes, correlationIDKey, r.CorrelationID)
	for key, value := range r.QueryTags {
		attributes = append(attributes, attribute.String(queryTagPrefix+key, value))
	}
	if name := operationName(r.Kind, r.Internal); name != s.operation.name {
		attributes = appendText(attributes, semconv.DBOperationNameKey, name)
	}
	attributes = appendText(attributes, resultFormatKey, string(r.Result.Format))
	attributes = appendText(attributes, resultCacheKey, r.Result.Cache)
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
	if d, ok := r.ServerTime.Get(); ok {
		attributes = append(attributes, serverTimeKey.Float64(d.Seconds()))
	}
	return attributes
}

// sessionSpan follows the opening of one connection.
type sessionSpan struct{ span trace.Span }

var _ telemetry.SessionSpan = sessionSpan{}

// SessionStarted ends the span.
func (s sessionSpan) SessionStarted(r *telemetry.SessionOpened) {
	defer contain.Process.Recover(contain.Spans)
	if r.SessionID != "" {
		s.span.SetAttributes(sessionIDKey.String(r.SessionID))
	}
	if n, ok := r.Retries.Get(); ok {
		s.span.SetAttributes(rpcRetriesKey.Int64(n))
	}
	endSpan(s.span, r.Failure)
}

// endSpan ends a span, with the attributes and the status of a failure if there was one.
func endSpan(span trace.Span, f *telemetry.Failure) {
	if f != nil {
		span.SetAttributes(failureAttributes(f)...)
		span.SetStatus(codes.Error, cmp.Or(f.Message, string(f.Category)))
	}
	span.End()
}
