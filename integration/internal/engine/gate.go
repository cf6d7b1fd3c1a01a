package engine

import (
	"context"
	"sync"
)

// gate admits many readers or one writer. Unlike with sync.RWMutex, waiting ends with the context,
// and admission is strictly first come, first served, so that neither kind of session starves.
type gate struct {
	mu      sync.Mutex
	readers int  // inside; guarded by mu
	writing bool // guarded by mu
	queue   []*waiter
}

type waiter struct {
	write bool
	in    chan struct{} // closed when the waiter has been admitted
}

// enter waits for admission.
func (g *gate) enter(ctx context.Context, write bool) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	g.mu.Lock()
	if len(g.queue) == 0 && g.free(write) {
		g.admit(write)
		g.mu.Unlock()
		return nil
	}
	w := &waiter{write: write, in: make(chan struct{})}
	g.queue = append(g.queue, w)
	g.mu.Unlock()

	select {
	case <-w.in:
		return nil
	case <-ctx.Done():
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	select {
	case <-w.in: // let in at the same moment: give the place back
		g.release(write)
	default:
		for i, other := range g.queue {
			if other == w {
				g.queue = append(g.queue[:i], g.queue[i+1:]...)
				break
			}
		}
	}
	g.wake() // admits those behind a writer that gave up
	return ctx.Err()
}

// leave undoes an enter.
func (g *gate) leave(write bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.release(write)
	g.wake()
}

func (g *gate) free(write bool) bool { return !g.writing && (!write || g.readers == 0) }

func (g *gate) admit(write bool) {
	if write {
		g.writing = true
	} else {
		g.readers++
	}
}

func (g *gate) release(write bool) {
	if write {
		g.writing = false
	} else {
		g.readers--
	}
}

func (g *gate) wake() {
	for len(g.queue) > 0 && g.free(g.queue[0].write) {
		w := g.queue[0]
		g.queue = g.queue[1:]
		g.admit(w.write)
		close(w.in)
	}
}
