package report

// The report's texts. They contain no measured figure.

const method = `Each variant runs in a process of its own, the workspace in another. A round runs one block of
each workload with every variant, in random order, and the next round in the opposite order.
Ratios are taken within a round and then summarized, as medians with 95 % confidence intervals
that assume no distribution; p, as benchstat has it, knows nothing of rounds.

Clients have one CPU (GOMAXPROCS=1): what is done in the background takes time from the
statements. CPU time, allocations and requests are counted until a client has flushed and come
to rest, so that what is reported later counts for the statements it is about. The workspace
takes uploads without reading them: a service does that elsewhere, not on the CPU of the warehouse.

The native driver runs twice. Where a variant differs from it by no more than it does from
itself, there is nothing to see.`

// account describes a workload or a variant.
type account struct{ title, text string }

var aboutWorkloads = map[string]account{
	"OneRow":         {"One-row statements", "`SELECT 1`, one after the other on one connection. The workspace answers at once; a warehouse takes many times as long, and what is added stays the same."},
	"Warehouse20":    {"One-row statements that take the warehouse 20 ms", "`SELECT 1`, one after the other on one connection, on a workspace that executes each for 20 ms: a quick statement of a real warehouse."},
	"Inline":         {"A large result, inline", "All rows of a query of two numbers, as Arrow in the answers themselves. Two numbers are the cheapest row there is, so what is added per row shows."},
	"CloudFetch20":   {"A large result in 20 files", "The same rows, downloaded from storage."},
	"Concurrent64":   {"64 statements at a time", "`SELECT 1` from 64 goroutines on as many connections, sharing one CPU."},
	"Churn":          {"A connection per statement", "`SELECT 1` on a pool that keeps no idle connection: connect, query, close. Many services live like that without knowing, because a pool keeps two by default."},
	"Exec":           {"Exec", "`UPDATE counter SET n = n + 1`, one after the other on one connection."},
	"NoNetwork":      {"One-row statements without a network", "The same `SELECT 1`, answered within the process by a transport that plays back a recorded exchange, through the layers net/http puts around an answer. What is left is the client's own work for a statement, so that a difference of a microsecond shows; the ratio means nothing."},
	"ChurnNoNetwork": {"A connection per statement, without a network", "Connect, query, close, answered within the process. The other workloads have DSNs, which tell the driver not to ask for the flag of its own telemetry. Here the connectors are made from options, which cannot say that, so each variant asks on every connection, as most applications do."},
}

var aboutVariants = map[string]account{
	"native":           {"native", "databricks-sql-go, its telemetry switched off"},
	"native-again":     {"native, again", "the same in a second process; what it differs by is chance"},
	"native-telemetry": {"native, reporting", "databricks-sql-go, its own telemetry on because the server's flag says so. It addresses port 443 whatever the port of the DSN, so a transport brings its requests to the workspace"},
	"sqlmw":            {"sqlmw", "databricks-sql-go in ngrok/sqlmw, the library behind our interception, with hooks that do nothing"},
	"otelsql":          {"otelsql", "XSAM/otelsql around databricks-sql-go, with its default options, on OpenTelemetry's SDK: every span sampled and batched, metrics aggregated, an exporter that discards"},
	"ours":             {"ours", "databricks-telemetry, reporting to Databricks"},
	"ours-page":        {"ours, debug page", "the same with the debug page mounted"},
	"ours-otel":        {"ours, OpenTelemetry", "reporting to Databricks, with spans and metrics on the same SDK as otelsql"},
	"ours-local":       {"ours, local only", "reporting off, one sink that discards: what measuring alone costs"},
	"ours-off":         {"ours, off", "reporting off, no sink attached"},
}

const aboutShares = `One-row statements without a network again, under a CPU profile. A sample counts for the innermost
function that is not part of Go itself, with everything that it calls in Go's runtime and library.
"Memory" is the share that was spent on allocating, including the collector's work.`

// aboutParts are the parts a profile distinguishes, by their names in the raw results.
var aboutParts = []account{
	{"driver", "the driver and what it uses"},
	{"sqlmw", "sqlmw"},
	{"otelsql", "otelsql and OpenTelemetry"},
	{"request", "cloudfetch: reading the request"},
	{"answer", "cloudfetch: reading the answer"},
	{"cloudfetch", "cloudfetch: finding the statement"},
	{"begin", "driverwrap: making a statement and its record"},
	{"finish", "driverwrap: completing the record"},
	{"driverwrap", "driverwrap: context, rows, clock"},
	{"telemetry", "telemetry: passing records to sinks"},
	{"export", "export: queue, payload, upload"},
	{"runtime", "Go's collector and scheduler, beside the statements"},
}

// indispensable are the parts without which a statement cannot be reported at all.
var indispensable = []string{"sqlmw", "request", "answer", "begin"}

const meaningOfShares = `To report a statement, this module cannot do without reading its request and its answer once, an
object that lasts as long as the statement and another that outlives it, and the way through sqlmw.
That alone takes %s here, before a record is completed. It copies nothing twice and reads only what
it needs.

The rest of the difference shows in the rows of the driver and of Go's runtime. This module's allocations
make the collector run sooner, which costs the next allocation, mostly one of the driver. On the other
hand, reading ahead saves the driver time: it reads an answer in a few hundred small pieces, and now from
memory instead of through net/http. A statement on a warehouse takes thousands of times as long as any of this.`

func (w Workload) title() string {
	if a, ok := aboutWorkloads[w.Name]; ok {
		return a.title
	}
	return w.Name
}

func variantTitle(name string) string {
	if a, ok := aboutVariants[name]; ok {
		return a.title
	}
	return name
}
