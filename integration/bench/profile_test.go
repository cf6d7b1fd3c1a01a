package main

import (
	"context"
	"database/sql"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	dbsql "github.com/databricks/databricks-sql-go"
	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/integration/workspace"
)

// BenchmarkStatement runs one-row statements without a network, to be profiled:
//
//	GOMAXPROCS=1 go test -run '^$' -bench Statement/ours-local -cpuprofile cpu.pprof .
//	go tool pprof -top -cum -focus databricks-telemetry cpu.pprof
func BenchmarkStatement(b *testing.B) {
	ws := workspace.New(b, workspace.Options{ResultCache: true})
	for _, name := range []string{"native", "ours-off", "ours-local", "ours"} {
		b.Run(name, func(b *testing.B) {
			v, err := variantNamed(name)
			require.NoError(b, err)
			if v.start != nil {
				require.NoError(b, v.start())
			}
			answers, err := can(b.Context(), ws.DSN())
			require.NoError(b, err)
			answers.flag = v.telemetry
			options, err := optionsOf(ws.DSN())
			require.NoError(b, err)
			db, err := v.options(append(options, dbsql.WithTransport(answers)))
			require.NoError(b, err)
			defer db.Close()
			b.ReportAllocs()
			for b.Loop() {
				if err := oneRow(b.Context(), db, target{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkAdded runs the same statements with every variant in turns, in one process: what
// the machine does meanwhile, it does to all of them. It reports the median of what each adds
// to the native driver, in nanoseconds per statement.
//
//	GOMAXPROCS=1 go test -run '^$' -bench Added -benchtime 400x .
func BenchmarkAdded(b *testing.B) {
	const statements = 200
	names := []string{"native", "native-again", "sqlmw", "ours-off", "ours-local", "ours"}
	ws := workspace.New(b, workspace.Options{ResultCache: true})
	dbs, flush := map[string]*sql.DB{}, map[string]func(context.Context){}
	for _, name := range names {
		v, err := variantNamed(name)
		require.NoError(b, err)
		if v.start != nil {
			require.NoError(b, v.start())
		}
		answers, err := can(b.Context(), ws.DSN())
		require.NoError(b, err)
		answers.flag = v.telemetry
		options, err := optionsOf(ws.DSN())
		require.NoError(b, err)
		db, err := v.options(append(options, dbsql.WithTransport(answers)))
		require.NoError(b, err)
		defer db.Close()
		dbs[name], flush[name] = db, v.flush
	}
	took := map[string][]float64{}
	turn := func(name string) {
		start := time.Now()
		for range statements {
			if err := oneRow(b.Context(), dbs[name], target{}); err != nil {
				b.Fatal(err)
			}
		}
		if flush[name] != nil {
			flush[name](b.Context())
		}
		took[name] = append(took[name], float64(time.Since(start).Nanoseconds())/statements)
	}
	for b.Loop() {
		for _, i := range rand.Perm(len(names)) {
			turn(names[i])
		}
	}
	median := func(values []float64) float64 {
		slices.Sort(values)
		return values[len(values)/2]
	}
	bare := slices.Clone(took["native"])
	for _, name := range names {
		added := make([]float64, len(bare))
		for i := range added {
			added[i] = took[name][i] - bare[i]
		}
		b.ReportMetric(median(added), name+"-ns/statement")
	}
}
