package export

import (
	"context"
	"math/rand/v2"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/internal/contain"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// Handle is a connector's place in its pipeline. Its methods that take a record may be
// called on the application's goroutine: they take a lock for well under a microsecond, do
// no I/O, never log and never panic. All methods may be called concurrently, and on nil,
// where they do nothing.
//
// The connector calls them itself, for each record once. Behind a telemetry.Fanout, as the
// SessionSink it also is, a Handle works as well, but records then wait in two queues, and
// those the first one drops are missing from Stats.
type Handle struct {
	membership
	origin  *origin
	cleanup runtime.Cleanup // leaves the pipeline for a handle that was dropped without Close

	rate         float64 // share of successful statements
	closeTimeout time.Duration

	last   uint64 // number of the handle's latest record; guarded by pipeline.mu
	closed atomic.Bool
}

// membership is a handle's share in a pipeline.
type membership struct {
	exporter *Exporter
	pipeline *pipeline
	key      pipelineKey
}

var _ telemetry.SessionSink = (*Handle)(nil)

// Recording reports whether records are wanted. While it is false nothing need be measured
// for the handle's sake: telemetry is off, or the server has said that it does not want any
// and need not be asked again yet.
func (h *Handle) Recording() bool {
	if h == nil || h.closed.Load() || h.exporter.down.Load() {
		return false
	}
	return h.pipeline.settings.ForceEnable || !h.pipeline.flag.off()
}

// StatementFinished takes the record of a statement. The record must not change afterwards.
// There is no statement without a session, so the driver has logged in.
func (h *Handle) StatementFinished(r *telemetry.Statement) {
	if h == nil {
		return
	}
	defer h.exporter.contained.Recover(contain.Export)
	h.origin.learnOrg(r.WorkspaceID)
	e := statementEntry(h.origin, r)
	if !e.failed && h.rate < 1 && rand.Float64() >= h.rate {
		h.exporter.counts.recorded.Add(int64(e.events))
		h.exporter.counts.drop(DropSampledOut, int(e.events))
		return
	}
	h.pipeline.put(h, e, true, terminal(r.Failure))
}

// SessionOpened takes the record of an attempt to open a connection. The first one that
// succeeded shows that the connection's authenticator may be asked.
func (h *Handle) SessionOpened(r *telemetry.SessionOpened) {
	if h == nil {
		return
	}
	defer h.exporter.contained.Recover(contain.Export)
	h.origin.learnOrg(r.WorkspaceID)
	h.pipeline.put(h, openedEntry(h.origin, r), !r.Failed(), terminal(r.Failure))
}

// SessionClosed takes the record of a connection's end.
func (h *Handle) SessionClosed(r *telemetry.SessionClosed) {
	if h == nil {
		return
	}
	defer h.exporter.contained.Recover(contain.Export)
	h.pipeline.put(h, closedEntry(h.origin, r), true, terminal(r.Failure))
}

// terminal failures will not go away by themselves, and often end the process.
func terminal(f *telemetry.Failure) bool {
	if f == nil || f.Retryable {
		return false
	}
	return f.Category == telemetry.CategoryAuth || f.Category == telemetry.CategoryTLS
}

// Flush sends what the handle was given before the call, now instead of later, with what
// waits in its pipeline before that; see [Exporter.Flush].
func (h *Handle) Flush(ctx context.Context) error {
	if h == nil {
		return nil
	}
	return h.pipeline.flush(ctx, func() uint64 { return h.last })
}

// Close flushes, for no longer than Settings.CloseTimeout and ctx allow, and leaves the
// pipeline. When the handle was its last, what could not be sent is dropped and counted, a
// request under way is interrupted, and no goroutine is left but those that code of the
// application holds on to. The error says what was not sent. Further calls do nothing.
//
// A handle that is dropped without Close is closed in the background once the garbage
// collector finds it.
func (h *Handle) Close(ctx context.Context) error {
	if h == nil || h.closed.Swap(true) {
		return nil
	}
	h.cleanup.Stop()
	ctx, cancel := context.WithTimeout(ctx, h.closeTimeout)
	defer cancel()
	err := h.Flush(ctx)
	h.leave()
	return err
}

// leaveWhenDropped closes the handle in the background when nothing refers to it any more.
func (h *Handle) leaveWhenDropped() {
	if contain.InBubble() {
		return
	}
	type left struct {
		membership
		timeout time.Duration
	}
	h.cleanup = runtime.AddCleanup(h, func(l left) {
		go func() { // cleanups must not wait
			ctx, cancel := context.WithTimeout(context.Background(), l.timeout)
			defer cancel()
			_ = l.pipeline.flush(ctx, l.pipeline.queue.Last) // what is not sent is counted
			l.leave()
		}()
	}, left{h.membership, h.closeTimeout})
}

// Preview returns the documents a record would be sent as, one per event, with ids of their
// own. record is a *telemetry.Statement, *telemetry.SessionOpened or
// *telemetry.SessionClosed; nothing comes of any other.
func (h *Handle) Preview(record any) (docs []string) {
	if h == nil {
		return nil
	}
	defer h.exporter.contained.Recover(contain.Export)
	var e entry
	switch r := record.(type) {
	case *telemetry.Statement:
		e = statementEntry(h.origin, r)
	case *telemetry.SessionOpened:
		e = openedEntry(h.origin, r)
	case *telemetry.SessionClosed:
		e = closedEntry(h.origin, r)
	default:
		return nil
	}
	e.appendDocuments(&scratch{}, false, func(doc []byte) { docs = append(docs, documentOf(string(doc))) })
	return docs
}

// Preview is [Handle.Preview] for a connection that has no pipeline, because telemetry is
// off: what would be sent if it were on.
func Preview(c Connection, record any) []string {
	h := &Handle{membership: membership{exporter: &Exporter{}}, origin: newOrigin(c)}
	return h.Preview(record)
}
