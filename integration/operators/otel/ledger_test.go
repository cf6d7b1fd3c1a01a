package otel

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/databricks/databricks-sql-go/driverctx"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/seed-01322ee7/databricks-telemetry/driverwrap"
	"github.com/seed-01322ee7/databricks-telemetry/integration/internal/testenv"
	"github.com/seed-01322ee7/databricks-telemetry/integration/operators/internal/program"
	"github.com/seed-01322ee7/databricks-telemetry/integration/workspace"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry/otelsink"
)

// Random programs, each of which keeps a ledger of what it did. What OpenTelemetry received is compared with the
// ledger and with what the workspace saw: every series of every metric, and every span. LEDGER_SEED
// runs one program.
func TestEveryMetricAndSpanIsInTheLedger(t *testing.T) {
	first, programs := 1, int(testenv.Scenes(12))
	if n, err := strconv.Atoi(os.Getenv("LEDGER_SEED")); err == nil {
		first, programs = n, 1
	}
	for seed := first; seed < first+programs; seed++ {
		t.Run(strconv.Itoa(seed), func(t *testing.T) {
			t.Parallel()
			newLedger(t, uint64(seed)).run()
		})
	}
}

// ledger is a random program and what it did.
type ledger struct {
	t      *testing.T
	random *rand.Rand // only of the test's goroutine
	ws     *workspace.Workspace
	files  bool // results come as files
	spans  *tracetest.InMemoryExporter
	tracer *sdktrace.TracerProvider
	meter  *metric.MeterProvider
	whole  *metric.ManualReader // cumulative
	parts  *metric.ManualReader // deltas
	deltas map[string]map[attribute.Distinct]point
	sinks  []*ledgerSink
	pools  []*ledgerPool
	steps  []*step
	denied int    // connections that were refused
	dir    string // of volume files
}

// ledgerSink is a sink of the program. All have the same providers.
type ledgerSink struct {
	sink     *otelsink.Sink
	own      []attribute.KeyValue
	filtered bool // pings, and statements that end in 7, are not wanted
}

func (s *ledgerSink) wants(p *step) bool { return !s.filtered || !p.Ping && p.Number%10 != 7 }

// ledgerPool is a database of the program.
type ledgerPool struct {
	name      string
	db        *sql.DB
	sinks     []*ledgerSink
	warehouse string
	namespace string
	text      bool // telemetry_query_text
	tags      bool // telemetry_trace_tags
	unnamed   func()
	shown     *sql.DBStats // as last observed; its counters stay
}

// step is one statement of the program. Its Kind is db.operation.name.
type step struct {
	program.Step
	pool    *ledgerPool
	sampled bool
	parent  trace.SpanContext
	tag     string
}

func newLedger(t *testing.T, seed uint64) *ledger {
	l := &ledger{t: t, random: rand.New(rand.NewPCG(seed, 7)), dir: program.Dir(t), deltas: map[string]map[attribute.Distinct]point{}}
	options := workspace.Options{
		Warehouses: []workspace.Warehouse{{}, {}},
		ExecutionTime: func(text string) time.Duration {
			return map[bool]time.Duration{true: time.Hour}[strings.Contains(text, "forever")]
		},
		DirectResultWait: 50 * time.Millisecond, ServerTimes: l.often(2), ResultCache: l.often(3), FailuresByHandle: l.often(2),
		NoDirectResults: l.often(4) && testenv.Scenes(100) > 100, // the driver needs seconds to see that a statement is done
	}
	if l.files = l.often(2); l.files {
		options.CloudFetchThreshold, options.FileRows, options.LinksPerPage = 1, 7, 1+l.random.IntN(3)
	} else {
		options.CloudFetchThreshold, options.PageRows = -1, int64(5+l.random.IntN(20))
	}
	if options.NoDirectResults {
		options.DirectResultWait = 0
	}
	l.ws = workspace.New(t, options)
	require.NoError(t, l.ws.Exec(t.Context(), "CREATE SCHEMA main.sales", "CREATE TABLE main.sales.t (id BIGINT)", "CREATE TABLE main.default.t (id BIGINT)"))

	l.spans = tracetest.NewInMemoryExporter()
	l.tracer = sdktrace.NewTracerProvider(sdktrace.WithSyncer(l.spans)) // as the parent, and else sampled
	l.whole = metric.NewManualReader()
	l.parts = metric.NewManualReader(metric.WithTemporalitySelector(metric.DeltaTemporalitySelector))
	l.meter = metric.NewMeterProvider(metric.WithReader(l.whole), metric.WithReader(l.parts))
	for range 1 + l.random.IntN(2) {
		s := &ledgerSink{filtered: l.often(3)}
		if l.often(2) {
			s.own = []attribute.KeyValue{attribute.String("team", "data"), attribute.Int("tier", l.random.IntN(2))}
		}
		options := []otelsink.Option{otelsink.WithTracerProvider(l.tracer), otelsink.WithMeterProvider(l.meter), otelsink.WithAttributes(s.own...)}
		if s.filtered {
			options = append(options, otelsink.WithFilter(func(_ context.Context, start telemetry.StatementStart) bool {
				for _, a := range start.Attributes {
					if a.Key == "step" && a.Value.Int64()%10 == 7 {
						return false
					}
				}
				return !start.Internal
			}))
		}
		s.sink = otelsink.New(options...)
		l.sinks = append(l.sinks, s)
	}
	for i := range 1 + l.random.IntN(3) {
		l.open(fmt.Sprintf("%s %d", t.Name(), i))
	}
	return l
}

