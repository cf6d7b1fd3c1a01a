package logsink_test

import (
	"log/slog"
	"os"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry/logsink"
)

// Statements of a second and more, and those that fail, go to the application's log.
func ExampleNew() {
	logger := slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey || a.Key == "started" {
			return slog.Attr{} // they differ from run to run
		}
		return a
	}}))
	sink := logsink.New(logger, slog.LevelWarn, time.Second)
	// detach := telemetry.Attach(sink), or driverwrap.Config{Sinks: []telemetry.Sink{sink}}

	sink.StatementFinished(&telemetry.Statement{Kind: telemetry.KindQuery, Execute: 2 * time.Millisecond, Total: 3 * time.Millisecond}) // not slow
	sink.StatementFinished(&telemetry.Statement{
		Kind: telemetry.KindQuery, Outcome: telemetry.OutcomeCompleted, Execute: 4 * time.Second, Total: 4 * time.Second,
		Split: telemetry.Split{telemetry.PartServer: 3 * time.Second, telemetry.PartApplication: time.Second},
	})
	// Output:
	// level=WARN msg="databricks statement was slow" verdict="server-bound: 75 % of 4.0 s waiting for the server, as seen on the wire" kind=QUERY outcome=completed execute=4s total=4s time_server=3s time_application=1s
}
