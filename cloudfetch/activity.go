package cloudfetch

import (
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/internal/contain"
)

// The owner of a trace reports with these methods what the application does, and when. Without
// them, a statement is in its call until Finish. They run on the application's goroutine: a panic in
// them is contained.

// CallReturned notes that the call returned rows: the application has control.
func (t *Trace) CallReturned(at time.Time) { t.note(beforeRead, at) }

// ReadBegun notes that the driver was asked for what follows the first read rows, where it may
// have to wait: for a row that begins a page or file, or for an Arrow batch. Where the rows read
// are not counted, read is -1.
func (t *Trace) ReadBegun(read int64, at time.Time) {
	defer contain.Process.Recover(contain.Wire)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.enter(reading, at)
	if t.uncounted = t.uncounted || read < 0; !t.uncounted {
		t.passTo(read)
	}
}

// BatchReturned notes that the driver returned an Arrow batch, or said whether there is one.
func (t *Trace) BatchReturned(at time.Time) { t.note(between, at) }

// RowReturned notes that the driver returned a row; read counts the rows read so far. It returns the
// number, counted from 0, of the row that begins the next page or file, for which the driver may
// have to wait. Where what follows has not arrived yet, that is the number of rows delivered so far.
// Where the boundary cannot be known it is -1, and what the statement waits for is unknown until
// the rows end.
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

// DescribeEnded notes that the driver returned the columns, and reports whether the driver has them: where a
// call failed, it may ask the server again. The statement is where it was before DescribeBegun.
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

// note is enter for a report that says no more.
func (t *Trace) note(a activity, at time.Time) {
	defer contain.Process.Recover(contain.Wire)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.enter(a, at)
}

// enter changes the activity. Nothing follows closing.
func (t *Trace) enter(a activity, at time.Time) {
	if t.activity < closing {
		t.advance(t.since(at))
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
