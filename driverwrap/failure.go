package driverwrap

import (
	"github.com/seed-01322ee7/databricks-telemetry/sanitize"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// failureOf reduces an error to what a record may hold of it.
func failureOf(err error) *telemetry.Failure {
	f := telemetry.FailureOf(err)
	if f != nil {
		f.Message = message(err)
	}
	return f
}

// message asks the error for its text, which is somebody else's code.
func message(err error) string {
	defer contain()
	return sanitize.Message(err.Error())
}
