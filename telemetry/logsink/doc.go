// Package logsink writes records to a slog.Logger: a message per statement and session, with the
// fields of a record as attributes. The names and units are those of package ndjson.
//
//	level=WARN msg="databricks statement was slow" verdict="file-bound: 71 % of 12 s waiting
//	for 20 files, slowest 2.9 s" statement_id=… outcome=completed total_ms=12040.312 rows_read=…
//
// A message has a level by what happened:
//
//	statement ─┬─ finished ───────────────── info     session ─┬─ opened, closed ── info
//	           ├─ finished, of the driver ── debug             └─ failed to open ── error
//	           └─ slow, or failed ────────── warn
//
// The message of a slow statement begins with its verdict, the sentence of package explain on
// where the time went; so does that of a failed statement that spent most of its time on
// retries. A message has at most twelve attributes. Of warnings and errors that say the same about
// one server, and about statements of the same shape, the first is written, and then one per 10 s with
// the number of those that were left out. That summary comes up to 10 s after them, even if the sink has been
// detached by then; it is lost if the program ends before that. With the level debug, and a handler that accepts it,
// every message is written, with all attributes.
//
// With telemetry_query_history, a message "databricks server report" follows some seconds after a
// statement and says why the server took its time: a warning if the server says that the statement failed,
// or that it took as long as a slow one. A report does not have the shape of its statement: reports say
// the same if their server, their status and their longest phase are the same.
//
// The context that a handler receives has the span that was around the statement's call. That of a
// summary of repeats has none.
//
// Setting telemetry_log_level attaches such a sink with slog.Default, and
// telemetry_slow_threshold defines slow.
package logsink
