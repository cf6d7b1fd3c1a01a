package history

import (
	"context"
	"slices"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/internal/contain"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// Handle asks about the statements of one connector. All methods may be called concurrently, and on a
// nil Handle, where they do nothing.
type Handle struct {
	workerRef
	all   bool           // ask about every statement, otherwise about slow and failed ones
	slow  time.Duration  // the time from which a statement is slow
	watch *contain.Watch // releases the worker of a handle that was dropped without Close
}

// target is where the reports of one connector go. Waiting statements refer to the target and not to
// the connector's Handle, so that they do not keep the Handle alive.
type target struct {
	to []*telemetry.Fanout

	unsettled int           // statements that wait or are being asked about; guarded by worker.mu, like all below
	closing   bool          // statements are asked about once more, at once, and then settled with what is known
	closed    bool          // no further request is made for it
	done      chan struct{} // closed once the target is closing and no statement is unsettled
}

// StatementFinished takes the record of a statement. It may be called on the application's goroutine:
// it holds a lock for well under a microsecond, does no I/O and never panics.
func (h *Handle) StatementFinished(s *telemetry.Statement) {
	if h == nil || !h.wants(s) {
		return
	}
	defer contain.Process.Recover(contain.History)
	h.worker.put(h.target, s)
}

// wants reports whether to ask about a statement. A statement without an id never reached the server.
func (h *Handle) wants(s *telemetry.Statement) bool {
	return (h.all || s.Failed() || s.Total >= h.slow) && s.StatementID != "" && h.target.reporting()
}

// reporting reports whether a sink wants reports.
func (t *target) reporting() bool {
	return slices.ContainsFunc(t.to, (*telemetry.Fanout).Reporting)
}

// Close asks once more about waiting statements, at once, if ctx and the host allow, and passes the reports
// to the fan-outs, if a sink still wants them. Statements without an answer are dropped and counted. If the
// handle was the worker's last, a running request is interrupted, and no goroutine is left except those that
// user-supplied code blocks.
//
// A handle that is dropped without Close is closed without a request once the garbage collector finds
// it.
func (h *Handle) Close(ctx context.Context) {
	if h == nil {
		return
	}
	defer contain.Process.Recover(contain.History)
	ask := h.target.reporting()
	if !h.worker.beginClose(h.target, ask) {
		return
	}
	h.watch.Stop()
	if ask {
		select {
		case <-h.target.done:
		case <-ctx.Done():
		}
	}
	h.worker.abandon(h.target)
	h.release()
}
