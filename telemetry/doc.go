// Package telemetry holds the records of statements and sessions, and delivers them to sinks.
//
// A statement is measured on the caller's goroutine (by package driverwrap) and becomes one
// [Statement] record, finished exactly once. A [Fanout] takes the record without blocking, and
// each attached [Sink] receives it on a goroutine of its own:
//
//	driverwrap ── *Statement ──▶ Fanout ──▶ queue ──▶ Sink  (ndjson, slog, your own)
//	              *SessionOpened    │
//	              *SessionClosed    └─────▶ queue ──▶ Sink
//	              *ServerReport
//
// An application attaches its sinks with [Attach], or gives them to one connector in
// driverwrap.Config. [Flush], [Shutdown], [RegisterPool] and [ReadStats] work on the state that
// all wrapped drivers of the process share, which is [Default].
//
// A queue is bounded and drops its oldest successes first; a sink that is slow, blocks or panics
// costs only its own records. The goroutine of a queue lives only while there is something to
// deliver, so an idle process has none.
//
// The name, the unit and the meaning of every field, and who may see it, are in docs/TELEMETRY.md.
// A measurement that was not taken is unknown ([Maybe], or an empty string), which is not zero.
package telemetry
