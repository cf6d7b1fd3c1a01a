package driverwrap

import (
	"context"
	"errors"
	"slices"

	"github.com/seed-01322ee7/databricks-telemetry/cloudfetch"
	"github.com/seed-01322ee7/databricks-telemetry/internal/contain"
	"github.com/seed-01322ee7/databricks-telemetry/internal/failure"
	"github.com/seed-01322ee7/databricks-telemetry/internal/settings"
	"github.com/seed-01322ee7/databricks-telemetry/internal/sqltext"
	"github.com/seed-01322ee7/databricks-telemetry/sanitize"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// failureOf reduces an error to what a record may hold. done is a context of the caller's that is done, nil while
// none is. seen returns what the wire showed by the time of the error; a nil seen means that the wire
// shows nothing about it. failureOf calls methods of the error, which is user-supplied code: if they panic,
// the category is CategoryOther.
func (r *recorder) failureOf(err error, done context.Context, seen func() cloudfetch.Fault) (f *telemetry.Failure) {
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
		fault.Broke = withContextError(fault.Broke, done)
		f = failure.Of(withContextError(err, done), fault)
	}
	f.Message = errorText(r.settings.ErrorText, err.Error())
	return f
}

// withContextError returns an error that also is that of a context, if it is the cause of the context's end: package
// net/http returns the cause in place of the context's error.
func withContextError(err error, done context.Context) error {
	if err == nil || done == nil {
		return err
	}
	if cause := context.Cause(done); cause == done.Err() || !errors.Is(err, cause) {
		return err
	}
	return errors.Join(done.Err(), err)
}

// endedByContext reports whether a context may be why a call failed. done is one that is done, or nil. A call that
// has no usable answer failed for a reason of its own, unless its error, or what broke it off, is that of a context.
func (s *statement) endedByContext(done context.Context, err error) bool {
	defer contain.Process.Recover(contain.Statement) // err is user-supplied code
	if done == nil {
		return false
	}
	fault, contexts := s.trace.Fault(), s.contexts()
	return !fault.CallFailed || slices.ContainsFunc(contexts[:], func(ctx context.Context) bool {
		return ifDone(ctx) != nil && (isOf(ctx, err) || isOf(ctx, fault.Broke))
	})
}

// isOf reports whether an error is, or wraps, that of a context that is done.
func isOf(done context.Context, err error) bool {
	return errors.Is(err, done.Err()) || errors.Is(err, context.Cause(done))
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
