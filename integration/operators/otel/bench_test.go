package otel

import (
	"context"
	"testing"
	"time"

	"go.opentelemetry.io/otel/sdk/metric"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry/otelsink"
)

// What a statement costs its caller, and what its record costs afterwards, with the SDK.
func BenchmarkStatement(b *testing.B) {
	start := telemetry.StatementStart{Server: "adb-1.azuredatabricks.net:443", SessionID: "s-1", Kind: telemetry.KindQuery}
	record := &telemetry.Statement{
		Server: start.Server, Kind: telemetry.KindQuery, Outcome: telemetry.OutcomeCompleted, StatementID: "q-1", Execute: time.Second, Total: 2 * time.Second,
		Polling: telemetry.Known(telemetry.Polling{Calls: 1}), RowsRead: telemetry.Known[int64](10),
		RPCs:  []telemetry.RPC{{Method: "ExecuteStatement", Calls: 1}, {Method: "GetOperationStatus", Calls: 1}, {Method: "FetchResults", Calls: 1}},
		Split: telemetry.Split{telemetry.PartServer: time.Second, telemetry.PartApplication: time.Second},
	}
	for name, sampler := range map[string]sdktrace.Sampler{"unsampled": sdktrace.NeverSample(), "sampled": sdktrace.AlwaysSample()} {
		b.Run(name, func(b *testing.B) {
			sink := otelsink.New(
				otelsink.WithTracerProvider(sdktrace.NewTracerProvider(sdktrace.WithSampler(sampler))), // without an exporter
				otelsink.WithMeterProvider(metric.NewMeterProvider(metric.WithReader(metric.NewManualReader()))))
			defer sink.Close()
			ctx := context.Background()
			b.ReportAllocs()
			for b.Loop() {
				if _, followed := sink.StatementStarting(ctx, start); followed != nil {
					followed.StatementExecuted(record)
				}
			}
		})
	}
	b.Run("record", func(b *testing.B) {
		s := newSight(b)
		b.ReportAllocs()
		for b.Loop() {
			s.sink.StatementFinished(record)
		}
	})
}