// often is true once in n times.
func (l *ledger) often(n int) bool { return l.random.IntN(n) == 0 }

func (l *ledger) open(name string) {
	p := &ledgerPool{name: name, text: l.often(3), tags: l.often(3)}
	params := []string{"enableTelemetry=false"}
	schema := []string{"default", "sales"}[l.random.IntN(2)]
	if schema != "default" {
		params = append(params, "catalog=main", "schema="+schema)
	}
	p.namespace = "main|" + schema
	if p.text {
		params = append(params, "telemetry_query_text=true")
	}
	if p.tags {
		params = append(params, "telemetry_trace_tags=true")
	}
	config := driverwrap.Config{Settings: telemetry.Settings{CloseTimeout: 5 * time.Minute}}
	for i, s := range l.sinks {
		if i == 0 || l.often(2) {
			p.sinks = append(p.sinks, s)
			config.Sinks = append(config.Sinks, s.sink)
		}
	}
	warehouses := l.ws.Warehouses()
	p.warehouse = warehouses[l.random.IntN(len(warehouses))]
	c, err := config.OpenConnector(l.ws.DSNAt("/sql/1.0/warehouses/"+p.warehouse, params...))
	require.NoError(l.t, err)
	p.db = sql.OpenDB(c)
	p.db.SetMaxOpenConns(1 + l.random.IntN(3))
	p.db.SetMaxIdleConns(l.random.IntN(3) - 1)
	l.pools = append(l.pools, p)
}

func (l *ledger) run() {
	for range 2 + l.random.IntN(2) {
		for _, p := range l.pools {
			if p.unnamed == nil && l.often(2) {
				p.unnamed = telemetry.RegisterPool(p.name, p.db)
			}
		}
		l.work()
		l.hold()
		for _, p := range l.pools {
			if p.unnamed != nil && l.often(4) {
				p.unnamed()
				p.unnamed = nil
			}
		}
	}
	if l.often(2) {
		l.deny()
	}
	for _, p := range l.pools {
		require.NoError(l.t, p.db.Close())
	}
	l.compare(l.collect(l.whole))
	l.compareSpans()
	for _, p := range l.pools {
		if p.unnamed != nil {
			p.unnamed()
		}
	}
	l.takeDeltas()
	for _, s := range l.sinks {
		require.NoError(l.t, s.sink.Close())
	}
	l.compareDeltas()
	for name := range l.collect(l.whole) {
		require.False(l.t, isObserved(name), "%s after Close", name)
	}
	require.NoError(l.t, l.meter.Shutdown(context.Background()))
	require.NoError(l.t, l.tracer.Shutdown(context.Background()))
}

