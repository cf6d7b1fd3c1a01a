package driverwrap

import (
	"runtime"
	"time"
	"weak"

	"github.com/seed-01322ee7/databricks-telemetry/internal/contain"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// Applications forget to close rows. database/sql then keeps the connection in use for good:
// not even sql.DB.Close closes it, and nothing would finish the statement. So rows hold a
// lease, and their statement holds only a weak pointer to the lease. That keeps nothing alive
// that the bare driver would release, and shows when the application has dropped the rows. The
// native rows are not closed for that: with the bare driver they would stay open, too.
//
// While the connector is open, dropped rows are looked for when a connection is opened: the
// pool has to replace the connection that such rows keep. A closed connector opens none. Rows
// that are open then may still be read to their end, so the garbage collector reports when the
// application drops them (runtime.AddCleanup). That costs some microseconds, and only rows that
// outlive their connector pay for it.

// lease is held by open rows, and by their connection while it has no open rows. A connection
// makes one lease, not one for each statement: BenchmarkLease measures 0.1 µs for passing a
// lease on and 3 µs for making one, most of it in weak.Make, where a whole query costs the
// wrapper 5 µs (BenchmarkQuery).
type lease struct{ weak weak.Pointer[lease] }

func newLease() *lease {
	l := &lease{}
	l.weak = weak.Make(l)
	return l
}

// acquireLease returns the lease for new rows. While other rows of the connection hold its
// lease, that is a new one.
func (c *conn) acquireLease() *lease {
	if l := c.lease.Swap(nil); l != nil {
		return l
	}
	return newLease()
}

// releaseLease makes the lease of closed rows available to the next rows. A lease that may
// have a cleanup is not used again, because the cleanup belongs to the statement that had it.
func (c *conn) releaseLease(l *lease) {
	if l != nil && !c.outlived() {
		c.lease.Store(l)
	}
}

// outlived reports that no connection will be opened to look for dropped rows: the connection
// or its connector is closed.
func (c *conn) outlived() bool {
	return c.closed.Load() || c.connector.conns.closed.Load()
}

// setLease notes the lease of the rows that the application gets.
func (s *statement) setLease(l *lease) {
	s.mu.Lock()
	s.lease = l.weak
	s.mu.Unlock()
	if s.conn.outlived() {
		s.watchLease()
	}
}

// hasOpenRows reports whether the call returned rows that are not closed.
func (s *statement) hasOpenRows() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.hasRows && !s.finished
}

// abandonDropped finishes the statement if the application has dropped its rows.
func (s *statement) abandonDropped() {
	if l, open := s.openLease(); open && l == nil {
		s.abandon()
	}
}

// watchLease finishes the statement as soon as the application drops its rows. Rows that are
// closed before that finish it as always.
func (s *statement) watchLease() {
	switch l, open := s.openLease(); {
	case !open:
	case l == nil:
		s.abandon()
	case !contain.InBubble():
		runtime.AddCleanup(l, (*statement).abandon, s)
	}
}

// openLease returns the lease of the statement's rows, nil when the application has dropped
// them, and reports whether the rows are open.
func (s *statement) openLease() (l *lease, open bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.finished || s.lease == (weak.Pointer[lease]{}) {
		return nil, false
	}
	return s.lease.Value(), true
}

// abandon finishes a statement whose rows the application has dropped, unless they were
// closed before that.
func (s *statement) abandon() {
	defer contain.Process.Recover(contain.Statement)
	if s.finish(time.Now(), telemetry.OutcomeAbandoned) {
		s.conn.markAbandoned()
		s.conn.connector.connectionEnded()
	}
}
