// Package telemetry says what is known about a statement and a session once they are over,
// and hands that to whoever listens.
//
// A statement is measured on the caller's goroutine (by package driverwrap) and becomes one
// [Statement] record, finished exactly once. A [Fanout] takes the record without blocking,
// and each attached [Sink] receives it on a goroutine of its own:
//
//	driverwrap ── *Statement ──▶ Fanout ──▶ queue ──▶ Sink  (ndjson, slog, your own)
//	              *SessionOpened    │
//	              *SessionClosed    └─────▶ queue ──▶ Sink
//
// A queue is bounded and drops its oldest successes first; a sink that is slow, blocks or
// panics costs its own records and nobody else anything. The goroutine of a queue lives only
// while there is something to deliver, so an idle process has none.
//
// What a record may say, in which unit and who may see it, is written down once, in the
// field registry ([StatementFields] and its siblings). Sinks walk that registry instead of
// the structs, which is why every sink shows the same names. The payload for Databricks
// (package export) is written from it, too: a field leaves the process only when its scope
// says so, and under the path that stands beside it.
package telemetry
