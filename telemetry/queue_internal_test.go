package telemetry

import (
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
)

type nothing struct{}

func (nothing) StatementFinished(*Statement) {}

// Closing a pool looks its last record up, and does not look at all that wait: this takes a lock that statements
// need. What is remembered for that is bounded by what waits.
func TestConnectorsWithoutARecordThatWaitsAreForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newSinkQueue(nothing{}, 1000)
		for id := range int64(10_000) {
			q.enqueue(&Statement{Connector: id})
			if id%100 == 0 {
				synctest.Wait()
			}
		}
		synctest.Wait()
		q.mu.Lock()
		defer q.mu.Unlock()
		require.Less(t, len(q.latest), 3000)
	})
}
