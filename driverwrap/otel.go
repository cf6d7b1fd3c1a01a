package driverwrap

import (
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry/otelsink"
)

// openTelemetry has the process's OpenTelemetry sink. It is separate from telemetry.Default so
// that a connector with an OpenTelemetry sink of its own reports to that sink only.
var openTelemetry telemetry.Fanout

func init() {
	openTelemetry.Attach(otelsink.Global())
	// The providers are the application's: they are flushed, never shut down.
	telemetry.Default.Join(telemetry.Member{Sinks: openTelemetry.Flush})
}

func isOpenTelemetry(s telemetry.Sink) bool {
	_, is := s.(*otelsink.Sink)
	return is
}
