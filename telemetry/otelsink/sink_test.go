package otelsink_test

import (
	"context"
	"errors"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	metricembedded "go.opentelemetry.io/otel/metric/embedded"
	nometric "go.opentelemetry.io/otel/metric/noop"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/embedded"
	notrace "go.opentelemetry.io/otel/trace/noop"

	"github.com/seed-01322ee7/databricks-telemetry/internal/spancontext"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry/otelsink"
)

// tracerProvider keeps the spans of its tracers.
type tracerProvider struct {
	embedded.TracerProvider

	drops  bool // spans have ids and are not recorded
	panics bool
	scope  string
	spans  []*span
}

func (p *tracerProvider) Tracer(name string, _ ...trace.TracerOption) trace.Tracer {
	p.scope = name
	return tracer{of: p}
}

type tracer struct {
	embedded.Tracer

	of *tracerProvider
}

func (t tracer) Start(ctx context.Context, name string, opts ...trace.SpanStartOption) (context.Context, trace.Span) {
	p := t.of
	if p.panics {
		panic("sampler")
	}
	config := trace.NewSpanStartConfig(opts...)
	s := &span{provider: p, name: name, kind: config.SpanKind(), parent: trace.SpanContextFromContext(ctx), attributes: map[attribute.Key]attribute.Value{}}
	s.SetAttributes(config.Attributes()...)
	s.atStart = len(s.attributes)
	p.spans = append(p.spans, s)
	return trace.ContextWithSpan(ctx, s), s
}

type span struct {
	notrace.Span

	provider    *tracerProvider
	name        string
	kind        trace.SpanKind
	parent      trace.SpanContext
	attributes  map[attribute.Key]attribute.Value
	atStart     int
	status      codes.Code
	description string
	ended       int
}

func (s *span) SpanContext() trace.SpanContext {
	return trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{1}, SpanID: trace.SpanID{byte(len(s.provider.spans))}, TraceFlags: trace.FlagsSampled})
}
func (s *span) IsRecording() bool                   { return !s.provider.drops }
func (s *span) End(...trace.SpanEndOption)          { s.ended++ }
func (s *span) SetStatus(c codes.Code, what string) { s.status, s.description = c, what }
func (s *span) SetAttributes(kv ...attribute.KeyValue) {
	for _, a := range kv {
		s.attributes[a.Key] = a.Value
	}
}

// meterProvider counts durations of calls and adds up the parts of statements. Its other
// instruments are those of the no-op meter.
type meterProvider struct {
	metricembedded.MeterProvider

	durations int // of calls
	parts     map[string]float64
	refused   string // error.type of the latest connection that could not be opened
	files     []float64
}

func (p *meterProvider) Meter(string, ...metric.MeterOption) metric.Meter { return meter{to: p} }

type meter struct {
	nometric.Meter

	to *meterProvider
}

func (m meter) Float64Histogram(name string, _ ...metric.Float64HistogramOption) (metric.Float64Histogram, error) {
	return histogram{name: name, to: m.to}, nil
}

func (m meter) Float64Counter(name string, _ ...metric.Float64CounterOption) (metric.Float64Counter, error) {
	return counter{name: name, to: m.to}, nil
}

type counter struct {
	nometric.Float64Counter

	name string
	to   *meterProvider
}

func (c counter) Enabled(context.Context) bool { return true }

func (c counter) Add(_ context.Context, value float64, options ...metric.AddOption) {
	attributes := metric.NewAddConfig(options).Attributes()
	part, _ := attributes.Value("databricks.time.part")
	switch c.name {
	case "databricks.client.statement.time":
		c.to.parts[part.AsString()] += value
	case "databricks.server.statement.time":
		c.to.parts["server: "+part.AsString()] += value
	}
}

type histogram struct {
	nometric.Float64Histogram

	name string
	to   *meterProvider
}

func (h histogram) Enabled(context.Context) bool { return true }

