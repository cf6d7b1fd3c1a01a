package workspace

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/integration/internal/wire"
)

// If a statement ends while its status is answered, the answer has both its final state and its result,
// or neither.
func TestAResultIsAnsweredWithItsState(t *testing.T) {
	w := &Workspace{}
	for range 2_000 {
		o := &operation{state: wire.StateRunning, updated: -1}
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			o.mu.Lock()
			defer o.mu.Unlock()
			o.state, o.result = wire.StateFinished, &columnResult{}
		}()
		status, rs := w.status(o)
		require.Equal(t, rs != nil, *status.OperationState == wire.StateFinished)
		<-ended
	}
}
