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
// While the connector is open, dropped rows are looked for when a session is opened, because the pool
// has to replace the connection that such rows keep in use. A closed connector opens no sessions.
// Rows that are still open at that time may be read to their end, so a runtime.AddCleanup reports
// when the application drops them. That costs some microseconds, and only for rows that outlive their
// connector.

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

// releaseLease releases the lease of closed rows; nil means none. A lease that may have a cleanup is
// not reused, because the cleanup keeps this statement.
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

// watchLease finishes the statement as soon as the garbage collector finds that the application has
// dropped its rows. Rows that are closed before that finish it as usual.
func (s *statement) watchLease() {
	switch l, open := s.openLease(); {
	case !open:
	case l == nil:
		s.abandon()
	case !contain.InBubble():
		runtime.AddCleanup(l, func(s *statement) { go s.abandon() }, s) // cleanups must not block, and sinks may
	}
}

// openLease returns the lease of the statement's rows, or nil when the application has dropped them,
// and reports whether the rows are open.
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
