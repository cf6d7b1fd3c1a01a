package expvars

import (
	"expvar"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

func init() {
	const name = "databricks_telemetry"
	if expvar.Get(name) == nil {
		expvar.Publish(name, expvar.Func(func() any { return telemetry.ReadStats() }))
	}
}
