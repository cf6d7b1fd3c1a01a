package cloudfetch

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestNamesAreTheProtocols(t *testing.T) {
	for m := openSession; m < numMethods; m++ {
		require.Equal(t, m, methodNamed([]byte(m.String())))
	}
	require.Equal(t, "ExecuteStatement", executeStatement.String())
	require.Equal(t, unknownMethod, methodNamed([]byte("Unknown")))
	// The numbers of the protocol.
	for wire, want := range map[int32]string{0: "INITIALIZED", 2: "FINISHED", 5: "ERROR", 7: "PENDING", 8: "TIMEDOUT", 9: "", -1: ""} {
		require.Equal(t, want, enumOf(wire, stateNames), wire)
	}
	for wire, want := range map[int32]string{0: "INLINE_ARROW", 1: "COLUMNAR_INLINE", 2: "INLINE_JSON", 3: "EXTERNAL_LINKS", 4: ""} {
		require.Equal(t, want, enumOf(wire, resultFormats), wire)
	}
	for wire, want := range map[int32]string{0: "INELIGIBLE", 1: "LOCAL_HIT", 2: "REMOTE_HIT", 3: "MISS", 4: ""} {
		require.Equal(t, want, enumOf(wire, cacheNames), wire)
	}
}

// enumOf is the name of a number that a message holds, where another was known before.
func enumOf[S ~string](number int32, names []S) string {
	var m message
	m.set(resultFormat, u32(number))
	name := S("before")
	updateEnum(&m, &name, resultFormat, names)
	return string(name)
}

func TestAFactThatALaterMessageLacksStaysKnown(t *testing.T) {
	name := "before"
	updateEnum(&message{}, &name, resultFormat, cacheNames)
	require.Equal(t, "before", name)
}
