package registry_test

import (
	"fmt"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/internal/registry"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// Sinks of this module walk the registry of fields instead of the struct.
func ExampleField() {
	s := &telemetry.Statement{Kind: telemetry.KindUpdate, Execute: time.Second}
	for _, f := range registry.StatementFields {
		if f.Name == "kind" || f.Name == "execute_ms" {
			fmt.Printf("%s = %v (%s, %s)\n", f.Name, f.Value(s), f.Doc, f.Scope)
		}
	}
	// Output:
	// kind = UPDATE (QUERY, UPDATE or VOLUME., both)
	// execute_ms = 1s (From the call until results were ready or it failed., both)
}
