package otel

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/sdk/instrumentation"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/seed-01322ee7/databricks-telemetry/integration/workspace"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry/otelsink"
)

// The view is that of docs/OPENTELEMETRY.md.
func TestTheDocumentedViewReplacesTheBucketsOfEveryHistogram(t *testing.T) {
	reader := metric.NewManualReader()
	meters := metric.NewMeterProvider(metric.WithReader(reader), metric.WithView(metric.NewView(
		metric.Instrument{
			Kind:  metric.InstrumentKindHistogram,
			Scope: instrumentation.Scope{Name: "github.com/seed-01322ee7/databricks-telemetry/telemetry/otelsink"},
		},
		metric.Stream{Aggregation: metric.AggregationBase2ExponentialHistogram{MaxSize: 160, MaxScale: 20}},
	)))
	s := &sight{sink: otelsink.New(otelsink.WithMeterProvider(meters)), reader: reader}
	defer s.sink.Close()
	ws := workspace.New(t, files(10))
	db := s.open(t, ws.DSN("enableTelemetry=false"))
	require.NoError(t, read(t.Context(), db, "SELECT id FROM range(25)"))
	require.NoError(t, db.Close())

	exponential := 0
	for name, m := range s.collect(t) {
		switch m.Data.(type) {
		case metricdata.Histogram[float64], metricdata.Histogram[int64]:
			require.Fail(t, "explicit buckets", name)
		case metricdata.ExponentialHistogram[float64]:
			exponential++
		}
	}
	require.Equal(t, 5, exponential, "durations of calls, statements, files, and of opening and having a connection")
}
