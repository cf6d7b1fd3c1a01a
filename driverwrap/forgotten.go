package driverwrap

import (
	"database/sql/driver"
	"time"
	"weak"

	"github.com/seed-01322ee7/databricks-telemetry/internal/contain"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// Applications forget to close rows. database/sql then keeps the connection taken for good:
// not even sql.DB.Close closes it, and nobody would finish the statement. So rows hold a lease
// of their connection, and the statement only a weak pointer to it: that keeps nothing alive
// that would be gone without us, and tells when the application has let go of the rows. A
// connection lost like that is one the pool has to replace: opening one is when forgotten rows
// are looked for. The native rows are not closed for that: without us they would not be, either.

// lease is held by rows that are open, and by their connection while there are none: it is
// made, with its weak pointer, once per connection and not for each statement, because making
// one costs more than most of what is measured.
type lease struct{ seen weak.Pointer[lease] }

// lend gives the lease to rows. Rows of a connection that has lent it already get one of
// their own.
func (c *conn) lend() *lease {
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

// takeBack takes the lease from rows that were closed.
func (c *conn) takeBack(l *lease) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lease = l
}

// hand puts r around the native rows, to be given to the application.
func (s *statement) hand(native driver.Rows, r *rows) (measured *rows) {
	r.raw, r.st = native, s
	measured = r
	defer contain.Process.Recover(contain.Statement)
	if s.trace == nil {
		r.inference = infer(native)
	}
	l := s.conn.lend()
	s.mu.Lock()
	defer s.mu.Unlock()
	r.lease, s.handed = l, l.seen
	return
}

// handedBack ends that: the rows were closed.
func (r *rows) handedBack() {
	defer contain.Process.Recover(contain.Statement)
	r.st.mu.Lock()
	l := r.lease
	r.lease = nil
	r.st.mu.Unlock()
	if l != nil {
		r.st.conn.takeBack(l)
	}
}

// open reports whether the application was given rows, and has not closed them.
func (s *statement) open() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.hasRows && !s.finished
}

// forgotten reports whether it cannot close them any more.
func (s *statement) forgotten() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.handed != weak.Pointer[lease]{} && s.handed.Value() == nil && !s.finished
}

// abandon finishes the statements that are chosen.
func (c *connector) abandon(chosen func(*statement) bool) {
	defer contain.Process.Recover(contain.Statement)
	for _, conn := range c.conns.list() {
		for _, s := range conn.unfinished() {
			if chosen(s) {
				s.finish(time.Now(), telemetry.Abandoned)
			}
		}
	}
}
