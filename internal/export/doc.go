// Package export reports to Databricks: private, batched, exactly once, never in the way.
//
// A connector opens a [Handle] with its [Connection] and hands it each record once, on the
// application's goroutine. The handle puts the record into the bounded queue of its
// pipeline and returns; connectors of the same host, credential and settings share one.
//
//	connector ── record ──▶ Handle ──▶ collector ─── full? the oldest success goes, counted
//	                                       │
//	                       BatchSize, FlushInterval, a terminal failure, Flush
//	                                       ▼
//	        not logged in? held ◀── one goroutine ──▶ flag (asked once per host, cached)
//	                                       │            off? dropped, counted
//	        open? held ◀──────────────  breaker
//	                                       │
//	                             registry ─▶ payload ──▶ client ──▶ POST /telemetry-ext
//	                                                      │  ▲
//	                                                      └──┘ 429, 5xx, network: the same
//	                                                           ids again, after a pause
//
// The goroutine exists while there is something to send. Between two batches there is a
// timer and nothing else, and after the last handle is closed not even that.
//
// The payload is written by walking the field registry of package telemetry: what is not
// there with ScopeDatabricks cannot get out. Strings leave only as ids of the shape of an
// id, as names out of a closed list, or after they were reduced to something harmless when
// the connection was opened.
//
// A record that was taken ends in exactly one of two ways: counted as sent, or counted as
// dropped with a [Reason]. Event ids are made once, so that an upload that is repeated
// because its answer was lost can be told from a new one. An upload the service took but
// counted short is not repeated: which events it meant is not known.
//
// Nothing is sent with the connection's authenticator before the driver itself has logged
// in with it; until then records are held. Only with ForceEnable, or where the flag is
// known already, are failures to log in reported to the unauthenticated endpoint, reduced
// to operation, time, latency and kind of error.
//
// The breaker belongs to the pipeline, not to the host: a tenant whose credential is refused
// must not silence its neighbours. An upload counts as one failure after its retries, so
// that the events of a short outage go out with one of them; a half-open breaker lets one
// upload through, without retries. What is failed for now goes back to the head of the
// queue: only 4xx other than 429 and 413 loses events at once.
//
// A Handle takes records from the connector and not from a telemetry.Fanout, whose queues
// drop for reasons of their own: one queue means one place where events are counted.
//
// The package logs nothing. What it does can be seen in [Stats], and with
// [Exporter.KeepRecent] to the byte.
package export
