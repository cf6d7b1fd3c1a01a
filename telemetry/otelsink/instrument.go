package otelsink

import (
	"context"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	nometric "go.opentelemetry.io/otel/metric/noop"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"

	"github.com/seed-01322ee7/databricks-telemetry/internal/contain"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// instruments are what a Sink measures with.
type instruments struct {
	// Recorded for each call.
	operationDuration metric.Float64Histogram

	// Recorded for each finished statement.
	statementDuration metric.Float64Histogram
	statementTime     metric.Float64Counter
	statementPolls    metric.Int64Counter
	statementPages    metric.Int64Counter
	returnedRows      metric.Int64Histogram
	rpcCalls          metric.Int64Counter
	rpcRetries        metric.Int64Counter
	rpcDuration       metric.Float64Counter
	rpcIO             metric.Int64Counter
	files             metric.Int64Counter
	fileRetries       metric.Int64Counter
	fileIO            metric.Int64Counter
	fileDuration      metric.Float64Histogram

	// Recorded for each connection.
	createTime      metric.Float64Histogram
	sessionLifetime metric.Float64Histogram

	// Observed.
	running      metric.Int64ObservableUpDownCounter
	sessions     metric.Int64ObservableUpDownCounter
	poolCount    metric.Int64ObservableUpDownCounter
	poolMax      metric.Int64ObservableUpDownCounter
	poolWaits    metric.Int64ObservableCounter
	poolWaitTime metric.Float64ObservableCounter
	poolClosed   metric.Int64ObservableCounter
	sent         metric.Int64ObservableCounter
	dropped      metric.Int64ObservableCounter
	pending      metric.Int64ObservableUpDownCounter
	requests     metric.Int64ObservableCounter
	retries      metric.Int64ObservableCounter
	failures     metric.Int64ObservableCounter
	sentBytes    metric.Int64ObservableCounter
	breaker      metric.Int64ObservableCounter
	incidents    metric.Int64ObservableCounter

	meter    metric.Meter
	recorded []interface{ Enabled(context.Context) bool } // those that are not observed
	observed []metric.Observable
}

// definition is an instrument before there is a meter to make it with.
type definition struct {
	name, unit, doc string
	attributes      []attribute.Key
	buckets         []float64 // of a histogram
	field           func(*instruments) any
}

// Attributes that go together.
var (
	ofServer    = []attribute.Key{semconv.DBSystemNameKey, semconv.ServerAddressKey, semconv.ServerPortKey}
	ofOperation = append(ofServer[:3:3], semconv.DBOperationNameKey)
	ofFailure   = []attribute.Key{semconv.ErrorTypeKey, semconv.DBResponseStatusCodeKey}
	ofPool      = []attribute.Key{semconv.DBClientConnectionPoolNameKey}
)

func keys(sets ...[]attribute.Key) (all []attribute.Key) {
	for _, set := range sets {
		all = append(all, set...)
	}
	return all
}

// A warehouse answers in anything between milliseconds and hours; it takes minutes to start.
var seconds = []float64{0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800, 3600}

// Of rows, the order of magnitude tells enough.
var rows = []float64{0, 1, 10, 100, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8}

// A pool keeps a connection for seconds or for days.
var lifetimes = []float64{0.1, 1, 10, 60, 300, 900, 1800, 3600, 4 * 3600, 12 * 3600, 24 * 3600}

// definitions is every metric, in the order of the documentation.
var definitions = []definition{
	{"db.client.operation.duration", "s", "Duration of calls, from the call until it returned: results are ready, or it failed.",
		keys(ofOperation, ofFailure), seconds, func(i *instruments) any { return &i.operationDuration }},
	{"databricks.client.statement.duration", "s", "Duration of statements, from the call until their rows were closed.",
		keys(ofOperation, []attribute.Key{outcomeKey, resultFormatKey}, ofFailure), seconds, func(i *instruments) any { return &i.statementDuration }},
	{"databricks.client.statement.time", "s", "Where the time of statements went. The parts add up to their duration.",
		keys(ofOperation, []attribute.Key{timePartKey}), nil, func(i *instruments) any { return &i.statementTime }},
	{"databricks.client.statement.polls", "{poll}", "Status calls made while statements ran.",
		ofOperation, nil, func(i *instruments) any { return &i.statementPolls }},
	{"databricks.client.statement.pages", "{page}", "Result pages that arrived.",
		ofOperation, nil, func(i *instruments) any { return &i.statementPages }},
	{"db.client.response.returned_rows", "{row}", "Rows handed to the application, per statement.",
		ofOperation, rows, func(i *instruments) any { return &i.returnedRows }},

	{"databricks.client.rpc.calls", "{call}", "Thrift calls made for statements.",
		keys(ofOperation, []attribute.Key{rpcMethodKey}), nil, func(i *instruments) any { return &i.rpcCalls }},
	{"databricks.client.rpc.retries", "{retry}", "HTTP attempts beyond the first of each call.",
		keys(ofOperation, []attribute.Key{rpcMethodKey}), nil, func(i *instruments) any { return &i.rpcRetries }},
	{"databricks.client.rpc.duration", "s", "Time spent in Thrift calls, the pauses between attempts left out.",
		keys(ofOperation, []attribute.Key{rpcMethodKey}), nil, func(i *instruments) any { return &i.rpcDuration }},
	{"databricks.client.rpc.io", "By", "Bodies of Thrift calls. Files are not in it.",
		keys(ofOperation, []attribute.Key{semconv.NetworkIODirectionKey}), nil, func(i *instruments) any { return &i.rpcIO }},

	{"databricks.client.cloudfetch.files", "{file}", "CloudFetch files the server handed out, by what became of them.",
		keys(ofOperation, []attribute.Key{fileStateKey}), nil, func(i *instruments) any { return &i.files }},
	{"databricks.client.cloudfetch.retries", "{retry}", "HTTP requests beyond the first of each file.",
		ofOperation, nil, func(i *instruments) any { return &i.fileRetries }},
	{"databricks.client.cloudfetch.io", "By", "Bytes downloaded, failed attempts included.",
		ofOperation, nil, func(i *instruments) any { return &i.fileIO }},
	{"databricks.client.cloudfetch.file.duration", "s", "Duration of downloads, per file, retries included. Of a statement with very many files, the first of them.",
		ofOperation, seconds, func(i *instruments) any { return &i.fileDuration }},

	{"db.client.connection.create_time", "s", "Time it took to open a connection, or to fail at it. The pool's name is the server's.",
		keys(ofPool, []attribute.Key{semconv.DBSystemNameKey, semconv.ErrorTypeKey}), seconds, func(i *instruments) any { return &i.createTime }},
	{"databricks.client.session.lifetime", "s", "How long connections were open, counted when they are closed.",
		ofServer, lifetimes, func(i *instruments) any { return &i.sessionLifetime }},

	{"databricks.client.statement.running", "{statement}", "Statements that are not finished: the call has not returned, or rows are open.",
		ofServer, nil, func(i *instruments) any { return &i.running }},
	{"databricks.client.session.open", "{session}", "Connections that are open.",
		ofServer, nil, func(i *instruments) any { return &i.sessions }},

	{"db.client.connection.count", "{connection}", "Connections of a registered pool.",
		keys(ofPool, []attribute.Key{semconv.DBClientConnectionStateKey}), nil, func(i *instruments) any { return &i.poolCount }},
	{"db.client.connection.max", "{connection}", "The most connections a registered pool may open; none where there is no limit.",
		ofPool, nil, func(i *instruments) any { return &i.poolMax }},
	{"databricks.client.pool.waits", "{wait}", "How often database/sql had to wait for a connection.",
		ofPool, nil, func(i *instruments) any { return &i.poolWaits }},
	{"databricks.client.pool.wait.duration", "s", "Time spent waiting for a connection.",
		ofPool, nil, func(i *instruments) any { return &i.poolWaitTime }},
	{"databricks.client.pool.closed", "{connection}", "Connections closed by a limit of the pool.",
		keys(ofPool, []attribute.Key{closeReasonKey}), nil, func(i *instruments) any { return &i.poolClosed }},

	{"databricks.client.telemetry.sent", "{event}", "Events reported to Databricks.",
		nil, nil, func(i *instruments) any { return &i.sent }},
	{"databricks.client.telemetry.dropped", "{event}", "Events that are not reported, by reason.",
		[]attribute.Key{dropReasonKey}, nil, func(i *instruments) any { return &i.dropped }},
	{"databricks.client.telemetry.pending", "{event}", "Events that wait or are under way.",
		nil, nil, func(i *instruments) any { return &i.pending }},
	{"databricks.client.telemetry.requests", "{request}", "Uploads made.",
		nil, nil, func(i *instruments) any { return &i.requests }},
	{"databricks.client.telemetry.retries", "{request}", "Uploads that repeated one.",
		nil, nil, func(i *instruments) any { return &i.retries }},
	{"databricks.client.telemetry.failures", "{request}", "Uploads that failed after their retries.",
		nil, nil, func(i *instruments) any { return &i.failures }},
	{"databricks.client.telemetry.io", "By", "Bodies of uploads, repeated ones included.",
		nil, nil, func(i *instruments) any { return &i.sentBytes }},
	{"databricks.client.telemetry.breaker_opened", "{opening}", "How often a circuit breaker opened.",
		nil, nil, func(i *instruments) any { return &i.breaker }},
	{"databricks.client.telemetry.incidents", "{incident}", "Panics, runtime.Goexit and hangs that were contained, by place. There should be none.",
		[]attribute.Key{placeKey}, nil, func(i *instruments) any { return &i.incidents }},
}

// make creates the instrument and puts it in its field, whose type says what kind it is.
func (d definition) make(m metric.Meter, i *instruments) error {
	var err error
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

// newInstruments makes all of them. One that a provider refuses is left to the no-op meter,
// which refuses none.
func newInstruments(p metric.MeterProvider) *instruments {
	i := &instruments{meter: p.Meter(scope, metric.WithInstrumentationVersion(telemetry.Version), metric.WithSchemaURL(semconv.SchemaURL))}
	for _, d := range definitions {
		recorded, observed := i.recorded, i.observed
		if err := d.make(i.meter, i); err != nil {
			otel.Handle(err)
			_ = d.make(nometric.Meter{}, i)
			i.recorded, i.observed = recorded, observed
		}
	}
	return i
}

// enabled reports whether any measurement would be taken. It is asked on the caller's
// goroutine, and the first instrument has the answer as a rule.
func (i *instruments) enabled(ctx context.Context) bool {
	for _, r := range i.recorded {
		if r.Enabled(ctx) {
			return true
		}
	}
	return false
}

// instruments returns what to measure with, made when first asked for; nil while nobody
// wants measurements. It may wait for the meter provider, so it is never called within a
// statement.
func (s *Sink) instruments() *instruments {
	if i := s.metrics.Load(); i != nil {
		return i
	}
	defer contain.Process.Recover(contain.Spans)
	s.making.Lock()
	defer s.making.Unlock()
	if i := s.metrics.Load(); i != nil {
		return i
	}
	p := s.meters()
	if p == nil || s.closed.Load() {
		return nil
	}
	i := newInstruments(p)
	s.release = observe(p, i, s.attributes)
	s.early.pass(func() { s.metrics.Store(i) }, i)
	return i
}
