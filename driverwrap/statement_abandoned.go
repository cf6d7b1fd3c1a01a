package driverwrap

import (
	"runtime"
	"time"
	"weak"

	"github.com/seed-01322ee7/databricks-telemetry/internal/contain"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// Applications forget to close rows. database/sql then keeps the connection in use for good:
// not even sql.DB.Close closes it, and nothing would finish the statement. So open rows hold a
// lease, and the statement notices when the lease is gone. The native rows stay open, as with the
// bare driver.
//
// While the connector is open, dropped rows are looked for when a session is opened: the pool
// has to replace the connection that such rows keep. A closed connector opens none. Rows that
// are open then may still be read to their end, so the garbage collector reports when the
// application drops them (runtime.AddCleanup). That costs some microseconds, and only rows that
// outlive their connector pay for it.

// acquireLease returns a lease for the rows that the application gets.
func (s *statement) acquireLease() *lease {
	l := s.session.lease.acquire()
	s.mu.Lock()
	s.lease = l.weak
	s.mu.Unlock()
	if s.session.outlived() {
		s.watchLease()
	}
	return l
}

// releaseLease releases the lease of closed rows; nil is none. A lease that may have a cleanup
// is not used again: the cleanup belongs to this statement.
func (s *statement) releaseLease(l *lease) {
	if l != nil && !s.session.outlived() {
		s.session.lease.release(l)
	}
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
		runtime.AddCleanup(l, func(s *statement) { go s.abandon() }, s) // cleanups must not block, and sinks may
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
		s.session.abandon()
	}
}
