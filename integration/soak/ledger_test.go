package soak

import (
	"sync"

	"github.com/seed-01322ee7/databricks-telemetry/internal/registry"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// ledger is a sink that counts what it receives and retains no record.
type ledger struct {
	mu         sync.Mutex
	outcomes   map[telemetry.Outcome]int
	statements int
	reported   int // events the exporter makes of the records
	opened     int
	closed     int
	abandoned  int      // statements whose rows were open when their session was closed
	wrong      []string // what wrongTimes says of the first record with a wrong time
}

var _ telemetry.SessionSink = (*ledger)(nil)

func (l *ledger) StatementFinished(s *telemetry.Statement) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.outcomes == nil {
		l.outcomes = map[telemetry.Outcome]int{}
	}
	l.outcomes[s.Outcome]++
	l.statements++
	l.checkTimes(s)
	l.reported++
	if _, ok := registry.Closed(s); ok {
		l.reported++
	}
	if _, ok := registry.Canceled(s); ok {
		l.reported++
	}
}

func (l *ledger) SessionOpened(s *telemetry.SessionOpened) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.opened++
	l.checkTimes(s)
}

func (l *ledger) SessionClosed(s *telemetry.SessionClosed) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed++
	l.checkTimes(s)
	l.abandoned += int(s.Abandoned)
}

// checkTimes records what is wrong with the times in a record. l.mu is held.
func (l *ledger) checkTimes(record any) {
	if len(l.wrong) == 0 {
		l.wrong = wrongTimes(record)
	}
}

func (l *ledger) wrongTimes() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.wrong
}

func (l *ledger) outcome(o telemetry.Outcome) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.outcomes[o]
}

func (l *ledger) abandonedStatements() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.abandoned
}

func (l *ledger) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.statements
}

// events is the number of events that are reported to Databricks.
func (l *ledger) events() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.reported + l.opened + l.closed
}
