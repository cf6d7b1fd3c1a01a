package otel

import (
	"context"
	"database/sql"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	notrace "go.opentelemetry.io/otel/trace/noop"
	"go.uber.org/goleak"

	"github.com/seed-01322ee7/databricks-telemetry/driverwrap"
	"github.com/seed-01322ee7/databricks-telemetry/integration/internal/eventually"
	"github.com/seed-01322ee7/databricks-telemetry/integration/workspace"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry/otelsink"
)

// files is a workspace whose results come as files, n rows each.
func files(rows int64) workspace.Options {
	return workspace.Options{CloudFetchThreshold: 1, FileRows: rows, LinksPerPage: 2}
}

func operation(name string) attribute.KeyValue { return attribute.String("db.operation.name", name) }

// documented is a row of the table of metrics in the documentation.
type documented struct {
	kind, unit string
	attributes []string
}

// documentation reads that table.
func documentation(t *testing.T) map[string]documented {
	raw, err := os.ReadFile("../../../docs/OPENTELEMETRY.md")
	require.NoError(t, err)
	_, table, _ := strings.Cut(string(raw), "<!-- generated: metrics -->")
	table, _, _ = strings.Cut(table, "<!-- end: metrics -->")
	table = strings.ReplaceAll(table, "*operation*", "*server* db.operation.name")
	table = strings.NewReplacer("*server*", "db.system.name server.address server.port", "*error*", "error.type db.response.status_code").Replace(table)
	all := map[string]documented{}
	for line := range strings.Lines(table) {
		cells := strings.Split(strings.ReplaceAll(line, "`", ""), " | ")
		if len(cells) != 6 || strings.Contains(cells[0], "metric") && cells[1] == "kind" {
			continue
		}
		all[strings.TrimPrefix(cells[0], "| ")] = documented{cells[1], cells[2], strings.Fields(cells[4])}
	}
	require.Greater(t, len(all), 20)
	return all
}

// Every kind of event happens once. The metrics collected then are exactly the documented ones, with
// their kinds, units and attributes.
func TestEveryMetricIsTheOneThatIsDocumented(t *testing.T) {
	ws := workspace.New(t, workspace.Options{
		CloudFetchThreshold: 1, FileRows: 10, TelemetryFlag: workspace.FlagOn, DirectResultWait: -1,
		ExecutionTime: func(string) time.Duration { return 20 * time.Millisecond },
	})
	ws.Inject(workspace.Fault{On: workspace.Method("ExecuteStatement"), First: 1, Do: workspace.StatusRetryAfter(503, 0)})
	s := newSight(t)
	db := s.open(t, ws.DSN("telemetry_sample_rate=0", "telemetry_query_history=all"))
	db.SetMaxOpenConns(1)
	defer telemetry.RegisterPool("main", db)()
	defer telemetry.RegisterPool("broken", brokenPool{})()
	_ = s.collect(t) // the broken pool panics
	require.NoError(t, read(t.Context(), db, "SELECT id FROM range(25)"))
	require.Error(t, read(t.Context(), db, "SELEC 1"))
	open, err := db.QueryContext(t.Context(), "SELECT id FROM range(25)")
	require.NoError(t, err)
	defer open.Close()
	denied := s.open(t, strings.Replace(ws.DSN("enableTelemetry=false"), ws.Token(), "wrong", 1))
	require.Error(t, denied.PingContext(t.Context()))
	other := s.open(t, ws.DSN("enableTelemetry=false"))
	require.NoError(t, other.PingContext(t.Context()))
	require.NoError(t, other.Close())
	require.NoError(t, telemetry.Flush(t.Context()))

	eventually.True(t, func() bool { // some seconds after the statement
		return total(s.collect(t)["databricks.server.statement.time"]).sum > 0
	}, "a report of the query history")
	want := documentation(t)
	for name, m := range s.eventually(t, "databricks.client.session.lifetime", 1) {
		d, known := want[name]
		require.True(t, known, name)
		delete(want, name)
		require.Equal(t, d.kind, kindOf(m), name)
		require.Equal(t, d.unit, m.Unit, name)
		require.NotEmpty(t, m.Description, name)
		used := map[string]bool{}
		for _, p := range points(m) {
			for _, a := range p.attributes.ToSlice() {
				require.Contains(t, d.attributes, string(a.Key), name)
				used[string(a.Key)] = true
			}
		}
		for _, a := range d.attributes {
			require.True(t, used[a], "%s never has %s", name, a)
		}
	}
	require.Empty(t, want, "documented, but never seen")
}

