package driverwrap_test

import (
	"runtime"
	"testing"

	"github.com/seed-01322ee7/databricks-telemetry/driverwrap"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

func TestConnectorsThatReportAndAreDroppedWithoutCloseLeaveNoPipeline(t *testing.T) {
	for name, open := range entryPoints {
		t.Run(name, func(t *testing.T) {
			var process telemetry.Process
			dropped(t, &process, driverwrap.Config{Settings: telemetry.Settings{Enabled: telemetry.SwitchOn}}, open)
			// A pipeline is left in the background: what waits is flushed first.
			eventually(t, func() bool {
				runtime.GC()
				return len(process.Stats().Export.Pipelines) == 0
			})
		})
	}
}
