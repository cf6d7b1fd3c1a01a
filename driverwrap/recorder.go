package driverwrap

import (
	"github.com/seed-01322ee7/databricks-telemetry/internal/export"
	"github.com/seed-01322ee7/databricks-telemetry/internal/history"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// recorder passes the records of a connector on. It is immutable after construction.
type recorder struct {
	connectorID int64       // counted in the process
	server      string      // host:port; empty when unknown
	warehouseID string      // empty when unknown
	sessionTags sessionTags // read with Settings.TraceTags only
	settings    telemetry.Settings
	fanouts     []*telemetry.Fanout // to the sinks
	report      *export.Handle      // to Databricks; nil when off, and behind Wrap
	history     *history.Handle     // asks why the server took its time; nil when off, and behind Wrap
}

// recording reports whether a record would reach a sink or Databricks.
func (r *recorder) recording() bool {
	if r.report.Recording() {
		return true
	}
	for _, f := range r.fanouts {
		if f.Recording() {
			return true
		}
	}
	return false
}

func (r *recorder) sessionOpened(record *telemetry.SessionOpened) {
	r.report.SessionOpened(record)
	for _, f := range r.fanouts {
		f.SessionOpened(record)
	}
}

func (r *recorder) sessionClosed(record *telemetry.SessionClosed) {
	r.report.SessionClosed(record)
	for _, f := range r.fanouts {
		f.SessionClosed(record)
	}
}

func (r *recorder) statementFinished(record *telemetry.Statement) {
	r.report.StatementFinished(record)
	for _, f := range r.fanouts {
		f.Statement(record)
	}
	r.history.StatementFinished(record) // after the fan-outs: its report follows the record
}
