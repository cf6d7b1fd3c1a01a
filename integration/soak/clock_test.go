package soak

import (
	"context"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/integration/workspace"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// stepWall moves the wall clock of this process. It is nil except in a build of the command clockstep.
var stepWall func(by time.Duration)

// requirePage checks what the debug page shows of the rounds so far. It is nil if stepWall is: the page
// would change what other tests measure.
var requirePage func(*testing.T)

// furthest bounds how far the steps take the wall clock from the true time.
const furthest = 4 * 24 * time.Hour

// wall is the wall clock of the process.
var wall wallClock

type wallClock struct {
	mu   sync.Mutex
	off  time.Duration   // its difference from the true time; guarded by mu
	been []time.Duration // all values of off, one after the other; guarded by mu
}

// inject steps the clock at random moments until the context is done: by seconds, hours or days, or
// back to the true time.
func (w *wallClock) inject(ctx context.Context, r *rand.Rand) {
	for {
		select {
		case <-time.After(time.Duration(1+r.IntN(400)) * time.Millisecond):
			w.step(w.draw(r))
		case <-ctx.Done():
			return
		}
	}
}

func (w *wallClock) draw(r *rand.Rand) time.Duration {
	unit := []time.Duration{time.Second, time.Minute, time.Hour, 24 * time.Hour}[r.IntN(4)]
	by := time.Duration((0.05 + 2.9*r.Float64()) * float64(unit))
	if r.IntN(2) == 0 {
		by = -by
	}
	if off := w.offset(); r.IntN(6) == 0 || (off+by).Abs() > furthest {
		by = -off
	}
	return by
}

func (w *wallClock) step(by time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.off += by
	w.been = append(w.been, w.off)
	stepWall(by)
}

func (w *wallClock) steps() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.been)
}

// furthest is how far the clock has been from the true time.
func (w *wallClock) furthest() (d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, off := range w.been {
		d = max(d, off.Abs())
	}
	return d.Round(time.Minute)
}

func (w *wallClock) offset() time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.off
}

// shown reports whether the clock can have shown the time at between since and now. Since needs a monotonic
// reading.
func (w *wallClock) shown(at, since time.Time) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := time.Now().Add(-w.off)
	begin := now.Add(-time.Since(since))
	const accuracy = time.Millisecond // of an event
	return slices.ContainsFunc(append([]time.Duration{0}, w.been...), func(off time.Duration) bool {
		t := at.Add(-off)
		return !t.Before(begin.Round(0).Add(-accuracy)) && !t.After(now.Round(0).Add(accuracy))
	})
}

// wrongTimes says which times in a record are wrong: durations are neither
// negative nor longer than the time since its start, whatever the wall clock did meanwhile.
func wrongTimes(record any) (wrong []string) {
	switch r := record.(type) {
	case *telemetry.Statement:
		elapsed := elapsedSince(r.Started, &wrong)
		calls := int64(1)
		for _, rpc := range r.RPCs {
			calls = max(calls, rpc.Calls+rpc.Retries)
		}
		files := int64(1)
		if r.CloudFetch != nil {
			files += r.CloudFetch.Present
		}
		for path, d := range durations(reflect.ValueOf(*r), "") {
			most := elapsed
			switch {
			case strings.HasPrefix(path, ".RPCs"): // calls overlap when a statement is canceled
				most = time.Duration(calls) * elapsed
			case path == ".CloudFetch.Sum": // files overlap
				most = time.Duration(files) * elapsed
			}
			if d < 0 || d > most {
				wrong = append(wrong, fmt.Sprintf("%s is %v, %v after the statement's start", path, d, elapsed))
			}
		}
	case *telemetry.SessionOpened:
		if elapsed := elapsedSince(r.Started, &wrong); r.Latency < 0 || r.Latency > elapsed {
			wrong = append(wrong, fmt.Sprintf("opening took %v, %v after its start", r.Latency, elapsed))
		}
	case *telemetry.SessionClosed:
		if elapsed := elapsedSince(r.Started, &wrong); r.Latency < 0 || r.Latency > elapsed {
			wrong = append(wrong, fmt.Sprintf("closing took %v, %v after its start", r.Latency, elapsed))
		}
		if r.Lifetime < 0 || r.Lifetime > time.Since(processStart) {
			wrong = append(wrong, fmt.Sprintf("the session lived %v, the process %v", r.Lifetime, time.Since(processStart)))
		}
	}
	return wrong
}