func isObserved(name string) bool {
	for _, prefix := range []string{"databricks.client.statement.running", "databricks.client.session.open", "db.client.connection.count", "db.client.connection.max", "databricks.client.pool.", "databricks.client.telemetry."} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

// work runs statements on every database, some at the same time.
func (l *ledger) work() {
	for range l.random.IntN(3) {
		program.Interrupt(l.ws, l.random)
	}
	if l.files && l.often(2) {
		l.ws.Inject(workspace.Fault{On: workspace.ResultDownloads(), Skip: l.random.IntN(5), First: 1, Do: workspace.Status(503)})
	}
	var group sync.WaitGroup
	for _, p := range l.pools {
		for range 1 + l.random.IntN(2) {
			var mine []*step
			for range 3 + l.random.IntN(8) {
				mine = append(mine, l.plan(p))
			}
			group.Go(func() {
				for _, s := range mine {
					l.perform(s)
				}
			})
		}
	}
	group.Wait()
}

var things = append(slices.Clone(program.Things), "forever", "duplicate")

func (l *ledger) plan(p *ledgerPool) *step {
	s := &step{pool: p, sampled: !l.often(4)}
	do := things[l.random.IntN(len(things))]
	if do == "forever" && !l.often(4) {
		do = "query" // the driver needs a second to see that its context is done
	}
	note := fmt.Sprintf("/* step %d. */ ", len(l.steps))
	s.Step = program.Plan(len(l.steps), do, note, l.dir, l.random)
	if l.often(4) {
		s.tag = fmt.Sprint("tag ", s.Number)
	}
	switch do {
	case "ping":
		s.Kind = "PING"
	case "forever":
		s.SQL, s.Outcome = note+"SELECT 'forever'", "canceled"
	case "duplicate":
		s.SQL = note + "SELECT 1 AS step, 2 AS step"
		s.Rows, s.Read = 1, 1
	}
	l.steps = append(l.steps, s)
	return s
}

func (l *ledger) perform(s *step) {
	ctx := telemetry.WithAttributes(l.t.Context(), slog.Int("step", s.Number), slog.String("job", "nightly"))
	ctx = driverctx.NewContextWithCorrelationId(ctx, fmt.Sprint("correlation ", s.Number))
	ctx = driverctx.NewContextWithStagingInfo(ctx, []string{l.dir})
	if s.tag != "" {
		ctx = driverctx.NewContextWithQueryTags(ctx, map[string]string{"mine": s.tag})
	}
	flags := trace.TraceFlags(0)
	if s.sampled {
		flags = trace.FlagsSampled
	}
	s.parent = trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{1, byte(s.Number), byte(s.Number >> 8)}, SpanID: trace.SpanID{2, byte(s.Number)}, TraceFlags: flags, Remote: s.Number%2 == 0})
	ctx = trace.ContextWithSpanContext(ctx, s.parent)
	if s.Do == "forever" {
		s.Err = l.cancel(ctx, s)
	} else {
		s.Err = s.Run(ctx, s.pool.db, l.ws, l.files)
	}
	if !s.AsPlanned() {
		l.t.Errorf("step %d %s: %v", s.Number, s.Do, s.Err)
	}
}

// cancel runs a statement until the driver polls for it.
func (l *ledger) cancel(ctx context.Context, s *step) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var id atomic.Value
	defer l.ws.Inject(workspace.Fault{On: func(r workspace.Request) bool {
		if r.Thrift == "GetOperationStatus" && r.StatementID == id.Load() {
			cancel()
		}
		return false
	}}).Remove()
	ctx = driverctx.NewContextWithQueryIdCallback(ctx, func(given string) { id.Store(given) })
	rows, err := s.pool.db.QueryContext(ctx, s.SQL)
	if err == nil {
		_ = rows.Close()
	}
	return err
}

