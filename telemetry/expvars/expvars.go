package expvars

import (
	"expvar"

	_ "github.com/seed-01322ee7/databricks-telemetry/internal/export" // adds its counters to ReadStats
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

func init() {
	const name = "databricks_telemetry"
	if expvar.Get(name) == nil {
		expvar.Publish(name, expvar.Func(func() any { return telemetry.ReadStats() }))
	}
}
