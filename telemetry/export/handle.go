package export

import (
	"context"
	"math/rand/v2"
	"sync/atomic"
	"time"

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
	exporter   *Exporter
	pipeline   *pipeline
	key        pipelineKey
	connection Connection

	// What is the same for all events of the connection.
	facts                    *telemetry.Connection
	fixed                    map[string][]byte // encoded objects by path
	userAgent, bareUserAgent string
	pathOrg                  string

	rate         float64 // share of successful statements
	closeTimeout time.Duration

	learntOrg atomic.Pointer[string] // workspace id, from a record
	closed    atomic.Bool
}

var _ telemetry.SessionSink = (*Handle)(nil)

func newHandle(x *Exporter, c Connection) *Handle {
	h := &Handle{exporter: x, connection: c, pathOrg: orgID(c.HTTPPath)}
	h.facts = c.reportable()
	h.userAgent, h.bareUserAgent = c.userAgents()
	h.fixed = constants(&source{connection: h.facts, process: process()})
	return h
}

// Recording reports whether records are wanted. While it is false nothing need be measured
// for the handle's sake: telemetry is off, or the server has said that it does not want any
// and need not be asked again yet.
func (h *Handle) Recording() bool {
	if h == nil || h.closed.Load() || h.exporter.down.Load() {
		return false
	}
	return h.pipeline.settings.ForceEnable || h.pipeline.flag.offUntil.Load() == 0 || !h.pipeline.flag.off(time.Now())
}

// StatementFinished takes the record of a statement. The record must not change afterwards.
// There is no statement without a session, so the driver has logged in.
func (h *Handle) StatementFinished(r *telemetry.Statement) {
	if h == nil {
		return
	}
	defer h.exporter.counts.contain()
	h.learnOrg(r.WorkspaceID)
	e := statementEntry(h, r)
	if !e.failed && h.rate < 1 && rand.Float64() >= h.rate {
		h.exporter.counts.recorded.Add(int64(e.events))
		h.exporter.counts.drop(SampledOut, int(e.events))
		return
	}
	h.pipeline.put(e, true, terminal(r.Failure))
}

// SessionOpened takes the record of an attempt to open a connection. The first one that
// succeeded shows that the connection's authenticator may be asked.
func (h *Handle) SessionOpened(r *telemetry.SessionOpened) {
	if h == nil {
		return
	}
	defer h.exporter.counts.contain()
	h.learnOrg(r.WorkspaceID)
	h.pipeline.put(openedEntry(h, r), !r.Failed(), terminal(r.Failure))
}

// SessionClosed takes the record of a connection's end.
func (h *Handle) SessionClosed(r *telemetry.SessionClosed) {
	if h == nil {
		return
	}
	defer h.exporter.counts.contain()
	h.pipeline.put(closedEntry(h, r), true, terminal(r.Failure))
}

// terminal failures will not go away by themselves, and often end the process.
func terminal(f *telemetry.Failure) bool {
	if f == nil || f.Retryable {
		return false
	}
	return f.Category == telemetry.CategoryAuth || f.Category == telemetry.CategoryTLS
}

// LearnFlag hands in an answer to the feature flag that was learnt elsewhere, such as from
// a request of the native driver; ttl is the lifetime the server gave it, 0 the default.
func (h *Handle) LearnFlag(enabled bool, ttl time.Duration) {
	if h == nil {
		return
	}
	defer h.exporter.counts.contain()
	if ttl == 0 {
		ttl = flagDefault
	}
	now := time.Now()
	h.pipeline.flag.learn(enabled, ttl, now)
	h.pipeline.mu.Lock()
	defer h.pipeline.mu.Unlock()
	h.pipeline.schedule(now)
}

// Flush sends what waits in the handle's pipeline; see [Exporter.Flush].
func (h *Handle) Flush(ctx context.Context) error {
	if h == nil {
		return nil
	}
	return h.pipeline.flush(ctx)
}

// Close flushes, for no longer than Settings.CloseTimeout and ctx allow, and leaves the
// pipeline. When the handle was its last, what could not be sent is dropped and counted, a
// request under way is interrupted, and no goroutine is left. The error says what was not
// sent. Further calls do nothing.
func (h *Handle) Close(ctx context.Context) error {
	if h == nil || h.closed.Swap(true) {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, h.closeTimeout)
	defer cancel()
	err := h.pipeline.flush(ctx)
	h.exporter.release(h)
	return err
}

// Preview returns the documents a record would be sent as, one per event, with ids of their
// own. record is a *telemetry.Statement, *telemetry.SessionOpened or
// *telemetry.SessionClosed; nothing comes of any other.
func (h *Handle) Preview(record any) (docs []string) {
	if h == nil {
		return nil
	}
	defer h.exporter.counts.contain()
	var e entry
	switch r := record.(type) {
	case *telemetry.Statement:
		e = statementEntry(h, r)
	case *telemetry.SessionOpened:
		e = openedEntry(h, r)
	case *telemetry.SessionClosed:
		e = closedEntry(h, r)
	default:
		return nil
	}
	e.appendDocuments(&scratch{}, false, func(doc []byte) { docs = append(docs, documentOf(string(doc))) })
	return docs
}

// Preview is [Handle.Preview] for a connection that has no pipeline, because telemetry is
// off: what would be sent if it were on.
func Preview(c Connection, record any) []string { return newHandle(&Exporter{}, c).Preview(record) }

// learnOrg remembers which workspace the connector's sessions are in.
func (h *Handle) learnOrg(id string) {
	if id == "" {
		return
	}
	if known := h.learntOrg.Load(); known != nil && *known == id {
		return
	}
	if valid := validOrgID(id); valid != "" {
		h.learntOrg.Store(&valid)
	}
}

// org is the workspace id of the connector, empty while unknown.
func (h *Handle) org() string {
	if id := h.learntOrg.Load(); id != nil {
		return *id
	}
	return h.pathOrg
}

// org is the workspace id of the record, or of its connector.
func (e *entry) org() string {
	id := ""
	switch {
	case e.statement != nil:
		id = e.statement.WorkspaceID
	case e.opened != nil:
		id = e.opened.WorkspaceID
	}
	if id = validOrgID(id); id != "" {
		return id
	}
	return e.handle.org()
}
