package privacy

import "strconv"

// setting is how much local records keep.
type setting struct {
	name       string
	text, tags bool
	errors     string
	full       bool
}

var (
	class    = setting{name: "class", errors: "class"}
	redacted = setting{name: "redacted"} // the default
	text     = setting{name: "text", text: true, tags: true, errors: "class"}
	full     = setting{name: "full", full: true, tags: true, errors: "full"}
)

func (s setting) parameters() []string {
	return []string{
		"telemetry_query_text=" + strconv.FormatBool(s.text), "telemetry_trace_tags=" + strconv.FormatBool(s.tags), "telemetry_error_text=" + s.errors,
	}
}

// The outputs. Those that are local show records.
const (
	databricks = "uploads"
	flag       = "requests for the flag"
	history    = "requests for the history"
	server     = "the driver's requests"
	lines      = "NDJSON"
	logged     = "log"
	page       = "page"
	spans      = "spans"
	terminal   = "dbtel"
	records    = "records"
	metrics    = "metrics"
	stats      = "stats"
	variables  = "expvar"
	printed    = "printed"
)

var local = []string{lines, logged, page, spans, terminal, records}

// rule says in which outputs a token may appear, and in which it must.
type rule struct {
	in, must []string
}

// The rules. What the driver sends to its server is no output of this module, but must not have more in it.
var (
	// driverOnly is the rule of what the driver may send, and this module shows nowhere.
	driverOnly = rule{in: []string{server}}
	nowhere    = rule{}
	kept       = rule{in: append(local, server), must: local}
	onlyLocal  = rule{in: local, must: local}
	poolName   = rule{in: []string{lines, page, metrics, terminal, records}, must: []string{lines, metrics}}
	namespaces = rule{in: append(local, server, metrics), must: append(local, metrics)}
	host       = rule{in: append(local, metrics, stats, variables, server, printed), must: append(local, metrics, stats, variables)}
)

// when is the rule of text that every local output shows if the setting keeps it.
func (s setting) when(keeps bool) rule {
	if keeps {
		return kept
	}
	return driverOnly
}

// may is the rule of text that an output shows if it keeps it, but not in every case.
func (s setting) may(keeps bool) rule {
	if keeps {
		return rule{in: kept.in}
	}
	return driverOnly
}
