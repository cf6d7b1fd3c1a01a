package otelsink_test

import (
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/trace"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry/otelsink"
)

func TestASpanSaysWhatItsStatementBelongsTo(t *testing.T) {
	provider := &tracerProvider{}
	s := otelsink.New(otelsink.WithTracerProvider(provider))
	start := query
	start.WarehouseID, start.InitialCatalog, start.InitialSchema = "0a1b", "main", "sales"
	start.Attributes = []slog.Attr{
		slog.String("route", "/orders"), slog.Int64("attempt", 2), slog.Float64("share", 0.5), slog.Bool("dry", true),
		slog.String("db.system.name", "mine"), slog.String("databricks.statement.id", "mine"),
	}
	_, followed := s.StatementStarting(caller, start)
	span := provider.spans[0]
	require.Equal(t, 11, span.atStart, "samplers see them: four of the conventions, two of ours, five of the application's")
	require.Equal(t, "mine", span.attributes["databricks.statement.id"].AsString())

	followed.StatementExecuted(&telemetry.Statement{
		Kind: telemetry.KindQuery, Server: query.Server, StatementID: "q-1", WorkspaceID: "42", Execute: time.Second,
		CorrelationID: "c-1", QueryTags: map[string]string{"team": "data"},
	})
	values := map[string]any{}
	for k, v := range span.attributes {
		values[string(k)] = v.AsInterface()
	}
	require.Equal(t, map[string]any{
		"db.system.name": "databricks", "db.operation.name": "QUERY", "db.namespace": "main|sales", "server.address": "adb-1.azuredatabricks.net",
		"databricks.session.id": "s-1", "databricks.statement.id": "q-1", "databricks.warehouse.id": "0a1b",
		"databricks.statement.profile": "https://adb-1.azuredatabricks.net/sql/history?queryId=q-1&o=42",
		"databricks.correlation.id":    "c-1", "databricks.query_tag.team": "data",
		"route": "/orders", "attempt": int64(2), "share": 0.5, "dry": true,
	}, values, "what the sink says takes precedence over attributes of the application's")
}

func TestTheNamespaceIsWhatIsKnownOfIt(t *testing.T) {
	for want, start := range map[string]telemetry.StatementStart{
		"main|sales": {InitialCatalog: "main", InitialSchema: "sales"},
		"main":       {InitialCatalog: "main"},
		"sales":      {InitialSchema: "sales"},
		"":           {},
	} {
		provider := &tracerProvider{}
		_, followed := otelsink.New(otelsink.WithTracerProvider(provider)).StatementStarting(caller, start)
		require.NotNil(t, followed)
		namespace, found := provider.spans[0].attributes["db.namespace"]
		require.Equal(t, want != "", found)
		require.Equal(t, want, namespace.AsString())
		require.Equal(t, trace.SpanKindClient, provider.spans[0].kind)
	}
}