// brokenPool is a pool whose statistics panic, which is contained and counted.
type brokenPool struct{}

func (brokenPool) Stats() sql.DBStats { panic("no statistics") }

func kindOf(m metricdata.Metrics) string {
	switch data := m.Data.(type) {
	case metricdata.Sum[int64]:
		if !data.IsMonotonic {
			return "up-down counter"
		}
		return "counter"
	case metricdata.Sum[float64]:
		return "counter"
	}
	return "histogram"
}

// eventually collects until a metric has this count: records reach a driver's own sinks a few
// milliseconds after the call has returned.
func (s *sight) eventually(t *testing.T, name string, count uint64) (all map[string]metricdata.Metrics) {
	eventually.True(t, func() bool {
		all = s.collect(t)
		return total(all[name]).count >= count
	}, name)
	return all
}

func TestThePartsOfTheTimeAddUp(t *testing.T) {
	options := files(1000)
	options.ExecutionTime, options.ServerTimes = someTime, true
	ws := workspace.New(t, options)
	s := newSight(t)
	db := s.open(t, ws.DSN("enableTelemetry=false"))
	require.NoError(t, read(t.Context(), db, "SELECT id FROM range(5000)"))
	_, err := db.ExecContext(t.Context(), "CREATE TABLE t (id BIGINT)")
	require.NoError(t, err)
	require.NoError(t, db.Close())
	metrics := s.collect(t)
	whole := total(metrics["databricks.client.statement.duration"])
	require.EqualValues(t, 2, whole.count)
	require.InDelta(t, whole.sum, total(metrics["databricks.client.statement.time"]).sum, 1e-6)
	require.Positive(t, total(metrics["databricks.client.statement.time"], attribute.String("databricks.time.part", "server")).sum)
	require.Less(t, total(metrics["db.client.operation.duration"]).sum, whole.sum)
	require.Equal(t, 2, total(metrics["db.client.operation.duration"]).exemplars, "durations lead to their spans")
	require.Positive(t, whole.exemplars)
}

func TestFilesAndRowsAreCounted(t *testing.T) {
	ws := workspace.New(t, files(1000))
	ws.Inject(workspace.Fault{On: workspace.ResultDownloads(), First: 1, Do: workspace.Status(503)})
	s := newSight(t)
	db := s.open(t, ws.DSN("enableTelemetry=false"))
	require.NoError(t, read(t.Context(), db, "SELECT id FROM range(5000)"))
	require.NoError(t, db.Close())
	metrics := s.collect(t)
	require.EqualValues(t, 5, total(metrics["databricks.client.cloudfetch.files"], attribute.String("databricks.file.state", "downloaded")).whole())
	require.EqualValues(t, 5, total(metrics["databricks.client.cloudfetch.files"]).whole())
	require.EqualValues(t, 5, total(metrics["databricks.client.cloudfetch.file.duration"]).count)
	require.EqualValues(t, 1, total(metrics["databricks.client.cloudfetch.retries"]).whole())
	var size int64
	for _, l := range ws.Statements()[0].Links {
		size += l.Bytes
	}
	require.GreaterOrEqual(t, total(metrics["databricks.client.cloudfetch.io"]).sum, float64(size))
	require.EqualValues(t, 5000, total(metrics["db.client.response.returned_rows"]).whole())
	require.EqualValues(t, 3, total(metrics["databricks.client.statement.pages"], operation("QUERY")).whole())
}

func TestRepeatedCallsAreCountedByMethod(t *testing.T) {
	ws := workspace.New(t, workspace.Options{DirectResultWait: -1})
	ws.Inject(workspace.Fault{On: workspace.Method("GetOperationStatus"), First: 1, Do: workspace.StatusRetryAfter(503, 0)})
	s := newSight(t)
	db := s.open(t, ws.DSN("enableTelemetry=false"))
	require.NoError(t, read(t.Context(), db, "SELECT id FROM range(5)"))
	require.NoError(t, db.Close())
	metrics, facts := s.collect(t), ws.Statements()[0]
	for method, calls := range facts.Calls {
		of := attribute.String("databricks.rpc.method", method)
		require.EqualValues(t, calls, total(metrics["databricks.client.rpc.calls"], of).whole(), method)
		require.EqualValues(t, facts.Attempts[method]-calls, total(metrics["databricks.client.rpc.retries"], of).whole(), method)
	}
	require.EqualValues(t, facts.Calls["GetOperationStatus"], total(metrics["databricks.client.statement.polls"]).whole())
}

