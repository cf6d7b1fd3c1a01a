// Package logsink is a sink that writes records to a slog.Logger: one message per statement
// and session, with the fields of the registry of package telemetry as attributes. Durations
// are written as durations, under their names without _ms.
//
//	level=WARN msg="databricks statement was slow" verdict="download-bound: 71 % of 12 s waiting
//	for 20 files, slowest 2.9 s" started=… statement_id=… total=12.04s …
//
// A finished statement is logged at debug, a slow or failed one at warn, a session at info,
// and one that could not be opened at error. A slow statement, failed or not, says first where
// its time went, and so does one that spent most of it between attempts: verdict is the
// sentence of package explain. Setting telemetry_log_level attaches such a sink with
// slog.Default, and telemetry_slow_threshold says what is slow.
package logsink
