package driverwrap

import (
	"slices"

	"github.com/seed-01322ee7/databricks-telemetry/internal/contain"
	"github.com/seed-01322ee7/databricks-telemetry/internal/export"
	"github.com/seed-01322ee7/databricks-telemetry/internal/history"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// recorder passes on the records of a connector. It is immutable after construction.
type recorder struct {
	connectorID int64        // counted in the process
	server      string       // host:port; empty when unknown
	warehouseID string       // empty when unknown
	sessionTags *sessionTags // nil without Settings.TraceTags; a pointer, which %+v does not follow
	settings    telemetry.Settings
	fanouts     []*telemetry.Fanout // to the sinks
	report      *export.Handle      // to Databricks; nil when off, and behind Wrap
	history     *history.Handle     // asks where the server's time went; nil when off, and behind Wrap
}

// recording reports whether a record would reach a sink or Databricks.
func (r *recorder) recording() bool {
	return r.report.Recording() || r.sinksRecording()
}

// sinksRecording reports whether a record would reach a sink.
func (r *recorder) sinksRecording() bool {
	return slices.ContainsFunc(r.fanouts, (*telemetry.Fanout).Recording)
}

func (r *recorder) sessionOpened(record *telemetry.SessionOpened) {
	r.report.SessionOpened(record)
	r.passOn(func(f *telemetry.Fanout) { f.SessionOpened(record) })
}

func (r *recorder) sessionClosed(record *telemetry.SessionClosed) {
	r.report.SessionClosed(record)
	r.passOn(func(f *telemetry.Fanout) { f.SessionClosed(record) })
}

// statementFinished passes a record on. query is the text from which the record's Shape is computed.
func (r *recorder) statementFinished(record *telemetry.PendingStatement, query string) {
	r.report.StatementFinished(&record.Statement)
	// Deferred, so that both run even if a sink's Recording ends the goroutine.
	defer r.history.StatementFinished(&record.Statement) // after the fan-outs: its report follows the record
	defer r.passOn(func(f *telemetry.Fanout) { f.PendingStatement(record) })
	if r.sinksRecording() {
		record.SetText(query)
	}
}

// passOn passes a record to all fan-outs, even if a sink ends the goroutine.
func (r *recorder) passOn(record func(*telemetry.Fanout)) {
	contain.Each(len(r.fanouts), func(i int) { record(r.fanouts[i]) })
}