func (h histogram) Record(_ context.Context, value float64, options ...metric.RecordOption) {
	switch h.name {
	case "db.client.operation.duration":
		h.to.durations++
	case "db.client.connection.create_time":
		attributes := metric.NewRecordConfig(options).Attributes()
		refused, _ := attributes.Value("error.type")
		h.to.refused = refused.AsString()
	case "databricks.client.cloudfetch.file.duration":
		h.to.files = append(h.to.files, value)
	}
}

type keyOfCaller struct{}

var (
	caller = context.WithValue(context.Background(), keyOfCaller{}, "caller")
	query  = telemetry.StatementStart{Server: "adb-1.azuredatabricks.net:443", SessionID: "s-1", Kind: telemetry.KindQuery}
)

// requireIdle checks that a sink does nothing and allocates nothing.
func requireIdle(t *testing.T, s telemetry.Tracer) {
	t.Helper()
	require.False(t, s.(telemetry.Recorder).Recording())
	require.False(t, s.Tracing())
	ctx, followed := s.StatementStarting(caller, query)
	require.Equal(t, caller, ctx)
	require.Nil(t, followed)
	ctx, opening := s.SessionStarting(caller, telemetry.SessionStart{Server: query.Server})
	require.Equal(t, caller, ctx)
	require.Nil(t, opening)
	require.Zero(t, testing.AllocsPerRun(100, func() {
		if s.(telemetry.Recorder).Recording() || s.Tracing() {
			t.Error("not idle")
		}
		_, _ = s.StatementStarting(caller, query)
	}))
	s.StatementFinished(&telemetry.Statement{})
	s.(telemetry.SessionSink).SessionOpened(&telemetry.SessionOpened{})
	s.(telemetry.SessionSink).SessionClosed(&telemetry.SessionClosed{})
}

func TestIdleSinkDoesNothingAndAllocatesNothing(t *testing.T) {
	closed := otelsink.New(otelsink.WithTracerProvider(&tracerProvider{}), otelsink.WithMeterProvider(&meterProvider{}))
	require.NoError(t, closed.Close())
	require.NoError(t, closed.Close())
	for name, s := range map[string]telemetry.Tracer{
		"no provider is set": otelsink.New(),
		"no-op providers":    otelsink.New(otelsink.WithTracerProvider(notrace.NewTracerProvider()), otelsink.WithMeterProvider(nometric.NewMeterProvider())),
		"closed":             closed,
	} {
		t.Run(name, func(t *testing.T) { requireIdle(t, s) })
	}
}

func TestDelegatingProviderCanBeUsedExplicitly(t *testing.T) {
	s := otelsink.New(otelsink.WithTracerProvider(otel.GetTracerProvider()))
	require.True(t, s.Tracing())
	require.False(t, s.Recording(), "records are for measurements")
	ctx, followed := s.StatementStarting(caller, query)
	require.Equal(t, caller, ctx, "there is no span")
	require.Nil(t, followed)
}

