package driverwrap

import (
	"github.com/seed-01322ee7/databricks-telemetry/internal/contain"
	"github.com/seed-01322ee7/databricks-telemetry/internal/failure"
	"github.com/seed-01322ee7/databricks-telemetry/sanitize"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// failureOf reduces an error to what a record may hold of it. It asks the error about
// itself, which is somebody else's code: what panics there is an error of no known kind.
func failureOf(err error) (f *telemetry.Failure) {
	if err == nil {
		return nil
	}
	f = &telemetry.Failure{Category: telemetry.CategoryOther}
	defer contain.Process.Recover(contain.Statement)
	f = failure.Of(err)
	f.Message = sanitize.Message(err.Error())
	return f
}
