package telemetry

import (
	"context"
	"database/sql"
	"time"

	"github.com/seed-01322ee7/databricks-telemetry/internal/contain"
)

// Pool is a sql.DB whose statistics are shown, under a name of the application's choice.
type Pool struct {
	Name string
	// Stats asks the pool. ok is false when it panics, or does not answer within a second;
	// one that hangs is not asked again until it has answered.
	Stats func() (stats sql.DBStats, ok bool)
}

// poolPatience is how long a pool has to answer. A sql.DB takes microseconds.
const poolPatience = time.Second

func newPool(name string, read func() sql.DBStats) *Pool {
	pool := contain.NewSupplied(&contain.Process, contain.Pool)
	return &Pool{name, func() (sql.DBStats, bool) {
		ctx, cancel := context.WithTimeout(context.Background(), poolPatience)
		defer cancel()
		var answer sql.DBStats
		if pool.Run(ctx, func() { answer = read() }) != nil {
			return sql.DBStats{}, false
		}
		return answer, true
	}}
}
