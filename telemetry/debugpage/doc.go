// Package debugpage serves pages that show what the wrapped drivers of this process are doing, why
// their statements take as long as they do, and what is reported to Databricks about them. Like
// net/http/pprof, it is mounted by importing it:
//
//	import _ "github.com/seed-01322ee7/databricks-telemetry/telemetry/debugpage"
//
// It is then at /debug/databricks on http.DefaultServeMux. On another mux, [Handler] works under any
// path that ends in a slash, because its links are relative.
//
// Each page answers one question:
//
//	./           Is something wrong now, and where?
//	statements   Which statements? Running, recent, slowest, failed; sorted and filtered.
//	statement    Why this one? A verdict, a picture of its time, its calls and files.
//	shapes       Which kind of statement takes the time, fails or is slow?
//	errors       What fails?
//	telemetry    What leaves the process? The settings in force, and the latest documents byte for byte.
//
// Each page is a struct that is rendered as HTML or, with ?format=json, as JSON, with the same names
// in the same order and durations in milliseconds.
//
// The data comes from a sink, which the import attaches to telemetry.Default. Like every sink, it
// runs on its own goroutine. It keeps pointers to records and increments counters, and its memory is
// bounded under any load: about 14 MB at worst, about 1 MB in most processes. Everything else is
// computed when a page is requested.
//
//	telemetry.Default ─ records ─▶ memory ─┬─ boundedRecords  recent, slowest, failed
//	                                       ├─ counts          the last hour in intervals of 10 s
//	                                       ├─ shapes          the last hour by the minute and shape
//	                                       ├─ failures        the last hour by the minute and error
//	                                       ├─ reports         answers of the query history
//	registered pools ─ statistics ─────────┴─ pools           a sample a second
//	                                                 │
//	request ─▶ page ─▶ overview, statements, shapes or another ─▶ a template (templ) or JSON
//
// Pages have no scripts, load nothing from elsewhere and change nothing: they answer only GET and
// HEAD. Like the pages of pprof they are for operators, and the application decides who can reach
// them: they name the server and, with telemetry_query_text, show SQL. Records contain no
// credentials, parameters or results, so pages never show them.
package debugpage
