package otelsink

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/metric"
	metricembedded "go.opentelemetry.io/otel/metric/embedded"
	nometric "go.opentelemetry.io/otel/metric/noop"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// A record that was read from a file may have any SQLSTATE.
func TestAnIncompleteSQLStateIsAnErrorType(t *testing.T) {
	require.Equal(t, "4", errorType(&telemetry.Failure{Category: telemetry.CategoryStatementFailed, SQLState: "4"}))
}

func TestSuccessIsNoErrorType(t *testing.T) {
	require.NotEqual(t, "00000", failureAttributes(&telemetry.Failure{Category: telemetry.CategoryStatementFailed, SQLState: "00000"})[0].Value.AsString())
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
		followed.StatementExecuted(&telemetry.Statement{Outcome: telemetry.OutcomeRunning, Execute: time.Second})
	}
	require.NoError(t, s.Close())
	s.early.mu.Lock()
	defer s.early.mu.Unlock()
	require.Empty(t, s.early.waiting)
}

// busy is a provider whose meter comes late.
type busy struct {
	metricembedded.MeterProvider
	free <-chan struct{}
}

func (b *busy) Meter(string, ...metric.MeterOption) metric.Meter { <-b.free; return nometric.Meter{} }

func TestCallsThatWereTooManyForABusyProviderAreNamed(t *testing.T) {
	handled := make(chan error, 1)
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) {
		select {
		case handled <- err:
		default: // of another test
		}
	}))
	free := make(chan struct{})
	s := New()
	s.meterProvider = &busy{free: free} // as a global provider, which may be set at any time
	for range maxEarly + 3 {
		_, followed := s.StatementStarting(context.Background(), telemetry.StatementStart{})
		followed.StatementExecuted(&telemetry.Statement{Outcome: telemetry.OutcomeCompleted})
	}
	close(free)
	require.ErrorContains(t, <-handled, "lacks 3 calls")
	require.NoError(t, s.Close())
}

// in makes a sink observe a process of the test.
func in(p *telemetry.Process) Option { return func(s *Sink) { s.process = p } }

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
	var p telemetry.Process
	s := New(in(&p), WithMeterProvider(&once{}))
	s.StatementFinished(&telemetry.Statement{})
	require.NoError(t, s.Close())
	require.Empty(t, registrationsOf(&p).all, "the provider is kept for good")
}

func TestAnotherSinkRegistersAfterOneThatPanicked(t *testing.T) {
	p := &once{}
	s := New(WithMeterProvider(p))
	s.StatementFinished(&telemetry.Statement{})
	require.NoError(t, s.Close())
	require.NoError(t, New(WithMeterProvider(p)).Close())
	require.Equal(t, 2, p.asked)
}

// stuck is a provider whose registration panics when it is to end.
type stuck struct{ metricembedded.MeterProvider }

func (*stuck) Meter(string, ...metric.MeterOption) metric.Meter { return stuckMeter{} }

type stuckMeter struct{ nometric.Meter }

func (stuckMeter) RegisterCallback(metric.Callback, ...metric.Observable) (metric.Registration, error) {
	return stuckRegistration{}, nil
}

type stuckRegistration struct{ metricembedded.Registration }

func (stuckRegistration) Unregister() error { panic("provider") }

func TestCloseSaysThatTheProviderPanicked(t *testing.T) {
	s := New(WithMeterProvider(&stuck{}))
	require.ErrorIs(t, s.Close(), errPanicked)
	require.NoError(t, s.Close())
	require.False(t, s.Recording())
}
