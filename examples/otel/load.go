package main

import (
	"context"
	"database/sql"
	"sync"
	"sync/atomic"

	"github.com/seed-01322ee7/databricks-telemetry/examples/internal/demo"
	"github.com/seed-01322ee7/databricks-telemetry/integration/workspace"
)

// load runs the statements of an application.
type load struct {
	db        *sql.DB
	workspace *demo.Workspace

	statements, failed, rows atomic.Int64
	prepared                 bool // the simulated workspace has its table and its faults
}

// queries are run at the same time, one more than there are connections.
var queries = [][]string{
	{"SELECT 42 AS answer", "SELECT id FROM range(100)", "SELECT id FROM range(2000)", "SELEC 1"},
	{"SELECT id, id * 2 AS twice FROM range(100000)", "SELECT * FROM no_such_table"}, // as files
	{"SELECT " + demo.Slow + " count(*) AS n FROM range(1000)"},                      // polled
	{"SELECT id FROM range(10000)", "SELECT 1 AS one"},
}

// round runs every statement once.
func (l *load) round(ctx context.Context) {
	if l.workspace.Simulated != nil {
		l.prepare(ctx)
		l.exec(ctx, "INSERT INTO visits VALUES (1), (2)")
		l.exec(ctx, "DELETE FROM visits WHERE id > 0")
	}
	l.count(l.db.PingContext(ctx))
	var group sync.WaitGroup
	for _, each := range queries {
		group.Go(func() {
			for _, text := range each {
				l.query(ctx, text)
			}
		})
	}
	group.Wait()
}

// prepare gives the simulated workspace its table and its faults.
func (l *load) prepare(ctx context.Context) {
	if l.prepared {
		return
	}
	l.prepared = true
	for _, on := range []workspace.Target{workspace.Method("GetOperationStatus"), workspace.ResultDownloads()} {
		l.workspace.Simulated.Inject(workspace.Fault{On: on, Share: 0.1, Do: workspace.StatusRetryAfter(503, 0)})
	}
	l.exec(ctx, "CREATE TABLE visits (id BIGINT)")
}

func (l *load) exec(ctx context.Context, text string) {
	_, err := l.db.ExecContext(ctx, text)
	l.count(err)
}

func (l *load) query(ctx context.Context, text string) {
	rows, err := l.db.QueryContext(ctx, text)
	if err == nil {
		for rows.Next() {
			l.rows.Add(1)
		}
		err = rows.Err()
		_ = rows.Close()
	}
	l.count(err)
}

// count counts a statement and its outcome.
func (l *load) count(err error) {
	l.statements.Add(1)
	if err != nil {
		l.failed.Add(1)
	}
}