func TestSpanHasAttributesOfStartAndOfResult(t *testing.T) {
	provider := &tracerProvider{}
	s := otelsink.New(otelsink.WithTracerProvider(provider), otelsink.WithMeterProvider(nometric.NewMeterProvider()), otelsink.WithAttributes(attribute.String("team", "data")))
	start := query
	start.Query = "SELECT * FROM orders WHERE id = 7"
	ctx, followed := s.StatementStarting(caller, start)
	require.Equal(t, "caller", ctx.Value(keyOfCaller{}))
	traceID, spanID := followed.Context()
	require.Equal(t, [16]byte{1}, traceID)
	require.Equal(t, [8]byte{1}, spanID)

	got := provider.spans[0]
	require.Equal(t, "SELECT orders", got.name)
	require.Equal(t, trace.SpanKindClient, got.kind)
	require.Equal(t, "github.com/seed-01322ee7/databricks-telemetry/telemetry/otelsink", provider.scope)
	require.Equal(t, 7, got.atStart)
	require.Zero(t, got.ended)

	followed.StatementExecuted(&telemetry.Statement{
		Kind: telemetry.KindVolume, StatementID: "q-1", Execute: time.Second, Polling: telemetry.Known(telemetry.Polling{Calls: 3}),
		RPCs:   []telemetry.RPC{{Method: "ExecuteStatement", Retries: 1}, {Method: "FetchResults", Retries: 1}},
		Result: telemetry.Result{Format: telemetry.FormatInlineArrow, Cache: "MISS"}, ServerTime: telemetry.Known(250 * time.Millisecond),
		Failure: &telemetry.Failure{Category: telemetry.CategorySyntax, SQLState: "42601", Message: "[PARSE_SYNTAX_ERROR]"},
	})
	require.Equal(t, 1, got.ended)
	require.Equal(t, codes.Error, got.status)
	require.Equal(t, "[PARSE_SYNTAX_ERROR]", got.description)
	values := map[string]any{}
	for k, v := range got.attributes {
		values[string(k)] = v.AsInterface()
	}
	require.Equal(t, map[string]any{
		"db.system.name": "databricks", "db.operation.name": "VOLUME", "server.address": "adb-1.azuredatabricks.net", "team": "data",
		"db.query.text": "SELECT * FROM orders WHERE id = 7", "db.query.summary": "SELECT orders",
		"databricks.session.id": "s-1", "databricks.statement.id": "q-1", "databricks.result.format": "INLINE_ARROW", "databricks.result.cache": "MISS",
		"databricks.polls": int64(3), "databricks.rpc.retries": int64(2), "databricks.server.duration": 0.25,
		"error.type": "42601", "db.response.status_code": "42601",
	}, values)
}

func TestSpanName(t *testing.T) {
	for want, start := range map[string]telemetry.StatementStart{
		"QUERY adb-1.azuredatabricks.net": query,
		"UPDATE 127.0.0.1:8080":           {Server: "127.0.0.1:8080", Kind: telemetry.KindUpdate},
		"PING [::1]:8080":                 {Server: "[::1]:8080", Kind: telemetry.KindQuery, Internal: true},
		"QUERY":                           {Kind: telemetry.KindQuery},
		"localhost":                       {Server: "localhost"},
		"databricks":                      {},
		"QUERY localhost":                 {Server: "localhost", Kind: telemetry.KindQuery, Query: "SELEC 1"},
	} {
		provider := &tracerProvider{}
		otelsink.New(otelsink.WithTracerProvider(provider)).StatementStarting(caller, start)
		require.Equal(t, want, provider.spans[0].name)
	}
	provider := &tracerProvider{}
	otelsink.New(otelsink.WithTracerProvider(provider)).SessionStarting(caller, telemetry.SessionStart{Server: "localhost:443"})
	require.Equal(t, "CREATE_SESSION localhost", provider.spans[0].name)
}

func TestContextOfUnrecordedSpanIsPassedOn(t *testing.T) {
	provider := &tracerProvider{drops: true}
	s := otelsink.New(otelsink.WithTracerProvider(provider))
	ctx, followed := s.StatementStarting(caller, query)
	require.Nil(t, followed)
	require.Equal(t, trace.SpanID{1}, trace.SpanContextFromContext(ctx).SpanID())
	ctx, opening := s.SessionStarting(caller, telemetry.SessionStart{})
	require.Nil(t, opening)
	require.Equal(t, trace.SpanID{2}, trace.SpanContextFromContext(ctx).SpanID())

	s = otelsink.New(otelsink.WithTracerProvider(provider), otelsink.WithMeterProvider(&meterProvider{}))
	_, followed = s.StatementStarting(caller, query)
	traceID, _ := followed.Context()
	require.Zero(t, traceID, "the span is not recorded, so the record must not name it")
}