// hold has rows open on some databases, and compares what is observed meanwhile.
func (l *ledger) hold() {
	var held int64
	var open []*sql.Rows
	for _, p := range l.pools {
		if l.often(2) {
			continue
		}
		s := l.plan(p)
		s.Hold()
		ctx := telemetry.WithAttributes(l.t.Context(), slog.Int("step", s.Number))
		s.sampled, s.tag = true, ""
		rows, err := p.db.QueryContext(ctx, s.SQL)
		require.NoError(l.t, err)
		open, held = append(open, rows), held+1
	}
	metrics := l.collect(l.whole)
	l.takeDeltas()
	want := map[string]float64{}
	sessions, pools := int64(0), map[string]float64{}
	for _, p := range l.pools {
		stats := p.db.Stats()
		sessions += int64(stats.OpenConnections)
		if p.unnamed != nil {
			pools[p.name+" used"], pools[p.name+" idle"] = float64(stats.InUse), float64(stats.Idle)
			p.shown = &stats
		}
	}
	for _, own := range l.distinct() {
		base := append(l.server(), own...)
		want[text("databricks.client.statement.running", base)] = float64(held)
		want[text("databricks.client.session.open", base)] = float64(sessions)
		for _, p := range l.pools {
			name := attribute.String("db.client.connection.pool.name", p.name)
			if p.unnamed != nil {
				for _, state := range []string{"used", "idle"} {
					want[text("db.client.connection.count", append(own, name, attribute.String("db.client.connection.state", state)))] = pools[p.name+" "+state]
				}
				want[text("db.client.connection.max", append(own, name))] = float64(p.shown.MaxOpenConnections)
			}
			if p.shown != nil {
				want[text("databricks.client.pool.waits", append(own, name))] = float64(p.shown.WaitCount)
				want[text("databricks.client.pool.closed", append(own, name, attribute.String("databricks.pool.close.reason", "max_idle")))] = float64(p.shown.MaxIdleClosed)
			}
		}
	}
	got := map[string]float64{}
	for _, name := range []string{"databricks.client.statement.running", "databricks.client.session.open", "db.client.connection.count", "db.client.connection.max", "databricks.client.pool.waits", "databricks.client.pool.closed"} {
		for _, p := range points(metrics[name]) {
			key := text(name, p.attributes.ToSlice())
			if l.isMine(p.attributes) && !strings.Contains(key, "max_idle_time") && !strings.Contains(key, "max_lifetime") {
				got[key] = p.sum
			}
		}
	}
	require.Equal(l.t, want, got)
	for _, rows := range open {
		require.NoError(l.t, rows.Close())
	}
}

// isMine is false for what other tests of the process do.
func (l *ledger) isMine(attributes attribute.Set) bool {
	if v, ok := attributes.Value("db.client.connection.pool.name"); ok {
		return strings.HasPrefix(v.AsString(), l.t.Name()+" ")
	}
	v, ok := attributes.Value("server.port")
	return ok && v.AsInt64() == int64(l.ws.Port())
}

// distinct are the sets of attributes of the sinks.
func (l *ledger) distinct() (all [][]attribute.KeyValue) {
	for _, s := range l.sinks {
		if !slices.ContainsFunc(all, func(own []attribute.KeyValue) bool { return slices.Equal(own, s.own) }) {
			all = append(all, slices.Clip(s.own))
		}
	}
	return all
}

// deny opens connections that the workspace refuses.
func (l *ledger) deny() {
	p := l.pools[0]
	config := driverwrap.Config{Settings: telemetry.Settings{CloseTimeout: 5 * time.Minute}}
	for _, s := range p.sinks {
		config.Sinks = append(config.Sinks, s.sink)
	}
	c, err := config.OpenConnector(strings.Replace(l.ws.DSN("enableTelemetry=false"), l.ws.Token(), "wrong", 1))
	require.NoError(l.t, err)
	db := sql.OpenDB(c)
	require.Error(l.t, db.PingContext(l.t.Context()))
	require.NoError(l.t, db.Close())
	l.denied++
}

func (l *ledger) server() []attribute.KeyValue {
	return slices.Clip([]attribute.KeyValue{attribute.String("db.system.name", "databricks"), attribute.String("server.address", "127.0.0.1"), attribute.Int("server.port", l.ws.Port())})
}

// text names a series.
func text(metric string, attributes []attribute.KeyValue) string {
	set := attribute.NewSet(slices.Clone(attributes)...)
	return metric + "{" + set.Encoded(attribute.DefaultEncoder()) + "}"
}

func (l *ledger) collect(from *metric.ManualReader) map[string]metricdata.Metrics {
	return (&sight{reader: from}).collect(l.t)
}

// takeDeltas adds up the values of the delta reader.
func (l *ledger) takeDeltas() {
	for name, m := range l.collect(l.parts) {
		if isObserved(name) {
			continue
		}
		if l.deltas[name] == nil {
			l.deltas[name] = map[attribute.Distinct]point{}
		}
		for _, p := range points(m) {
			sum := l.deltas[name][p.attributes.Equivalent()]
			sum.count, sum.sum = sum.count+p.count, sum.sum+p.sum
			l.deltas[name][p.attributes.Equivalent()] = sum
		}
	}
}

// compareDeltas checks that the sums of the deltas equal the values of the cumulative reader.
func (l *ledger) compareDeltas() {
	l.takeDeltas()
	for name, m := range l.collect(l.whole) {
		if isObserved(name) {
			continue
		}
		for _, p := range points(m) {
			sum := l.deltas[name][p.attributes.Equivalent()]
			require.Equal(l.t, p.count, sum.count, name)
			require.InDelta(l.t, p.sum, sum.sum, 1e-6, name)
		}
	}
}

