package ondemand_test

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/internal/ondemand"
)

// owner has work at times, in order.
type owner struct {
	mu        sync.Mutex
	work      []time.Time     // guarded by mu
	done      []time.Duration // since start; guarded by mu
	start     time.Time
	goroutine ondemand.Goroutine
}

func newOwner() *owner {
	o := &owner{start: time.Now()}
	o.goroutine = ondemand.New(&o.mu, o.due, o.run)
	return o
}

func (o *owner) due(time.Time) (time.Time, bool) {
	if len(o.work) == 0 {
		return time.Time{}, false
	}
	return o.work[0], true
}

func (o *owner) run() {
	o.mu.Lock()
	defer o.mu.Unlock()
	for len(o.work) > 0 && !o.work[0].After(time.Now()) {
		o.work = o.work[1:]
		o.done = append(o.done, time.Since(o.start))
	}
	o.goroutine.Stopped(time.Now())
}

func (o *owner) add(after time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.work = append(o.work, time.Now().Add(after))
	o.goroutine.Schedule(time.Now())
}

func TestWorkIsDoneWhenItIsDue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOwner()
		o.add(0)
		o.add(time.Second)
		o.add(3 * time.Second)
		time.Sleep(time.Minute)
		synctest.Wait()
		require.Equal(t, []time.Duration{0, time.Second, 3 * time.Second}, o.done)
		require.False(t, o.goroutine.Running())
	}) // which fails while a goroutine is left
}

func TestNothingIsDoneAfterTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOwner()
		o.add(time.Second)
		o.mu.Lock()
		idle := o.goroutine.End()
		o.mu.Unlock()
		ondemand.Await(idle)
		require.Equal(t, o.start, time.Now(), "there was nothing to wait for")
		o.add(0)
		time.Sleep(time.Minute)
		require.Empty(t, o.done)
	})
}

func TestAwaitDoesNotWaitForWhatIsStuck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		ondemand.Await(make(chan struct{}))
		require.Equal(t, 100*time.Millisecond, time.Since(began))
	})
}