func TestFilterExcludesCalls(t *testing.T) {
	spans, provider := &tracerProvider{}, &meterProvider{}
	s := otelsink.New(otelsink.WithTracerProvider(spans), otelsink.WithMeterProvider(provider),
		otelsink.WithFilter(func(ctx context.Context, start telemetry.StatementStart) bool {
			return ctx.Value(keyOfCaller{}) == "caller" && !start.Internal
		}))
	for _, internal := range []bool{true, false} {
		start := query
		start.Internal = internal
		ctx, followed := s.StatementStarting(caller, start)
		require.Equal(t, internal, followed == nil)
		require.Equal(t, internal, ctx == caller)
		if followed != nil {
			followed.StatementExecuted(&telemetry.Statement{Outcome: telemetry.OutcomeRunning, Execute: time.Second})
		}
	}
	require.Len(t, spans.spans, 1)
	require.Equal(t, 1, provider.durations)
}

// What a filter keeps out of spans is unknown if it panics, so there is no span; the metrics stay complete.
func TestAFilterThatPanicsCostsTheSpanAndNoMetric(t *testing.T) {
	spans, provider := &tracerProvider{}, &meterProvider{}
	s := otelsink.New(otelsink.WithTracerProvider(spans), otelsink.WithMeterProvider(provider),
		otelsink.WithFilter(func(context.Context, telemetry.StatementStart) bool { panic("filter") }))
	incidents := telemetry.ReadStats().Incidents()
	ctx, followed := s.StatementStarting(caller, query)
	require.Equal(t, caller, ctx)
	require.NotNil(t, followed)
	followed.StatementExecuted(&telemetry.Statement{Outcome: telemetry.OutcomeCompleted, Execute: time.Second})
	require.Equal(t, 1, provider.durations)
	require.Empty(t, spans.spans)
	require.Equal(t, incidents+1, telemetry.ReadStats().Incidents())
}

func TestPanicIsContained(t *testing.T) {
	for name, s := range map[string]*otelsink.Sink{
		"a sampler": otelsink.New(otelsink.WithTracerProvider(&tracerProvider{panics: true})),
		"a filter":  otelsink.New(otelsink.WithTracerProvider(&tracerProvider{}), otelsink.WithFilter(func(context.Context, telemetry.StatementStart) bool { panic(1) })),
		"no tracer": otelsink.New(otelsink.WithTracerProvider((*tracerProvider)(nil))),
	} {
		ctx, followed := s.StatementStarting(caller, query)
		require.Equal(t, caller, ctx, name)
		require.Nil(t, followed, name)
	}
}

func TestTheSpanOfASessionHasTheCategoryOfItsFailure(t *testing.T) {
	provider := &tracerProvider{}
	_, opening := otelsink.New(otelsink.WithTracerProvider(provider)).SessionStarting(caller, telemetry.SessionStart{})
	opening.SessionStarted(&telemetry.SessionOpened{SessionID: "s-1", Retries: telemetry.Known[int64](2), Failure: &telemetry.Failure{Category: telemetry.CategoryAuth}})
	require.Len(t, provider.spans, 1)
	require.Equal(t, "auth_error", provider.spans[0].description)
}

// A call may take no time by the clock: clocks of some systems are coarse, and that of testing/synctest stands still.
// A call may take no time by the clock: some systems have a coarse one, and that of testing/synctest stands still.
func TestSkippedCallIsNotMeasured(t *testing.T) {
	provider := &meterProvider{}
	s := otelsink.New(otelsink.WithMeterProvider(provider))
	_, followed := s.StatementStarting(caller, query)
	followed.StatementExecuted(&telemetry.Statement{})
	require.Zero(t, provider.durations)
	_, followed = s.StatementStarting(caller, query)
	followed.StatementExecuted(&telemetry.Statement{Outcome: telemetry.OutcomeRunning})
	require.Equal(t, 1, provider.durations)
}

