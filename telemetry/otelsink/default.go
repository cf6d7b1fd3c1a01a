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

func init() {
	current.Store(New())
	off.closed.Store(true)
}

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

// sink is Default, or a sink that is closed, which does nothing.
func (global) sink() *Sink {
	if s := Default(); s != nil {
		return s
	}
	return &off
}

var off Sink // closed

func (g global) Recording() bool { return g.sink().Recording() }

func (g global) Tracing() bool { return g.sink().Tracing() }

func (g global) StatementStarting(ctx context.Context, start telemetry.StatementStart) (context.Context, telemetry.StatementSpan) {
	return g.sink().StatementStarting(ctx, start)
}

func (g global) SessionStarting(ctx context.Context, start telemetry.SessionStart) (context.Context, telemetry.SessionSpan) {
	return g.sink().SessionStarting(ctx, start)
}

func (g global) StatementFinished(r *telemetry.Statement) { g.sink().StatementFinished(r) }

func (g global) SessionOpened(r *telemetry.SessionOpened) { g.sink().SessionOpened(r) }

func (g global) SessionClosed(r *telemetry.SessionClosed) { g.sink().SessionClosed(r) }

func (g global) ServerReported(r *telemetry.ServerReport) { g.sink().ServerReported(r) }
