package soak

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/integration/internal/eventually"
)

// rest is what the process holds when all databases are closed.
type rest struct {
	heap       uint64 // bytes
	goroutines int    // without leftovers
	files      int    // file descriptors, without those of conns
	// leftovers are what the native driver leaks with and without the wrapper: goroutines of canceled
	// requests and downloads, and connections with a response that was never read.
	leftovers, conns int
}

// leftoverFunctions are functions in the stacks of such goroutines. That the wrapper adds none
// is asserted by TestTheWrapperLeaksNothingBeyondTheNativeDriver.
var leftoverFunctions = []string{
	"net/http.setRequestCancel", "net/http.awaitLegacyCancel", "cloudFetchDownloadTask",
	connection, "net/http.(*persistConn).writeLoop",
}

// connection is the function in the stack of one goroutine of each open connection.
const connection = "net/http.(*persistConn).readLoop"

func (r rest) String() string {
	return fmt.Sprintf("heap %.1f MB, %d goroutines, %d files; leftovers %d goroutines, %d connections", float64(r.heap)/(1<<20), r.goroutines, r.files, r.leftovers, r.conns)
}

// atRest measures once nothing more is released, or once no more is held than before.
func atRest(t *testing.T, before []rest) (r rest) {
	t.Helper()
	unchanged := 0 // measurements since the last change
	eventually.True(t, func() bool {
		runtime.GC()
		runtime.GC()
		last := r
		r = measure()
		if n := len(before); n > 0 && r.goroutines <= before[0].goroutines && r.files <= before[0].files {
			return true
		}
		if last.goroutines != r.goroutines || last.files != r.files {
			unchanged = 0
		}
		unchanged++
		return unchanged > 10
	})
	return r
}

func measure() (r rest) {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	r.heap = m.HeapAlloc
	for _, stack := range stacks() {
		if slices.ContainsFunc(leftoverFunctions, func(f string) bool { return strings.Contains(stack, f) }) {
			r.leftovers++
		} else {
			r.goroutines++
		}
		if strings.Contains(stack, connection) {
			r.conns++
		}
	}
	if entries, err := os.ReadDir("/proc/self/fd"); err == nil {
		r.files = len(entries) - r.conns
	}
	return r
}

// stacks returns those of all goroutines.
func stacks() []string {
	buf := make([]byte, 1<<20)
	for {
		if n := runtime.Stack(buf, true); n < len(buf) {
			return strings.Split(string(buf[:n]), "\n\n")
		}
		buf = make([]byte, 2*len(buf))
	}
}

// requireConstant compares the process at the end of each round. The first round includes one-time
// setup; of the others, the later ones must not hold more than the earlier ones. The memory of the
// native driver's leftovers is allowed for.
func requireConstant(t *testing.T, rounds []rest) {
	t.Helper()
	if len(rounds) < 3 {
		return
	}
	rounds = rounds[1:]
	early, late := median(rounds[:(len(rounds)+1)/2]), median(rounds[len(rounds)/2:])
	const each = 16 << 10
	grown := int64(late.heap) - int64(early.heap) - int64(max(0, late.leftovers-early.leftovers))*each
	require.Less(t, grown, int64(3<<20), "heap: %s, then %s", early, late)
	require.LessOrEqual(t, late.goroutines, early.goroutines+2, "goroutines: %s, then %s", early, late)
	require.LessOrEqual(t, late.files, early.files+2, "files: %s, then %s", early, late)
}

// median is the median of each measure.
func median(rounds []rest) rest {
	middle := func(of func(rest) int) int {
		all := make([]int, len(rounds))
		for i, r := range rounds {
			all[i] = of(r)
		}
		slices.Sort(all)
		return all[len(all)/2]
	}
	return rest{
		heap:       uint64(middle(func(r rest) int { return int(r.heap) })),
		goroutines: middle(func(r rest) int { return r.goroutines }),
		leftovers:  middle(func(r rest) int { return r.leftovers }),
		conns:      middle(func(r rest) int { return r.conns }),
		files:      middle(func(r rest) int { return r.files }),
	}
}
