package cloudfetch

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestNamesAreTheProtocols(t *testing.T) {
	require.Equal(t, "ExecuteStatement", ExecuteStatement.String())
	require.Equal(t, "Unknown", MethodUnknown.String())
	require.Equal(t, "200", Method(200).String())
	require.Equal(t, "TIMEDOUT", StateTimedOut.String())
	require.Empty(t, StateUnknown.String())
	require.Equal(t, "MISS", CacheMiss.String())
	require.Equal(t, "ABANDONED", FileAbandoned.String())
	// The numbers of the protocol.
	for wire, want := range map[int32]ServerState{0: StateInitialized, 2: StateFinished, 5: StateError, 8: StateTimedOut, 9: StateUnknown, -1: StateUnknown} {
		require.Equal(t, want, ServerState(oneBased(wire, len(stateNames))), wire)
	}
	for wire, want := range map[int32]string{0: "INLINE_ARROW", 1: "COLUMNAR_INLINE", 2: "INLINE_JSON", 3: "EXTERNAL_LINKS", 4: ""} {
		require.Equal(t, want, ResultFormat(oneBased(wire, len(formatNames))).String(), wire)
	}
	for wire, want := range map[int32]string{0: "INELIGIBLE", 1: "LOCAL_HIT", 2: "REMOTE_HIT", 3: "MISS", 4: ""} {
		require.Equal(t, want, CacheResult(oneBased(wire, len(cacheNames))).String(), wire)
	}
	for m := OpenSession; m < numMethods; m++ {
		require.Equal(t, m, methodNamed([]byte(m.String())))
	}
	require.Equal(t, MethodUnknown, methodNamed([]byte("Unknown")))
}

func TestUnknownIsNotZero(t *testing.T) {
	require.Equal(t, 7, Value[int]{}.Or(7))
	require.Equal(t, 0, known(0).Or(7))
	require.Zero(t, Span{Start: time.Now()}.Duration())
	require.Zero(t, (&Facts{}).RPC(Method(200)))
	require.True(t, (GapFiles | GapMessages).Has(GapFiles))
	require.False(t, GapFiles.Has(GapFiles|GapMessages))
}
