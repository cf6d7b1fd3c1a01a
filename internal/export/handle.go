package export

import (
	"context"
	"math/rand/v2"
	"sync/atomic"

	"github.com/seed-01322ee7/databricks-telemetry/internal/contain"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// Handle reports the records of one connector. Its methods that take a record may be called on the
// application's goroutine: they hold a lock for well under a microsecond, do no I/O, never log and
// never panic. All methods may be called concurrently, and on a nil Handle, where they do nothing.
//
// The connector must pass each record once.
type Handle struct {
	pipelineRef
	origin *origin
	watch  *contain.Watch // releases the pipeline of a handle that was dropped without Close

	rate float64 // share of successful statements that is sent

	last   uint64 // number of the handle's latest record; guarded by pipeline.mu
	closed atomic.Bool
}

// Recording reports whether records are wanted. It returns false, so that nothing needs to be
// measured for the handle, while telemetry is off or the server's flag is known to be off.
func (h *Handle) Recording() bool {
	if h == nil || h.closed.Load() || h.exporter.down.Load() {
		return false
	}
	return h.pipeline.settings.ForceEnable || !h.pipeline.flag.off()
}

// StatementFinished takes the record of a statement. The record must not change afterwards. A
// statement has a session, so the driver has logged in.
func (h *Handle) StatementFinished(r *telemetry.Statement) { h.take(r, r.WorkspaceID, r.Failure, true) }

// SessionOpened takes the record of an attempt to open a connection. The first successful one shows
// that the driver has logged in, so that the connection's authenticator may be called.
func (h *Handle) SessionOpened(r *telemetry.SessionOpened) {
	h.take(r, r.WorkspaceID, r.Failure, !r.Failed())
}

// SessionClosed takes the record of closing a connection.
func (h *Handle) SessionClosed(r *telemetry.SessionClosed) { h.take(r, "", r.Failure, true) }

// take takes a record with its failure. org is the record's workspace.
func (h *Handle) take(record any, org string, f *telemetry.Failure, loggedIn bool) {
	if h == nil {
		return
	}
	defer h.exporter.contained.Recover(contain.Export)
	h.origin.noteOrg(org)
	e, _ := newEntry(h.origin, record)
	if _, sampled := record.(*telemetry.Statement); sampled && !e.failed && h.rate < 1 && rand.Float64() >= h.rate {
		h.exporter.counts.recorded.Add(int64(e.events))
		h.exporter.counts.drop(DropSampledOut, int(e.events))
		return
	}
	h.pipeline.enqueue(h, e, loggedIn, terminal(f))
}

// terminal reports whether retries will not help against a failure. Such failures often end the
// process.
func terminal(f *telemetry.Failure) bool {
	if f == nil || f.Retryable {
		return false
	}
	return f.Category == telemetry.CategoryAuth || f.Category == telemetry.CategoryTLS
}

// Flush sends at once the records that the handle took before the call, and those ahead of them in
// its pipeline; see [Exporter.Flush].
func (h *Handle) Flush(ctx context.Context) error {
	if h == nil {
		return nil
	}
	return h.pipeline.flush(ctx, func() uint64 { return h.last })
}

// Close flushes, within Settings.CloseTimeout and ctx, and releases the pipeline. If the handle was
// the pipeline's last, unsent events are dropped and counted, a running request is interrupted, and
// no goroutine is left except those that user-supplied code blocks. The error says what was not sent.
// Further calls do nothing.
//
// A handle that is dropped without Close is closed in the background once the garbage
// collector finds it.
func (h *Handle) Close(ctx context.Context) error {
	if h == nil || h.closed.Swap(true) {
		return nil
	}
	h.watch.Stop()
	return h.close(ctx, func() uint64 { return h.last })
}

// Preview returns the documents that would be sent for a record, one per event, with new event ids.
// record is a *telemetry.Statement, *telemetry.SessionOpened or *telemetry.SessionClosed; for any
// other type Preview returns nil.
func (h *Handle) Preview(record any) (docs []string) {
	if h == nil {
		return nil
	}
	defer h.exporter.contained.Recover(contain.Export)
	if e, ok := newEntry(h.origin, record); ok {
		e.appendDocuments(&scratch{}, false, func(doc []byte) { docs = append(docs, unescape(string(doc))) })
	}
	return docs
}

// Preview is [Handle.Preview] for a connection that has no pipeline because telemetry is off. It
// returns the documents that would be sent if telemetry were on.
func Preview(c Connection, record any) []string {
	h := &Handle{pipelineRef: pipelineRef{exporter: &Exporter{}}, origin: newOrigin(c)}
	return h.Preview(record)
}
