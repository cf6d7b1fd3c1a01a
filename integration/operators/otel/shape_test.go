package otel

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

func TestTheShapeOfAStatementIsInNoMetricAndOnNoSpan(t *testing.T) {
	s := newSight(t)
	shape := telemetry.ShapeOf("SELECT * FROM orders")
	_, followed := s.sink.StatementStarting(t.Context(), telemetry.StatementStart{Kind: telemetry.KindQuery, Query: "SELECT * FROM orders"})
	record := &telemetry.Statement{
		Kind: telemetry.KindQuery, Outcome: telemetry.OutcomeFailed, Shape: shape, Execute: time.Second, Total: time.Second, Split: telemetry.Split{telemetry.PartServer: time.Second},
		Failure: &telemetry.Failure{Category: telemetry.CategoryTimeout}, RowsRead: telemetry.Known[int64](3),
	}
	followed.StatementExecuted(record)
	s.sink.StatementFinished(record)
	metrics, err := json.Marshal(s.collect(t))
	require.NoError(t, err)
	require.Contains(t, string(metrics), "db.client.operation.duration")
	require.NotContains(t, string(metrics), shape)
	spans := fmt.Sprintf("%+v", s.spans.GetSpans())
	require.Contains(t, spans, "SELECT * FROM orders")
	require.NotContains(t, spans, shape)
}
