// Package expvars publishes telemetry.ReadStats as the variable databricks_telemetry of
// package expvar. Like net/http/pprof it is imported for its effect only:
//
//	import _ "github.com/seed-01322ee7/databricks-telemetry/telemetry/expvars"
//
//	GET /debug/vars ── expvar ── telemetry.ReadStats ── sinks, export, query history, wire, what was contained
//
// It is a separate package because importing package expvar serves the program's command line on
// http.DefaultServeMux, and a database driver should not decide that.
package expvars
