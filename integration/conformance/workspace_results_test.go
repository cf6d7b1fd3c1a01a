package conformance

import (
	"database/sql/driver"
	"fmt"
	"testing"
	"time"

	"github.com/apache/arrow/go/v12/arrow/array"
	"github.com/apache/arrow/go/v12/arrow/ipc"
	dbsql "github.com/databricks/databricks-sql-go"
	dbsqlrows "github.com/databricks/databricks-sql-go/rows"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/integration/workspace"
)

// sequence is a query of the BIGINTs 0..n-1.
func sequence(n int64) string { return fmt.Sprintf("SELECT id FROM range(%d)", n) }

func TestWorkspaceMillionRowsInline(t *testing.T) {
	ws := workspace.New(t, workspace.Options{CloudFetchThreshold: -1, BatchRows: 700, DirectResultWait: time.Minute})
	requireSequence(t, openWorkspace(t, ws, fmt.Sprintf("maxRows=%d", manyRows/10)), sequence(manyRows), manyRows)
	f := ws.Statements()[0]
	assert.Equal(t, workspace.InlineArrow, f.Format)
	assert.Len(t, f.Pages, 10)
	assert.True(t, f.Pages[0].Direct)
	assert.Equal(t, 9, f.Calls["FetchResults"])
	assert.EqualValues(t, manyRows, f.RowsSent)
	assert.Equal(t, workspace.ClosedByClient, f.ClosedBy)
}

func TestWorkspaceMillionRowsColumnar(t *testing.T) {
	ws := workspace.New(t, workspace.Options{ProtocolVersion: 42241, DirectResultWait: time.Minute})
	requireSequence(t, openWorkspace(t, ws), sequence(manyRows), manyRows)
	assert.Equal(t, workspace.ColumnarInline, ws.Statements()[0].Format)
}

func TestWorkspaceMillionRowsByCloudFetch(t *testing.T) {
	ws := workspace.New(t, workspace.Options{CloudFetchThreshold: 1, DirectResultWait: time.Minute})
	requireSequence(t, openWorkspace(t, ws), sequence(manyRows), manyRows)
	assert.Equal(t, workspace.ExternalLinks, ws.Statements()[0].Format)
}

func TestWorkspaceCloudFetch(t *testing.T) {
	for name, options := range map[string][]dbsql.ConnOption{
		"plain": nil, "lz4": {configure("UseLz4Compression", true)}, "one thread": {dbsql.WithMaxDownloadThreads(1)},
	} {
		t.Run(name, func(t *testing.T) {
			ws := workspace.New(t, workspace.Options{CloudFetchThreshold: 1, FileRows: 700, LinksPerPage: 4})
			requireSequence(t, connectWorkspace(t, ws, options...), sequence(10_000), 10_000)
			f := ws.Statements()[0]
			assert.Equal(t, workspace.ExternalLinks, f.Format)
			require.Len(t, f.Links, 15)
			for _, k := range f.Links {
				require.Len(t, k.Downloads, 1)
				assert.True(t, k.Downloads[0].Completed)
				assert.Equal(t, k.Bytes, k.Downloads[0].Bytes)
			}
			assert.Equal(t, name == "lz4", f.LZ4)
			assert.Equal(t, []int{4, 4, 4, 3}, []int{f.Pages[0].Links, f.Pages[1].Links, f.Pages[2].Links, f.Pages[3].Links})
		})
	}
}

func TestWorkspaceCloudFetchCanBeSwitchedOff(t *testing.T) {
	ws := workspace.New(t, workspace.Options{CloudFetchThreshold: 1})
	requireSequence(t, openWorkspace(t, ws, "useCloudFetch=false"), "SELECT id FROM range(1000)", 1000)
	assert.Equal(t, workspace.InlineArrow, ws.Statements()[0].Format)
}

