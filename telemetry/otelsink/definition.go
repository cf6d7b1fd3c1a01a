package otelsink

import "go.opentelemetry.io/otel/metric"

// definition describes a metric.
type definition struct {
	name, unit, doc string
	buckets         []float64              // bounds, in the unit; nil unless a histogram
	field           func(*instruments) any // pointer to the field of the instrument
}

// definitions are all metrics, in the order of the documentation.
var definitions = []definition{
	{"db.client.operation.duration", "s", "Duration of calls, until they return with results ready or an error.",
		seconds, func(i *instruments) any { return &i.operationDuration }},
	{"databricks.client.statement.duration", "s", "Duration of statements, from the call until their rows were closed.",
		seconds, func(i *instruments) any { return &i.statementDuration }},
	{"databricks.client.statement.time", "s", "Where the time of statements went. The parts add up to their duration.",
		nil, func(i *instruments) any { return &i.statementTime }},
	{"databricks.server.statement.time", "s", "Where the server's time on statements went, according to the query history (telemetry_query_history).",
		nil, func(i *instruments) any { return &i.serverTime }},
	{"databricks.client.statement.polls", "{poll}", "Status calls made while statements ran.",
		nil, func(i *instruments) any { return &i.statementPolls }},
	{"databricks.client.statement.pages", "{page}", "Result pages that arrived.",
		nil, func(i *instruments) any { return &i.statementPages }},
	{"db.client.response.returned_rows", "{row}", "Rows the application read, per statement.",
		rows, func(i *instruments) any { return &i.returnedRows }},

	{"databricks.client.rpc.calls", "{call}", "Thrift calls made for statements.",
		nil, func(i *instruments) any { return &i.rpcCalls }},
	{"databricks.client.rpc.retries", "{retry}", "HTTP attempts beyond the first of each call.",
		nil, func(i *instruments) any { return &i.rpcRetries }},
	{"databricks.client.rpc.duration", "s", "Time spent in Thrift calls, excluding the pauses between attempts.",
		nil, func(i *instruments) any { return &i.rpcDuration }},
	{"databricks.client.rpc.io", "By", "Size of the request and response bodies of Thrift calls, excluding files.",
		nil, func(i *instruments) any { return &i.rpcIO }},

	{"databricks.client.cloudfetch.files", "{file}", "CloudFetch files of results, by outcome.",
		nil, func(i *instruments) any { return &i.files }},
	{"databricks.client.cloudfetch.retries", "{retry}", "HTTP requests beyond the first of each file.",
		nil, func(i *instruments) any { return &i.fileRetries }},
	{"databricks.client.cloudfetch.io", "By", "Bytes downloaded, including failed attempts.",
		nil, func(i *instruments) any { return &i.fileIO }},
	{"databricks.client.cloudfetch.file.duration", "s", "Duration of downloads, per file, including retries. For a statement with very many files, only the first of them.",
		seconds, func(i *instruments) any { return &i.fileDuration }},

	{"db.client.connection.create_time", "s", "Time it took to open a connection, successfully or not.",
		seconds, func(i *instruments) any { return &i.createTime }},
	{"databricks.client.session.lifetime", "s", "How long connections were open, recorded when they are closed.",
		lifetimes, func(i *instruments) any { return &i.sessionLifetime }},

	{"databricks.client.statement.running", "{statement}", "Statements that are not finished: the call has not returned, or rows are open.",
		nil, func(i *instruments) any { return &i.running }},
	{"databricks.client.session.open", "{session}", "Connections that are open.",
		nil, func(i *instruments) any { return &i.sessions }},

	{"db.client.connection.count", "{connection}", "Connections of a registered pool.",
		nil, func(i *instruments) any { return &i.poolCount }},
	{"db.client.connection.max", "{connection}", "Maximum number of open connections of a registered pool; absent if there is no limit.",
		nil, func(i *instruments) any { return &i.poolMax }},
	{"databricks.client.pool.waits", "{wait}", "How often database/sql waited for a connection.",
		nil, func(i *instruments) any { return &i.poolWaits }},
	{"databricks.client.pool.wait.duration", "s", "Time spent waiting for a connection.",
		nil, func(i *instruments) any { return &i.poolWaitTime }},
	{"databricks.client.pool.closed", "{connection}", "Connections closed because of a limit of the pool.",
		nil, func(i *instruments) any { return &i.poolClosed }},

	{"databricks.client.telemetry.sent", "{event}", "Events reported to Databricks.",
		nil, func(i *instruments) any { return &i.sent }},
	{"databricks.client.telemetry.dropped", "{event}", "Events dropped, by reason.",
		nil, func(i *instruments) any { return &i.dropped }},
	{"databricks.client.telemetry.pending", "{event}", "Events that are queued or being sent.",
		nil, func(i *instruments) any { return &i.pending }},
	{"databricks.client.telemetry.requests", "{request}", "Uploads, including retries.",
		nil, func(i *instruments) any { return &i.requests }},
	{"databricks.client.telemetry.retries", "{request}", "Uploads that were retries.",
		nil, func(i *instruments) any { return &i.retries }},
	{"databricks.client.telemetry.failures", "{request}", "Uploads that failed after their retries.",
		nil, func(i *instruments) any { return &i.failures }},
	{"databricks.client.telemetry.io", "By", "Size of upload bodies, including retries.",
		nil, func(i *instruments) any { return &i.sentBytes }},
	{"databricks.client.telemetry.breaker_opened", "{opening}", "How often a circuit breaker opened.",
		nil, func(i *instruments) any { return &i.breaker }},
	{"databricks.client.telemetry.incidents", "{incident}", "Contained panics, runtime.Goexit calls and hangs, by place. There should be none.",
		nil, func(i *instruments) any { return &i.incidents }},
}