func TestPartsOfTheTimeAddUpToTheDuration(t *testing.T) {
	provider := &meterProvider{parts: map[string]float64{}}
	s := otelsink.New(otelsink.WithMeterProvider(provider))
	split := telemetry.Split{}
	for _, p := range telemetry.Parts {
		split[p] = time.Duration(p+1) * time.Second
	}
	s.StatementFinished(&telemetry.Statement{Split: split, Total: split.Total()})
	s.StatementFinished(&telemetry.Statement{Split: telemetry.Split{telemetry.PartServer: time.Second}, Total: 3 * time.Second})
	sum := 0.0
	for _, p := range telemetry.Parts {
		require.Positive(t, provider.parts[p.String()], p)
		sum += provider.parts[p.String()]
	}
	require.Len(t, provider.parts, len(telemetry.Parts))
	require.InDelta(t, (split.Total() + 3*time.Second).Seconds(), sum, 1e-9)
}

// refusingProvider has a meter that creates no histograms.
type refusingProvider struct{ metricembedded.MeterProvider }

func (refusingProvider) Meter(string, ...metric.MeterOption) metric.Meter { return refusingMeter{} }

type refusingMeter struct{ nometric.Meter }

func (refusingMeter) Float64Histogram(string, ...metric.Float64HistogramOption) (metric.Float64Histogram, error) {
	return nil, errors.ErrUnsupported
}

func TestRefusedInstrumentIsReplacedByNoOp(t *testing.T) {
	var reported []error
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { reported = append(reported, err) }))
	s := otelsink.New(otelsink.WithMeterProvider(refusingProvider{}))
	require.NotEmpty(t, reported, "OpenTelemetry's error handler is called")
	s.StatementFinished(&telemetry.Statement{Total: time.Second, CloudFetch: &telemetry.CloudFetch{Downloaded: 1, Files: []telemetry.File{
		{State: "DOWNLOADED", Start: telemetry.Known(time.Second), End: telemetry.Known(2 * time.Second)},
	}}})
	s.SessionOpened(&telemetry.SessionOpened{})
	s.SessionClosed(&telemetry.SessionClosed{})
	require.False(t, s.Recording())
	require.NoError(t, s.Close())
}

func BenchmarkStatement(b *testing.B) {
	record := &telemetry.Statement{Kind: telemetry.KindQuery, Execute: time.Second}
	for name, s := range map[string]*otelsink.Sink{
		"not set": otelsink.New(),
		"no-op":   otelsink.New(otelsink.WithTracerProvider(notrace.NewTracerProvider()), otelsink.WithMeterProvider(nometric.NewMeterProvider())),
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_ = s.Recording()
				if _, followed := s.StatementStarting(caller, query); followed != nil {
					followed.StatementExecuted(record)
				}
			}
		})
	}
}

func TestAServerReportIsTimeOfTheServerByPhase(t *testing.T) {
	to := &meterProvider{parts: map[string]float64{}}
	s := otelsink.New(otelsink.WithMeterProvider(to), otelsink.WithTracerProvider(&tracerProvider{}))
	s.ServerReported(&telemetry.ServerReport{WaitingForCompute: telemetry.Known(11 * time.Second), Executing: telemetry.Known(3 * time.Second)})
	s.ServerReported(&telemetry.ServerReport{Executing: telemetry.Known(time.Second)})
	require.Equal(t, map[string]float64{"server: compute": 11, "server: execute": 4}, to.parts)
}

func TestReportsAreWantedWhileThereIsAMeterProvider(t *testing.T) {
	var driver telemetry.Fanout
	driver.Attach(otelsink.New())
	require.False(t, driver.Reporting(), "no provider is set")

	s := otelsink.New(otelsink.WithMeterProvider(&meterProvider{}))
	driver.Attach(s)
	require.True(t, driver.Reporting())
	require.NoError(t, s.Close())
	require.False(t, driver.Reporting())
}

