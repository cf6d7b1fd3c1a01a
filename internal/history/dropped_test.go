package history_test

import (
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/internal/history"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// A handle that is dropped without Close ends its worker: what waits is counted, nothing is asked.
func TestAHandleThatIsDroppedAsksNothing(t *testing.T) {
	var (
		reader history.Reader
		fanout telemetry.Fanout
		s      service
	)
	defer fanout.Attach(&sink{})()
	reader.Open(connection(&s, &token{"t0"}), slow, []*telemetry.Fanout{&fanout}).StatementFinished(statement(1))
	for len(reader.Stats().Clients) > 0 {
		runtime.GC()
		runtime.Gosched()
	}
	require.Equal(t, map[string]int64{"closed": 1}, balanced(t, &reader).Dropped)
	require.Empty(t, s.times())
}
