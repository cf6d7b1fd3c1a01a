package otelsink

import (
	"context"

	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"

	"github.com/seed-01322ee7/databricks-telemetry/internal/breakdown"
	"github.com/seed-01322ee7/databricks-telemetry/internal/spancontext"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// StatementFinished records the metrics of a finished statement.
func (s *Sink) StatementFinished(r *telemetry.Statement) {
	i := s.instruments()
	if i == nil {
		return
	}
	ctx, o := spancontext.Of(r), s.operation(target{server: r.Server, name: operationName(r.Kind, r.Internal)})
	i.statementDuration.Record(ctx, r.Total.Seconds(), o.finished(r))
	for _, p := range breakdown.PartsOf(r) { // the parts add up to the duration
		i.statementTime.Add(ctx, p.Time.Seconds(), o.and(timePartKey, p.String()))
	}
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

// SessionOpened records a connection that was opened, or that failed to open.
func (s *Sink) SessionOpened(r *telemetry.SessionOpened) {
	i := s.instruments()
	if i == nil {
		return
	}
	o := s.operation(target{server: r.Server})
	with := o.plain
	if r.Failure != nil {
		with = o.and(semconv.ErrorTypeKey, errorType(r.Failure))
	}
	i.createTime.Record(context.Background(), r.Latency.Seconds(), with)
}

// SessionClosed records a connection that was closed.
func (s *Sink) SessionClosed(r *telemetry.SessionClosed) {
	i := s.instruments()
	if i == nil {
		return
	}
	i.sessionLifetime.Record(context.Background(), r.Lifetime.Seconds(), s.operation(target{server: r.Server}).plain)
}

// ServerReported records what the server did with a statement.
func (s *Sink) ServerReported(r *telemetry.ServerReport) {
	i := s.instruments()
	if i == nil {
		return
	}
	o := s.operation(target{server: r.Server})
	for _, p := range breakdown.PhasesOf(r) {
		i.serverTime.Add(context.Background(), p.Time.Seconds(), o.and(timePartKey, p.String()))
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
		start, started := f.Start.Get()
		end, ended := f.End.Get()
		if started && ended && f.State == "DOWNLOADED" {
			i.fileDuration.Record(ctx, (end - start).Seconds(), o.plain)
		}
	}
}
