package history

import (
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/internal/ondemand"
	"github.com/seed-01322ee7/databricks-telemetry/internal/queue"
)

// beginClose makes the waiting statements of a target due now, or drops them if ask is false or the host
// must not be asked now. It reports false if the target is already being closed.
func (w *worker) beginClose(t *target, ask bool) bool {
	w.mu.Lock()
	defer w.unlock()
	if t.closing {
		return false
	}
	t.closing, t.closed = true, !ask
	t.endClose()
	now := time.Now()
	waiting := w.remove(t)
	if !ask || w.pace.quiet(now) || w.pace.failing(now) {
		w.settle(DropClosed, waiting...)
	} else {
		for _, q := range waiting {
			q.stage = urgent
			w.stages[urgent].Push(q, q.failed)
		}
	}
	w.goroutine.Schedule(now)
	return true
}

// abandon drops the statements of a closing target that still wait.
func (w *worker) abandon(t *target) {
	w.mu.Lock()
	defer w.unlock()
	t.closed = true
	w.settle(DropClosed, w.remove(t)...)
}

// remove takes out the waiting statements of a target, or all if t is nil. w.mu is held.
func (w *worker) remove(t *target) (removed []*question) {
	for i := range w.stages {
		var others []queue.Item[*question]
		for stage := &w.stages[i]; stage.Len() > 0; {
			if it := stage.Pop(); t == nil || it.Value.target == t {
				removed = append(removed, it.Value)
			} else {
				others = append(others, it)
			}
		}
		w.stages[i].Return(others)
	}
	return removed
}

// endClose ends the wait of a closing handle if no statement is unsettled. worker.mu is held.
func (t *target) endClose() {
	if t.closing && t.unsettled == 0 {
		select {
		case <-t.done:
		default:
			close(t.done)
		}
	}
}

// end drops waiting statements, interrupts the running request, and makes the worker accept no more
// statements.
func (w *worker) end(why string) {
	w.mu.Lock()
	if w.ended == "" {
		w.ended = why
	}
	w.settle(w.ended, w.remove(nil)...)
	idle := w.goroutine.End()
	w.cancel()
	w.unlock()
	ondemand.Await(idle)
	w.requester.Close()
}
