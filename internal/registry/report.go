package registry

import (
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// ServerReportFields is everything a ServerReport says, in the order sinks show it. Nothing of it
// leaves the process.
var ServerReportFields = []Field[telemetry.ServerReport]{
	local("started", "RFC 3339", "When the application called the driver.", timeOf(func(r *telemetry.ServerReport) *time.Time { return &r.Started })),
	local("reported", "RFC 3339", "When the query history's answer arrived.", timeOf(func(r *telemetry.ServerReport) *time.Time { return &r.Reported })),
	local("server", "", "Host and port of the workspace.", stringOf(func(r *telemetry.ServerReport) *string { return &r.Server })),
	local("connector", "", "Number of the connector in the process.", nonZeroOf(func(r *telemetry.ServerReport) *int64 { return &r.Connector })),
	local("statement_id", "", "The server's id of the statement, as in its statement event.", stringOf(func(r *telemetry.ServerReport) *string { return &r.StatementID })),
	local("status", "", "QUEUED, RUNNING, CANCELED, FAILED or FINISHED.", stringOf(func(r *telemetry.ServerReport) *string { return &r.Status })),
	local("final", "bool", "The measurements will not change any more.", boolOf(func(r *telemetry.ServerReport) *bool { return &r.Final })),
	local("statement_type", "", "The server's name for what the statement did, such as SELECT.", stringOf(func(r *telemetry.ServerReport) *string { return &r.StatementType })),
	local("warehouse_id", "", "The warehouse that ran it.", stringOf(func(r *telemetry.ServerReport) *string { return &r.WarehouseID })),
	local("server_total_ms", "ms", "Time of the statement as the server measured it.", maybeDurationOf(func(r *telemetry.ServerReport) *telemetry.Maybe[time.Duration] { return &r.Total })),
	local("waiting_for_compute_ms", "ms", "Wait for the warehouse to start.", maybeDurationOf(func(r *telemetry.ServerReport) *telemetry.Maybe[time.Duration] { return &r.WaitingForCompute })),
	local("queued_at_capacity_ms", "ms", "Wait because the warehouse ran as many statements as it can.", maybeDurationOf(func(r *telemetry.ServerReport) *telemetry.Maybe[time.Duration] { return &r.QueuedAtCapacity })),
	local("compiling_ms", "ms", "Reading metadata and planning.", maybeDurationOf(func(r *telemetry.ServerReport) *telemetry.Maybe[time.Duration] { return &r.Compiling })),
	local("executing_ms", "ms", "Executing the plan.", maybeDurationOf(func(r *telemetry.ServerReport) *telemetry.Maybe[time.Duration] { return &r.Executing })),
	local("result_fetch_ms", "ms", "Until the client had fetched the result.", maybeDurationOf(func(r *telemetry.ServerReport) *telemetry.Maybe[time.Duration] { return &r.ResultFetch })),
	local("task_time_ms", "ms", "Sum of the time of all tasks, which run side by side.", maybeDurationOf(func(r *telemetry.ServerReport) *telemetry.Maybe[time.Duration] { return &r.TaskTime })),
	local("photon_share", "", "Share of task_time_ms that Photon executed, 0 to 1.", maybeFloatOf(func(r *telemetry.ServerReport) *telemetry.Maybe[float64] { return &r.PhotonShare })),
	local("from_cache", "bool", "The result came from the result cache.", maybeBoolOf(func(r *telemetry.ServerReport) *telemetry.Maybe[bool] { return &r.FromCache })),
	local("bytes_read", "bytes", "Read of tables.", maybeIntOf(func(r *telemetry.ServerReport) *telemetry.Maybe[int64] { return &r.BytesRead })),
	local("bytes_read_remote", "bytes", "Of bytes_read, from cloud storage.", maybeIntOf(func(r *telemetry.ServerReport) *telemetry.Maybe[int64] { return &r.BytesReadRemote })),
	local("bytes_read_cache", "bytes", "Of bytes_read, from the disks of the warehouse.", maybeIntOf(func(r *telemetry.ServerReport) *telemetry.Maybe[int64] { return &r.BytesReadCache })),
	local("files_read", "files", "Files that were read.", maybeIntOf(func(r *telemetry.ServerReport) *telemetry.Maybe[int64] { return &r.FilesRead })),
	local("partitions_read", "partitions", "Partitions that were read.", maybeIntOf(func(r *telemetry.ServerReport) *telemetry.Maybe[int64] { return &r.PartitionsRead })),
	local("files_pruned", "files", "Files that statistics showed not to matter.", maybeIntOf(func(r *telemetry.ServerReport) *telemetry.Maybe[int64] { return &r.FilesPruned })),
	local("bytes_pruned", "bytes", "Size of those files.", maybeIntOf(func(r *telemetry.ServerReport) *telemetry.Maybe[int64] { return &r.BytesPruned })),
	local("bytes_spilled", "bytes", "Written to disk because it did not fit into memory.", maybeIntOf(func(r *telemetry.ServerReport) *telemetry.Maybe[int64] { return &r.BytesSpilled })),
	local("bytes_written", "bytes", "Written to cloud storage.", maybeIntOf(func(r *telemetry.ServerReport) *telemetry.Maybe[int64] { return &r.BytesWritten })),
	local("bytes_sent", "bytes", "Sent over the network.", maybeIntOf(func(r *telemetry.ServerReport) *telemetry.Maybe[int64] { return &r.BytesSent })),
	local("server_rows_read", "rows", "Rows read of tables.", maybeIntOf(func(r *telemetry.ServerReport) *telemetry.Maybe[int64] { return &r.RowsRead })),
	local("rows_produced", "rows", "Rows of the result.", maybeIntOf(func(r *telemetry.ServerReport) *telemetry.Maybe[int64] { return &r.RowsProduced })),
}

// local makes a field that never leaves the process.
func local[R any](name, unit, doc string, a access[R]) Field[R] {
	return Field[R]{Name: name, Unit: unit, Doc: doc, Scope: ScopeLocal, access: a}
}
