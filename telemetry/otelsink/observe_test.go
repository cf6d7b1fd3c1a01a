package otelsink_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/metric"
	metricembedded "go.opentelemetry.io/otel/metric/embedded"
	nometric "go.opentelemetry.io/otel/metric/noop"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry/otelsink"
)

// registering is a meter provider that runs code of its own when a callback is registered.
type registering struct {
	metricembedded.MeterProvider
	do func()
}

func (r *registering) Meter(string, ...metric.MeterOption) metric.Meter {
	return registeringMeter{do: r.do}
}

type registeringMeter struct {
	nometric.Meter
	do func()
}

func (m registeringMeter) RegisterCallback(f metric.Callback, o ...metric.Observable) (metric.Registration, error) {
	m.do()
	return m.Meter.RegisterCallback(f, o...)
}

// A provider that blocks costs the sinks with that provider their records, and no other sink
// anything: if the second sink waited, this test would not end.
func TestAProviderThatBlocksHoldsUpNoOther(t *testing.T) {
	begun, end, ended := make(chan struct{}), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		otelsink.New(otelsink.WithMeterProvider(&registering{do: func() { close(begun); <-end }}))
	}()
	<-begun
	registered := 0
	other := otelsink.New(otelsink.WithMeterProvider(&registering{do: func() { registered++ }}))
	other.StatementFinished(&telemetry.Statement{})
	require.Equal(t, 1, registered)
	require.NoError(t, other.Close())
	close(end)
	<-ended
}

// A provider that panics is asked once, and its sinks can be closed.
func TestAProviderThatPanicsIsContained(t *testing.T) {
	asked := 0
	provider := &registering{do: func() { asked++; panic("provider") }}
	for range 2 {
		s := otelsink.New(otelsink.WithMeterProvider(provider))
		s.StatementFinished(&telemetry.Statement{})
		s.StatementFinished(&telemetry.Statement{})
		require.NoError(t, s.Close())
	}
	require.Positive(t, asked)
}
