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

// With the global providers there is nothing to do. A sink with attributes or a filter
// replaces the default.
func ExampleSetDefault() {
	otelsink.SetDefault(otelsink.New(
		otelsink.WithAttributes(attribute.String("team", "orders")), // on everything: few and constant
		otelsink.WithFilter(func(_ context.Context, s telemetry.StatementStart) bool { return !s.Internal }),
	))
	defer otelsink.SetDefault(otelsink.New())

	fmt.Println(otelsink.Default().Tracing()) // no provider is set yet
	// Output: false
}

// A sink in a Config takes the place of the default for its connectors.
func ExampleNew() {
	sink := otelsink.New(otelsink.WithTracerProvider(otel.GetTracerProvider()))
	defer sink.Close()
	driverwrap.Config{Sinks: []telemetry.Sink{sink}}.Register("traced")
	fmt.Println(sink.Recording())
	// Output: false
}
