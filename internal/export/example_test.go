package export_test

import (
	"context"
	"fmt"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/internal/export"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// A serverless function flushes before it returns: afterwards its process may be frozen,
// and timers with it.
func ExampleExporter_Flush() {
	var exporter export.Exporter // a program has that of telemetry.Default, and calls telemetry.Flush
	h := exporter.Open(connection(newService()), telemetry.Settings{})
	h.SessionOpened(opened())
	h.StatementFinished(statement())

	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := exporter.Flush(ctx); err != nil {
		fmt.Println(err)
	}
	fmt.Println(exporter.Stats().Sent, "events sent")
	_ = exporter.Shutdown(ctx)
	// Output: 2 events sent
}
