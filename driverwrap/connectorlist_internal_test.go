package driverwrap

import (
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// slowSink takes a second for a record.
type slowSink struct{ statements int }

func (s *slowSink) StatementFinished(*telemetry.Statement) {
	time.Sleep(time.Second)
	s.statements++
}

// The list is the test's own: a flush of the process would reach the connectors of other tests.
func TestFlushWaitsForTheSinksThatConnectorsHaveOfTheirOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var list connectorList
		var sinks [2]slowSink
		var all [len(sinks)]*connector
		for i := range sinks {
			all[i] = &connector{ownSinks: &telemetry.Fanout{}}
			all[i].ownSinks.Attach(&sinks[i])
			list.add(all[i])
			all[i].ownSinks.Statement(&telemetry.Statement{})
		}
		require.NoError(t, list.FlushSinks(t.Context()))
		require.Equal(t, [2]slowSink{{1}, {1}}, sinks)
		runtime.KeepAlive(all)
	})
}
