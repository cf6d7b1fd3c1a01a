// Package eventually waits in tests for what happens at its own pace in other goroutines and
// processes. How long that takes is the machine's business: a wait ends with the test's own
// deadline (go test -timeout), and without one never.
package eventually

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"
)

// The pause between two looks at a condition grows from the first to the second.
const (
	firstPause = time.Millisecond
	lastPause  = 50 * time.Millisecond
)

// True returns when the condition holds, and fails the test when it still does not shortly
// before the test's deadline. The condition is called on the goroutine of the caller. The
// message, as of fmt.Sprint, says what is waited for.
func True(t *testing.T, condition func() bool, message ...any) {
	t.Helper()
	end, bounded := deadline(t)
	for pause := firstPause; !condition(); pause = min(2*pause, lastPause) {
		if bounded && time.Now().After(end) {
			t.Fatal("waited in vain until the test's deadline. ", fmt.Sprint(message...))
		}
		time.Sleep(pause)
	}
}

// Context returns a context that ends with the test, or shortly before the test's deadline.
func Context(t *testing.T) context.Context {
	t.Helper()
	end, bounded := deadline(t)
	if !bounded {
		return t.Context()
	}
	ctx, cancel := context.WithDeadline(t.Context(), end)
	t.Cleanup(cancel)
	return ctx
}

// deadline is when a wait is given up: early enough to say what was waited for, and to clean up.
func deadline(t *testing.T) (end time.Time, bounded bool) {
	end, bounded = t.Deadline()
	return end.Add(-10 * time.Second), bounded
}

// Expiring returns a context whose deadline passes when expire is called: what is to run into
// its deadline gets exactly as far as the test wants, on a machine of any speed.
func Expiring(parent context.Context) (ctx context.Context, expire func()) {
	e := &expiring{Context: parent, done: make(chan struct{})}
	context.AfterFunc(parent, func() { e.end(parent.Err()) })
	return e, func() { e.end(context.DeadlineExceeded) }
}

type expiring struct {
	context.Context
	done chan struct{}

	mu  sync.Mutex
	err error // guarded by mu
}

func (e *expiring) end(err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.err == nil {
		e.err = err
		close(e.done)
	}
}

func (e *expiring) Done() <-chan struct{} { return e.done }

func (e *expiring) Err() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.err
}
