package export

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// A mistake of this package, wherever in a turn it happens, costs events and leaves no lock
// behind.
func TestAPanicInAPipelineLeavesNoLockBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var x Exporter
		h := x.Open(Connection{Scheme: "http", Host: "localhost", Port: 1}, telemetry.Settings{ForceEnable: true, FlushInterval: time.Second})
		p := h.pipeline
		set := func(b *breaker) {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.breaker = b
		}
		working := p.breaker
		set(nil) // next, which holds the lock, will panic
		h.SessionOpened(&telemetry.SessionOpened{})
		time.Sleep(2 * time.Second)
		h.StatementFinished(&telemetry.Statement{})
		require.Positive(t, x.contained.Total())
		set(working)
		require.Error(t, h.Close(t.Context()), "nobody listens there")
		s := x.Stats()
		require.EqualValues(t, 2, s.Recorded)
		require.EqualValues(t, 2, s.Dropped[DropClosed])
	})
}

// Times that decide something are monotonic: a step of the wall clock must not silence
// anything. Such a time says so when it is printed.
func TestTimesThatDecideAreMonotonic(t *testing.T) {
	now := time.Now()
	monotonic := func(at time.Time) {
		t.Helper()
		require.Contains(t, at.String(), " m=")
	}
	var f flag
	f.learn(false, time.Minute, now)
	monotonic(*f.offUntil.Load())
	_, until := f.state(nil, now)
	monotonic(until)
	f.answered(&flagRequest{done: make(chan struct{})}, true, now)
	monotonic(f.notAgain)

	b := newBreaker(telemetry.Settings{}.WithDefaults(), func() {})
	for range 5 {
		_, _, _ = b.do(func(bool) result { return result{fate: unavailable} })
	}
	until, open := b.holdsUntil()
	require.True(t, open)
	monotonic(until)
}

func TestFlagsThatNobodyNeedsGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var f flags
		host := func(i int) flagKey { return flagKey{endpoint: fmt.Sprint(i)} }
		for i := range 10_000 {
			f.join(host(i)).learn(true, time.Hour, time.Now())
			f.leave(host(i))
		}
		require.Less(t, len(f.all), 3*maxUnused, "good answers of connectors that are gone are bounded")
		_, known := f.all[host(9_999)]
		require.True(t, known, "the latest is still good")

		time.Sleep(2 * time.Hour)
		for i := range 10_000 {
			f.join(host(-i)) // in use
		}
		_, known = f.all[host(9_999)]
		require.False(t, known, "its time is over")
		for i := range 10_000 {
			f.leave(host(-i))
		}
		require.Less(t, len(f.all), 3*maxUnused)
	})
}
