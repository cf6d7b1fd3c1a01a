package telemetry_test

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// printer is a sink of an application. StatementFinished runs on a goroutine of the queue, never
// on the one that ran the statement.
type printer struct{}

func (printer) StatementFinished(s *telemetry.Statement) {
	fmt.Println(s.Kind, s.Outcome, s.Total, s.RowsRead.Or(0), "rows")
}

// A sink attached here receives the statements of every wrapped driver of the process.
func ExampleAttach() {
	detach := telemetry.Attach(printer{})
	defer detach()

	// What driverwrap does for each statement:
	telemetry.Default.Statement(&telemetry.Statement{
		Kind: telemetry.KindQuery, Outcome: telemetry.OutcomeCompleted, Total: 20 * time.Millisecond, RowsRead: telemetry.Known[int64](3),
	})
	_ = telemetry.Default.Flush(context.Background())
	// Output: QUERY completed 20ms 3 rows
}

// A serverless function flushes before it returns: its process may be frozen after that.
func ExampleFlush() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := telemetry.Flush(ctx); err != nil {
		fmt.Println("not everything was reported:", err)
	}
	// Output:
}

// The wait for a connection happens in database/sql, before any driver is called: a
// registered pool shows it in metrics and on the debug page.
func ExampleRegisterPool() {
	var db *sql.DB // opened with sql.Open
	if db != nil {
		defer telemetry.RegisterPool("warehouse", db)()
	}
	fmt.Println(len(telemetry.Default.Pools()))
	// Output: 0
}

// Every setting, with its default. Each is a DSN parameter and an environment variable, too.
func ExampleSettings() {
	settings := telemetry.Settings{
		Enabled:     telemetry.SwitchUnset, // the server's flag decides; Off is off
		ForceEnable: false,                 // true skips the flag

		BatchSize:     100,
		FlushInterval: 5 * time.Second,
		MaxRetries:    3, // negative is none
		RetryDelay:    500 * time.Millisecond,
		QueueSize:     1000,
		CloseTimeout:  2 * time.Second, // the longest that closing the database waits

		CircuitBreaker:          telemetry.SwitchOn,
		CircuitBreakerThreshold: 5,
		CircuitBreakerTimeout:   time.Minute,

		LogLevel:      "off", // "warn" logs slow and failed statements to slog
		SlowThreshold: 10 * time.Second,
		QueryText:     false, // true keeps the text of statements, for local sinks only
		ErrorText:     "redacted",

		QueryHistory: "off", // "slow" asks the workspace why the server took its time

		SampleRate: telemetry.Known(1.0), // of successful statements; failed ones always
	}
	fmt.Println(settings == telemetry.Settings{}.WithDefaults())
	// Output: true
}
