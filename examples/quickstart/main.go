// Quickstart opens the wrapped driver, runs statements of every kind and prints what was measured
// for each.
//
// Without configuration it starts a simulated workspace and runs against that; with
// DATABRICKS_DSN set it runs against the workspace named there, leaving out the statements
// that write.
package main

import (
	"context"
	"database/sql"
	"fmt"
	"os"

	"github.com/databricks/databricks-sql-go/logger"

	_ "github.com/seed-01322ee7/databricks-telemetry/driverwrap" // registers "databricks-telemetry"
	"github.com/seed-01322ee7/databricks-telemetry/examples/internal/demo"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry/ndjson"
)

func main() {
	if err := run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "quickstart:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	_ = logger.SetLogLevel("disabled") // the native driver logs every error it returns; some are provoked here

	ws, err := demo.Open(os.Stdout)
	if err != nil {
		return err
	}
	defer ws.Close()

	// The records of every wrapped driver in the process go to this writer as NDJSON.
	var records journal
	defer telemetry.Attach(ndjson.New(&records))()

	// This is the whole change an application makes.
	db, err := sql.Open("databricks-telemetry", ws.DSN)
	if err != nil {
		return err
	}
	db.SetMaxOpenConns(1) // one session, so that a step finds the table created by an earlier one

	var r report
	for _, step := range steps {
		if step.writes && ws.Simulated == nil {
			r.skipped(step)
			continue
		}
		outcome := step.run(ctx, db)
		_ = telemetry.Default.Flush(ctx) // records are delivered in the background; wait for this step's
		r.step(step, outcome, records.take())
	}
	if err := db.Close(); err != nil {
		return err
	}
	r.sessions(records.take())
	r.print(os.Stdout)
	return nil
}
