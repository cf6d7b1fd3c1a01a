package soak

import (
	"context"
	"math"
	"net/http"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/integration/internal/eventually"
	"github.com/seed-01322ee7/databricks-telemetry/integration/workspace"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// misuses are ways to use and to close a database that may leak goroutines or files.
var misuses = []struct {
	name  string
	fault workspace.Fault
	run   func(ctx context.Context, on *side)
}{
	{"nothing", workspace.Fault{}, func(context.Context, *side) {}},
	{"rows read", workspace.Fault{}, runs(reads(numbered(300), math.MaxInt))},
	{"rows closed early", workspace.Fault{}, runs(reads(numbered(300), 5))},
	{"statements that fail", workspace.Fault{}, runs(reads("SELECT secret FROM nowhere", math.MaxInt))},
	{"cancelled while it runs", workspace.Fault{}, func(ctx context.Context, on *side) {
		ctx, cancel := context.WithTimeout(ctx, 20*time.Millisecond)
		defer cancel()
		reads("SELECT sleep(1)", math.MaxInt)(ctx, on)
	}},
	{"cancelled while rows are read", workspace.Fault{}, func(ctx context.Context, on *side) {
		ctx, cancel := context.WithCancel(ctx)
		rows, err := on.db.QueryContext(ctx, numbered(300))
		if err == nil {
			rows.Next()
			cancel()
			_ = rows.Close()
		}
		cancel()
	}},
	{"Arrow readers", workspace.Fault{}, runs(arrow((*outcome).records, numbered(300)))},
	{"rows left open until after the end", workspace.Fault{}, runs(leavesOpen)},
	{"rows abandoned", workspace.Fault{}, runs(abandons)},
	{"sessions that expire", workspace.Fault{}, func(ctx context.Context, on *side) {
		reads(numbered(3), math.MaxInt)(ctx, on)
		expires(ctx, on)
	}},
	{"a connection for each statement", workspace.Fault{}, func(ctx context.Context, on *side) {
		on.db.SetMaxIdleConns(0)
		concurrently(numbered(3))(ctx, on)
	}},
	{"storage that refuses", workspace.Fault{On: workspace.ResultDownloads(), Do: workspace.Status(403)}, runs(reads(numbered(300), math.MaxInt))},
	{"pages that break off", workspace.Fault{On: workspace.Method("FetchResults"), Do: workspace.HalfBody()}, runs(reads(numbered(300), math.MaxInt))},
	// The rest are faults of telemetry alone: the native driver makes no such requests.
	{"an endpoint that hangs", workspace.Fault{On: workspace.Endpoint("/telemetry"), Do: workspace.Hang()}, runs(reads(numbered(3), math.MaxInt))},
	{"an endpoint that resets", workspace.Fault{On: workspace.Endpoint("/telemetry"), Do: workspace.Reset()}, runs(reads(numbered(3), math.MaxInt))},
	{"an endpoint that refuses", workspace.Fault{On: workspace.Endpoint("/telemetry"), Do: workspace.Status(403)}, runs(reads(numbered(3), math.MaxInt))},
	{"a flag that hangs", workspace.Fault{On: workspace.Endpoint("/api/2.0/connector-service"), Do: workspace.Hang()}, runs(reads(numbered(3), math.MaxInt))},
}

func runs(f func(context.Context, *side) outcome) func(context.Context, *side) {
	return func(ctx context.Context, on *side) { f(ctx, on) }
}

func TestTheWrapperLeaksNothingBeyondTheNativeDriver(t *testing.T) {
	wrapped := entryPoints(&ledger{})
	for i := range wrapped {
		wrapped[i].config.Settings = brisk
	}
	for how, opts := range map[string]workspace.Options{
		"inline": {CloudFetchThreshold: -1, PageRows: 100},
		"files":  {CloudFetchThreshold: 1, FileRows: 60, LinksPerPage: 3},
	} {
		for _, m := range misuses {
			t.Run(m.name+", "+how, func(t *testing.T) {
				run := func(entry entryPoint) (left func() (goroutines, files int)) {
					goroutinesBefore, filesBefore := goroutineIDs(), openFiles(t)
					opts.TelemetryFlag = workspace.FlagOn
					if entry.name == native.name || entry.name == "Wrap" {
						opts.TelemetryFlag = workspace.FlagAbsent
					}
					ws, err := workspace.Start(opts)
					require.NoError(t, err)
					ws.Inject(m.fault)
					on := &side{ws: ws, db: entry.open(t, ws)}
					on.db.SetMaxOpenConns(8)
					for range 2 {
						m.run(context.Background(), on)
					}
					require.NoError(t, on.db.Close())
					for _, rows := range on.open {
						_ = rows.Close()
					}
					require.NoError(t, ws.Close())
					http.DefaultTransport.(*http.Transport).CloseIdleConnections()
					return func() (goroutines, files int) {
						runtime.GC()
						for id := range goroutineIDs() {
							if !goroutinesBefore[id] {
								goroutines++
							}
						}
						return goroutines, max(0, openFiles(t)-filesBefore)
					}
				}
				g0, f0 := settled(t, run(native))
				for _, entry := range wrapped {
					left := run(entry)
					eventually.True(t, func() bool {
						g, f := left()
						return g <= g0 && f <= f0
					}, entry.name, " leaves more than ", g0, " goroutines or ", f0, " file descriptors")
				}
			})
		}
	}
	require.Zero(t, telemetry.Default.Fanout.Stats())
}

// settled returns what is left once it stops decreasing.
func settled(t *testing.T, left func() (goroutines, files int)) (goroutines, files int) {
	t.Helper()
	goroutines, files = left()
	unchanged := 0 // measurements since the last change
	eventually.True(t, func() bool {
		g, f := left()
		if g != goroutines || f != files {
			unchanged = 0
		}
		unchanged++
		goroutines, files = g, f
		return unchanged > 6 || g == 0 && f == 0
	})
	return goroutines, files
}

// goroutineIDs are the numbers of the goroutines that exist.
func goroutineIDs() map[string]bool {
	ids := map[string]bool{}
	for _, s := range stacks() {
		id, _, _ := strings.Cut(strings.TrimPrefix(s, "goroutine "), " ")
		ids[id] = true
	}
	return ids
}

func openFiles(t *testing.T) int {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip("no /proc to count file descriptors")
	}
	return len(entries)
}
