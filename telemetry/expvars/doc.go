// Package expvars publishes telemetry.ReadStats as the variable databricks_telemetry of
// package expvar. Like net/http/pprof it is imported for its effect only:
//
//	import _ "github.com/seed-01322ee7/databricks-telemetry/telemetry/expvars"
//
// It is a package of its own because package expvar, once it is part of a program, serves
// the program's command line on http.DefaultServeMux, which is nothing a database driver
// should decide.
package expvars
