package driverwrap_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"io"
	"log/slog"
	"runtime"
	"testing"

	"github.com/databricks/databricks-sql-go/driverctx"
	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/driverwrap"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// idleConn answers at once and allocates next to nothing, so that the wrapper's share shows.
type idleConn struct{ rows int }

func (c *idleConn) Prepare(string) (driver.Stmt, error)      { return nil, io.ErrClosedPipe }
func (c *idleConn) Close() error                             { return nil }
func (c *idleConn) Begin() (driver.Tx, error)                { return nil, io.ErrClosedPipe }
func (c *idleConn) CheckNamedValue(*driver.NamedValue) error { return nil }
func (c *idleConn) ResetSession(context.Context) error       { return nil }
func (c *idleConn) IsValid() bool                            { return true }
func (c *idleConn) ExecContext(context.Context, string, []driver.NamedValue) (driver.Result, error) {
	return driver.ResultNoRows, nil
}
func (c *idleConn) QueryContext(context.Context, string, []driver.NamedValue) (driver.Rows, error) {
	return &idleRows{left: c.rows}, nil
}

type idleRows struct{ left int }

func (r *idleRows) Columns() []string { return nil }
func (r *idleRows) Close() error      { return nil }
func (r *idleRows) Next([]driver.Value) error {
	if r.left == 0 {
		return io.EOF
	}
	r.left--
	return nil
}

type idleConnector struct{ rows int }

func (c idleConnector) Connect(context.Context) (driver.Conn, error) { return &idleConn{c.rows}, nil }
func (c idleConnector) Driver() driver.Driver                        { return fakeDriver{} }

// discard is a sink that keeps nothing.
type discard struct{}

func (discard) StatementFinished(*telemetry.Statement) {}

func bareDB(rows int) *sql.DB       { return sql.OpenDB(idleConnector{rows}) }
func unmeasuredDB(rows int) *sql.DB { return sql.OpenDB(driverwrap.Wrap(idleConnector{rows})) }
func measuredDB(rows int) *sql.DB {
	return sql.OpenDB(driverwrap.Config{Sinks: []telemetry.Sink{discard{}}}.Wrap(idleConnector{rows}))
}

func execOnce(b testing.TB, db *sql.DB) {
	if _, err := db.Exec("x"); err != nil {
		b.Fatal(err)
	}
}

func queryOnce(b testing.TB, db *sql.DB) {
	rows, err := db.Query("x")
	if err != nil {
		b.Fatal(err)
	}
	for rows.Next() {
	}
	if err := rows.Close(); err != nil {
		b.Fatal(err)
	}
}

// busy is what a busy machine may add to an average: sinks receive records in batches, whose number
// is a matter of time.
const busy = 2.0

// The limits hold for what the wrapper adds to the bare driver, per statement.
func TestAllocationsPerStatementStayWithinTheirLimits(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	for name, once := range map[string]func(testing.TB, *sql.DB){"exec": execOnce, "query": queryOnce} {
		allocs := func(db *sql.DB) float64 {
			defer db.Close()
			return testing.AllocsPerRun(200, func() { once(t, db) })
		}
		bare := allocs(bareDB(1))
		require.LessOrEqual(t, allocs(measuredDB(1))-bare, 7.0+busy, "%s, measured", name)
		require.LessOrEqual(t, allocs(unmeasuredDB(1))-bare, 0.0+busy, "%s, unmeasured", name)
	}
}

// The limits hold for the bytes that the wrapper adds to those of the bare driver, per statement.
func TestAllocatedBytesPerStatementStayWithinTheirLimits(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	for name, c := range map[string]struct {
		once  func(testing.TB, *sql.DB)
		limit float64
	}{
		"exec":  {execOnce, 3000},
		"query": {queryOnce, 3300},
	} {
		bytes := func(db *sql.DB) float64 {
			defer db.Close()
			return bytesPerRun(1000, func() { c.once(t, db) })
		}
		bare := bytes(bareDB(1))
		measured, unmeasured := bytes(measuredDB(1))-bare, bytes(unmeasuredDB(1))-bare
		t.Logf("%s: %.0f bytes measured, %.0f unmeasured", name, measured, unmeasured)
		require.LessOrEqual(t, measured, c.limit, "%s, measured", name)
		require.LessOrEqual(t, unmeasured, 100.0, "%s, unmeasured", name)
	}
}

