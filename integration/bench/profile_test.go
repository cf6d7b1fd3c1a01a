package main

import (
	"database/sql"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
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
			db, _ := openCanned(b, ws, name)
			b.ReportAllocs()
			for b.Loop() {
				if err := oneRow(b.Context(), db, target{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// A function that was renamed would leave its part empty.
func TestPartsNameFunctionsThatExist(t *testing.T) {
	declared := regexp.MustCompile(`(?m)^func (?:\(\w+ (\*\w+)\) )?(\w+)\(`)
	functions := map[string]bool{}
	for prefix, dir := range map[string]string{inCloudfetch: "cloudfetch", inDriverwrap: "driverwrap"} {
		files, err := filepath.Glob(filepath.Join("..", "..", dir, "*.go"))
		require.NoError(t, err)
		for _, file := range files {
			text, err := os.ReadFile(file)
			require.NoError(t, err)
			for _, f := range declared.FindAllSubmatch(text, -1) {
				name := string(f[2])
				if len(f[1]) > 0 {
					name = "(" + string(f[1]) + ")." + name
				}
				functions[prefix+name] = true
			}
		}
	}
	for _, p := range parts {
		if p.below != "" {
			require.True(t, functions[p.below], "%s of part %s", p.below, p.name)
		}
	}
}

// openCanned opens a variant whose workspace answers within the process.
func openCanned(b *testing.B, ws *workspace.Workspace, name string) (*sql.DB, variant) {
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
	b.Cleanup(func() { _ = db.Close() })
	return db, v
}

// BenchmarkAdded runs the same statements with every variant in turns, in one process, so that disturbances
// by the machine affect all of them. It reports the median of what each adds to the native driver, in
// nanoseconds per statement.
//
//	GOMAXPROCS=1 go test -run '^$' -bench Added -benchtime 400x .
func BenchmarkAdded(b *testing.B) {
	const statements = 200
	ws := workspace.New(b, workspace.Options{ResultCache: true})
	type contestant struct {
		variant
		db   *sql.DB
		took []float64 // nanoseconds per statement, by turn
	}
	var all []*contestant
	for _, name := range []string{"native", "native-again", "sqlmw", "ours-off", "ours-local", "ours"} {
		db, v := openCanned(b, ws, name)
		all = append(all, &contestant{variant: v, db: db})
	}
	for b.Loop() {
		for _, i := range rand.Perm(len(all)) {
			c := all[i]
			start := time.Now()
			for range statements {
				if err := oneRow(b.Context(), c.db, target{}); err != nil {
					b.Fatal(err)
				}
			}
			if c.flush != nil {
				c.flush(b.Context())
			}
			c.took = append(c.took, float64(time.Since(start).Nanoseconds())/statements)
		}
	}
	for _, c := range all {
		added := make([]float64, len(c.took))
		for i := range added {
			added[i] = c.took[i] - all[0].took[i]
		}
		slices.Sort(added)
		b.ReportMetric(added[len(added)/2], c.name+"-ns/statement")
	}
}
