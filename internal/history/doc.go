// Package history asks the workspace's query history why the server took its time, for the
// statements that [telemetry.Settings.QueryHistory] chooses, and gives sinks a
// [telemetry.ServerReport] of each.
//
//	connector ── record ──▶ Handle ── not slow, not failed? no sink for reports? nothing more
//	                          │
//	                          ▼
//	            500 statements at most ── full? drops the oldest success, counted
//	                          │
//	      2 s, 10 s, 60 s after the statement ended, at most one request every 2 s
//	                          ▼
//	   worker of the host and credential ──▶ GET /api/2.0/sql/history/queries, 50 ids at most
//	                          │                  │
//	                          │                  ├─ 4xx, or not an answer: quiet for 15 minutes
//	                          │                  └─ 429, 5xx, no response: later
//	          is_final, or asked three times
//	                          ▼
//	                 the connector's fan-outs ──▶ sinks
//
// Handles of the same host, workspace, credential and transport share a worker. The worker's
// goroutine exists while a request is due. Between requests there is a timer, and while nothing
// waits not even that. How soon a host may be asked again is remembered for longer than the worker
// exists: connectors that come and go ask no more often than one that stays.
//
// Requests are made as the exporter makes its own ([export.Requester]): with the connection's
// authenticator, through its transport, time-bound. Only statements that reached the server are
// asked about, so the driver has logged in with the authenticator before.
//
// Closing a handle asks once more about what waits, without waiting for the schedule, as long as the
// close timeout allows, and takes what the answer says. Flush neither asks nor waits.
//
// An answer has the text of statements, the names of users and the messages of errors. The parser
// passes over them. Nothing of an answer is in the payload to Databricks: the fields of a
// ServerReport have local scope, and the exporter is not given one.
package history
