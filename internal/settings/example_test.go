package settings_test

import (
	"fmt"

	"github.com/seed-01322ee7/databricks-telemetry/internal/settings"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// Off wins wherever it is set.
func ExampleResolve() {
	environment := map[string][]string{"DATABRICKS_TELEMETRY_ENABLED": {"no"}, "DATABRICKS_TELEMETRY_BATCH_SIZE": {"50"}}
	dsn := map[string][]string{"enableTelemetry": {"true"}, "telemetry_batch_size": {"20"}}

	s, err := settings.Resolve(telemetry.Settings{}, dsn, environment)
	fmt.Println(s.Enabled == telemetry.SwitchOff, s.BatchSize, err)
	// Output: true 20 <nil>
}
