package main

import (
	"context"
	"database/sql"
	"fmt"
	"sync"
	"sync/atomic"
)

// workload is something an application does over and over.
type workload struct {
	name   string
	params string // of the DSN
	writes bool   // goes to the workspace with a table
	slow   bool   // goes to the slow workspace
	canned bool   // answered within the client's process, see canned.go
	warm   int    // operations before anything is measured
	rows   bool   // an op reads as many rows as the target's results have

	// prepare configures the pool; nil keeps database/sql's defaults.
	prepare func(*sql.DB)
	// run performs ops operations.
	run func(ctx context.Context, db *sql.DB, t target, ops int) error
}

const concurrency = 64

// profiled is the workload to be profiled.
const profiled = "NoNetwork"

// workloads are all workloads, in the order of the report.
var workloads = []workload{
	{name: "OneRow", warm: 50, run: repeat(oneRow)},
	{name: "Warehouse20", slow: true, warm: 5, run: repeat(oneRow)},
	{name: "Inline", params: "useCloudFetch=false", warm: 1, rows: true, run: repeat(allRows)},
	{name: "CloudFetch20", warm: 1, rows: true, run: repeat(allRows)},
	{
		name: "Concurrent64", warm: 4 * concurrency,
		prepare: func(db *sql.DB) { db.SetMaxIdleConns(concurrency) },
		run:     atOnce(concurrency, oneRow),
	},
	{name: "Churn", warm: 10, prepare: useOnce, run: repeat(oneRow)},
	{name: "Exec", writes: true, warm: 50, run: repeat(update)},
	{name: profiled, canned: true, warm: 500, run: repeat(oneRow)},
	{name: "ChurnNoNetwork", canned: true, warm: 100, prepare: useOnce, run: repeat(oneRow)},
}

// useOnce makes the pool use every connection once.
func useOnce(db *sql.DB) { db.SetMaxIdleConns(-1) }

func workloadNamed(name string) (workload, error) {
	for _, w := range workloads {
		if w.name == name {
			return w, nil
		}
	}
	return workload{}, fmt.Errorf("there is no workload %q", name)
}

type operation func(context.Context, *sql.DB, target) error

func repeat(do operation) func(context.Context, *sql.DB, target, int) error {
	return func(ctx context.Context, db *sql.DB, t target, ops int) error {
		for range ops {
			if err := do(ctx, db, t); err != nil {
				return err
			}
		}
		return nil
	}
}

// atOnce divides the operations among goroutines.
func atOnce(goroutines int, do operation) func(context.Context, *sql.DB, target, int) error {
	return func(ctx context.Context, db *sql.DB, t target, ops int) error {
		var begun atomic.Int64
		var failed atomic.Pointer[error]
		var wg sync.WaitGroup
		for range goroutines {
			wg.Go(func() {
				for begun.Add(1) <= int64(ops) && failed.Load() == nil {
					if err := do(ctx, db, t); err != nil {
						failed.Store(&err)
					}
				}
			})
		}
		wg.Wait()
		if err := failed.Load(); err != nil {
			return *err
		}
		return nil
	}
}

func oneRow(ctx context.Context, db *sql.DB, _ target) error {
	var one int
	return db.QueryRowContext(ctx, "SELECT 1").Scan(&one)
}

// allRows reads two numbers per row into the same variables: the cheapest rows possible, so that
// any cost added to a row shows.
func allRows(ctx context.Context, db *sql.DB, t target) error {
	rows, err := db.QueryContext(ctx, fmt.Sprintf("SELECT id, id AS again FROM range(%d)", t.Rows))
	if err != nil {
		return err
	}
	defer rows.Close()
	var id, again any
	n := 0
	for rows.Next() {
		if err := rows.Scan(&id, &again); err != nil {
			return err
		}
		n++
	}
	if err := rows.Err(); err != nil {
		return err
	}
	if n != t.Rows {
		return fmt.Errorf("read %d rows of %d", n, t.Rows)
	}
	return rows.Close()
}

func update(ctx context.Context, db *sql.DB, _ target) error {
	_, err := db.ExecContext(ctx, "UPDATE counter SET n = n + 1")
	return err
}