var processStart = time.Now()

// elapsedSince is the time since a record's start by the monotonic clock. A time without a reading of
// that clock is wrong: durations computed from it follow the steps.
func elapsedSince(started time.Time, wrong *[]string) time.Duration {
	if !strings.Contains(started.String(), " m=") {
		*wrong = append(*wrong, "its start has no monotonic reading")
	}
	return time.Since(started)
}

// durations yields every duration in a value, known or not, with the path to it.
func durations(v reflect.Value, path string) func(yield func(string, time.Duration) bool) {
	return func(yield func(string, time.Duration) bool) { eachDuration(v, path, yield) }
}

func eachDuration(v reflect.Value, path string, yield func(string, time.Duration) bool) bool {
	switch {
	case v.Type() == reflect.TypeFor[time.Duration]():
		return yield(path, time.Duration(v.Int()))
	case v.Type() == reflect.TypeFor[time.Time]():
		return true
	}
	switch v.Kind() {
	case reflect.Pointer:
		return v.IsNil() || eachDuration(v.Elem(), path, yield)
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			if !eachDuration(v.Index(i), fmt.Sprintf("%s[%d]", path, i), yield) {
				return false
			}
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if !eachDuration(v.Field(i), path+"."+v.Type().Field(i).Name, yield) {
				return false
			}
		}
	}
	return true
}

// requireTrueEvents checks the times in the events that a workspace received from what happened
// since a moment.
func requireTrueEvents(t *testing.T, ws *workspace.Workspace, since time.Time) {
	t.Helper()
	elapsed := time.Since(since).Milliseconds()
	for _, e := range ws.Telemetry() {
		log := e.Log()
		at := time.UnixMilli(e.Document.Context.ClientContext.TimestampMillis)
		require.True(t, wall.shown(at, since), "the clock cannot have shown %v: %s", at, e.Raw)
		latencies := []int64{log.OperationLatencyMs}
		if o := log.SQLOperation; o != nil {
			if o.ResultLatency != nil {
				latencies = append(latencies, o.ResultLatency.ReadyMillis, o.ResultLatency.ConsumptionMillis)
			}
			if o.ChunkDetails != nil {
				latencies = append(latencies, o.ChunkDetails.InitialChunkLatencyMillis, o.ChunkDetails.SlowestChunkLatencyMillis)
			}
			if o.OperationDetail != nil {
				latencies = append(latencies, o.OperationDetail.StatusLatencyMillis)
			}
		}
		for _, ms := range latencies {
			require.True(t, ms >= 0 && ms <= elapsed, "%d ms within %d ms: %s", ms, elapsed, e.Raw)
		}
	}
}

func TestDurationsOfARecordAreFound(t *testing.T) {
	s := telemetry.Statement{
		Started: time.Now().Add(-time.Minute), Total: time.Second, FirstRow: telemetry.Known(time.Second),
		Calls: []telemetry.Call{{End: telemetry.Known(2 * time.Second)}}, CloudFetch: &telemetry.CloudFetch{Slowest: 3 * time.Second},
	}
	require.Empty(t, wrongTimes(&s))
	s.CloudFetch.Slowest = time.Hour
	require.Len(t, wrongTimes(&s), 1)
	s.Calls[0].End, s.FirstRow = telemetry.Known(-time.Second), telemetry.Known(time.Hour)
	require.Len(t, wrongTimes(&s), 3)
	s.Started = s.Started.Round(0)
	require.Len(t, wrongTimes(&s), 4)
}
