package workspace

import (
	"cmp"
	"slices"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/integration/internal/wire"
)

// sweepInterval is the time between sweeps.
const sweepInterval = time.Second

// sweepRegularly sweeps at every interval until the workspace closes.
func (w *Workspace) sweepRegularly() {
	t := time.NewTicker(sweepInterval)
	defer t.Stop()
	for {
		select {
		case now := <-t.C:
			w.sweep(now)
		case <-w.ctx.Done():
			return
		}
	}
}

// sweep removes everything that has outlived its lifetime at the given time: idle sessions and
// operations, links and tokens.
func (w *Workspace) sweep(now time.Time) {
	for _, s := range w.sessions.all() {
		if limit := w.opts.SessionTimeout; limit >= 0 && s.idle(now) > limit {
			w.endSession(s, true)
		}
	}
	for _, o := range w.sessions.finished() {
		if limit := w.opts.OperationTimeout; limit >= 0 && o.idle(now) > limit {
			w.release(o, ClosedIdle)
		}
	}
	w.objects.sweep(now)
	w.auth.sweep(now)
}

// idle is the time since the last request that named the session or one of its operations, or since
// its last statement ended. It is 0 while a statement runs.
func (s *session) idle(now time.Time) time.Duration {
	s.mu.Lock()
	last := s.used
	ops := make([]*operation, 0, len(s.operations))
	for _, o := range s.operations {
		ops = append(ops, o)
	}
	s.mu.Unlock()
	least := now.Sub(last)
	for _, o := range ops {
		if !isClosed(o.done) {
			return 0
		}
		least = min(least, o.idle(now))
	}
	return least
}

// idle is the time since the operation ended or, if later, since the last request that named it.
func (o *operation) idle(now time.Time) time.Duration {
	o.mu.Lock()
	defer o.mu.Unlock()
	return now.Sub(o.used)
}

// finished lists the operations whose statement has ended.
func (t *sessionTable) finished() []*operation {
	t.mu.Lock()
	defer t.mu.Unlock()
	var list []*operation
	for _, o := range t.operations {
		if isClosed(o.done) {
			list = append(list, o)
		}
	}
	return list
}

// makeRoom closes the operations that have been idle longest until the other results, including
// that of newest, fit into Options.ResultMemory.
func (w *Workspace) makeRoom(newest *operation) {
	limit := w.opts.ResultMemory
	if limit < 0 {
		return
	}
	w.objects.trim(limit)
	now := time.Now()
	total := newest.heldBytes()
	var others []*operation
	for _, o := range w.sessions.finished() {
		if o != newest {
			others = append(others, o)
			total += o.heldBytes()
		}
	}
	if total <= limit {
		return
	}
	slices.SortFunc(others, func(a, b *operation) int { return cmp.Compare(b.idle(now), a.idle(now)) })
	for _, o := range others {
		if total <= limit {
			return
		}
		if n := o.heldBytes(); n > 0 {
			total -= n
			w.release(o, ClosedIdle)
		}
	}
}

// heldBytes is the size of the result that a finished statement holds for its client.
func (o *operation) heldBytes() int64 {
	rs := o.finished()
	if rs == nil {
		return 0
	}
	return rs.held()
}

// complete reports whether the client has been sent the whole result: the last page, or the last
// link.
func (o *operation) complete() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.state == wire.StateFinished && o.result != nil && o.cursor.end >= o.result.rows()
}
