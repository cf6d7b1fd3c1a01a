package driverwrap

import (
	"context"
	"errors"

	"github.com/seed-01322ee7/databricks-telemetry/cloudfetch"
	"github.com/seed-01322ee7/databricks-telemetry/internal/contain"
	"github.com/seed-01322ee7/databricks-telemetry/internal/failure"
	"github.com/seed-01322ee7/databricks-telemetry/internal/settings"
	"github.com/seed-01322ee7/databricks-telemetry/internal/sqltext"
	"github.com/seed-01322ee7/databricks-telemetry/sanitize"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// failureOf reduces an error to what a record may hold. done is the error of the caller's contexts, nil while
// none is done. seen returns what the wire showed by the time of the error; a nil seen means that the wire
// shows nothing about it. failureOf calls methods of the error, which is user-supplied code: if they panic,
// the category is CategoryOther.
func (r *recorder) failureOf(err, done error, seen func() cloudfetch.Fault) (f *telemetry.Failure) {
	if err == nil {
		return nil
	}
	f = &telemetry.Failure{Category: telemetry.CategoryOther}
	defer contain.Process.Recover(contain.Statement)
	var fault cloudfetch.Fault
	if seen != nil {
		fault = seen()
	}
	if err != errNotReturned { // nothing that arrived earlier is the reason for that one
		fault.Waiting = done == nil
		f = failure.Of(err, fault)
	}
	f.Message = errorText(r.settings.ErrorText, err.Error())
	return f
}

// endedByContext reports whether a context may be why a call failed: done is the error of the context, nil
// while it is not done.
func (s *statement) endedByContext(done, err error) bool {
	return done != nil && !endedByAnswer(err, s.trace.Fault())
}

// endedByAnswer reports whether a call failed because of the server's answer and not because of a
// context.
func endedByAnswer(err error, fault cloudfetch.Fault) bool {
	defer contain.Process.Recover(contain.Statement) // err is user-supplied code
	return fault.CallFailed && fault.Status != 0 && !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded)
}

// errNotReturned stands for the error of a native call until the call returns. It is recorded if the
// call panics or ends its goroutine; the application sees the panic or Goexit unchanged.
var errNotReturned = errors.New("the call panicked or ended its goroutine")

// longestErrorText bounds what settings.ErrorTextFull keeps, in bytes. Queues bound the number of
// records, not their size.
const longestErrorText = 64 << 10

// errorText returns what a record keeps of an error's text. An unknown setting counts as the default.
func errorText(setting, text string) string {
	switch setting {
	case settings.ErrorTextClass:
		return sanitize.Class(text)
	case settings.ErrorTextFull:
		return sqltext.Bounded(text, longestErrorText)
	}
	return sanitize.Message(text)
}
