package otelsink_test

import (
	"context"
	"fmt"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"

	"github.com/seed-01322ee7/databricks-telemetry/driverwrap"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry/otelsink"
)

// Every wrapped driver of the process, on the global providers from the moment they are set.
func ExampleNew() {
	sink := otelsink.New(
		otelsink.WithAttributes(attribute.String("team", "orders")), // on everything: few and constant
		otelsink.WithFilter(func(_ context.Context, s telemetry.StatementStart) bool { return !s.Internal }),
	)
	defer telemetry.Attach(sink)()

	fmt.Println(sink.Tracing()) // no provider is set yet
	// Output: false
}

// The connectors of one Config, on a tracer provider that is named, and metrics on the global one.
func ExampleWithTracerProvider() {
	sink := otelsink.New(otelsink.WithTracerProvider(otel.GetTracerProvider()))
	defer sink.Close()
	driverwrap.Config{Sinks: []telemetry.Sink{sink}}.Register("traced")
	fmt.Println(sink.Recording()) // records are for measurements
	// Output: false
}
