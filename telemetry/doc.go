// Package telemetry defines the records of statements and sessions, and delivers them to sinks.
//
// Package driverwrap measures a statement on the caller's goroutine. Each statement becomes one
// [Statement] record, finished exactly once. A [Fanout] takes the record without blocking, and each
// attached [Sink] receives it on a goroutine of its own:
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
// docs/TELEMETRY.md has the name, the unit and the meaning of every field, and says where the field
// may go. A measurement that was not taken is unknown ([Maybe], or an empty string), which is
// different from zero.
package telemetry
