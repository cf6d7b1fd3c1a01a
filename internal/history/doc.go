// Package history asks the workspace's query history where the server's time went, for the statements
// that [telemetry.Settings.QueryHistory] selects, and passes a [telemetry.ServerReport] on each to
// sinks.
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
// goroutine exists only while a request is due. Between requests there is a timer, and while no
// statement waits, not even that. When a host may be asked again is remembered longer than the worker
// exists, so that connectors that come and go ask no more often than one that stays.
//
// Requests are made by an [export.Requester], like the exporter's own: with the connection's
// authenticator, through its transport, and with a time bound. Only statements that reached the
// server are asked about, so the driver has already logged in with the authenticator.
//
// Closing a handle asks once more about its waiting statements, at once instead of by the schedule,
// within the close timeout, and takes what the answer says. Flush neither asks nor waits.
//
// An answer has the text of statements, the names of users and the messages of errors. The parser
// skips these. No part of an answer is in the payload to Databricks: the fields of a ServerReport
// have local scope, and the exporter never receives one.
package history
