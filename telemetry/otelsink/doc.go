// Package otelsink reports statements and connections to OpenTelemetry: a client span and
// db.client.operation.duration per call, as the conventions for databases define them, and
// metrics of its own for what happens after the call has returned.
//
// A program that sets the global providers attaches one sink, which uses them as soon as they are
// set and does nothing until then:
//
//	telemetry.Attach(otelsink.New())
//
// The options of [New] set other providers, attributes and a filter. A sink in the Sinks of a Config makes
// spans and recorded metrics only for the connectors of that Config; its observed metrics are those of the
// whole process.
//
//	caller's goroutine                               queue's goroutine
//
//	StatementStarting ── span starts                 StatementFinished ─┐
//	     the driver's call                           SessionOpened     ─┼─ metrics
//	StatementExecuted ── span ends, duration         SessionClosed     ─┘
//
//	reader's collection ── running statements, pools, reporting to Databricks
//
// A span covers the call, not the reading of its rows; rows, pages and files have no spans. The
// metrics say where the time of a statement went after the call, and so does the record, which has
// the ids of the span.
//
// Nothing blocks on the caller's goroutine: a tracer starts a span, and a histogram records a number.
// Instruments are created on another goroutine, because an SDK that is collecting may hold the lock
// that creation needs. Panics of filters, samplers and span processors are contained.
package otelsink
