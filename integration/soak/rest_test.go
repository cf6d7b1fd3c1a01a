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

// rest is what the process holds when everything is closed.
type rest struct {
	heap       uint64 // bytes
	goroutines int    // without debris
	files      int    // file descriptors, without those of conns
	// debris is what the native driver leaves behind with and without us: goroutines of
	// requests and downloads it has given up, and connections with an answer nobody read.
	debris, conns int
}

// litter are the goroutines of such debris. That we add none to it
// is what TestNothingIsLeftBehindThatTheBareDriverDoesNotLeave holds.
var litter = []string{
	"net/http.setRequestCancel", "net/http.awaitLegacyCancel", "cloudFetchDownloadTask",
	connection, "net/http.(*persistConn).writeLoop",
}

// connection is a goroutine each open connection has one of.
const connection = "net/http.(*persistConn).readLoop"

func (r rest) String() string {
	return fmt.Sprintf("heap %.1f MB, %d goroutines, %d files; debris %d goroutines, %d connections", float64(r.heap)/(1<<20), r.goroutines, r.files, r.debris, r.conns)
}

// atRest measures, once what is ending has ended: when nothing more goes away, or there is no
// more than there was before.
func atRest(t *testing.T, before []rest) (r rest) {
	t.Helper()
	calm := 0 // looks since something changed
	eventually.True(t, func() bool {
		runtime.GC()
		runtime.GC()
		last := r
		r = measure()
		if n := len(before); n > 0 && r.goroutines <= before[0].goroutines && r.files <= before[0].files {
			return true
		}
		if last.goroutines != r.goroutines || last.files != r.files {
			calm = 0
		}
		calm++
		return calm > 10
	})
	return r
}

func measure() (r rest) {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	r.heap = m.HeapAlloc
	for _, stack := range stacks() {
		if slices.ContainsFunc(litter, func(f string) bool { return strings.Contains(stack, f) }) {
			r.debris++
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

// flat holds the ends of rounds against each other: the first is for what is set up once, and
// of the others the later must not be above the earlier. What the native driver leaves behind
// takes memory, too, and is allowed for.
func flat(t *testing.T, rounds []rest) {
	t.Helper()
	if len(rounds) < 3 {
		return
	}
	rounds = rounds[1:]
	early, late := median(rounds[:(len(rounds)+1)/2]), median(rounds[len(rounds)/2:])
	const each = 16 << 10
	grown := int64(late.heap) - int64(early.heap) - int64(max(0, late.debris-early.debris))*each
	require.Less(t, grown, int64(3<<20), "heap: %s, then %s", early, late)
	require.LessOrEqual(t, late.goroutines, early.goroutines+2, "goroutines: %s, then %s", early, late)
	require.LessOrEqual(t, late.files, early.files+2, "files: %s, then %s", early, late)
}

// median takes each measure by itself.
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
		debris:     middle(func(r rest) int { return r.debris }),
		conns:      middle(func(r rest) int { return r.conns }),
		files:      middle(func(r rest) int { return r.files }),
	}
}