// facts are the workspace's facts of each step; a step that did not reach it has none.
func (l *ledger) facts() map[*step]workspace.StatementFacts {
	all := map[*step]workspace.StatementFacts{}
	for _, f := range l.ws.Statements() {
		if note, ok := strings.CutPrefix(f.SQL, "/* step "); ok {
			number, _, _ := strings.Cut(note, ".")
			n, err := strconv.Atoi(number)
			require.NoError(l.t, err)
			require.NotContains(l.t, all, l.steps[n], "ran twice")
			all[l.steps[n]] = f
		}
	}
	return all
}

// formatSeen reports whether an answer had the format of the result.
func formatSeen(f workspace.StatementFacts) bool {
	return f.Format != "" && (f.Calls["GetResultSetMetadata"] > 0 || f.Calls["FetchResults"] > 0 || slices.ContainsFunc(f.Pages, func(p workspace.PageFacts) bool { return p.Direct }))
}

// pings are the workspace's facts of pings, in no particular order.
func (l *ledger) pings() (all []workspace.StatementFacts) {
	for _, f := range l.ws.Statements() {
		if !strings.Contains(f.SQL, "/* step ") && f.SessionID != "" && strings.EqualFold(f.SQL, "select 1") {
			all = append(all, f)
		}
	}
	return all
}

// compare compares all recorded metrics with the ledger.
func (l *ledger) compare(metrics map[string]metricdata.Metrics) {
	want, counts, loose := map[string]float64{}, map[string]float64{}, map[string]bool{}
	facts, pings := l.facts(), l.pings()
	for _, s := range l.steps {
		if !s.Called() {
			require.NotContains(l.t, facts, s)
			continue
		}
		f, reached := facts[s]
		if s.Ping {
			require.NotEmpty(l.t, pings)
			f, pings, reached = pings[0], pings[1:], true
		}
		require.True(l.t, reached, "step %d %s %v", s.Number, s.Do, s.Err)
		for _, sink := range s.pool.sinks {
			base := slices.Clip(append(append(l.server(), attribute.String("db.operation.name", s.Kind)), sink.own...))
			failure := l.failure(s, f)
			var called []attribute.KeyValue
			if !s.Late {
				called = failure
			}
			if sink.wants(s) {
				counts[text("db.client.operation.duration", append(append(base, attribute.String("db.namespace", s.pool.namespace)), called...))]++
			}
			ended := append(base, attribute.String("databricks.outcome", s.Outcome))
			if formatSeen(f) {
				ended = append(ended, attribute.String("databricks.result.format", string(f.Format)))
			}
			counts[text("databricks.client.statement.duration", append(ended, failure...))]++
			want[text("databricks.client.statement.polls", base)] += float64(f.Calls["GetOperationStatus"])
			want[text("databricks.client.statement.pages", base)] += float64(len(f.Pages))
			if s.Kind == "QUERY" && (s.Err == nil || s.Late) {
				counts[text("db.client.response.returned_rows", base)]++
				want[text("db.client.response.returned_rows", base)] += float64(s.Read)
			}
			for method, n := range f.Calls {
				of := append(base, attribute.String("databricks.rpc.method", method))
				want[text("databricks.client.rpc.calls", of)] += float64(n)
				want[text("databricks.client.rpc.retries", of)] += float64(f.Attempts[method] - n)
				loose[text("databricks.client.rpc.retries", of)] = s.Ping && len(l.sinks) > 1 // which of the pings it was is not known
			}
			early := s.Outcome != "completed"
			for _, k := range f.Links {
				if f.Staging {
					break
				}
				files := text("databricks.client.cloudfetch.files", append(base, attribute.String("databricks.file.state", "downloaded")))
				if early {
					for _, state := range []string{"downloaded", "abandoned", "failed"} {
						loose[text("databricks.client.cloudfetch.files", append(base, attribute.String("databricks.file.state", state)))] = true
					}
					loose[text("databricks.client.cloudfetch.retries", base)] = true
					loose[text("databricks.client.cloudfetch.io", base)] = true
					loose[text("databricks.client.cloudfetch.file.duration", base)] = true
					continue
				}
				if s.Kind != "QUERY" {
					require.Empty(l.t, k.Downloads)
					want[text("databricks.client.cloudfetch.files", append(base, attribute.String("databricks.file.state", "abandoned")))]++
					continue
				}
				want[files]++
				counts[text("databricks.client.cloudfetch.file.duration", base)]++
				want[text("databricks.client.cloudfetch.retries", base)] += float64(len(k.Downloads) - 1)
				for _, d := range k.Downloads {
					if d.Status == 200 {
						want[text("databricks.client.cloudfetch.io", base)] += float64(d.Bytes)
					}
				}
			}
		}
	}
	require.Empty(l.t, pings, "no ping but those of the program")
	gotCounts, got := map[string]float64{}, map[string]float64{}
	for name, m := range metrics {
		if isObserved(name) {
			continue
		}
		for _, p := range points(m) {
			key := text(name, p.attributes.ToSlice())
			require.True(l.t, l.isMine(p.attributes), key)
			gotCounts[key], got[key] = float64(p.count), p.sum
		}
	}
	l.same("counts", counts, gotCounts, loose, "db.client.operation.duration", "databricks.client.statement.duration", "db.client.response.returned_rows", "databricks.client.cloudfetch.file.duration")
	l.same("sums", want, got, loose, "databricks.client.statement.polls", "databricks.client.statement.pages", "db.client.response.returned_rows",
		"databricks.client.rpc.calls", "databricks.client.rpc.retries", "databricks.client.cloudfetch.files", "databricks.client.cloudfetch.retries", "databricks.client.cloudfetch.io")
	require.InDelta(l.t, total(metrics["databricks.client.statement.duration"]).sum, total(metrics["databricks.client.statement.time"]).sum, 1e-6)
	l.compareSessions(metrics)
}

