package otel

import (
	"testing"

	"github.com/databricks/databricks-sql-go/driverctx"
	"github.com/stretchr/testify/require"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/seed-01322ee7/databricks-telemetry/integration/workspace"
)

func TestTheQueryHistoryLeadsToTheSpan(t *testing.T) {
	ws := workspace.New(t, workspace.Options{})
	s := newSight(t)
	db := s.open(t, ws.DSN("enableTelemetry=false", "telemetry_trace_tags=true"))
	ctx, parent := s.tracer.Tracer("application").Start(t.Context(), "request")
	require.NoError(t, read(ctx, db, "SELECT 1"))
	own := driverctx.NewContextWithQueryTags(ctx, map[string]string{"traceparent": "mine"})
	require.NoError(t, read(own, db, "SELECT 2"))
	parent.End()
	require.NoError(t, db.Close())

	spans := s.named("QUERY " + serverOf(ws))
	require.Len(t, spans, 2)
	sc := spans[0].SpanContext
	require.Equal(t, parent.SpanContext().TraceID(), sc.TraceID())
	require.Equal(t, "traceparent:00-"+sc.TraceID().String()+"-"+sc.SpanID().String()+"-01", ws.Statements()[0].Overlay["query_tags"])
	require.Equal(t, "traceparent:mine", ws.Statements()[1].Overlay["query_tags"])
	require.Equal(t, "mine", values(spans[1].Attributes)["databricks.query_tag.traceparent"])
}

func TestASpanThatIsNotSampledIsNoTag(t *testing.T) {
	ws := workspace.New(t, workspace.Options{})
	s := sampledSight(t, sdktrace.NeverSample())
	db := s.open(t, ws.DSN("enableTelemetry=false", "telemetry_trace_tags=true"))
	require.NoError(t, read(t.Context(), db, "SELECT 1"))
	require.NoError(t, db.Close())
	require.Empty(t, ws.Statements()[0].Overlay)
}
