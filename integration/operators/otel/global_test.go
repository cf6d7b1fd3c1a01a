package otel

import (
	"context"
	"database/sql"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel"
	metricapi "go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/seed-01322ee7/databricks-telemetry/driverwrap"
	"github.com/seed-01322ee7/databricks-telemetry/integration/internal/eventually"
	"github.com/seed-01322ee7/databricks-telemetry/integration/workspace"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry/otelsink"
)

// A process can set global providers only once, so each of these programs has its own process.
var programs = map[string]func(*testing.T){
	"providers are set after the driver is in use": providersComeLate,
	"the SDK is busy collecting":                   collectionIsSlow,
	"no sink is attached":                          nothingAttached,
}

func TestProgram(t *testing.T) {
	if program := programs[os.Getenv("OPERATORS_PROGRAM")]; program != nil {
		program(t)
	}
}

func TestAnAttachedSinkFindsTheGlobalProviders(t *testing.T) {
	for name := range programs {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			child := exec.CommandContext(eventually.Context(t), os.Args[0], "-test.run=^TestProgram$")
			child.Env = append(os.Environ(), "OPERATORS_PROGRAM="+name)
			out, err := child.CombinedOutput()
			require.NoError(t, err, string(out))
			require.True(t, strings.HasSuffix(string(out), "PASS\n"), string(out))
		})
	}
}

// setGlobal sets global providers and returns what they see.
func setGlobal() *sight {
	s := &sight{spans: tracetest.NewInMemoryExporter(), reader: metric.NewManualReader()}
	s.tracer = sdktrace.NewTracerProvider(sdktrace.WithSyncer(s.spans))
	s.meter = metric.NewMeterProvider(metric.WithReader(s.reader))
	otel.SetTracerProvider(s.tracer)
	otel.SetMeterProvider(s.meter)
	return s
}

// attach attaches a sink without options for the rest of the test.
func attach(t *testing.T) *otelsink.Sink {
	sink := otelsink.New()
	t.Cleanup(func() { require.NoError(t, sink.Close()) })
	t.Cleanup(telemetry.Attach(sink))
	return sink
}

func providersComeLate(t *testing.T) {
	sink := attach(t)
	ws := workspace.New(t, workspace.Options{})
	db, err := sql.Open(driverwrap.Name, ws.DSN("enableTelemetry=false"))
	require.NoError(t, err)
	require.NoError(t, read(t.Context(), db, "SELECT 1"))
	require.False(t, sink.Recording())

	s := setGlobal()
	require.NoError(t, read(t.Context(), db, "SELECT 1"))
	require.NoError(t, read(t.Context(), db, "SELECT 1"))
	require.NoError(t, db.Close())
	require.NoError(t, telemetry.Flush(t.Context()))
	require.Len(t, s.named("QUERY "+serverOf(ws)), 2)
	metrics := s.eventually(t, "databricks.client.statement.duration", 2)
	require.EqualValues(t, 2, total(metrics["db.client.operation.duration"]).count)
	require.EqualValues(t, 2, total(metrics["databricks.client.statement.duration"]).count)

	// A driver with a sink of its own reports to both.
	own := newSight(t)
	require.NoError(t, read(t.Context(), own.open(t, ws.DSN("enableTelemetry=false")), "SELECT 1"))
	require.Len(t, own.named("QUERY "+serverOf(ws)), 1)
	require.Len(t, s.named("QUERY "+serverOf(ws)), 3)
}

// An SDK holds a lock while it collects, and creating an instrument takes the same lock: calls must not
// wait for it, and every call must be counted.
func collectionIsSlow(t *testing.T) {
	sink, s := attach(t), setGlobal()
	collecting, finish := make(chan struct{}), make(chan struct{})
	m := s.meter.Meter("application")
	gauge, err := m.Int64ObservableGauge("slow")
	require.NoError(t, err)
	slow, err := m.RegisterCallback(func(context.Context, metricapi.Observer) error {
		close(collecting)
		<-finish
		return nil
	}, gauge)
	require.NoError(t, err)
	collected := make(chan error)
	go func() { collected <- s.reader.Collect(context.Background(), &metricdata.ResourceMetrics{}) }()
	<-collecting

	const calls = 5000
	for range calls { // a call that waited for the collection would wait for ever
		_, followed := sink.StatementStarting(t.Context(), telemetry.StatementStart{Kind: telemetry.KindQuery})
		followed.StatementExecuted(&telemetry.Statement{Kind: telemetry.KindQuery, Outcome: telemetry.OutcomeRunning, Execute: time.Second})
	}
	close(finish)
	require.NoError(t, <-collected)
	require.NoError(t, slow.Unregister())
	metrics := s.eventually(t, "db.client.operation.duration", calls)
	require.EqualValues(t, calls, total(metrics["db.client.operation.duration"]).count)
}

// Providers alone do not cause reports to OpenTelemetry: an application that also uses otelsql would
// have every span twice.
func nothingAttached(t *testing.T) {
	s := setGlobal()
	ws := workspace.New(t, workspace.Options{})
	db, err := sql.Open(driverwrap.Name, ws.DSN("enableTelemetry=false"))
	require.NoError(t, err)
	defer db.Close()
	require.NoError(t, read(t.Context(), db, "SELECT 1"))
	require.Empty(t, s.spans.GetSpans())
	require.Empty(t, s.collect(t))
}
