package wrapped

import (
	"sync"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// memory is a sink that keeps what it receives.
type memory struct {
	mu         sync.Mutex
	statements []*telemetry.Statement
	opened     []*telemetry.SessionOpened
	closed     []*telemetry.SessionClosed
}

var _ telemetry.SessionSink = (*memory)(nil)

func (m *memory) StatementFinished(s *telemetry.Statement) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.statements = append(m.statements, s)
}

func (m *memory) SessionOpened(s *telemetry.SessionOpened) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.opened = append(m.opened, s)
}

func (m *memory) SessionClosed(s *telemetry.SessionClosed) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed = append(m.closed, s)
}
