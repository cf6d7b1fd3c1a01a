package driverwrap

import (
	"context"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry/otelsink"
)

// openTelemetry leads to the process's OpenTelemetry sink. It stands apart from
// telemetry.Default so that a connector with a sink of its own reports to that one only.
var openTelemetry telemetry.Fanout

func init() {
	openTelemetry.Attach(otelsink.Global())
	telemetry.RegisterExporter(flushed{&openTelemetry})
}

func isOpenTelemetry(s telemetry.Sink) bool {
	_, is := s.(*otelsink.Sink)
	return is
}

// flushed lets telemetry.Flush and Shutdown wait for a fan-out.
type flushed struct{ *telemetry.Fanout }

var _ telemetry.Exporter = flushed{}

// Shutdown is Flush: the providers are the application's.
func (f flushed) Shutdown(ctx context.Context) error { return f.Flush(ctx) }
