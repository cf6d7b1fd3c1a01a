package main

import (
	"github.com/seed-01322ee7/databricks-telemetry/internal/export"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
	_ "github.com/seed-01322ee7/databricks-telemetry/telemetry/debugpage"
)

// Importing the debug page attaches it for the whole process. The variants without it detach it
// before anything is opened.
func withoutPage() {
	telemetry.Default.Fanout = telemetry.Fanout{}
	export.Of(&telemetry.Default).KeepRecent(0)
}

// withPage leaves the debug page on.
func withPage(v variant) variant {
	v.start = nil
	return v
}
