package cloudfetch

import (
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/internal/contain"
)

// With the methods below, the owner of a trace reports what the application does, and when. Without
// them, a statement counts as being in its call until Finish. They run on the application's
// goroutine; panics in them are contained.

// CallReturned notes that the call returned rows, so that the application has control.
func (t *Trace) CallReturned(at time.Time) { t.note(beforeRead, at) }

// ReadBegun notes that the driver was asked for a row that begins a page or file, or for an Arrow
// batch, for which it may have to wait. read is the number of rows read before, or -1 if rows are not
// counted.
func (t *Trace) ReadBegun(read int64, at time.Time) {
	defer contain.Process.Recover(contain.Wire)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.enter(reading, at)
	if t.uncounted = t.uncounted || read < 0; !t.uncounted {
		t.passTo(read)
	}
}

// BatchReturned notes that the driver returned an Arrow batch, or reported whether there is one.
func (t *Trace) BatchReturned(at time.Time) { t.note(between, at) }

// RowReturned notes that the driver returned a row; read is the number of rows read so far. It
// returns the number, counted from 0, of the row that begins the next page or file, for which the
// driver may have to wait. If the next page or file has not arrived yet, that is the number of rows
// delivered so far. If the boundary cannot be known, it is -1, and what the statement waits for is
// unknown until the rows end.
func (t *Trace) RowReturned(read int64, at time.Time) (boundary int64) {
	boundary = -1
	defer contain.Process.Recover(contain.Wire)
	t.mu.Lock()
	defer t.mu.Unlock()
	next := between
	if boundary = t.nextBoundary(read); boundary < 0 {
		next = unobserved
	}
	t.enter(next, at)
	return boundary
}

// DescribeBegun notes that the driver was asked for the columns, for which it may have to wait.
func (t *Trace) DescribeBegun(at time.Time) {
	defer contain.Process.Recover(contain.Wire)
	t.mu.Lock()
	defer t.mu.Unlock()
	if before := t.activity; before != describing {
		t.enter(describing, at)
		t.described = before
	}
}

// DescribeEnded notes that the driver returned the columns, and reports whether the driver has them. If a
// call failed, the driver does not, and may ask the server again. The activity is again the one before
// DescribeBegun.
func (t *Trace) DescribeEnded(at time.Time) (described bool) {
	defer contain.Process.Recover(contain.Wire)
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.activity == describing {
		t.enter(t.described, at)
	}
	return !t.methods.find(getResultSetMetadata).unanswered()
}

// ReadEnded notes that no row is left, or that reading failed.
func (t *Trace) ReadEnded(at time.Time) { t.note(afterRead, at) }

// CloseBegun notes that the driver was asked to close the rows.
func (t *Trace) CloseBegun(at time.Time) { t.note(closing, at) }

// note is enter for a report without further data.
func (t *Trace) note(a activity, at time.Time) {
	defer contain.Process.Recover(contain.Wire)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.enter(a, at)
}

// enter changes the activity, unless it is closing, which is the last one.
func (t *Trace) enter(a activity, at time.Time) {
	if t.activity < closing {
		t.advance(t.since(at))
		t.settle(a)
		t.activity, t.paused, t.idle = a, unknownMethod, 0
	}
}

func (t *Trace) nextBoundary(read int64) int64 {
	if t.uncounted || !t.whole() {
		return -1
	}
	t.passTo(read - 1)
	boundary := t.passed
	if len(t.segments) > 0 {
		boundary += t.segments[0].rows
	}
	if boundary < read { // more rows than the server announced
		return -1
	}
	return boundary
}
