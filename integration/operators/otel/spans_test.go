package otel

import (
	"context"
	"database/sql"
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	dbsql "github.com/databricks/databricks-sql-go"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/seed-01322ee7/databricks-telemetry/driverwrap"
	"github.com/seed-01322ee7/databricks-telemetry/integration/workspace"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry/otelsink"
)

// records keeps what a sink receives.
type records struct {
	mu         sync.Mutex
	statements []*telemetry.Statement
}

func (r *records) StatementFinished(s *telemetry.Statement) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.statements = append(r.statements, s)
}

func (r *records) all() []*telemetry.Statement {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.statements
}

// serverOf is the workspace's name in spans.
func serverOf(ws *workspace.Workspace) string { return strings.TrimPrefix(ws.URL(), "http://") }

// someTime is an execution time long enough to be in a record: the server reports milliseconds.
func someTime(string) time.Duration { return 5 * time.Millisecond }

func TestASpanCoversTheCallWithinTheCallersSpan(t *testing.T) {
	ws := workspace.New(t, workspace.Options{ExecutionTime: someTime, ServerTimes: true})
	s, kept := newSight(t), &records{}
	db := s.open(t, ws.DSN("enableTelemetry=false"), kept)

	ctx, parent := s.tracer.Tracer("application").Start(t.Context(), "request")
	rows, err := db.QueryContext(ctx, "SELECT id FROM range(10)")
	require.NoError(t, err)
	parent.End()

	name := "QUERY " + serverOf(ws)
	require.Len(t, s.named(name), 1, "the span ends when the call returns, not when rows are closed")
	span := s.named(name)[0]
	require.Equal(t, parent.SpanContext().SpanID(), span.Parent.SpanID())
	require.Equal(t, parent.SpanContext().TraceID(), span.SpanContext.TraceID())
	require.Equal(t, trace.SpanKindClient, span.SpanKind)
	require.Equal(t, codes.Unset, span.Status.Code)
	require.Empty(t, span.Events)
	require.Equal(t, "github.com/seed-01322ee7/databricks-telemetry/telemetry/otelsink", span.InstrumentationScope.Name)
	require.NotEmpty(t, span.InstrumentationScope.Version)

	require.NoError(t, rows.Close())
	require.NoError(t, db.Close())
	record := kept.all()[0]
	require.Equal(t, [16]byte(span.SpanContext.TraceID()), record.TraceID, "the record leads to the span")
	require.Equal(t, [8]byte(span.SpanContext.SpanID()), record.SpanID)
	got := values(span.Attributes)
	require.Positive(t, got["databricks.server.duration"])
	delete(got, "databricks.server.duration")
	require.Equal(t, map[string]any{
		"db.system.name": "databricks", "db.operation.name": "QUERY", "server.address": "127.0.0.1", "server.port": int64(ws.Port()),
		"db.namespace": "main|default", "databricks.warehouse.id": record.WarehouseID, "databricks.statement.profile": record.ProfileURL(),
		"databricks.session.id": record.SessionID, "databricks.statement.id": record.StatementID,
		"databricks.result.format": "INLINE_ARROW", "databricks.result.cache": record.Result.Cache, "databricks.polls": int64(0), "databricks.rpc.retries": int64(0),
	}, got)
	require.Len(t, s.spans.GetSpans(), 3, "the request, the opening of a connection, the statement; none for rows")
}

func TestOpeningAConnectionHasASpanOfItsOwn(t *testing.T) {
	ws := workspace.New(t, workspace.Options{})
	s := newSight(t)
	db := s.open(t, ws.DSN("enableTelemetry=false"))
	ctx, parent := s.tracer.Tracer("application").Start(t.Context(), "request")
	err := db.PingContext(ctx)
	parent.End()
	require.NoError(t, err)
	opened := s.named("CREATE_SESSION " + serverOf(ws))
	require.Len(t, opened, 1)
	require.Equal(t, parent.SpanContext().SpanID(), opened[0].Parent.SpanID())
	require.Equal(t, "CREATE_SESSION", values(opened[0].Attributes)["db.operation.name"])
	require.Len(t, s.named("PING "+serverOf(ws)), 1)

	denied := s.open(t, strings.Replace(ws.DSN("enableTelemetry=false"), ws.Token(), "wrong", 1))
	require.Error(t, denied.PingContext(t.Context()))
	opened = s.named("CREATE_SESSION " + serverOf(ws))
	require.Len(t, opened, 2)
	require.Equal(t, codes.Error, opened[1].Status.Code)
	require.NotEmpty(t, values(opened[1].Attributes)["error.type"])
}

func TestAFailureIsTheSpansStatusAndSaysNothingOfTheStatement(t *testing.T) {
	ws := workspace.New(t, workspace.Options{})
	s := newSight(t)
	db := s.open(t, ws.DSN("enableTelemetry=false"))
	require.Error(t, read(t.Context(), db, "SELEC secret_value"))
	require.Error(t, read(t.Context(), db, "SELECT * FROM secret_table"))
	_, err := db.ExecContext(t.Context(), "DELETE FROM secret_table WHERE x = ?", "secret_parameter")
	require.Error(t, err)

	spans := append(s.named("QUERY "+serverOf(ws)), s.named("UPDATE "+serverOf(ws))...)
	require.Len(t, spans, 3)
	for _, span := range spans {
		require.Equal(t, codes.Error, span.Status.Code)
		require.NotEmpty(t, span.Status.Description)
		require.Len(t, values(span.Attributes)["error.type"], 5, "a SQLSTATE")
		require.Equal(t, values(span.Attributes)["error.type"], values(span.Attributes)["db.response.status_code"])
		require.Empty(t, span.Events)
	}
	exported, err := json.Marshal(s.spans.GetSpans())
	require.NoError(t, err)
	require.NotContains(t, string(exported), "secret")
}

