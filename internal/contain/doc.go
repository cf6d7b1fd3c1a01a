// Package contain keeps faults of telemetry away from the application's statements.
//
// Two kinds of code run beside a statement: code of this module that observes it, and user-supplied
// code (sinks, tracers, authenticators, transports). Either may panic, and user-supplied code may
// also end its goroutine with runtime.Goexit or never return. A [Log] contains and counts each case
// by [Place], and keeps the first stack of each place:
//
//	observing code            defer log.Recover(contain.Statement)  ──┐
//	  with state to restore   log.Guard(contain.Export, f, cleanUp) ──┤
//	user-supplied code that                                           │
//	  must stay on this       ok := log.Call(contain.Sink, f) ────────┼──▶ Log ──▶ telemetry.Stats
//	  goroutine                                                       │
//	  may hang                ok := supplied.Run(ctx, f) ─────────────┘
//
// [Each] continues with the next piece of user-supplied code after one has ended the goroutine.
//
// A test of the application may run in a testing/synctest bubble, and the runtime ends a process that uses a
// timer or channel of a bubble outside of it. [Bubble] tells bubbles apart, and [WhenDropped] finds handles
// that were dropped without Close, except in a bubble.
package contain