func TestEveryStatementIsMeasuredOnceUnderLoad(t *testing.T) {
	ws := workspace.New(t, workspace.Options{})
	s := newSight(t)
	db := s.open(t, ws.DSN("enableTelemetry=false"))
	const workers, each = 8, 20
	var group sync.WaitGroup
	for range workers {
		group.Go(func() {
			for range each {
				if err := read(t.Context(), db, "SELECT 1"); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	require.EqualValues(t, workers*each, total(s.collect(t)["db.client.operation.duration"]).count)
	require.NoError(t, db.Close())
	metrics := s.collect(t)
	require.EqualValues(t, workers*each, total(metrics["databricks.client.statement.duration"], attribute.String("databricks.outcome", "completed")).count)
	require.EqualValues(t, workers*each, total(metrics["db.client.response.returned_rows"]).whole())
}

func TestWhatRunsIsObserved(t *testing.T) {
	ws := workspace.New(t, workspace.Options{})
	s := newSight(t)
	db := s.open(t, ws.DSN("enableTelemetry=false"))
	here := []attribute.KeyValue{attribute.String("server.address", "127.0.0.1"), attribute.Int("server.port", ws.Port())}
	rows, err := db.QueryContext(t.Context(), "SELECT id FROM range(10)")
	require.NoError(t, err)
	metrics := s.collect(t)
	require.EqualValues(t, 1, total(metrics["databricks.client.statement.running"], here...).whole())
	require.EqualValues(t, 1, total(metrics["databricks.client.session.open"], here...).whole())
	require.NoError(t, rows.Close())
	require.Zero(t, total(s.collect(t)["databricks.client.statement.running"], here...).sum)
}

// A driver with neither a sink nor reporting records none of its statements.
func TestStatementsThatAreNotRecordedAreNotObservedAsIdle(t *testing.T) {
	recorded, alone := workspace.New(t, workspace.Options{}), workspace.New(t, workspace.Options{})
	s := newSight(t)
	connector, err := driverwrap.Config{}.OpenConnector(alone.DSN("enableTelemetry=false"))
	require.NoError(t, err)
	other := sql.OpenDB(connector)
	defer func() { require.NoError(t, other.Close()) }()
	for _, db := range []*sql.DB{s.open(t, recorded.DSN("enableTelemetry=false")), other} {
		rows, err := db.QueryContext(t.Context(), "SELECT id FROM range(10)")
		require.NoError(t, err)
		defer rows.Close()
	}
	metrics := s.collect(t)
	running := runningByPort(metrics)
	require.EqualValues(t, 1, running[recorded.Port()])
	require.NotContains(t, running, alone.Port())
	for _, ws := range []*workspace.Workspace{recorded, alone} {
		require.EqualValues(t, 1, total(metrics["databricks.client.session.open"], attribute.Int("server.port", ws.Port())).whole())
	}
}

// runningByPort is how many statements are observed to run, by the port of their server.
func runningByPort(metrics map[string]metricdata.Metrics) map[int]int64 {
	running := map[int]int64{}
	for _, p := range points(metrics["databricks.client.statement.running"]) {
		port, _ := p.attributes.Value("server.port")
		running[int(port.AsInt64())] = p.whole()
	}
	return running
}

func TestAPoolIsObservedWhileItIsRegistered(t *testing.T) {
	ws := workspace.New(t, workspace.Options{})
	s := newSight(t)
	db := s.open(t, ws.DSN("enableTelemetry=false"))
	db.SetMaxOpenConns(1)
	unregister := telemetry.RegisterPool("reports", db)
	defer unregister()
	var unopened *sql.DB
	defer telemetry.RegisterPool("broken", unopened)()

	rows, err := db.QueryContext(t.Context(), "SELECT 1")
	require.NoError(t, err)
	done := make(chan error)
	go func() { done <- db.PingContext(context.WithoutCancel(t.Context())) }()
	eventually.True(t, func() bool { return db.Stats().WaitCount == 1 })
	require.NoError(t, rows.Close())
	require.NoError(t, <-done)

	pool := attribute.String("db.client.connection.pool.name", "reports")
	metrics := s.eventually(t, "db.client.connection.create_time", 1)
	require.EqualValues(t, 1, total(metrics["db.client.connection.count"], pool, attribute.String("db.client.connection.state", "idle")).whole())
	require.Zero(t, total(metrics["db.client.connection.count"], pool, attribute.String("db.client.connection.state", "used")).sum)
	require.EqualValues(t, 1, total(metrics["db.client.connection.max"], pool).whole())
	require.EqualValues(t, 1, total(metrics["databricks.client.pool.waits"], pool).whole())
	require.Positive(t, total(metrics["databricks.client.pool.wait.duration"], pool).sum)
	require.EqualValues(t, 1, total(metrics["db.client.connection.create_time"], attribute.String("server.address", "127.0.0.1")).count)
	for name, m := range metrics {
		for _, p := range points(m) {
			if v, ok := p.attributes.Value("db.client.connection.pool.name"); ok {
				require.Equal(t, "reports", v.AsString(), "%s: a pool has one name", name)
			}
		}
	}

	unregister()
	require.NotContains(t, s.collect(t), "db.client.connection.max")
}

// statsPool is a pool with fixed statistics; nil panics.
type statsPool struct{ stats *sql.DBStats }

func (p *statsPool) Stats() sql.DBStats { return *p.stats }

func TestPoolsOfOneNameAreOnePool(t *testing.T) {
	s := newSight(t)
	first, second := &statsPool{&sql.DBStats{MaxOpenConnections: 4, Idle: 1, WaitCount: 3, MaxIdleClosed: 1, MaxIdleTimeClosed: 2, MaxLifetimeClosed: 3}},
		&statsPool{&sql.DBStats{MaxOpenConnections: 2, Idle: 2, WaitCount: 5, MaxIdleClosed: 10, MaxIdleTimeClosed: 20, MaxLifetimeClosed: 30}}
	defer telemetry.RegisterPool("one", first)()
	defer telemetry.RegisterPool("one", second)()
	of := func(name string) point {
		return total(s.collect(t)[name], attribute.String("db.client.connection.pool.name", "one"))
	}
	require.EqualValues(t, 6, of("db.client.connection.max").whole())
	require.EqualValues(t, 3, of("db.client.connection.count").whole())
	require.EqualValues(t, 8, of("databricks.client.pool.waits").whole())
	for reason, closed := range map[string]int64{"max_idle": 11, "max_idle_time": 22, "max_lifetime": 33} {
		require.Equal(t, closed, total(s.collect(t)["databricks.client.pool.closed"], attribute.String("db.client.connection.pool.name", "one"), attribute.String("databricks.pool.close.reason", reason)).whole(), reason)
	}

	first.stats.MaxOpenConnections = 0
	require.Zero(t, of("db.client.connection.max").sum, "the first has no limit")
	first.stats.MaxOpenConnections, second.stats.MaxOpenConnections = 4, 0
	require.Zero(t, of("db.client.connection.max").sum, "one of them has no limit")
	second.stats = nil
	require.Zero(t, of("db.client.connection.count").sum, "unknown")
	require.EqualValues(t, 8, of("databricks.client.pool.waits").whole(), "a counter that went back to 3 would count as 3 new waits")
}

// A component that restarts registers the application's pool again; two components that share a pool
// both register it.
func TestAPoolThatIsRegisteredAgainCountsOnce(t *testing.T) {
	ws := workspace.New(t, workspace.Options{})
	s := newSight(t)
	db := s.open(t, ws.DSN("enableTelemetry=false"))
	db.SetMaxIdleConns(-1)
	require.NoError(t, db.PingContext(t.Context()))
	of := func(name string) int64 {
		return total(s.collect(t)[name], attribute.String("db.client.connection.pool.name", "again")).whole()
	}
	const closed = "databricks.client.pool.closed"
	unregister := telemetry.RegisterPool("again", db)
	require.EqualValues(t, 1, of(closed))
	unregister()
	unregister = telemetry.RegisterPool("again", db)
	require.EqualValues(t, 1, of(closed), "registered anew")

	defer telemetry.RegisterPool("again", db)()
	db.SetMaxOpenConns(3)
	require.EqualValues(t, 3, of("db.client.connection.max"))
	require.EqualValues(t, 1, of(closed), "registered twice")
	unregister()
	require.NoError(t, db.PingContext(t.Context()))
	require.EqualValues(t, 2, of(closed), "and once again")
}

// newDeltaSight has a reader that takes the differences between its collections.
func newDeltaSight(t *testing.T) *sight {
	s := &sight{reader: metric.NewManualReader(metric.WithTemporalitySelector(metric.DeltaTemporalitySelector))}
	s.meter = metric.NewMeterProvider(metric.WithReader(s.reader))
	s.sink = otelsink.New(otelsink.WithMeterProvider(s.meter))
	t.Cleanup(func() { require.NoError(t, s.sink.Close()) })
	return s
}

// A delta reader, as in exporters to some vendors, counts a counter's whole value as new after a
// collection without it.
func TestWaitsOfAPoolThatDoesNotAnswerOnceAreNotCountedAgain(t *testing.T) {
	s := newDeltaSight(t)
	pool := &statsPool{}
	defer telemetry.RegisterPool("busy", pool)()
	waits := func() (int64, bool) {
		m := s.collect(t)["databricks.client.pool.waits"]
		return total(m).whole(), len(points(m)) > 0
	}
	_, known := waits()
	require.False(t, known, "it has not answered yet")
	var sum int64
	for _, stats := range []*sql.DBStats{{WaitCount: 8}, nil, {WaitCount: 8}, nil, {WaitCount: 10}} {
		pool.stats = stats
		n, _ := waits()
		sum += n
	}
	require.EqualValues(t, 10, sum)
}

// A component that is stopped for some minutes registers the application's pool again.
func TestAPoolThatIsRegisteredAgainAfterAGapIsNotCountedAnew(t *testing.T) {
	ws := workspace.New(t, workspace.Options{})
	s, cumulative := newDeltaSight(t), newSight(t)
	db := s.open(t, ws.DSN("enableTelemetry=false"))
	db.SetMaxIdleConns(-1)
	closed := func(s *sight) int64 {
		return total(s.collect(t)["databricks.client.pool.closed"], attribute.String("db.client.connection.pool.name", "gap")).whole()
	}
	var sum, connections int64
	for range 3 {
		unregister := telemetry.RegisterPool("gap", db)
		require.NoError(t, db.PingContext(t.Context()))
		connections++
		sum += closed(s)
		require.Equal(t, connections, sum)
		require.Equal(t, connections, closed(cumulative))
		unregister()
		sum += closed(s) // collects while no pool has the name
	}
	other := &statsPool{&sql.DBStats{MaxIdleClosed: 4}}
	defer telemetry.RegisterPool("gap", other)()
	require.Equal(t, connections+4, sum+closed(s), "another pool of that name")
	require.Equal(t, connections+4, closed(cumulative))
}

// A process may register a pool for each of its jobs.
func TestPoolsOfOneNameThatComeAndGoAreAllCounted(t *testing.T) {
	s, jobs := newDeltaSight(t), int64(150)
	var sum int64
	for range jobs {
		unregister := telemetry.RegisterPool("job", &statsPool{&sql.DBStats{WaitCount: 2}})
		sum += total(s.collect(t)["databricks.client.pool.waits"], attribute.String("db.client.connection.pool.name", "job")).whole()
		unregister()
	}
	require.Equal(t, 2*jobs, sum)
	for i := range jobs {
		unregister := telemetry.RegisterPool(strconv.FormatInt(i, 10), &statsPool{&sql.DBStats{WaitCount: 2}})
		_ = s.collect(t)
		unregister()
	}
	require.Len(t, points(s.collect(t)["databricks.client.pool.waits"]), 100, "names are bounded")
}

// An application may have a pool for each of its tenants, all of one name, and close them one by one.
func TestTheCountersOfPoolsOfOneNameDoNotGoBack(t *testing.T) {
	s := newSight(t)
	first, second := &statsPool{&sql.DBStats{WaitCount: 3, Idle: 1}}, &statsPool{&sql.DBStats{WaitCount: 5, Idle: 1}}
	defer telemetry.RegisterPool("tenants", first)()
	unregister := telemetry.RegisterPool("tenants", second)
	defer unregister()
	of := func(name string) int64 {
		return total(s.collect(t)[name], attribute.String("db.client.connection.pool.name", "tenants")).whole()
	}
	const waits, connections = "databricks.client.pool.waits", "db.client.connection.count"
	require.EqualValues(t, 8, of(waits))
	unregister()
	require.EqualValues(t, 8, of(waits), "3 would count as 3 new waits")
	require.EqualValues(t, 1, of(connections))
	first.stats.WaitCount++
	defer telemetry.RegisterPool("tenants", &statsPool{&sql.DBStats{WaitCount: 1}})()
	require.EqualValues(t, 10, of(waits))
}

func TestReportingToDatabricksIsObserved(t *testing.T) {
	ws := workspace.New(t, workspace.Options{TelemetryFlag: workspace.FlagOn})
	s := newSight(t)
	before := s.collect(t)
	db := s.open(t, ws.DSN())
	require.NoError(t, read(t.Context(), db, "SELECT 1"))
	require.NoError(t, db.Close())
	after := s.collect(t)
	for _, name := range []string{"sent", "requests", "io"} {
		name = "databricks.client.telemetry." + name
		require.Greater(t, total(after[name]).sum, total(before[name]).sum, name)
	}
	require.InDelta(t, total(before["databricks.client.telemetry.incidents"]).sum, total(after["databricks.client.telemetry.incidents"]).sum, 0)
}

// Two sinks that report to the same provider share what they observe: the process has its
// pools once.
func TestNothingIsObservedTwice(t *testing.T) {
	first := newSight(t)
	second := otelsink.New(otelsink.WithMeterProvider(first.meter))
	labelled := otelsink.New(otelsink.WithMeterProvider(first.meter), otelsink.WithAttributes(attribute.String("team", "data")))
	ws := workspace.New(t, workspace.Options{})
	db := first.open(t, ws.DSN("enableTelemetry=false"))
	require.NoError(t, db.PingContext(t.Context()))
	defer telemetry.RegisterPool("shared", db)()
	idle := func() int64 {
		return total(first.collect(t)["db.client.connection.count"], attribute.String("db.client.connection.pool.name", "shared")).whole()
	}
	require.EqualValues(t, 2, idle(), "once for each set of attributes")
	require.NoError(t, labelled.Close())
	require.EqualValues(t, 1, idle())
	require.NoError(t, second.Close())
	require.EqualValues(t, 1, idle(), "the first still observes")
	require.NoError(t, first.sink.Close())
	require.Zero(t, idle())
	require.NoError(t, first.sink.Close())
}

func TestNoGoroutineIsLeftBehind(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	s := newSight(t)
	var f telemetry.Fanout
	detach := f.Attach(s.sink)
	_, followed := f.Tracers()[0].StatementStarting(t.Context(), telemetry.StatementStart{Kind: telemetry.KindQuery})
	record := &telemetry.Statement{Kind: telemetry.KindQuery, Outcome: telemetry.OutcomeCompleted, Execute: time.Second, Total: time.Second}
	followed.StatementExecuted(record)
	f.Statement(record)
	require.NoError(t, f.Flush(t.Context()))
	detach()
	require.EqualValues(t, 1, total(s.collect(t)["db.client.operation.duration"]).count)
	require.NoError(t, s.sink.Close())
	require.False(t, s.sink.Recording())
}

// Statements are followed only for the metrics recorded of them: without any, it is unknown what runs.
func TestWhatRunsIsObservedWhereStatementsAreFollowed(t *testing.T) {
	for kept, want := range map[string]int64{"": 0, "databricks.client.rpc.calls": 1} {
		ws := workspace.New(t, workspace.Options{})
		s := &sight{reader: metric.NewManualReader()}
		s.meter = metric.NewMeterProvider(metric.WithReader(s.reader), metric.WithView(func(i metric.Instrument) (metric.Stream, bool) {
			if i.Name == "databricks.client.statement.running" || i.Name == kept {
				return metric.Stream{}, false // as it is
			}
			return metric.Stream{Name: i.Name, Aggregation: metric.AggregationDrop{}}, true
		}))
		s.sink = otelsink.New(otelsink.WithTracerProvider(notrace.NewTracerProvider()), otelsink.WithMeterProvider(s.meter))
		t.Cleanup(func() { require.NoError(t, s.sink.Close()) })
		db := s.open(t, ws.DSN("enableTelemetry=false"))
		rows, err := db.QueryContext(t.Context(), "SELECT id FROM range(10)")
		require.NoError(t, err)
		defer rows.Close()
		running, observed := runningByPort(s.collect(t))[ws.Port()]
		require.Equal(t, want == 1, observed)
		require.Equal(t, want, running)
	}
}
