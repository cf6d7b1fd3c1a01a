// Package logsink writes records to a slog.Logger: a message per statement and session, with the
// fields of a record as attributes. The names are those of package ndjson, but durations are
// written as durations and their names have no _ms.
//
//	level=WARN msg="databricks statement was slow" verdict="file-bound: 71 % of 12 s waiting for
//	20 files, slowest 2.9 s" started=… statement_id=… total=12.04s …
//
// A message has a level by what happened:
//
//	statement ─┬─ finished ────────── debug     session ─┬─ opened, closed ── info
//	           └─ slow, or failed ─── warn               └─ failed to open ── error
//
// The message of a slow statement begins with its verdict, the sentence of package explain on
// where the time went; so does that of a failed statement that spent most of its time on
// retries. Setting telemetry_log_level attaches such a sink with slog.Default, and
// telemetry_slow_threshold defines slow.
package logsink