// bytesPerRun is testing.AllocsPerRun for bytes.
func bytesPerRun(runs int, f func()) float64 {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	f()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range runs {
		f()
	}
	runtime.ReadMemStats(&after)
	return float64(after.TotalAlloc-before.TotalAlloc) / float64(runs)
}

// The limits hold for what the wrapper adds to the bare driver, per connection with one statement.
func TestAllocationsPerConnectionStayWithinTheirLimits(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	allocs := func(db *sql.DB) float64 {
		defer db.Close()
		db.SetMaxIdleConns(-1)
		return testing.AllocsPerRun(200, func() { queryOnce(t, db) })
	}
	bare := allocs(bareDB(1))
	require.LessOrEqual(t, allocs(measuredDB(1))-bare, 17.0+busy, "measured")
	require.LessOrEqual(t, allocs(unmeasuredDB(1))-bare, 6.0+busy, "unmeasured")
}

func TestARowAllocatesNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	allocs := func(rows int) float64 {
		db := measuredDB(rows)
		defer db.Close()
		return testing.AllocsPerRun(20, func() { queryOnce(t, db) })
	}
	require.InDelta(t, allocs(1), allocs(10_000), 1, "10,000 rows cost what one row costs")
}

func BenchmarkExec(b *testing.B) {
	for name, open := range map[string]func(int) *sql.DB{"bare": bareDB, "unmeasured": unmeasuredDB, "measured": measuredDB} {
		b.Run(name, func(b *testing.B) {
			db := open(1)
			defer db.Close()
			b.ReportAllocs()
			for b.Loop() {
				execOnce(b, db)
			}
		})
	}
}

func BenchmarkQuery(b *testing.B) {
	for name, open := range map[string]func(int) *sql.DB{"bare": bareDB, "unmeasured": unmeasuredDB, "measured": measuredDB} {
		b.Run(name, func(b *testing.B) {
			db := open(1)
			defer db.Close()
			b.ReportAllocs()
			for b.Loop() {
				queryOnce(b, db)
			}
		})
	}
}

// BenchmarkRow reports the time per row; the difference to bare is what a row costs.
func BenchmarkRow(b *testing.B) {
	for name, open := range map[string]func(int) *sql.DB{"bare": bareDB, "measured": measuredDB} {
		b.Run(name, func(b *testing.B) {
			db := open(b.N)
			defer db.Close()
			b.ReportAllocs()
			b.ResetTimer()
			queryOnce(b, db)
		})
	}
}

// statementContexts are contexts of calls that hold nothing, something else, and what records keep.
func statementContexts() map[string]context.Context {
	type key int
	valued := context.WithValue(context.WithValue(context.WithValue(context.Background(), key(0), 0), key(1), 1), key(2), 2)
	return map[string]context.Context{
		"background": context.Background(),
		"valued":     valued,
		"attributes": telemetry.WithAttributes(valued, slog.String("route", "/orders")),
		"tags":       driverctx.NewContextWithQueryTags(valued, map[string]string{"team": "data"}),
	}
}

func TestAContextAllocatesOnlyForTags(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	allocs := map[string]float64{}
	for name, ctx := range statementContexts() {
		db := measuredDB(1)
		allocs[name] = testing.AllocsPerRun(200, func() {
			if _, err := db.ExecContext(ctx, "x"); err != nil {
				t.Fatal(err)
			}
		})
		require.NoError(t, db.Close())
	}
	require.Equal(t, allocs["background"], allocs["valued"])     //nolint:testifylint // whole numbers
	require.Equal(t, allocs["background"], allocs["attributes"]) //nolint:testifylint // whole numbers
	require.LessOrEqual(t, allocs["tags"], allocs["background"]+4)
}

// BenchmarkContext reports what a statement costs by what its context holds.
func BenchmarkContext(b *testing.B) {
	for name, ctx := range statementContexts() {
		b.Run(name, func(b *testing.B) {
			db := measuredDB(1)
			defer db.Close()
			b.ReportAllocs()
			for b.Loop() {
				if _, err := db.ExecContext(ctx, "x"); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
