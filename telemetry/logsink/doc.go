// Package logsink writes records to a slog.Logger: one message for each statement, for each opened or
// closed session, and for each server report. The fields of the record are the attributes, with the
// names and units of package ndjson.
//
//	level=WARN msg="databricks statement was slow" verdict="file-bound: 71 % of 12 s waiting
//	for 20 files, slowest 2.9 s" statement_id=… outcome=completed total_ms=12040.312 rows_read=…
//
// The level of a message depends on what happened:
//
//	statement ─┬─ finished ───────────────── info     session ─┬─ opened, closed ── info
//	           ├─ finished, of the driver ── debug             └─ failed to open ── error
//	           └─ slow, or failed ────────── warn
//
// The attributes of a slow statement begin with its verdict, the sentence of package explain on where the time
// went; so do those of a failed statement that spent most of its time on retries. A message has at most twelve
// attributes. Warnings and errors that say the same about one server, and about statements of the same shape, are
// limited: the first is written, and then one every 10 s with the number of those left out. This summary comes up
// to 10 s after them, even if the sink has been detached by then; it is lost if the program ends before that. With
// the level debug, and a handler that accepts it, every message is written, with all attributes.
//
// With telemetry_query_history, a message "databricks server report" follows some seconds after a
// statement and says where the server's time went. It is a warning if the server says that the statement
// failed, or that it took as long as a slow one. A report does not have the shape of its statement:
// reports say the same if they have the same server, status and longest phase.
//
// The context that a handler receives has the span around the statement's call. The context of a
// summary has no span.
//
// The setting telemetry_log_level attaches such a sink with slog.Default; telemetry_slow_threshold
// says from which time on a statement is slow.
package logsink
