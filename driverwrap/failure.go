package driverwrap

import (
	"strings"

	"github.com/seed-01322ee7/databricks-telemetry/cloudfetch"
	"github.com/seed-01322ee7/databricks-telemetry/internal/contain"
	"github.com/seed-01322ee7/databricks-telemetry/internal/failure"
	"github.com/seed-01322ee7/databricks-telemetry/internal/settings"
	"github.com/seed-01322ee7/databricks-telemetry/sanitize"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// failureOf reduces an error to what a record may hold of it. It calls methods of the error,
// which is user-supplied code: where these panic, the category is CategoryOther.
func (r *recorder) failureOf(err error) (f *telemetry.Failure) {
	if err == nil {
		return nil
	}
	f = &telemetry.Failure{Category: telemetry.CategoryOther}
	defer contain.Process.Recover(contain.Statement)
	f = failure.Of(err)
	f.Message = errorText(r.settings.ErrorText, err.Error())
	return f
}

// longestErrorText bounds what settings.ErrorTextFull keeps, in bytes: records wait in queues
// that are bounded by their number.
const longestErrorText = 64 << 10

// errorText is what a record keeps of an error's text. An unknown setting keeps as little as
// the default.
func errorText(setting, text string) string {
	switch setting {
	case settings.ErrorTextClass:
		return sanitize.Class(text)
	case settings.ErrorTextFull:
		return strings.ToValidUTF8(text[:min(len(text), longestErrorText)], "\uFFFD")
	}
	return sanitize.Message(text)
}

// refine makes a failure more precise by what the server answered.
func refine(f *telemetry.Failure, fault cloudfetch.Fault) {
	failure.Refine(f, fault.SQLState, fault.Status)
	if f != nil && fault.FailedFiles > 0 && f.Category == telemetry.CategoryOther {
		f.Category = telemetry.CategoryChunkDownload
	}
}
