package wrapped

import (
	"database/sql"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/driverwrap"
	"github.com/seed-01322ee7/databricks-telemetry/integration/workspace"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// sinkhole is a sink that retains nothing.
type sinkhole struct{}

func (sinkhole) StatementFinished(*telemetry.Statement) {}

// BenchmarkStatement pairs the native driver with the wrapped one on the same workspace, in
// this process: the server's time is in both. Compare with benchstat.
func BenchmarkStatement(b *testing.B) {
	for _, work := range []struct {
		name, query string
		opts        workspace.Options
	}{
		{"one row", "SELECT 1", workspace.Options{ResultCache: true}},
		{"100k rows inline", "SELECT id, id AS twice FROM range(100000)", workspace.Options{ResultCache: true, CloudFetchThreshold: -1}},
		{"100k rows in 20 files", "SELECT id, id AS twice FROM range(100000)", workspace.Options{ResultCache: true, CloudFetchThreshold: 1, FileRows: 5000, LinksPerPage: 20}},
	} {
		ws := workspace.New(b, work.opts)
		for _, d := range []struct {
			name string
			open func() (*sql.DB, error)
		}{
			{"native", func() (*sql.DB, error) { return sql.Open("databricks", ws.DSN("enableTelemetry=false")) }},
			{"silent", func() (*sql.DB, error) { return sql.Open(driverwrap.Name, ws.DSN("enableTelemetry=false")) }},
			{"measured", func() (*sql.DB, error) {
				c, err := driverwrap.Config{Sinks: []telemetry.Sink{sinkhole{}}}.OpenConnector(ws.DSN("enableTelemetry=false"))
				return sql.OpenDB(c), err
			}},
		} {
			b.Run(work.name+"/"+d.name, func(b *testing.B) {
				db, err := d.open()
				require.NoError(b, err)
				defer db.Close()
				b.ReportAllocs()
				for b.Loop() {
					rows, err := db.Query(work.query)
					if err != nil {
						b.Fatal(err)
					}
					for rows.Next() {
					}
					if err := rows.Close(); err != nil {
						b.Fatal(err)
					}
				}
				b.StopTimer()
				ws.Forget()
			})
		}
	}
}
