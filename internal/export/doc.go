// Package export reports to Databricks: only harmless fields, in batches, each event once, and
// without delaying the application.
//
// A connector opens a [Handle] with its [Connection] and passes each record to it once, on the
// application's goroutine. The handle puts the record into the bounded queue of its pipeline and
// returns; connectors of the same host, credential and settings share a pipeline.
//
//	connector ── record ──▶ Handle ──▶ collector ─── full? drops the oldest success, counted
//	                                       │
//	                       BatchSize, FlushInterval, a terminal failure, Flush
//	                                       ▼
//	        not logged in? held ◀── one goroutine ──▶ flag (one request per host, cached)
//	                                       │            off? dropped, counted
//	        open? held ◀──────────────  breaker
//	                                       │
//	                             registry ─▶ payload ──▶ client ──▶ POST /telemetry-ext
//	                                                      │  ▲
//	                                                      └──┘ 429, 5xx, network: the same
//	                                                           ids again, after a pause
//
// The goroutine exists only while there is something to send. Between two batches there is only a
// timer, and after the last handle is closed not even that.
//
// The payload is written by walking the tables of internal/registry, so a field without
// ScopeDatabricks cannot be sent. A string is sent only if it has the form of an id, is a name on a
// closed list, or was reduced to a harmless form when the connection was opened.
//
// Every event is counted once, as sent or as dropped with a reason. Event ids are made once, so that
// the service can recognize an upload that is repeated because its response did not arrive. If the
// service accepts an upload but counts fewer events, the upload is not repeated, because it is
// unknown which events were rejected.
//
// Nothing is sent with the connection's authenticator before the driver itself has logged in with it;
// until then, records wait. Failures to log in are sent to the unauthenticated endpoint, reduced to
// operation, time, latency and error category, and only with ForceEnable or if the flag is already
// known.
//
// A breaker belongs to a host, a credential and settings, and not to the host alone, so that a tenant
// whose credential is refused does not stop reporting for others. It outlives its pipeline and serves
// the next one of the same tenant. An upload counts as one failure, after its retries, so that the
// retries bridge a short outage; a half-open breaker lets one upload through, without retries. 413
// counts as a failure if it is the answer to a single record. Events of a failed upload go back to the
// head of the queue; only 4xx other than 429 and 413 drops them at once.
//
// A Handle takes records directly from the connector and not from a telemetry.Fanout, whose queues
// also drop records. With only one queue, events are counted in one place.
//
// The package logs nothing. [Exporter.Stats] shows what it does, and [Exporter.KeepRecent] the documents it
// sends, byte for byte.
package export
