package otelsink

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/metric"
	metricembedded "go.opentelemetry.io/otel/metric/embedded"
	nometric "go.opentelemetry.io/otel/metric/noop"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// create_time has the same error.type as the span of the same connection.
func TestErrorTypeOfCreateTimeIsTheSQLState(t *testing.T) {
	f := &telemetry.Failure{Category: telemetry.CategoryNotFound, SQLState: "42704"}
	var got string
	p := &recordingProvider{record: func(name string, config metric.RecordConfig) {
		set := config.Attributes()
		if v, ok := set.Value(semconv.ErrorTypeKey); ok && name == "db.client.connection.create_time" {
			got = v.AsString()
		}
	}}
	s := New(WithMeterProvider(p))
	s.SessionOpened(&telemetry.SessionOpened{Failure: f})
	require.Equal(t, failureAttributes(f)[0].Value.AsString(), got)
}

func TestSuccessIsNoErrorType(t *testing.T) {
	require.NotEqual(t, "00000", failureAttributes(&telemetry.Failure{Category: telemetry.CategoryStatementFailed, SQLState: "00000"})[0].Value.AsString())
}

type recordingProvider struct {
	metricembedded.MeterProvider
	record func(string, metric.RecordConfig)
}

func (p *recordingProvider) Meter(string, ...metric.MeterOption) metric.Meter {
	return recordingMeter{of: p}
}

type recordingMeter struct {
	nometric.Meter
	of *recordingProvider
}

func (m recordingMeter) Float64Histogram(name string, _ ...metric.Float64HistogramOption) (metric.Float64Histogram, error) {
	return recordingHistogram{name: name, of: m.of}, nil
}

type recordingHistogram struct {
	nometric.Float64Histogram
	name string
	of   *recordingProvider
}

func (recordingHistogram) Enabled(context.Context) bool { return true }
func (h recordingHistogram) Record(_ context.Context, _ float64, o ...metric.RecordOption) {
	h.of.record(h.name, metric.NewRecordConfig(o))
}

// meterless is a provider that panics.
type meterless struct{ metricembedded.MeterProvider }

func (*meterless) Meter(string, ...metric.MeterOption) metric.Meter { panic("provider") }

// The contexts of calls hold what the application put into them.
func TestNoContextIsKeptWhereInstrumentsCannotBeMade(t *testing.T) {
	s := New(WithMeterProvider(&meterless{}))
	for range 2 * maxEarly {
		_, followed := s.StatementStarting(context.Background(), telemetry.StatementStart{})
		if followed == nil {
			continue
		}
		followed.StatementExecuted(&telemetry.Statement{Execute: time.Second})
	}
	require.NoError(t, s.Close())
	s.early.mu.Lock()
	defer s.early.mu.Unlock()
	require.Empty(t, s.early.waiting)
}

// once panics when the first callback is registered.
type once struct {
	metricembedded.MeterProvider
	asked int
}

func (o *once) Meter(string, ...metric.MeterOption) metric.Meter { return onceMeter{of: o} }

type onceMeter struct {
	nometric.Meter
	of *once
}

func (m onceMeter) RegisterCallback(f metric.Callback, o ...metric.Observable) (metric.Registration, error) {
	if m.of.asked++; m.of.asked == 1 {
		panic("provider")
	}
	return m.Meter.RegisterCallback(f, o...)
}

func TestARegistrationThatPanickedEndsWithItsSinks(t *testing.T) {
	count := func() int {
		registrations.mu.Lock()
		defer registrations.mu.Unlock()
		return len(registrations.all)
	}
	before := count()
	s := New(WithMeterProvider(&once{}))
	s.StatementFinished(&telemetry.Statement{})
	require.NoError(t, s.Close())
	require.Equal(t, before, count(), "the provider is kept for good")
}

func TestAnotherSinkRegistersAfterOneThatPanicked(t *testing.T) {
	p := &once{}
	s := New(WithMeterProvider(p))
	s.StatementFinished(&telemetry.Statement{})
	require.NoError(t, s.Close())
	require.NoError(t, New(WithMeterProvider(p)).Close())
	require.Equal(t, 2, p.asked)
}