func TestWorkspaceArrowAccess(t *testing.T) {
	for name, threshold := range map[string]int64{"inline": -1, "cloud fetch": 1} {
		for codec, lz4 := range map[string]bool{"": false, ", lz4": true} {
			t.Run(name+codec, func(t *testing.T) {
				ws := workspace.New(t, workspace.Options{CloudFetchThreshold: threshold, FileRows: 3000, BatchRows: 1500, LinksPerPage: 2})
				db := connectWorkspace(t, ws, dbsql.WithMaxRows(4000), configure("UseLz4Compression", lz4))
				withRows(t, db, "SELECT id, id * 2 AS twice FROM range(10000)", func(rows driver.Rows) {
					batches, err := rows.(dbsqlrows.Rows).GetArrowBatches(t.Context())
					require.NoError(t, err)
					defer batches.Close()
					schema, err := batches.Schema()
					require.NoError(t, err)
					assert.Equal(t, "twice", schema.Field(1).Name)
					sqlName, ok := schema.Field(0).Metadata.GetValue("Spark:DataType:SqlName")
					assert.True(t, ok)
					assert.Equal(t, "BIGINT", sqlName)
					var next int64
					for batches.HasNext() {
						record, err := batches.Next()
						require.NoError(t, err)
						for i, v := range record.Column(0).(*array.Int64).Int64Values() {
							require.Equal(t, next+int64(i), v)
						}
						next += record.NumRows()
						record.Release()
					}
					assert.EqualValues(t, 10_000, next)
				})
				withRows(t, db, "SELECT id FROM range(10000)", func(rows driver.Rows) {
					streams, err := rows.(dbsqlrows.Rows).GetArrowIPCStreams(t.Context())
					require.NoError(t, err)
					defer streams.Close()
					schema, err := streams.SchemaBytes()
					require.NoError(t, err)
					assert.NotEmpty(t, schema)
					var n int64
					for streams.HasNext() {
						stream, err := streams.Next()
						require.NoError(t, err)
						r, err := ipc.NewReader(stream)
						require.NoError(t, err)
						for r.Next() {
							n += r.Record().NumRows()
						}
						require.NoError(t, r.Err())
						r.Release()
					}
					assert.EqualValues(t, 10_000, n)
				})
			})
		}
	}
}

func TestWorkspaceResultCacheIsReported(t *testing.T) {
	ws := workspace.New(t, workspace.Options{ResultCache: true})
	db := openWorkspace(t, ws)
	count(t, db, "SELECT id FROM range(10)")
	count(t, db, "SELECT id FROM range(10)")
	exec(t, db, "CREATE TABLE anything (a INT)")
	count(t, db, "SELECT id FROM range(10)")
	var results []string
	for _, f := range ws.Statements() {
		results = append(results, f.CacheResult)
	}
	assert.Equal(t, []string{"MISS", "HIT", "INELIGIBLE", "MISS"}, results)
}

func TestWorkspaceAffectedRows(t *testing.T) {
	for name, p := range paths {
		t.Run(name, func(t *testing.T) {
			ws := workspace.New(t, p.options)
			db := connectWorkspace(t, ws, append(p.option, quickly)...)
			exec(t, db, "CREATE TABLE people (id INT, name STRING)")
			for _, step := range []struct {
				sql  string
				rows int64
			}{
				{"INSERT INTO people VALUES (1, 'a'), (2, 'b'), (3, 'c')", 3},
				{"UPDATE people SET name = 'z' WHERE id > 1", 2},
				{"DELETE FROM people WHERE id = 1", 1},
				{"DELETE FROM people WHERE id = 1", 0},
			} {
				result, err := db.ExecContext(t.Context(), step.sql)
				require.NoError(t, err)
				n, err := result.RowsAffected()
				require.NoError(t, err)
				assert.Equal(t, step.rows, n, step.sql)
				all := ws.Statements()
				assert.Equal(t, step.rows, all[len(all)-1].UpdatedRows)
			}
			assert.EqualValues(t, 2, count(t, db, "SELECT * FROM people"))
		})
	}
}

func TestWorkspaceCatalogsAndSchemas(t *testing.T) {
	ws := workspace.New(t, workspace.Options{})
	require.NoError(t, ws.Exec(t.Context(), "CREATE CATALOG IF NOT EXISTS sales", "CREATE SCHEMA IF NOT EXISTS sales.emea",
		"CREATE TABLE sales.emea.orders (id INT)", "INSERT INTO sales.emea.orders VALUES (1), (2)"))
	db := openWorkspace(t, ws, "catalog=sales", "schema=emea", "ansi_mode=true")
	assert.EqualValues(t, 2, count(t, db, "SELECT * FROM orders"))
	var catalog, schema string
	require.NoError(t, db.QueryRow("SELECT current_catalog(), current_schema()").Scan(&catalog, &schema))
	assert.Equal(t, []string{"sales", "emea"}, []string{catalog, schema})
	s := ws.Sessions()[0]
	assert.Equal(t, "sales", s.Catalog)
	assert.Equal(t, "emea", s.Schema)
	assert.Equal(t, "true", s.Conf["ansi_mode"])
	assert.NotEmpty(t, s.UserAgent)
}
