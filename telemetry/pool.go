package telemetry

import (
	"context"
	"database/sql"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/internal/contain"
)

// Pool is a registered sql.DB, under the name that the application gave it.
type Pool struct {
	Name string
	// Stats reads the pool's statistics. ok is false when the pool panics, or does not return
	// within a second; one that hangs is not read again until it has returned.
	Stats func() (stats sql.DBStats, ok bool)
}

// PoolSample is how a registered pool was at a moment, and what happened in it since the sample before.
type PoolSample struct {
	Sampled time.Time
	Over    time.Duration // since the sample before; 0 for the first one
	Pool    string        // its name

	MaxOpen int // most connections there may be; 0 means any number
	Open    int // connections
	InUse   int // of them, with statements, transactions or open rows
	Idle    int // of them, free

	Waits  int64         // for a connection, that began since the sample before
	Waited time.Duration // of all waits that ended since the sample before, as database/sql counts
}

// poolTimeout is how long a pool may take. A sql.DB takes microseconds.
const poolTimeout = time.Second

func newPool(name string, read func() sql.DBStats) *Pool {
	pool := contain.NewSupplied(&contain.Process, contain.Pool)
	return &Pool{name, func() (sql.DBStats, bool) {
		ctx, cancel := context.WithTimeout(context.Background(), poolTimeout)
		defer cancel()
		var stats sql.DBStats
		if pool.Run(ctx, func() { stats = read() }) != nil {
			return sql.DBStats{}, false
		}
		return stats, true
	}}
}
