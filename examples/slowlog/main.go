// Slowlog is an application that logs only its slow and failed statements, each with the reason as
// far as it is known.
//
// It runs against a simulated workspace, or against a real one when DATABRICKS_DSN is set. An
// application that logs to slog.Default needs no code for this, only DSN parameters:
// telemetry_log_level=warn&telemetry_slow_threshold=1s.
package main

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/databricks/databricks-sql-go/logger"

	_ "github.com/seed-01322ee7/databricks-telemetry/driverwrap" // registers "databricks-telemetry"
	"github.com/seed-01322ee7/databricks-telemetry/examples/internal/demo"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry/logsink"
)

// slow is this application's threshold for slow statements. The default is 10 s.
const slow = time.Second

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "slowlog:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, out io.Writer) error {
	_ = logger.SetLogLevel("disabled") // the native driver logs every error it returns

	ws, err := demo.Open(out)
	if err != nil {
		return err
	}
	defer ws.Close()

	// Statements at least this slow go to the application's own logger. At slog.LevelInfo, fast
	// ones would too.
	logger := slog.New(slog.NewTextHandler(out, &slog.HandlerOptions{ReplaceAttr: briefly}))
	defer telemetry.Attach(logsink.New(logger, slog.LevelWarn, slow))()

	db, err := sql.Open("databricks-telemetry", ws.DSN)
	if err != nil {
		return err
	}
	for _, s := range statements {
		fmt.Fprintf(out, "\n%s:\n", s.title)
		err := s.read(ctx, db)
		_ = telemetry.Flush(ctx) // lines are written in the background; wait for this statement's
		if err != nil {
			fmt.Fprintf(out, "the application got an error (%T)\n", err)
		}
	}
	return db.Close()
}

// statement is one that the application reads, with a pause now and then.
type statement struct {
	title, text string
	limit       time.Duration // the statement's deadline; 0: none
	pause       time.Duration // after every 1,000 rows
}

var statements = []statement{
	{title: "A fast statement leaves no trace", text: "SELECT 1"},
	{title: "A statement that keeps the warehouse busy", text: "SELECT " + demo.Slow + " count(*) FROM range(1000)"},
	{title: "An application that takes its time between rows", text: "SELECT id FROM range(10000)", pause: 120 * time.Millisecond},
	{title: "A statement that the application gives up", text: "SELECT " + demo.Slow + " count(*) FROM range(2000)", limit: 1100 * time.Millisecond},
	{title: "One that fails at once says only that", text: "SELECT * FROM no_such_table"},
}

func (s statement) read(ctx context.Context, db *sql.DB) error {
	if s.limit > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, s.limit)
		defer cancel()
	}
	rows, err := db.QueryContext(ctx, s.text)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for n := 1; rows.Next(); n++ {
		if n%1000 == 0 {
			time.Sleep(s.pause)
		}
	}
	return rows.Err()
}

// briefly leaves out attributes that a reader of this example can do without.
func briefly(_ []string, a slog.Attr) slog.Attr {
	switch a.Key {
	case slog.LevelKey, slog.MessageKey, "verdict", "statement_id", "outcome", "error_category", "sqlstate", "total_ms", "rows_read":
		return a
	}
	return slog.Attr{}
}
