package lasting_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/internal/lasting"
)

// known is a state until a time.
type known struct{ until time.Time }

func (k *known) Stale(now time.Time) bool { return !now.Before(k.until) }

func TestAStateOutlivesItsUsersUntilItIsStale(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s lasting.States[*known]
		create := func() *known { return &known{time.Now().Add(time.Minute)} }
		first := s.Acquire("a", create)
		require.Same(t, first, s.Acquire("a", create))
		s.Release("a")
		s.Release("a")
		require.Same(t, first, s.Acquire("a", create), "it came back")
		time.Sleep(time.Hour)
		require.Same(t, first, s.Acquire("a", create), "it is in use")
		s.Release("a")
		s.Release("a")
		require.Zero(t, s.Len())
		require.NotSame(t, first, s.Acquire("a", create))
	})
}

func TestUnusedStatesAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s lasting.States[*known]
		create := func() *known { return &known{time.Now().Add(time.Hour)} }
		for i := range 10_000 {
			s.Acquire(i, create) // in use at once, as in an outage
		}
		for i := range 10_000 {
			s.Release(i)
		}
		require.Less(t, s.Len(), 1000)

		time.Sleep(24 * time.Hour)
		for i := range 5000 {
			s.Acquire(-i-1, create)
			s.Release(-i - 1)
			require.Less(t, s.Len(), 1000)
			time.Sleep(time.Second)
		}
		latest := s.Acquire(-5000, create)
		require.Same(t, latest, s.Acquire(-5000, create))
	})
}
