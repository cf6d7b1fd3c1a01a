package wrapped

import (
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	dbsql "github.com/databricks/databricks-sql-go"
	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/integration/workspace"
)

// TestCaptureMessages writes the seeds of the Thrift reader's fuzz target if UPDATE_SEEDS=1: real messages
// of the real driver, one of each method for each result format. Otherwise it checks that messages of every
// method can be captured.
func TestCaptureMessages(t *testing.T) {
	const seeds = "../../../cloudfetch/testdata/captured"
	update := os.Getenv("UPDATE_SEEDS") != ""
	if update {
		require.NoError(t, os.RemoveAll(seeds))
		require.NoError(t, os.MkdirAll(seeds, 0o755))
	}
	methods := map[string]bool{}
	for name, opts := range map[string]workspace.Options{
		"inline":   {CloudFetchThreshold: -1, PageRows: 20},
		"files":    {CloudFetchThreshold: 1, FileRows: 20, LinksPerPage: 1},
		"columnar": {ProtocolVersion: 42241, PageRows: 20},
		"polled":   {NoDirectResults: true, ExecutionTime: func(string) time.Duration { return 30 * time.Millisecond }},
	} {
		opts.CaptureBodies, opts.CaptureResponses = true, true
		ws := workspace.New(t, opts)
		c, err := dbsql.NewConnector(append(options(ws), tuned(name == "inline"))...)
		require.NoError(t, err)
		db := sql.OpenDB(c)
		_, err = drain(db.Query(statement(45)))
		require.NoError(t, err)
		_ = transcript(db.Query("SELECT CAST(? AS DECIMAL(10,2)) AS d, X'00ff' AS b, true AS t, NULL AS n, DATE '2024-01-01' AS day", 1.5))
		_ = describe(execError(db, "CREATE TABLE t (id INT)"))
		_ = describe(execError(db, "SELECT secret FROM nowhere"))
		require.NoError(t, db.Close())

		seen := map[string]int{}
		for _, r := range ws.Requests() {
			if r.Thrift == "" || r.Status != 200 || seen[r.Thrift] >= 3 {
				continue
			}
			methods[r.Thrift] = true
			seen[r.Thrift]++
			if update {
				base := filepath.Join(seeds, fmt.Sprintf("%s-%s-%d", name, r.Thrift, seen[r.Thrift]))
				require.NoError(t, os.WriteFile(base+".request", r.Body, 0o644))
				require.NoError(t, os.WriteFile(base+".response", r.Response, 0o644))
			}
		}
	}
	for _, m := range []string{"OpenSession", "CloseSession", "ExecuteStatement", "GetOperationStatus", "GetResultSetMetadata", "FetchResults", "CloseOperation"} {
		require.True(t, methods[m], m)
	}
}

func execError(db *sql.DB, query string) error {
	_, err := db.Exec(query)
	return err
}
