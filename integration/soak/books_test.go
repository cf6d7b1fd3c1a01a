package soak

import (
	"sync"

	"github.com/seed-01322ee7/databricks-telemetry/internal/registry"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// books is a sink that counts what it receives, and keeps nothing of it.
type books struct {
	mu         sync.Mutex
	outcomes   map[telemetry.Outcome]int
	statements int
	reported   int // events they make
	opened     int
	closed     int
	left       int // statements whose rows were open when their session was closed
}

var _ telemetry.SessionSink = (*books)(nil)

func (b *books) StatementFinished(s *telemetry.Statement) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.outcomes == nil {
		b.outcomes = map[telemetry.Outcome]int{}
	}
	b.outcomes[s.Outcome]++
	b.statements++
	b.reported++
	if _, ok := registry.Closed(s); ok {
		b.reported++
	}
	if _, ok := registry.Canceled(s); ok {
		b.reported++
	}
}

func (b *books) SessionOpened(*telemetry.SessionOpened) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.opened++
}

func (b *books) SessionClosed(s *telemetry.SessionClosed) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed++
	b.left += int(s.Abandoned)
}

func (b *books) outcome(o telemetry.Outcome) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.outcomes[o]
}

func (b *books) abandoned() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.left
}

func (b *books) count() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.statements
}

// events is how many Databricks is told of.
func (b *books) events() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.reported + b.opened + b.closed
}
