// Package otel runs the wrapped driver against the simulated workspace and checks what
// OpenTelemetry's SDK receives.
package otel

import (
	"context"
	"database/sql"
	"io"
	"log"
	"math"
	"os"
	"testing"
	"time"

	"github.com/databricks/databricks-sql-go/logger"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/seed-01322ee7/databricks-telemetry/driverwrap"
	"github.com/seed-01322ee7/databricks-telemetry/integration/internal/testenv"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry/otelsink"
)

func TestMain(m *testing.M) {
	testenv.Prepare("OTEL_")
	logger.SetLogOutput(io.Discard) // the native driver logs every error it returns
	log.SetOutput(io.Discard)
	os.Exit(m.Run())
}

// sight is a sink with its own SDK.
type sight struct {
	sink   *otelsink.Sink
	spans  *tracetest.InMemoryExporter
	tracer *sdktrace.TracerProvider
	reader *metric.ManualReader
	meter  *metric.MeterProvider
}

func newSight(t testing.TB, opts ...otelsink.Option) *sight {
	return sampledSight(t, sdktrace.AlwaysSample(), opts...)
}

func sampledSight(t testing.TB, sampler sdktrace.Sampler, opts ...otelsink.Option) *sight {
	s := &sight{spans: tracetest.NewInMemoryExporter(), reader: metric.NewManualReader()}
	s.tracer = sdktrace.NewTracerProvider(sdktrace.WithSyncer(s.spans), sdktrace.WithSampler(sampler))
	s.meter = metric.NewMeterProvider(metric.WithReader(s.reader))
	s.sink = otelsink.New(append([]otelsink.Option{otelsink.WithTracerProvider(s.tracer), otelsink.WithMeterProvider(s.meter)}, opts...)...)
	t.Cleanup(func() {
		require.NoError(t, s.sink.Close())
		require.NoError(t, s.tracer.Shutdown(context.Background()))
		require.NoError(t, s.meter.Shutdown(context.Background()))
	})
	return s
}

// open opens a database that reports to the sink and to others.
func (s *sight) open(t testing.TB, dsn string, others ...telemetry.Sink) *sql.DB {
	c, err := driverwrap.Config{
		Sinks:    append([]telemetry.Sink{s.sink}, others...),
		Settings: telemetry.Settings{CloseTimeout: 5 * time.Minute}, // closing delivers every record, however busy the machine is
	}.OpenConnector(dsn)
	require.NoError(t, err)
	db := sql.OpenDB(c)
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// read runs a statement and reads its rows to the end.
func read(ctx context.Context, db *sql.DB, text string, args ...any) error {
	rows, err := db.QueryContext(ctx, text, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
	}
	return rows.Err()
}

// named returns the spans of that name that have ended.
func (s *sight) named(name string) (found tracetest.SpanStubs) {
	for _, span := range s.spans.GetSpans() {
		if span.Name == name {
			found = append(found, span)
		}
	}
	return found
}

// values are the attributes of a span.
func values(attributes []attribute.KeyValue) map[string]any {
	all := map[string]any{}
	for _, a := range attributes {
		all[string(a.Key)] = a.Value.AsInterface()
	}
	return all
}

// collect reads all metrics, by name.
func (s *sight) collect(t testing.TB) map[string]metricdata.Metrics {
	var rm metricdata.ResourceMetrics
	require.NoError(t, s.reader.Collect(context.Background(), &rm))
	all := map[string]metricdata.Metrics{}
	for _, scope := range rm.ScopeMetrics {
		for _, m := range scope.Metrics {
			all[m.Name] = m
		}
	}
	return all
}

// point is one time series of a metric: a counter's sum, or a histogram's.
type point struct {
	attributes attribute.Set
	count      uint64
	sum        float64
	exemplars  int
}

// whole is the sum of a metric that has only whole numbers.
func (p point) whole() int64 { return int64(math.Round(p.sum)) }

func points(m metricdata.Metrics) (all []point) {
	switch data := m.Data.(type) {
	case metricdata.Sum[int64]:
		for _, p := range data.DataPoints {
			all = append(all, point{p.Attributes, 0, float64(p.Value), len(p.Exemplars)})
		}
	case metricdata.Sum[float64]:
		for _, p := range data.DataPoints {
			all = append(all, point{p.Attributes, 0, p.Value, len(p.Exemplars)})
		}
	case metricdata.Histogram[int64]:
		for _, p := range data.DataPoints {
			all = append(all, point{p.Attributes, p.Count, float64(p.Sum), len(p.Exemplars)})
		}
	case metricdata.Histogram[float64]:
		for _, p := range data.DataPoints {
			all = append(all, point{p.Attributes, p.Count, p.Sum, len(p.Exemplars)})
		}
	}
	return all
}

// total adds up the series of a metric that have all of the attributes.
func total(m metricdata.Metrics, attributes ...attribute.KeyValue) (all point) {
next:
	for _, p := range points(m) {
		for _, a := range attributes {
			if v, ok := p.attributes.Value(a.Key); !ok || v != a.Value {
				continue next
			}
		}
		all.count += p.count
		all.sum += p.sum
		all.exemplars += p.exemplars
	}
	return all
}
