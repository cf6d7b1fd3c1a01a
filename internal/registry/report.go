package registry

import "github.com/seed-01322ee7/databricks-telemetry/telemetry"

// ServerReportFields has everything that a ServerReport says, in the order in which sinks show it.
// None of it is sent to Databricks.
var ServerReportFields = []Field[telemetry.ServerReport]{
	{"started", "RFC 3339", "When the application called the driver.", ScopeLocal, Payload{}, ofServerReport{at: func(r *telemetry.ServerReport) any { return &r.Started }}},
	{"reported", "RFC 3339", "When the query history's answer arrived.", ScopeLocal, Payload{}, ofServerReport{at: func(r *telemetry.ServerReport) any { return &r.Reported }}},
	{"server", "", "Host and port of the workspace.", ScopeLocal, Payload{}, ofServerReport{at: func(r *telemetry.ServerReport) any { return &r.Server }}},
	{"connector", "", "Number of the connector in the process.", ScopeLocal, Payload{}, ofServerReport{at: func(r *telemetry.ServerReport) any { return (*nonZero)(&r.Connector) }}},
	{"statement_id", "", "The server's id of the statement, as in its statement event.", ScopeLocal, Payload{}, ofServerReport{at: func(r *telemetry.ServerReport) any { return &r.StatementID }}},
	{"status", "", "QUEUED, RUNNING, CANCELED, FAILED or FINISHED.", ScopeLocal, Payload{}, ofServerReport{at: func(r *telemetry.ServerReport) any { return &r.Status }}},
	{"final", "bool", "The measurements will no longer change.", ScopeLocal, Payload{}, ofServerReport{at: func(r *telemetry.ServerReport) any { return &r.Final }}},
	{"statement_type", "", "The server's name for what the statement did, such as SELECT.", ScopeLocal, Payload{}, ofServerReport{at: func(r *telemetry.ServerReport) any { return &r.StatementType }}},
	{"warehouse_id", "", "The warehouse that ran the statement.", ScopeLocal, Payload{}, ofServerReport{at: func(r *telemetry.ServerReport) any { return &r.WarehouseID }}},
	{"server_total_ms", "ms", "Duration of the statement, as the server measured it.", ScopeLocal, Payload{}, ofServerReport{at: func(r *telemetry.ServerReport) any { return &r.Total }}},
	{"waiting_for_compute_ms", "ms", "Wait for the warehouse to start.", ScopeLocal, Payload{}, ofServerReport{at: func(r *telemetry.ServerReport) any { return &r.WaitingForCompute }}},
	{"queued_at_capacity_ms", "ms", "Wait while the warehouse was running as many statements as it can.", ScopeLocal, Payload{}, ofServerReport{at: func(r *telemetry.ServerReport) any { return &r.QueuedAtCapacity }}},
	{"compiling_ms", "ms", "Reading metadata and planning.", ScopeLocal, Payload{}, ofServerReport{at: func(r *telemetry.ServerReport) any { return &r.Compiling }}},
	{"executing_ms", "ms", "Executing the plan.", ScopeLocal, Payload{}, ofServerReport{at: func(r *telemetry.ServerReport) any { return &r.Executing }}},
	{"result_fetch_ms", "ms", "Until the client had fetched the result.", ScopeLocal, Payload{}, ofServerReport{at: func(r *telemetry.ServerReport) any { return &r.ResultFetch }}},
	{"task_time_ms", "ms", "Sum of the times of all tasks, which run in parallel.", ScopeLocal, Payload{}, ofServerReport{at: func(r *telemetry.ServerReport) any { return &r.TaskTime }}},
	{"photon_share", "", "Share of task_time_ms that Photon executed, 0 to 1.", ScopeLocal, Payload{}, ofServerReport{at: func(r *telemetry.ServerReport) any { return &r.PhotonShare }}},
	{"from_cache", "bool", "The result came from the result cache.", ScopeLocal, Payload{}, ofServerReport{at: func(r *telemetry.ServerReport) any { return &r.FromCache }}},
	{"bytes_read", "bytes", "Read from tables.", ScopeLocal, Payload{}, ofServerReport{at: func(r *telemetry.ServerReport) any { return &r.BytesRead }}},
	{"bytes_read_remote", "bytes", "The part of bytes_read that came from cloud storage.", ScopeLocal, Payload{}, ofServerReport{at: func(r *telemetry.ServerReport) any { return &r.BytesReadRemote }}},
	{"bytes_read_cache", "bytes", "The part of bytes_read that came from the warehouse's disks.", ScopeLocal, Payload{}, ofServerReport{at: func(r *telemetry.ServerReport) any { return &r.BytesReadCache }}},
	{"files_read", "files", "Files that were read.", ScopeLocal, Payload{}, ofServerReport{at: func(r *telemetry.ServerReport) any { return &r.FilesRead }}},
	{"partitions_read", "partitions", "Partitions that were read.", ScopeLocal, Payload{}, ofServerReport{at: func(r *telemetry.ServerReport) any { return &r.PartitionsRead }}},
	{"files_pruned", "files", "Files that statistics ruled out.", ScopeLocal, Payload{}, ofServerReport{at: func(r *telemetry.ServerReport) any { return &r.FilesPruned }}},
	{"bytes_pruned", "bytes", "Size of the files that statistics ruled out.", ScopeLocal, Payload{}, ofServerReport{at: func(r *telemetry.ServerReport) any { return &r.BytesPruned }}},
	{"bytes_spilled", "bytes", "Written to disk because it did not fit in memory.", ScopeLocal, Payload{}, ofServerReport{at: func(r *telemetry.ServerReport) any { return &r.BytesSpilled }}},
	{"bytes_written", "bytes", "Written to cloud storage.", ScopeLocal, Payload{}, ofServerReport{at: func(r *telemetry.ServerReport) any { return &r.BytesWritten }}},
	{"bytes_sent", "bytes", "Sent over the network.", ScopeLocal, Payload{}, ofServerReport{at: func(r *telemetry.ServerReport) any { return &r.BytesSent }}},
	{"server_rows_read", "rows", "Rows read from tables.", ScopeLocal, Payload{}, ofServerReport{at: func(r *telemetry.ServerReport) any { return &r.RowsRead }}},
	{"rows_produced", "rows", "Rows of the result.", ScopeLocal, Payload{}, ofServerReport{at: func(r *telemetry.ServerReport) any { return &r.RowsProduced }}},
}
