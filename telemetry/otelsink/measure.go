package otelsink

import (
	"context"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/otel/metric"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry/explain"
)

// earlyMeasurements are of calls that returned before there were instruments.
type earlyMeasurements struct {
	mu      sync.Mutex
	passed  bool               // there are instruments; guarded by mu
	waiting []earlyMeasurement // guarded by mu
}

type earlyMeasurement struct {
	ctx        context.Context
	took       time.Duration
	attributes metric.MeasurementOption
}

// earliest bounds those that wait: making instruments takes well under a millisecond, unless
// the SDK is busy collecting.
const earliest = 1000

// keep reports whether the measurement waits for instruments, and whether it is the first
// that does.
func (e *earlyMeasurements) keep(m earlyMeasurement) (kept, first bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.passed {
		return false, false
	}
	if len(e.waiting) < earliest {
		e.waiting = append(e.waiting, m)
	}
	return true, len(e.waiting) == 1
}

// pass makes the measurements that waited, once the instruments are published.
func (e *earlyMeasurements) pass(publish func(), i *instruments) {
	e.mu.Lock()
	publish()
	e.passed = true
	waiting := e.waiting
	e.waiting = nil
	e.mu.Unlock()
	for _, m := range waiting {
		i.operationDuration.Record(m.ctx, m.took.Seconds(), m.attributes)
	}
}

// measureCall records how long a call took, on the caller's goroutine.
func (s *Sink) measureCall(ctx context.Context, took time.Duration, attributes metric.MeasurementOption) {
	i := s.metrics.Load()
	if i == nil {
		kept, first := s.early.keep(earlyMeasurement{ctx, took, attributes})
		if first {
			go s.instruments()
		}
		if kept {
			return
		}
		i = s.metrics.Load()
	}
	i.operationDuration.Record(ctx, took.Seconds(), attributes)
}

// StatementFinished counts what the record says.
func (s *Sink) StatementFinished(r *telemetry.Statement) {
	i := s.instruments()
	if i == nil || s.closed.Load() {
		return
	}
	ctx, o := within(r), s.operation(r.Server, operationName(r.Kind, r.Internal))
	i.statementDuration.Record(ctx, r.Total.Seconds(), o.finished(r))
	i.time(ctx, o, r)
	if p, ok := r.Polling.Get(); ok {
		i.statementPolls.Add(ctx, p.Calls, o.plain)
	}
	if n, ok := r.Result.Pages.Get(); ok {
		i.statementPages.Add(ctx, n, o.plain)
	}
	if n, ok := r.RowsRead.Get(); ok {
		i.returnedRows.Record(ctx, n, o.plain)
	}
	i.rpcs(ctx, o, r.RPCs)
	if r.CloudFetch != nil {
		i.cloudFetch(ctx, o, r.CloudFetch)
	}
}

// within is a context with the statement's span, so that exemplars lead to it.
func within(r *telemetry.Statement) context.Context {
	return trace.ContextWithSpanContext(context.Background(), trace.NewSpanContext(trace.SpanContextConfig{
		TraceID: r.TraceID, SpanID: r.SpanID, TraceFlags: trace.FlagsSampled,
	}))
}

// finished is the operation's measurements with how the statement ended.
func (o *operation) finished(r *telemetry.Statement) metric.MeasurementOption {
	attributes := append(o.attributes, outcomeKey.String(string(r.Outcome)))
	if r.Result.Format != "" {
		attributes = append(attributes, resultFormatKey.String(string(r.Result.Format)))
	}
	return metric.WithAttributes(append(attributes, failureAttributes(r.Failure)...)...)
}

// time counts where a statement's time went, by what the part is called when it is the
// largest: "poll" makes a statement poll-bound. What no part accounts for is "other", so that
// the parts add up to the duration.
func (i *instruments) time(ctx context.Context, o *operation, r *telemetry.Statement) {
	left := r.Total
	for _, p := range explain.PartsOf(r) {
		left -= p.Time
		i.statementTime.Add(ctx, p.Time.Seconds(), o.and(timePartKey, strings.TrimSuffix(string(p.Bound), "-bound")))
	}
	if left > 0 {
		i.statementTime.Add(ctx, left.Seconds(), o.and(timePartKey, "other"))
	}
}

func (i *instruments) rpcs(ctx context.Context, o *operation, rpcs []telemetry.RPC) {
	var in, out int64
	for _, r := range rpcs {
		method := o.and(rpcMethodKey, r.Method)
		i.rpcCalls.Add(ctx, r.Calls, method)
		i.rpcRetries.Add(ctx, r.Retries, method)
		i.rpcDuration.Add(ctx, r.Latency.Seconds(), method)
		in, out = in+r.BytesIn, out+r.BytesOut
	}
	if rpcs != nil {
		i.rpcIO.Add(ctx, in, o.and(semconv.NetworkIODirectionKey, semconv.NetworkIODirectionReceive.Value.AsString()))
		i.rpcIO.Add(ctx, out, o.and(semconv.NetworkIODirectionKey, semconv.NetworkIODirectionTransmit.Value.AsString()))
	}
}

func (i *instruments) cloudFetch(ctx context.Context, o *operation, c *telemetry.CloudFetch) {
	for _, f := range []struct {
		state string
		count int64
	}{{"downloaded", c.Downloaded}, {"failed", c.Failed}, {"abandoned", c.Abandoned}} {
		if f.count > 0 {
			i.files.Add(ctx, f.count, o.and(fileStateKey, f.state))
		}
	}
	i.fileRetries.Add(ctx, c.Retries, o.plain)
	i.fileIO.Add(ctx, c.Received, o.plain)
	for _, f := range c.Files {
		start, begun := f.Start.Get()
		end, ended := f.End.Get()
		if begun && ended && f.State == "DOWNLOADED" {
			i.fileDuration.Record(ctx, (end - start).Seconds(), o.plain)
		}
	}
}

// SessionOpened counts a connection that was opened, or could not be.
func (s *Sink) SessionOpened(r *telemetry.SessionOpened) {
	i := s.instruments()
	if i == nil || s.closed.Load() {
		return
	}
	pool := r.Server
	if pool == "" {
		pool = "databricks"
	}
	attributes := append(s.attributes, semconv.DBSystemNameKey.String("databricks"), semconv.DBClientConnectionPoolName(pool))
	if r.Failure != nil {
		attributes = append(attributes, semconv.ErrorTypeKey.String(string(r.Failure.Category)))
	}
	i.createTime.Record(context.Background(), r.Latency.Seconds(), metric.WithAttributes(attributes...))
}

// SessionClosed counts a connection that is closed.
func (s *Sink) SessionClosed(r *telemetry.SessionClosed) {
	i := s.instruments()
	if i == nil || s.closed.Load() {
		return
	}
	i.sessionLifetime.Record(context.Background(), r.Lifetime.Seconds(), s.operation(r.Server, "").plain)
}
