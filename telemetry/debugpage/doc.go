// Package debugpage shows what the wrapped drivers of this process are doing, why their
// statements take as long as they do, and what Databricks is told about them. It is mounted
// like net/http/pprof, by importing it:
//
//	import _ "github.com/seed-01322ee7/databricks-telemetry/telemetry/debugpage"
//
// and is then at /debug/databricks of http.DefaultServeMux. On another mux, [Handler] works
// under any path that ends in a slash, because its links are relative.
//
// Four pages, read from top to bottom as one would ask:
//
//	./           is something wrong: rates, errors, latency, where the last hour's time
//	             went, connectors, pools, what waits to be reported
//	statements   which statements: running, recent, slowest, failed; sorted and filtered
//	statement    why this one: a verdict, a picture of its time, its calls and files
//	telemetry    what leaves the process: switches in force, and the documents to the byte
//
// Each is a struct that is written as HTML or, with ?format=json, as JSON: same names, same
// order, and durations in milliseconds.
//
// Behind the pages is a sink, attached to telemetry.Default by the import. It stores
// pointers and bumps counters, on a goroutine of its own, and its memory is bounded whatever
// the load: about 10 MB at worst, about 1 MB in most processes. Everything else is
// computed when somebody looks.
//
//	telemetry.Default ── record ──▶ memory ─┬─ shelves  (ring.go)    recent, slowest, failed
//	                                        ├─ counts   (counts.go)  an hour in slots of 10 s
//	                                        └─ pools    (pools.go)   statistics, once a second
//
// Pages carry no script, load nothing from elsewhere and change nothing: they answer GET and
// HEAD only. Like pprof's they are for operators, and who may reach them is for the
// application to decide: they name the server and, with telemetry_query_text, show SQL.
// Credentials, parameters and results are in no record, and so on no page.
package debugpage