// same compares series of some metrics. A series of 0 may be there or not.
func (l *ledger) same(what string, want, got map[string]float64, loose map[string]bool, metrics ...string) {
	for _, name := range metrics {
		expected, found := map[string]float64{}, map[string]float64{}
		for key, n := range want {
			if strings.HasPrefix(key, name+"{") && n != 0 && !loose[key] {
				expected[key] = n
			}
		}
		for key, n := range got {
			if strings.HasPrefix(key, name+"{") && n != 0 && !loose[key] {
				found[key] = n
			}
		}
		if !assertEqual(l.t, expected, found, what) {
			l.t.Log(name)
		}
	}
}

func assertEqual(t *testing.T, want, got map[string]float64, what string) bool {
	good := true
	for key, n := range want {
		if got[key] != n {
			t.Errorf("%s: want %v, got %v of %s", what, n, got[key], key)
			good = false
		}
	}
	for key, n := range got {
		if _, known := want[key]; !known {
			t.Errorf("%s: %v of %s, which should not be there", what, n, key)
			good = false
		}
	}
	return good
}

// failure returns the attributes of a step's failure.
func (l *ledger) failure(s *step, f workspace.StatementFacts) []attribute.KeyValue {
	switch {
	case s.Err == nil:
		return nil
	case s.Outcome == "canceled":
		return []attribute.KeyValue{attribute.String("error.type", "cancelled")}
	case s.Do == "unreadable" && l.files:
		return []attribute.KeyValue{attribute.String("error.type", "chunk_download_error")}
	case s.Do == "unreadable":
		return []attribute.KeyValue{attribute.String("error.type", "not_found")}
	case f.SQLState != "":
		return []attribute.KeyValue{attribute.String("error.type", f.SQLState), attribute.String("db.response.status_code", f.SQLState)}
	}
	return []attribute.KeyValue{attribute.String("error.type", "execute_statement_failed")} // a file is missing, here or there
}