// OTLP refuses a whole batch, the application's own spans included, for one string that is not UTF-8.
func TestTextOfASpanIsUTF8(t *testing.T) {
	provider := &tracerProvider{}
	s := otelsink.New(otelsink.WithTracerProvider(provider))
	start := query
	start.Query = "INSERT INTO t VALUES ('M\xfcller')" // Latin-1
	_, _ = s.StatementStarting(caller, start)
	text := provider.spans[0].attributes["db.query.text"]
	require.True(t, utf8.ValidString(text.AsString()), "%q", text.AsString())
}

// recordOnly makes spans as sdktrace.RecordOnly does: processors see them, exporters do not.
type recordOnly struct{ embedded.TracerProvider }

func (recordOnly) Tracer(string, ...trace.TracerOption) trace.Tracer { return recordOnlyTracer{} }

type recordOnlyTracer struct{ embedded.Tracer }

func (recordOnlyTracer) Start(ctx context.Context, _ string, _ ...trace.SpanStartOption) (context.Context, trace.Span) {
	return trace.ContextWithSpan(ctx, recordOnlySpan{}), recordOnlySpan{}
}

type recordOnlySpan struct{ notrace.Span }

func (recordOnlySpan) IsRecording() bool { return true }
func (recordOnlySpan) SpanContext() trace.SpanContext {
	return trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{1}, SpanID: trace.SpanID{1}})
}

func TestAnUnsampledSpanIsNotSampledInItsRecord(t *testing.T) {
	s := otelsink.New(otelsink.WithTracerProvider(recordOnly{}))
	_, followed := s.StatementStarting(caller, query)
	var r telemetry.Statement
	r.TraceID, r.SpanID = followed.Context()
	require.False(t, trace.SpanContextFromContext(spancontext.Of(&r)).IsSampled(), "exemplars and traceparent lead to a trace that no backend has")
}

// create_time has the same error.type as the span of the same connection.
func TestErrorTypeOfCreateTimeIsTheSQLState(t *testing.T) {
	p, spans := &meterProvider{}, &tracerProvider{}
	s := otelsink.New(otelsink.WithMeterProvider(p), otelsink.WithTracerProvider(spans))
	_, opening := s.SessionStarting(caller, telemetry.SessionStart{Server: query.Server})
	r := &telemetry.SessionOpened{Failure: &telemetry.Failure{Category: telemetry.CategoryNotFound, SQLState: "42704"}}
	opening.SessionStarted(r)
	s.SessionOpened(r)
	require.Equal(t, "42704", p.refused)
	require.Equal(t, spans.spans[0].attributes["error.type"].AsString(), p.refused)
}

func TestTheSpanOfASessionHasItsIDAndItsRetries(t *testing.T) {
	provider := &tracerProvider{}
	_, opening := otelsink.New(otelsink.WithTracerProvider(provider)).SessionStarting(caller, telemetry.SessionStart{Server: query.Server})
	opening.SessionStarted(&telemetry.SessionOpened{SessionID: "s-1", Retries: telemetry.Known[int64](2)})
	attributes := provider.spans[0].attributes
	require.Equal(t, "s-1", attributes["databricks.session.id"].AsString())
	require.EqualValues(t, 2, attributes["databricks.rpc.retries"].AsInt64())
}

func TestTheDurationOfAFileIsThatOfItsDownload(t *testing.T) {
	p := &meterProvider{parts: map[string]float64{}}
	at := telemetry.Known[time.Duration]
	otelsink.New(otelsink.WithMeterProvider(p)).StatementFinished(&telemetry.Statement{CloudFetch: &telemetry.CloudFetch{Files: []telemetry.File{
		{State: "DOWNLOADED", Start: at(2 * time.Second), End: at(5 * time.Second)},
		{State: "FAILED", Start: at(2 * time.Second), End: at(6 * time.Second)},
		{State: "DOWNLOADED", End: at(7 * time.Second)},
		{State: "DOWNLOADED", Start: at(2 * time.Second)},
	}}})
	require.Equal(t, []float64{3}, p.files)
}
