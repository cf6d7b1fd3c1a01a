package telemetry_test

import (
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// Recording runs on the application's goroutine, which the sink may end.
func TestASinkThatEndsTheGoroutineCostsOthersNothing(t *testing.T) {
	var f telemetry.Fanout
	defer f.Attach(exiting{})()
	var taken atomic.Int64
	detach := f.Attach(sinkFunc(func(*telemetry.Statement) { taken.Add(1) }))
	var wg sync.WaitGroup
	wg.Go(func() { f.Statement(&telemetry.Statement{}) })
	wg.Wait()
	detach()
	require.EqualValues(t, 1, taken.Load())
}

type exiting struct{}

func (exiting) StatementFinished(*telemetry.Statement) {}

func (exiting) Recording() bool {
	runtime.Goexit()
	return false
}
