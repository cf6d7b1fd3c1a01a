package history

import (
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/internal/ondemand"
	"github.com/seed-01322ee7/databricks-telemetry/internal/queue"
)

// beginClose makes what waits for a target due now, or drops it when it is not to be asked about, or
// the host is not to be asked now. It reports false when the target is being closed already.
func (w *worker) beginClose(t *target, ask bool) bool {
	w.mu.Lock()
	if t.closing {
		w.mu.Unlock()
		return false
	}
	t.closing = true
	t.endClose()
	w.urgent = append(w.urgent, w.remove(t)...)
	now := time.Now()
	var dropped []*question
	if !ask || w.pace.quiet(now) || w.pace.failing(now) {
		dropped = w.removeUrgent(t)
	}
	w.goroutine.Schedule(now)
	w.mu.Unlock()
	w.settle(dropped...)
	return true
}

// abandon drops what still waits for a closing target.
func (w *worker) abandon(t *target) {
	w.mu.Lock()
	dropped := w.removeUrgent(t)
	w.mu.Unlock()
	w.settle(dropped...)
}

// remove takes the questions of a target, or of all when it is nil, out of the stages. w.mu is held.
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

// removeUrgent drops the urgent questions of a target. w.mu is held.
func (w *worker) removeUrgent(t *target) (dropped []*question) {
	var others []*question
	for _, q := range w.urgent {
		if q.target == t {
			dropped = append(dropped, q.dropFor(dropClosed))
		} else {
			others = append(others, q)
		}
	}
	w.urgent = others
	return dropped
}

// endClose ends the wait of a closing handle that has nothing left to wait for. worker.mu is held.
func (t *target) endClose() {
	if t.closing && t.unsettled == 0 {
		select {
		case <-t.done:
		default:
			close(t.done)
		}
	}
}

// removeAll drops everything that waits. w.mu is held.
func (w *worker) removeAll(reason string) []*question {
	all := append(w.remove(nil), w.urgent...)
	w.urgent = nil
	for _, q := range all {
		q.reason = reason
	}
	return all
}

// end drops what waits, interrupts the running request, and accepts nothing any more.
func (w *worker) end(why string) {
	w.mu.Lock()
	if w.ended == "" {
		w.ended = why
	}
	dropped := w.removeAll(w.ended)
	idle := w.goroutine.End()
	w.mu.Unlock()
	w.cancel()
	w.settle(dropped...)
	ondemand.Await(idle)
	w.requester.Close()
}
