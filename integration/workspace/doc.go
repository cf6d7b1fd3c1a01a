// Package workspace is a simulated Databricks workspace. It listens on loopback, speaks the
// Thrift-over-HTTP protocol of a SQL warehouse, runs SQL on an embedded engine and answers the way
// the service does: inline Arrow, columnar and CloudFetch results, direct results and polling,
// presigned storage, telemetry, feature flags, query history. The real, unmodified
// databricks-sql-go driver is its client. Faults can be injected everywhere. The workspace records
// everything that happens, so that a test can compare a client's measurements with the truth.
//
//	ws, err := workspace.Start(workspace.Options{})
//	defer ws.Close()
//	db, err := sql.Open("databricks", ws.DSN())
//
// How a request travels:
//
//	            ┌───────────────── workspace listener ─────────────────┐
//	driver ───► │ record ─► faults ─► authentication ─► Thrift call    │
//	            │    │                                 ├ telemetry     │
//	            │    │                                 ├ feature flags │
//	            │    ▼                                 └ query history │
//	            │  ledger ◄── session ─► operation ─► engine           │
//	            │    ▲                       │                         │
//	            └────┼───────────────────────┼─────────────────────────┘
//	                 │                 result set: Arrow, columns, links
//	            ┌────┼─────────── object storage listener ─────────────┐
//	driver ───► │ record ─► faults ─► signature ─► result file, volume │
//	            └──────────────────────────────────────────────────────┘
//
// A test reads what happened from [Workspace.Statements], [Workspace.Sessions],
// [Workspace.Requests] and [Workspace.Telemetry], and breaks things with
// [Workspace.Inject]. Several workspaces may run in one process; [Workspace.Close] leaves
// no goroutine and no port behind.
package workspace
