// Package demo opens the workspace an example runs against: the one of DATABRICKS_DSN, or a
// simulated one.
package demo

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/integration/workspace"
)

// Slow is a comment that makes a statement slow in the simulated workspace.
const Slow = "/* slow */"

// Workspace is where an example runs.
type Workspace struct {
	// DSN opens it.
	DSN string
	// Simulated is the workspace itself if it is simulated; otherwise nil.
	Simulated *workspace.Workspace
}

// Open finds the workspace to run against and says on out which it is.
func Open(out io.Writer) (*Workspace, error) {
	if dsn := os.Getenv("DATABRICKS_DSN"); dsn != "" {
		fmt.Fprintln(out, "Running against the workspace of DATABRICKS_DSN.")
		return &Workspace{DSN: dsn}, nil
	}
	ws, err := workspace.Start(workspace.Options{
		DirectResultWait:    500 * time.Millisecond, // slower statements are polled
		CloudFetchThreshold: 1 << 20,                // larger results are downloaded as files
		FileBytes:           1 << 20,
		TelemetryFlag:       workspace.FlagOn,
		ExecutionTime: func(sql string) time.Duration {
			if strings.Contains(sql, Slow) {
				return 1500 * time.Millisecond
			}
			return 0
		},
	})
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(out, "Running against a simulated workspace at %s. Set DATABRICKS_DSN to use a real one.\n", ws.URL())
	return &Workspace{DSN: ws.DSN(), Simulated: ws}, nil
}

// Close ends a simulated workspace.
func (w *Workspace) Close() {
	if w.Simulated != nil {
		_ = w.Simulated.Close()
	}
}
