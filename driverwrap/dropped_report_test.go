package driverwrap_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/driverwrap"
	"github.com/seed-01322ee7/databricks-telemetry/internal/export"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

func TestConnectorsThatReportAndAreDroppedWithoutCloseLeaveNoPipeline(t *testing.T) {
	for name, open := range entryPoints {
		t.Run(name, func(t *testing.T) {
			before := len(export.Default.Stats().Pipelines)
			dropped(t, driverwrap.Config{Settings: telemetry.Settings{Enabled: telemetry.SwitchOn}}, open)
			require.LessOrEqual(t, len(export.Default.Stats().Pipelines), before)
		})
	}
}
