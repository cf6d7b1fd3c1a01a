package main

import (
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/integration/workspace"
)

// workspaceDSN returns the DSN to run against: DATABRICKS_DSN, or that of a simulated
// workspace, which stop ends.
func workspaceDSN() (dsn string, simulated bool, stop func(), err error) {
	if dsn := os.Getenv("DATABRICKS_DSN"); dsn != "" {
		fmt.Println("Running against the workspace of DATABRICKS_DSN.")
		return dsn, false, func() {}, nil
	}
	ws, err := workspace.Start(workspace.Options{
		DirectResultWait:    500 * time.Millisecond, // slower statements are polled
		CloudFetchThreshold: 1 << 20,                // larger results are downloaded as files
		FileBytes:           1 << 20,
		ExecutionTime: func(sql string) time.Duration {
			if strings.Contains(sql, "/* slow */") {
				return 1500 * time.Millisecond
			}
			return 0
		},
	})
	if err != nil {
		return "", false, nil, err
	}
	fmt.Printf("Running against a simulated workspace at %s. Set DATABRICKS_DSN to use a real one.\n", ws.URL())
	return ws.DSN(), true, func() { _ = ws.Close() }, nil
}
