package telemetry

import "time"

// ServerReport is what the workspace's query history says about one statement: where the server's
// time went. It is made only with Settings.QueryHistory, some seconds after the statement ended, and
// belongs to the Statement with the same StatementID, which sinks have already received. A statement
// has at most one report. Its measurements are the server's own. No part of a report is sent to
// Databricks.
//
// A measurement is unknown if the answer does not have it, or if it is impossible: a negative number,
// or a wait longer than the statement.
type ServerReport struct {
	// Started is when the application called the driver, as in Statement.Started.
	Started time.Time
	// Reported is when the answer arrived.
	Reported time.Time
	// Connector is the ConnectorInfo.ID of the connector that the statement ran on.
	Connector int64
	// Server is host:port of the workspace.
	Server string
	// StatementID is the server's statement id.
	StatementID string

	// Status is QUEUED, RUNNING, CANCELED, FAILED or FINISHED; empty when unknown.
	Status string
	// Final is true when the server says that the measurements will not change.
	Final bool
	// StatementType is the server's name for what the statement did, such as SELECT or MERGE;
	// empty when unknown.
	StatementType string
	// WarehouseID is the id of the warehouse that ran it; empty when unknown.
	WarehouseID string

	// Total is the time of the statement as the server measured it.
	Total Maybe[time.Duration]
	// WaitingForCompute is how long the statement waited for its warehouse to start. A wait in which
	// the statement failed or was canceled lasts until its end. Unknown when it did not wait.
	WaitingForCompute Maybe[time.Duration]
	// QueuedAtCapacity is how long the statement waited because the warehouse ran as many statements
	// as it can. A wait in which the statement failed or was canceled lasts until its end. Unknown
	// when it did not wait.
	QueuedAtCapacity Maybe[time.Duration]
	// Compiling is the time the server took to read metadata and to plan.
	Compiling Maybe[time.Duration]
	// Executing is the time the server took to execute the plan.
	Executing Maybe[time.Duration]
	// ResultFetch is the time until the client had fetched the result.
	ResultFetch Maybe[time.Duration]
	// TaskTime is the sum of the times of all tasks, which run in parallel.
	TaskTime Maybe[time.Duration]
	// PhotonShare is the share of TaskTime that Photon executed, 0 to 1.
	PhotonShare Maybe[float64]
	// FromCache says whether the result came from the result cache.
	FromCache Maybe[bool]

	// BytesRead is what the statement read from tables: BytesReadRemote from cloud storage,
	// BytesReadCache from the disks of the warehouse.
	BytesRead, BytesReadRemote, BytesReadCache Maybe[int64]
	// FilesRead and PartitionsRead count the files and partitions that BytesRead came from.
	FilesRead, PartitionsRead Maybe[int64]
	// FilesPruned counts the files that were skipped because of their statistics; BytesPruned is
	// their size.
	FilesPruned, BytesPruned Maybe[int64]
	// BytesSpilled is the size of the data that did not fit into memory and was written to disk.
	BytesSpilled Maybe[int64]
	// BytesWritten is what was written to cloud storage.
	BytesWritten Maybe[int64]
	// BytesSent is what was sent over the network.
	BytesSent Maybe[int64]
	// RowsRead counts the rows that were read from tables, RowsProduced those of the result.
	RowsRead, RowsProduced Maybe[int64]
}

// Failed reports whether the statement failed.
func (r *ServerReport) Failed() bool { return r.Status == "FAILED" }

// ReportSink is a Sink that also receives server reports. A sink that keeps statements matches a
// report to its statement by StatementID.
type ReportSink interface {
	Sink
	ServerReported(*ServerReport)
}

var _ record = (*ServerReport)(nil)

func (r *ServerReport) connector() int64 { return r.Connector }
func (r *ServerReport) deliver(to Sink)  { to.(ReportSink).ServerReported(r) }
