// Package contain keeps failures of telemetry away from the application's statements.
//
// Two kinds of code run beside a statement: code of this module that observes it, and user-supplied
// code (sinks, tracers, authenticators, transports). Either may panic, and user-supplied code may
// also end its goroutine with runtime.Goexit or never return. A [Log] contains and counts each case
// by [Place], and keeps the first stack of each place:
//
//	observing code            defer log.Recover(contain.Statement)  ──┐
//	user-supplied code that                                           │
//	  must stay on this       ok := log.Call(contain.Sink, f) ────────┼──▶ Log ──▶ telemetry.Stats
//	  goroutine                                                       │
//	  may hang                ok := supplied.Run(ctx, f) ─────────────┘
package contain
