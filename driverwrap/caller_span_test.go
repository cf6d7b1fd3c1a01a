package driverwrap_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/seed-01322ee7/databricks-telemetry/driverwrap"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// brokenCallerSpan is a span of the application's that cannot say what it is, as a nil pointer cannot.
type brokenCallerSpan struct{ noop.Span }

func (brokenCallerSpan) SpanContext() trace.SpanContext { panic("span") }

func TestASpanOfTheCallerThatPanicsCostsNoRecordAndNoSpan(t *testing.T) {
	n := &notes{}
	sink := &tracer{name: "", notes: n} // an empty name: its spans have no ids
	db := contextDB(driverwrap.Config{Sinks: []telemetry.Sink{sink}}, n)
	rows, err := db.QueryContext(trace.ContextWithSpan(t.Context(), brokenCallerSpan{}), "x")
	require.NoError(t, err)
	for rows.Next() {
	}
	require.NoError(t, rows.Close())
	require.NoError(t, db.Close())
	var starts, ends int
	for _, line := range n.lines {
		switch line[:min(len(line), 7)] {
		case " starts":
			starts++
		case " ends c", " ends r", " ends f":
			ends++
		}
	}
	require.Equal(t, starts, ends, "every span that was started is ended: %q", n.lines)
	require.Len(t, sink.statements, 1, "the record does not need the ids")
}
