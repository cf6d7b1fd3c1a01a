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
			s.Acquire(i, create)
			s.Release(i)
		}
		require.Less(t, s.Len(), 1000)
		latest := &known{}
		require.NotSame(t, latest, s.Acquire(9_999, func() *known { return latest }), "the latest is not stale")
		s.Release(9_999)

		time.Sleep(2 * time.Hour)
		for i := range 10_000 {
			s.Acquire(-i-1, create) // in use
		}
		require.Same(t, latest, s.Acquire(9_999, func() *known { return latest }), "it was stale")
		require.Equal(t, 10_001, s.Len())
	})
}
