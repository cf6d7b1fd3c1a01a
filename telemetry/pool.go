package telemetry

import (
	"context"
	"database/sql"
	"slices"
	"strings"
	"sync"
	"time"
	"weak"

	"github.com/seed-01322ee7/databricks-telemetry/internal/contain"
	"github.com/seed-01322ee7/databricks-telemetry/internal/ondemand"
	"github.com/seed-01322ee7/databricks-telemetry/internal/sqltext"
)

// Pool is a registered sql.DB, under the name that the application gave it.
type Pool struct {
	// Name is the name that the application gave the pool.
	Name string
	// ID is the number of the registration, unique in the process. Several pools may have the same
	// name.
	ID int64
	// Stats reads the pool's statistics. ok is false if the pool panics or does not return within a
	// second. A pool that hangs is not read again until it has returned.
	Stats func() (stats sql.DBStats, ok bool)

	db weak.Pointer[sql.DB] // the registered pool; refers to nothing if that is not a *sql.DB
}

// Same reports whether two registrations are certainly of the same sql.DB under the same name.
func (p Pool) Same(other Pool) bool {
	return p.Name == other.Name && p.db == other.db && p.db != weak.Pointer[sql.DB]{}
}

// ReadPools reads the statistics of all pools concurrently, so that a pool that hangs does not delay
// the others. The statistics of a pool are unknown if [Pool.Stats] is not ok, or if a Pool made by
// hand has a Stats that is nil or panics.
func ReadPools(pools []Pool) []Maybe[sql.DBStats] {
	all := make([]Maybe[sql.DBStats], len(pools))
	_ = ondemand.Each(len(pools), func(i int) error {
		contain.Process.Call(contain.Pool, func() {
			if stats, ok := pools[i].Stats(); ok {
				all[i] = Known(stats)
			}
		})
		return nil
	})
	return all
}

// PoolSample is the state of a registered pool at one moment, and what happened in the pool since the
// previous sample.
type PoolSample struct {
	Sampled time.Time     // when the statistics were read
	Over    time.Duration // since the previous sample; 0 for the first one
	Pool    string        // its name

	MaxOpen int // largest number of connections; 0 means no limit
	Open    int // connections, InUse and Idle
	InUse   int // connections with statements, transactions or open rows
	Idle    int // connections that are free

	Waits  int64         // waits for a connection that began since the previous sample
	Waited time.Duration // sum of the waits that ended since then, as database/sql counts them
}

// poolTimeout is how long a pool may take to return its statistics. A sql.DB takes microseconds.
const poolTimeout = time.Second

const maxPoolName = 256 // bytes

// registeredPools are the pools of a Process. The zero value is ready to use.
type registeredPools struct {
	mu    sync.Mutex
	all   []*Pool // guarded by mu
	added int64   // pools so far, removed ones included; guarded by mu
}

func (r *registeredPools) add(name string, of interface{ Stats() sql.DBStats }) (remove func()) {
	pool := newPool(name, of)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.added++
	pool.ID = r.added
	r.all = append(r.all, pool)
	return func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.all = slices.DeleteFunc(r.all, func(other *Pool) bool { return other == pool })
	}
}

// list returns the pools for [Process.Pools].
func (r *registeredPools) list() []Pool {
	r.mu.Lock()
	pools := slices.Clone(r.all)
	r.mu.Unlock()
	slices.SortStableFunc(pools, func(a, b *Pool) int { return strings.Compare(a.Name, b.Name) })
	all := make([]Pool, 0, len(pools))
	for _, pool := range pools {
		if !slices.ContainsFunc(all, pool.Same) {
			all = append(all, *pool)
		}
	}
	return all
}

func newPool(name string, of interface{ Stats() sql.DBStats }) *Pool {
	pool := contain.NewSupplied(&contain.Process, contain.Pool)
	turns := newTurns()                       // sinks may read at the same time, and each must get an answer
	name = sqltext.Bounded(name, maxPoolName) // OTLP refuses a whole batch for one text that is not UTF-8
	db, _ := of.(*sql.DB)
	return &Pool{Name: name, db: weak.Make(db), Stats: func() (sql.DBStats, bool) {
		turns.begin()
		defer turns.end()
		ctx, cancel := context.WithTimeout(context.Background(), poolTimeout)
		defer cancel()
		var stats sql.DBStats
		if !pool.Run(ctx, func() { stats = of.Stats() }) {
			return sql.DBStats{}, false
		}
		return stats, true
	}}
}

// turns is a lock for one goroutine at a time. A channel would belong to the testing/synctest bubble in which
// the pool was registered, and a mutex would stop the clock of a bubble while one of its goroutines waits.
type turns struct {
	free  *sync.Cond
	taken bool // guarded by free.L
}

func newTurns() *turns { return &turns{free: sync.NewCond(new(sync.Mutex))} }

func (t *turns) begin() {
	t.free.L.Lock()
	defer t.free.L.Unlock()
	for t.taken {
		t.free.Wait()
	}
	t.taken = true
}

func (t *turns) end() {
	t.free.L.Lock()
	defer t.free.L.Unlock()
	t.taken = false
	t.free.Signal()
}
