package main

import (
	"context"
	"database/sql"
	"net/http"
	"syscall"
	"testing"

	dbsql "github.com/databricks/databricks-sql-go"
	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/integration/workspace"
)

func BenchmarkZ(b *testing.B) {
	ws := workspace.New(b, workspace.Options{ResultCache: true})
	for _, net := range []bool{false, true} {
		for _, name := range []string{"native", "ours-off", "ours-local", "ours"} {
			v, err := variantNamed(name)
			require.NoError(b, err)
			b.Run(name+map[bool]string{true: "/net", false: "/canned"}[net], func(b *testing.B) {
				if v.start != nil {
					require.NoError(b, v.start())
				}
				var db *sql.DB
				if net {
					db, err = v.open(ws.DSN())
				} else {
					c, err2 := can(context.Background(), ws.DSN())
					require.NoError(b, err2)
					c.flag = v.telemetry
					opts, err2 := optionsOf(ws.DSN())
					require.NoError(b, err2)
					db, err = v.options(append(opts, dbsql.WithTransport(http.RoundTripper(c))))
				}
				require.NoError(b, err)
				defer db.Close()
				b.ReportAllocs()
				var r0, r1 syscall.Rusage
				syscall.Getrusage(syscall.RUSAGE_SELF, &r0)
				n := 0
				for b.Loop() {
					if err := oneRow(context.Background(), db, target{}); err != nil {
						b.Fatal(err)
					}
					n++
				}
				syscall.Getrusage(syscall.RUSAGE_SELF, &r1)
				b.ReportMetric(float64(r1.Utime.Nano()-r0.Utime.Nano()+r1.Stime.Nano()-r0.Stime.Nano())/float64(n), "cpu-ns/op")
			})
		}
	}
}
