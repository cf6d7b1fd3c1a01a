package conformance

import (
	"database/sql"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/integration/workspace"
)

// These benchmarks measure driver and workspace together, as the baseline for measurements of anything
// between them.

func BenchmarkWorkspaceSelectOne(b *testing.B) {
	ws := workspace.New(b, workspace.Options{})
	db := openWorkspace(b, ws)
	db.SetMaxOpenConns(1)
	var n, i int
	for b.Loop() {
		require.NoError(b, db.QueryRow("SELECT 1").Scan(&n))
		if i++; i%1000 == 0 {
			ws.Forget()
		}
	}
}

func BenchmarkWorkspaceRows(b *testing.B) {
	const rows = 100_000
	for name, opts := range map[string]workspace.Options{
		"inline":     {CloudFetchThreshold: -1, ResultCache: true},
		"columnar":   {ProtocolVersion: 42241, ResultCache: true},
		"cloudfetch": {CloudFetchThreshold: 1, ResultCache: true},
	} {
		b.Run(name, func(b *testing.B) {
			ws := workspace.New(b, opts)
			db := openWorkspace(b, ws)
			var id sql.RawBytes
			for b.Loop() {
				r, err := db.Query(sequence(rows))
				require.NoError(b, err)
				for r.Next() {
					_ = r.Scan(&id)
				}
				require.NoError(b, r.Close())
			}
			b.ReportMetric(float64(b.N)*rows/b.Elapsed().Seconds(), "rows/s")
		})
	}
}

// BenchmarkMillion runs the statement anew each time: engine, encoding, transport and driver.
func BenchmarkMillion(b *testing.B) {
	for name, opts := range map[string]workspace.Options{
		"inline":     {CloudFetchThreshold: -1, DirectResultWait: time.Minute},
		"columnar":   {ProtocolVersion: 42241, DirectResultWait: time.Minute},
		"cloudfetch": {CloudFetchThreshold: 1, DirectResultWait: time.Minute},
	} {
		b.Run(name, func(b *testing.B) {
			ws := workspace.New(b, opts)
			db := openWorkspace(b, ws)
			var id, twice, text sql.RawBytes
			for b.Loop() {
				r, err := db.Query("SELECT id, id * 2 AS twice, concat('row ', id) AS text FROM range(1000000)")
				require.NoError(b, err)
				for r.Next() {
					_ = r.Scan(&id, &twice, &text)
				}
				require.NoError(b, r.Close())
			}
		})
	}
}
