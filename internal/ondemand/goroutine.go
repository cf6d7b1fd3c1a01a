// Package ondemand has goroutines that exist only while they have something to do: a [Goroutine],
// which leaves at most a timer behind, and those of [Each], which end with the call.
//
//	owner ── Schedule ──▶ due now? ── yes ──▶ run, until Stopped
//	                         └─────── later ─▶ timer ── Schedule
package ondemand

import (
	"sync"
	"time"
)

// Goroutine runs when something is due. The owner must hold the lock that it passed to New while it
// calls a method.
type Goroutine struct {
	lock *sync.Mutex
	due  func(now time.Time) (at time.Time, ok bool)
	run  func()

	running bool
	idle    chan struct{} // closed while the goroutine does not run
	timer   *time.Timer   // starts the goroutine; nil until first needed
	wake    time.Time     // when the timer is due; zero while it is not set
	over    bool
}

// New returns a Goroutine that is not running. due returns when there will be something to do, or
// false if there is nothing to wait for; it is called with lock held. run is called without the lock
// and must call Stopped before it returns.
func New(lock *sync.Mutex, due func(now time.Time) (at time.Time, ok bool), run func()) Goroutine {
	g := Goroutine{lock: lock, due: due, run: run, idle: make(chan struct{})}
	close(g.idle)
	return g
}

// Schedule starts the goroutine, or sets the timer for when it is needed.
func (g *Goroutine) Schedule(now time.Time) {
	if g.running || g.over {
		return
	}
	at, ok := g.due(now)
	switch {
	case !ok:
		g.stopTimer()
	case !at.After(now):
		g.stopTimer()
		g.running = true
		g.idle = make(chan struct{})
		go g.run()
	case !g.wake.Equal(at):
		g.wake = at
		if g.timer == nil {
			g.timer = time.AfterFunc(at.Sub(now), g.onTimer)
		} else {
			g.timer.Reset(at.Sub(now))
		}
	}
}

// Running reports whether the goroutine exists.
func (g *Goroutine) Running() bool { return g.running }

// Stopped notes that the goroutine ends, and schedules what is due next.
func (g *Goroutine) Stopped(now time.Time) {
	if g.running {
		g.running = false
		close(g.idle)
	}
	g.Schedule(now)
}

// End prevents further starts. It returns a channel that is closed once the goroutine does not run.
func (g *Goroutine) End() (idle <-chan struct{}) {
	g.over = true
	g.stopTimer()
	return g.idle
}

func (g *Goroutine) stopTimer() {
	if !g.wake.IsZero() {
		g.timer.Stop()
		g.wake = time.Time{}
	}
}

func (g *Goroutine) onTimer() {
	g.lock.Lock()
	defer g.lock.Unlock()
	g.wake = time.Time{}
	g.Schedule(time.Now())
}

// grace is how long Await waits.
const grace = 100 * time.Millisecond

// Await waits for a goroutine after End, once its work was interrupted. It waits at most for grace,
// because the goroutine may be stuck in user-supplied code. It is called without the lock.
func Await(idle <-chan struct{}) {
	select {
	case <-idle:
	case <-time.After(grace):
	}
}
