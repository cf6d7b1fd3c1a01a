// Package otelsink reports statements and connections to OpenTelemetry: a client span and
// db.client.operation.duration per call, as the conventions for databases have it, and
// metrics of its own for what happens after the call has returned.
//
// A program that has set the global providers needs nothing else. Every wrapped driver
// reports to [Default], which looks for those providers, and does nothing until there are
// some. For other providers, attributes or a filter, make a sink with [New] and hand it to
// [SetDefault], or to one driver in the Sinks of its Config.
//
//	caller's goroutine                               queue's goroutine
//
//	StatementStarting ── span begins                 StatementFinished ─┐
//	     the driver's call                           SessionOpened     ─┼─ metrics
//	StatementExecuted ── span ends, duration         SessionClosed     ─┘
//
//	reader's collection ── running statements, pools, reporting to Databricks
//
// A span covers the call, not the reading of its rows, and there is never one per row, page
// or file: where a statement's time went after the call is in the metrics, and in the record
// that bears the span's ids.
//
// On the caller's goroutine nothing waits: a tracer is asked for a span, a histogram given a
// number. Instruments are made on a goroutine of their own, because an SDK may hold the
// lock that takes while it collects. Panics of filters and span processors are contained.
package otelsink
