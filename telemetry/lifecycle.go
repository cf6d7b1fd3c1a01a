package telemetry

import (
	"context"
	"errors"
)

// Exporter is what Flush and Shutdown of this package also reach. Package export registers
// the process's exporter to Databricks.
type Exporter interface {
	// Flush sends what was recorded before the call; the error says what could not be.
	Flush(context.Context) error
	// Shutdown flushes and ends: nothing is sent after it.
	Shutdown(context.Context) error
}

var exporters register[Exporter]

// RegisterExporter makes Flush and Shutdown reach an exporter.
func RegisterExporter(x Exporter) { exporters.add(x) }

// Flush waits until the sinks of [Default] have received, and the exporters have sent, what
// was recorded before the call, or ctx is done; the error says what is still waiting. A
// serverless function calls it before it returns, because its process may be frozen then:
// that makes reporting synchronous.
func Flush(ctx context.Context) error {
	errs := []error{Default.Flush(ctx)}
	for _, x := range exporters.list() {
		errs = append(errs, x.Flush(ctx))
	}
	return errors.Join(errs...)
}

// Shutdown is Flush, and the end: nothing leaves the process after it. Statements go on
// working, and sinks go on receiving their records.
func Shutdown(ctx context.Context) error {
	errs := []error{Default.Flush(ctx)}
	for _, x := range exporters.list() {
		errs = append(errs, x.Shutdown(ctx))
	}
	return errors.Join(errs...)
}
