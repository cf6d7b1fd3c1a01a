package driverwrap

import (
	"database/sql/driver"
	"runtime"
	"time"
	"weak"

	"github.com/seed-01322ee7/databricks-telemetry/internal/contain"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// Applications forget to close rows. database/sql then keeps the connection taken for good:
// not even sql.DB.Close closes it, and nothing would finish the statement. So rows hold a lease
// of their connection, and the statement only a weak pointer to it: that keeps nothing alive
// that would be gone without us, and tells when the application has let go of the rows. The
// native rows are not closed for that: without us they would not be, either.
//
// While the connector is open, such rows are looked for when a connection is opened: the pool
// has to replace the one they keep. A closed connector opens none. The rows that are open then
// may still be read to their end, so nothing can be said about them yet: the garbage collector
// reports when the application lets go of them instead (runtime.AddCleanup). It costs some
// microseconds, which is why only rows that outlive the connector pay for it.

// lease is held by rows that are open, and by their connection while there are none: it is
// made, with its weak pointer, once per connection and not for each statement, because making
// one costs more than most of what is measured.
type lease struct{ seen weak.Pointer[lease] }

// acquireLease returns the lease for new rows. Rows of a connection whose lease is in use
// already get one of their own.
func (c *conn) acquireLease() *lease {
	c.mu.Lock()
	defer c.mu.Unlock()
	l := c.lease
	c.lease = nil
	if l == nil {
		l = &lease{}
		l.seen = weak.Make(l)
	}
	return l
}

// releaseLease makes the lease of rows that were closed available to the next ones. A lease
// that may have a cleanup is not used again: the cleanup is of the statement that had it.
func (c *conn) releaseLease(l *lease) {
	if c.outlived() {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lease = l
}

// wrapRows puts r around the native rows, to be given to the application.
func (s *statement) wrapRows(native driver.Rows, r *rows) (measured *rows) {
	r.raw, r.st = native, s
	measured = r
	defer contain.Process.Recover(contain.Statement)
	if s.trace == nil {
		r.inference = infer(native)
	}
	l := s.conn.acquireLease()
	s.mu.Lock()
	r.lease, s.leased = l, l.seen
	s.mu.Unlock()
	if s.conn.outlived() {
		s.watch()
	}
	return
}

// releaseLease ends that: the rows were closed.
func (r *rows) releaseLease() {
	defer contain.Process.Recover(contain.Statement)
	r.st.mu.Lock()
	l := r.lease
	r.lease = nil
	r.st.mu.Unlock()
	if l != nil {
		r.st.conn.releaseLease(l)
	}
}

// hasOpenRows reports whether the application was given rows, and has not closed them.
func (s *statement) hasOpenRows() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.hasRows && !s.finished
}

// heldLease returns the lease of the open rows of the statement. Without such rows ok is
// false; with rows that the application has let go of the lease is nil.
func (s *statement) heldLease() (l *lease, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.finished || s.leased == (weak.Pointer[lease]{}) {
		return nil, false
	}
	return s.leased.Value(), true
}

// abandonLost finishes the statement if the application has let go of its rows.
func (s *statement) abandonLost() {
	if l, ok := s.heldLease(); ok && l == nil {
		s.abandon()
	}
}

// watch finishes the statement as soon as the application lets go of its rows. Rows that end
// before that finish it as always.
func (s *statement) watch() {
	switch l, ok := s.heldLease(); {
	case !ok:
	case l == nil:
		s.abandon()
	case !contain.InBubble():
		runtime.AddCleanup(l, (*statement).abandon, s)
	}
}

// abandon finishes a statement whose rows the application has let go of, unless they were
// closed before that.
func (s *statement) abandon() {
	defer contain.Process.Recover(contain.Statement)
	if s.finish(time.Now(), telemetry.OutcomeAbandoned) {
		s.conn.noteLost()
		s.conn.connector.connectionEnded()
	}
}

// eachUnfinished calls do for each statement of the connector that has not ended.
func (c *connector) eachUnfinished(do func(*statement)) {
	defer contain.Process.Recover(contain.Statement)
	for _, conn := range c.conns.list() {
		for _, s := range conn.unfinished() {
			do(s)
		}
	}
}

// outlived reports that nothing will look for rows of the connection that the application
// lets go of: the connection or its connector is closed.
func (c *conn) outlived() bool {
	return c.closed.Load() || c.connector.conns.closed.Load()
}

// noteLost remembers that the application has let go of rows of the connection and reads no
// others: nothing more is to be expected of it, until a statement begins after all.
func (c *conn) noteLost() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lost = len(c.open) == 0
}

func (c *conn) isLost() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.lost
}
