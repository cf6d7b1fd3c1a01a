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

// BenchmarkStatement runs the native driver and the wrapped one on the same workspace, in this process, so
// both include the server's time. Compare the two with benchstat.
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
		for _, d := range drivers(ws) {
			b.Run(work.name+"/"+d.name, func(b *testing.B) {
				db, err := d.open()
				require.NoError(b, err)
				defer db.Close()
				b.ReportAllocs()
				for b.Loop() {
					query(b, db, work.query)
				}
				b.StopTimer()
				ws.Forget()
			})
		}
	}
}

// BenchmarkConnection is BenchmarkStatement with a connection for each statement.
func BenchmarkConnection(b *testing.B) {
	ws := workspace.New(b, workspace.Options{ResultCache: true})
	for _, d := range drivers(ws) {
		b.Run(d.name, func(b *testing.B) {
			db, err := d.open()
			require.NoError(b, err)
			defer db.Close()
			db.SetMaxIdleConns(-1)
			b.ReportAllocs()
			for b.Loop() {
				query(b, db, "SELECT 1")
			}
		})
	}
}

type opener struct {
	name string
	open func() (*sql.DB, error)
}

func drivers(ws *workspace.Workspace) []opener {
	return []opener{
		{"native", func() (*sql.DB, error) { return sql.Open("databricks", ws.DSN("enableTelemetry=false")) }},
		{"silent", func() (*sql.DB, error) { return sql.Open(driverwrap.Name, ws.DSN("enableTelemetry=false")) }},
		{"measured", func() (*sql.DB, error) {
			c, err := driverwrap.Config{Sinks: []telemetry.Sink{sinkhole{}}}.OpenConnector(ws.DSN("enableTelemetry=false"))
			return sql.OpenDB(c), err
		}},
	}
}

func query(b *testing.B, db *sql.DB, query string) {
	b.Helper()
	rows, err := db.Query(query)
	if err != nil {
		b.Fatal(err)
	}
	for rows.Next() {
	}
	if err := rows.Close(); err != nil {
		b.Fatal(err)
	}
}
