// Package eventually lets tests wait for events in other goroutines and processes. How long an
// event takes depends on the machine, so a wait fails only when the test's own deadline (go test
// -timeout) is near, and without a deadline never.
package eventually

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"
)

// The pause between two checks of a condition grows from firstPause to lastPause.
const (
	firstPause = time.Millisecond
	lastPause  = 50 * time.Millisecond
)

// True returns when the condition holds, and fails the test if it still does not hold shortly
// before the test's deadline. The condition is called on the caller's goroutine. The message, as
// for fmt.Sprint, says what the test waits for.
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

// deadline is the time at which a wait fails: early enough to report what the test waited for, and
// to clean up.
func deadline(t *testing.T) (end time.Time, bounded bool) {
	end, bounded = t.Deadline()
	return end.Add(-10 * time.Second), bounded
}

// Expiring returns a context whose deadline passes when expire is called, so that a test decides
// how far a call gets before its deadline, on a machine of any speed.
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