func (l *ledger) compareSessions(metrics map[string]metricdata.Metrics) {
	if len(l.sinks) > 1 {
		return // which session reported to which of them is not in the workspace's facts
	}
	var opened uint64
	for _, f := range l.ws.Sessions() {
		if f.UserAgent != "" {
			opened++
			require.False(l.t, f.Closed.IsZero())
		}
	}
	var out, in int64
	for _, r := range l.ws.Requests() {
		if r.Thrift != "" && r.Thrift != "OpenSession" && r.Thrift != "CloseSession" {
			out += r.BodyBytes
			if r.Status != 404 { // whose body the driver does not read
				in += r.ResponseBytes
			}
		}
	}
	base := slices.Clip(append(l.server(), l.sinks[0].own...))
	want := map[string]float64{text("databricks.client.session.lifetime", base): float64(opened), text("db.client.connection.create_time", base): float64(opened)}
	if l.denied > 0 {
		want[text("db.client.connection.create_time", append(base, attribute.String("error.type", "auth_error")))] = float64(l.denied)
	}
	got := map[string]float64{}
	for _, name := range []string{"databricks.client.session.lifetime", "db.client.connection.create_time"} {
		for _, p := range points(metrics[name]) {
			got[text(name, p.attributes.ToSlice())] = float64(p.count)
		}
	}
	require.Equal(l.t, want, got)
	require.Equal(l.t, out, total(metrics["databricks.client.rpc.io"], attribute.String("network.io.direction", "transmit")).whole())
	require.Equal(l.t, in, total(metrics["databricks.client.rpc.io"], attribute.String("network.io.direction", "receive")).whole())
}

// compareSpans compares all spans with the ledger.
func (l *ledger) compareSpans() {
	byStep := map[int64][]tracetest.SpanStub{}
	for _, span := range l.spans.GetSpans() {
		if n, ok := values(span.Attributes)["step"]; ok {
			byStep[n.(int64)] = append(byStep[n.(int64)], span)
		}
	}
	facts := l.facts()
	for _, s := range l.steps {
		want := 0
		for _, sink := range s.pool.sinks {
			if s.sampled && sink.wants(s) && s.Called() {
				want++
			}
		}
		require.Len(l.t, byStep[int64(s.Number)], want, "step %d %s", s.Number, s.Do)
		for _, span := range byStep[int64(s.Number)] {
			f := facts[s]
			got := values(span.Attributes)
			require.Len(l.t, got, len(span.Attributes), "an attribute twice")
			require.Equal(l.t, s.Kind, got["db.operation.name"])
			if got["db.query.summary"] == nil {
				require.Equal(l.t, s.Kind+" "+serverOf(l.ws), span.Name)
			} else {
				require.Equal(l.t, got["db.query.summary"], span.Name)
			}
			require.Equal(l.t, s.pool.namespace, got["db.namespace"])
			require.Equal(l.t, s.pool.warehouse, got["databricks.warehouse.id"])
			require.Equal(l.t, s.Prepared, got["databricks.prepared"] == true)
			if !s.Ping && f.ID != "" {
				if _, known := got["databricks.statement.id"]; known || s.Err == nil {
					require.Equal(l.t, f.ID, got["databricks.statement.id"], "%d %s", s.Number, s.Do)
				}
				require.Equal(l.t, f.SessionID, got["databricks.session.id"])
			}
			if s.Do != "held" {
				require.Equal(l.t, fmt.Sprint("correlation ", s.Number), got["databricks.correlation.id"])
				require.Equal(l.t, s.parent.TraceID(), span.SpanContext.TraceID())
				require.Equal(l.t, "nightly", got["job"])
			}
			if s.pool.text && !s.Ping {
				require.Equal(l.t, s.SQL, got["db.query.text"])
			} else {
				require.NotContains(l.t, got, "db.query.text")
			}
			if s.tag != "" {
				require.Equal(l.t, s.tag, got["databricks.query_tag.mine"])
			}
			if tag, ok := got["databricks.query_tag.traceparent"]; s.pool.tags && !s.Ping {
				require.True(l.t, ok)
				require.Contains(l.t, tag, span.SpanContext.TraceID().String())
				require.Contains(l.t, f.Overlay["query_tags"], fmt.Sprint(tag))
			}
			require.Equal(l.t, s.Err != nil && !s.Late, span.Status.Code == codes.Error, "step %d %s", s.Number, s.Do)
			_, failed := got["error.type"]
			require.Equal(l.t, s.Err != nil && !s.Late, failed)
			if s.Err == nil && !s.Ping && s.Kind != "VOLUME" && formatSeen(f) {
				if got["databricks.result.format"] != nil || slices.ContainsFunc(f.Pages, func(p workspace.PageFacts) bool { return p.Direct }) { // known when the call returned
					require.Equal(l.t, string(f.Format), got["databricks.result.format"])
				}
			}
			if s.Kind != "VOLUME" && !s.Ping {
				require.EqualValues(l.t, f.Calls["GetOperationStatus"], got["databricks.polls"], "step %d %s", s.Number, s.Do)
			}
		}
	}
}
