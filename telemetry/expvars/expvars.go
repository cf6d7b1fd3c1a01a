package expvars

import (
	"expvar"

	_ "github.com/seed-01322ee7/databricks-telemetry/internal/export" // whose counters are part of it
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// Name is the name of the published variable.
const Name = "databricks_telemetry"

func init() {
	if expvar.Get(Name) == nil {
		expvar.Publish(Name, expvar.Func(func() any { return telemetry.ReadStats() }))
	}
}
