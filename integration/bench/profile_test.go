package main

import (
	"testing"

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
