package driverwrap

import (
	"weak"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// Applications forget to close rows. database/sql then keeps the connection taken for good:
// not even sql.DB.Close closes it, and nobody would finish the statement. So a statement
// refers to its rows weakly, which keeps nothing alive that would be gone without us, and
// tells when the application has let go of them. A connection lost like that is one the pool
// has to replace: opening one is when forgotten rows are looked for. The native rows are not
// closed for that: without us they would not be, either.

// hand gives the rows to the application.
func (s *statement) hand(r *rows) {
	defer contain()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.handed = weak.Make(r)
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
	return s.handed != weak.Pointer[rows]{} && s.handed.Value() == nil && !s.finished
}

// abandon finishes the statements that are chosen.
func (c *connector) abandon(chosen func(*statement) bool) {
	defer contain()
	for _, conn := range c.conns.list() {
		for _, s := range conn.unfinished() {
			if chosen(s) {
				s.finish(telemetry.Abandoned)
			}
		}
	}
}