// seconds are the buckets of durations. A warehouse answers within milliseconds or hours, and takes
// minutes to start.
var seconds = []float64{0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800, 3600}

// rows are the buckets of row counts, by order of magnitude.
var rows = []float64{0, 1, 10, 100, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8}

// lifetimes are the buckets of connection lifetimes, in seconds. A pool keeps a connection for
// seconds or for days.
var lifetimes = []float64{0.1, 1, 10, 60, 300, 900, 1800, 3600, 4 * 3600, 12 * 3600, 24 * 3600}

// create creates the instrument and stores it in its field. The type of the field is the kind of
// the instrument.
func (d definition) create(m metric.Meter, i *instruments) (err error) {
	unit, doc := metric.WithUnit(d.unit), metric.WithDescription(d.doc)
	switch f := d.field(i).(type) {
	case *metric.Float64Histogram:
		*f, err = m.Float64Histogram(d.name, unit, doc, metric.WithExplicitBucketBoundaries(d.buckets...))
		i.recorded = append(i.recorded, *f)
	case *metric.Int64Histogram:
		*f, err = m.Int64Histogram(d.name, unit, doc, metric.WithExplicitBucketBoundaries(d.buckets...))
		i.recorded = append(i.recorded, *f)
	case *metric.Float64Counter:
		*f, err = m.Float64Counter(d.name, unit, doc)
		i.recorded = append(i.recorded, *f)
	case *metric.Int64Counter:
		*f, err = m.Int64Counter(d.name, unit, doc)
		i.recorded = append(i.recorded, *f)
	case *metric.Int64ObservableUpDownCounter:
		*f, err = m.Int64ObservableUpDownCounter(d.name, unit, doc)
		i.observed = append(i.observed, *f)
	case *metric.Int64ObservableCounter:
		*f, err = m.Int64ObservableCounter(d.name, unit, doc)
		i.observed = append(i.observed, *f)
	case *metric.Float64ObservableCounter:
		*f, err = m.Float64ObservableCounter(d.name, unit, doc)
		i.observed = append(i.observed, *f)
	}
	return err
}
