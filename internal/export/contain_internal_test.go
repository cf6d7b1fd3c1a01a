package export

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// A panic of this package, at any point of a step, costs events and leaves no lock held.
func TestAPanicInAPipelineLeavesNoLockHeld(t *testing.T) {
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
		set(nil) // nextStep, which holds the lock, will panic
		h.SessionOpened(&telemetry.SessionOpened{})
		time.Sleep(2 * time.Second)
		h.StatementFinished(&telemetry.Statement{})
		require.NotEmpty(t, x.contained.List())
		set(working)
		require.Error(t, h.Close(t.Context()), "nothing listens on that port")
		s := x.Stats()
		require.EqualValues(t, 2, s.Recorded)
		require.EqualValues(t, 2, s.Dropped[DropClosed])
	})
}

// Times that decide something are monotonic: a step of the wall clock must not stop reporting. A
// monotonic time shows m= when it is printed.
func TestTimesThatDecideAreMonotonic(t *testing.T) {
	now := time.Now()
	monotonic := func(at time.Time) {
		t.Helper()
		require.Contains(t, at.String(), " m=")
	}
	var f flag
	f.store(false, time.Minute, now)
	monotonic(*f.offUntil.Load())
	_, until := f.state(asker{}, now)
	monotonic(until)
	f.finish(&flagRequest{done: make(chan struct{})}, endpointFailed, now)
	monotonic(f.retryAt)

	b := newBreaker(telemetry.Settings{}.WithDefaults(), func() {})
	for range 5 {
		_, _, _ = b.do(func(bool) result { return result{outcome: outcomeUnavailable} })
	}
	until, open := b.openUntil()
	require.True(t, open)
	monotonic(until)
}