func TestTheTextIsOnASpanOnlyWhereItWasAskedFor(t *testing.T) {
	ws := workspace.New(t, workspace.Options{})
	s := newSight(t)
	const text = "SELECT id AS mine FROM range(3) WHERE id > 1"
	require.NoError(t, read(t.Context(), s.open(t, ws.DSN("enableTelemetry=false")), text))
	exported, err := json.Marshal(s.spans.GetSpans())
	require.NoError(t, err)
	require.NotContains(t, string(exported), "mine")

	require.NoError(t, read(t.Context(), s.open(t, ws.DSN("enableTelemetry=false", "telemetry_query_text=true")), text))
	spans := s.named("SELECT range")
	require.Len(t, spans, 1)
	require.Equal(t, text, values(spans[0].Attributes)["db.query.text"])
	require.Equal(t, "SELECT range", values(spans[0].Attributes)["db.query.summary"])
}

// carried notes the span of the context that requests are made on.
type carried struct {
	mu    sync.Mutex
	spans map[trace.SpanID]int
}

func (c *carried) RoundTrip(r *http.Request) (*http.Response, error) {
	c.mu.Lock()
	if c.spans == nil {
		c.spans = map[trace.SpanID]int{}
	}
	c.spans[trace.SpanContextFromContext(r.Context()).SpanID()]++
	c.mu.Unlock()
	return http.DefaultTransport.RoundTrip(r)
}

func TestTheDriverWorksWithinTheSpanSampledOrNot(t *testing.T) {
	for name, sampler := range map[string]sdktrace.Sampler{"sampled": sdktrace.AlwaysSample(), "not sampled": sdktrace.NeverSample()} {
		t.Run(name, func(t *testing.T) {
			ws := workspace.New(t, workspace.Options{})
			s, requests := sampledSight(t, sampler), &carried{}
			c, err := driverwrap.Config{Sinks: []telemetry.Sink{s.sink}, Settings: telemetry.Settings{Enabled: telemetry.SwitchOff}}.NewConnector(
				dbsql.WithServerHostname("http://127.0.0.1"), dbsql.WithPort(ws.Port()), dbsql.WithHTTPPath(ws.HTTPPath()),
				dbsql.WithAccessToken(ws.Token()), dbsql.WithTransport(requests))
			require.NoError(t, err)
			db := sql.OpenDB(c)
			defer db.Close()
			ctx, parent := s.tracer.Tracer("application").Start(t.Context(), "request")
			require.NoError(t, read(ctx, db, "SELECT 1"))
			parent.End()
			delete(requests.spans, trace.SpanID{})
			require.NotContains(t, requests.spans, parent.SpanContext().SpanID(), "a span of the wrapper is in between")
			require.NotEmpty(t, requests.spans)
			require.Equal(t, sampler == sdktrace.NeverSample(), len(s.spans.GetSpans()) == 0)
			require.EqualValues(t, 1, total(s.collect(t)["db.client.operation.duration"]).count, "measured all the same")
		})
	}
}

func TestAFilterKeepsPingsOut(t *testing.T) {
	ws := workspace.New(t, workspace.Options{})
	s := newSight(t, otelsink.WithAttributes(attribute.String("team", "data")),
		otelsink.WithFilter(func(_ context.Context, start telemetry.StatementStart) bool { return !start.Internal }))
	db := s.open(t, ws.DSN("enableTelemetry=false"))
	require.NoError(t, db.PingContext(t.Context()))
	require.NoError(t, read(t.Context(), db, "SELECT 1"))
	require.NoError(t, db.Close())
	require.Empty(t, s.named("PING "+serverOf(ws)))
	metrics := s.collect(t)
	require.EqualValues(t, 1, total(metrics["db.client.operation.duration"], attribute.String("team", "data")).count)
	require.EqualValues(t, 2, total(metrics["databricks.client.statement.duration"], attribute.String("team", "data")).count)
}

// angry is a span processor that panics wherever it is called.
type angry struct{ at string }

func (a angry) OnStart(context.Context, sdktrace.ReadWriteSpan) { a.panicAt("start") }
func (a angry) OnEnd(sdktrace.ReadOnlySpan)                     { a.panicAt("end") }
func (angry) Shutdown(context.Context) error                    { return nil }
func (angry) ForceFlush(context.Context) error                  { return nil }
func (a angry) panicAt(here string) {
	if a.at == here {
		panic("processor")
	}
}

func TestAStatementSurvivesASpanProcessorThatPanics(t *testing.T) {
	ws := workspace.New(t, workspace.Options{})
	for _, at := range []string{"start", "end"} {
		s := newSight(t)
		s.tracer.RegisterSpanProcessor(angry{at})
		require.NoError(t, read(t.Context(), s.open(t, ws.DSN("enableTelemetry=false")), "SELECT 1"))
	}
}
