package otelsink

import (
	"context"
	"sync/atomic"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// Default returns the sink of every wrapped driver of the process that has none in its
// Config. It uses the global providers, unless SetDefault replaced it. It is nil after
// SetDefault(nil).
func Default() *Sink { return current.Load() }

// SetDefault makes s the default, from the next call on; nil switches OpenTelemetry off. The
// previous default is not closed.
func SetDefault(s *Sink) { current.Store(s) }

var current atomic.Pointer[Sink]

func init() { current.Store(New()) }

// Global returns a sink that forwards to Default at the time of each call. The wrapped driver
// attaches it, once; an application has no need for it.
func Global() telemetry.Tracer { return global{} }

type global struct{}

var (
	_ telemetry.Tracer      = global{}
	_ telemetry.SessionSink = global{}
	_ telemetry.ReportSink  = global{}
	_ telemetry.Recorder    = global{}
)

func (global) Recording() bool {
	s := Default()
	return s != nil && s.Recording()
}

func (global) Tracing() bool {
	s := Default()
	return s != nil && s.Tracing()
}

func (global) StatementStarting(ctx context.Context, start telemetry.StatementStart) (context.Context, telemetry.StatementSpan) {
	if s := Default(); s != nil {
		return s.StatementStarting(ctx, start)
	}
	return ctx, nil
}

func (global) SessionStarting(ctx context.Context, start telemetry.SessionStart) (context.Context, telemetry.SessionSpan) {
	if s := Default(); s != nil {
		return s.SessionStarting(ctx, start)
	}
	return ctx, nil
}

func (global) StatementFinished(r *telemetry.Statement) {
	if s := Default(); s != nil {
		s.StatementFinished(r)
	}
}

func (global) SessionOpened(r *telemetry.SessionOpened) {
	if s := Default(); s != nil {
		s.SessionOpened(r)
	}
}

func (global) SessionClosed(r *telemetry.SessionClosed) {
	if s := Default(); s != nil {
		s.SessionClosed(r)
	}
}

func (global) ServerReported(r *telemetry.ServerReport) {
	if s := Default(); s != nil {
		s.ServerReported(r)
	}
}
