package ndjson_test

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/internal/registry"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry/ndjson"
)

// pools are registered pools whose statistics a test sets.
type pools map[string][]sql.DBStats

func (p pools) registered() (all []telemetry.Pool) {
	for _, name := range slices.Sorted(maps.Keys(p)) {
		for _, stats := range p[name] {
			all = append(all, telemetry.Pool{Name: name, Stats: func() (sql.DBStats, bool) { return stats, stats.OpenConnections >= 0 }})
		}
	}
	return all
}

func TestPoolsAreSampledWhileThereAreStatements(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		p := pools{}
		sink := ndjson.NewWithPools(&out, p.registered)
		samples := func() (all []*telemetry.PoolSample) {
			t.Helper()
			out.Reset()
			sink.StatementFinished(bare)
			require.NoError(t, sink.Err())
			for record, err := range ndjson.Read(strings.NewReader(out.String())) {
				require.NoError(t, err)
				if s, ok := record.(*telemetry.PoolSample); ok {
					all = append(all, s)
				}
			}
			return all
		}
		require.Empty(t, samples(), "there is no pool")

		time.Sleep(10 * time.Second)
		p["orders"] = []sql.DBStats{{MaxOpenConnections: 8, OpenConnections: 8, InUse: 6, Idle: 2, WaitCount: 100, WaitDuration: time.Minute}}
		require.Equal(t, []*telemetry.PoolSample{{Sampled: time.Now().UTC(), Pool: "orders", MaxOpen: 8, Open: 8, InUse: 6, Idle: 2}}, samples(),
			"what was waited before it was looked at is not of this time")

		time.Sleep(10*time.Second - 1)
		require.Empty(t, samples())
		time.Sleep(5*time.Second + 1)
		p["orders"][0] = sql.DBStats{MaxOpenConnections: 8, OpenConnections: 8, InUse: 7, Idle: 1, WaitCount: 105, WaitDuration: 61 * time.Second}
		require.Equal(t, []*telemetry.PoolSample{{
			Sampled: time.Now().UTC(), Over: 15 * time.Second, Pool: "orders", MaxOpen: 8, Open: 8, InUse: 7, Idle: 1, Waits: 5, Waited: time.Second,
		}}, samples())
		var line map[string]any
		require.NoError(t, json.Unmarshal(out.Bytes()[:bytes.IndexByte(out.Bytes(), '\n')], &line))
		delete(line, "event")
		require.ElementsMatch(t, names(registry.PoolSampleFields), slices.Collect(maps.Keys(line)))

		time.Sleep(10 * time.Second)
		p["orders"][0] = sql.DBStats{OpenConnections: 1, InUse: 1, WaitCount: 2, WaitDuration: time.Second}
		require.Equal(t, []*telemetry.PoolSample{{Sampled: time.Now().UTC(), Pool: "orders", Open: 1, InUse: 1}}, samples(), "it counts less: another pool")

		time.Sleep(10 * time.Second)
		two := func(waits int64, second sql.DBStats) []sql.DBStats {
			return []sql.DBStats{{MaxOpenConnections: 4, OpenConnections: 1, WaitCount: waits}, second}
		}
		other := sql.DBStats{MaxOpenConnections: 2, OpenConnections: 2, InUse: 2, WaitCount: 50, WaitDuration: time.Hour}
		stuck := sql.DBStats{OpenConnections: -1}
		p["orders"], p["stuck"] = two(2, other), []sql.DBStats{stuck}
		sum := telemetry.PoolSample{Pool: "orders", MaxOpen: 6, Open: 3, InUse: 2}
		sum.Sampled = time.Now().UTC()
		require.Equal(t, []*telemetry.PoolSample{&sum}, samples(), "pools of one name are one pool, one that does not answer is unknown")

		time.Sleep(10 * time.Second)
		p["orders"] = two(3, other)
		sum.Sampled, sum.Over, sum.Waits = time.Now().UTC(), 10*time.Second, 1
		require.Equal(t, []*telemetry.PoolSample{&sum}, samples())

		time.Sleep(10 * time.Second)
		p["orders"] = two(3, stuck)
		require.Equal(t, []*telemetry.PoolSample{{Sampled: time.Now().UTC(), Pool: "orders", MaxOpen: 4, Open: 1}}, samples())

		time.Sleep(10 * time.Second)
		p["orders"] = two(4, other)
		sum.Sampled, sum.Over, sum.Waits = time.Now().UTC(), 20*time.Second, 1
		require.Equal(t, []*telemetry.PoolSample{&sum}, samples(), "since both answered; the hour was not waited then")

		time.Sleep(10 * time.Second)
		p["orders"] = two(5, sql.DBStats{OpenConnections: 2, InUse: 1, Idle: 1, WaitCount: 53, WaitDuration: time.Hour + time.Second})
		require.Equal(t, []*telemetry.PoolSample{{
			Sampled: time.Now().UTC(), Over: 10 * time.Second, Pool: "orders", Open: 3, InUse: 1, Idle: 1, Waits: 4, Waited: time.Second,
		}}, samples(), "one of them has no limit")

		time.Sleep(10 * time.Second)
		p["orders"] = two(60, sql.DBStats{OpenConnections: 2, WaitCount: 54, WaitDuration: time.Minute})
		require.Equal(t, []*telemetry.PoolSample{{Sampled: time.Now().UTC(), Pool: "orders", Open: 3}}, samples(), "the time it counts is less: another pool")
	})
}

// Two components that share the pool of the application both register it.
func TestAPoolThatIsRegisteredTwiceIsSampledOnce(t *testing.T) {
	var process telemetry.Process
	db := sql.OpenDB(nil)
	db.SetMaxOpenConns(3)
	defer process.RegisterPool("orders", db)()
	defer process.RegisterPool("orders", db)()
	var out bytes.Buffer
	ndjson.NewWithPools(&out, process.Pools).StatementFinished(&telemetry.Statement{})
	for record, err := range ndjson.Read(&out) {
		require.NoError(t, err)
		if sample, ok := record.(*telemetry.PoolSample); ok {
			require.Equal(t, 3, sample.MaxOpen)
			return
		}
	}
	t.Fatal("no sample")
}

// A key that is left out would mean that the number is unknown.
func TestTheConnectionsOfAnIdlePoolAreZeroAndNotUnknown(t *testing.T) {
	var out bytes.Buffer
	ndjson.NewWithPools(&out, pools{"orders": {{}}}.registered).StatementFinished(bare)
	line, _, _ := strings.Cut(out.String(), "\n")
	require.Contains(t, line, `"open":0,"in_use":0,"idle":0,"waits":0`)
	require.NotContains(t, line, "max_open", "there is no limit")
}
