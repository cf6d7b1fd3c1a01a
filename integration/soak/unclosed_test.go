package soak

import (
	"database/sql"
	"database/sql/driver"
	"reflect"
	"runtime"
	"testing"
	"weak"

	dbsqlrows "github.com/databricks/databricks-sql-go/rows"
	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/integration/internal/eventually"
	"github.com/seed-01322ee7/databricks-telemetry/integration/workspace"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// Applications forget to close rows. The wrapper must free the memory that the native driver frees
// then, and report such rows.

// abandon runs a statement below database/sql, reads one row and drops its reference to the
// rows. The returned pointer is to the native rows.
func abandon(t *testing.T, db *sql.DB) (native weak.Pointer[byte]) {
	t.Helper()
	c, err := db.Conn(t.Context())
	require.NoError(t, err)
	require.NoError(t, c.Raw(func(conn any) error {
		rows, err := conn.(driver.QueryerContext).QueryContext(t.Context(), numbered(1000), nil)
		if err != nil {
			return err
		}
		if err := rows.Next(make([]driver.Value, 2)); err != nil {
			return err
		}
		if wrapped, ok := rows.(interface{ Raw() driver.Rows }); ok {
			rows = wrapped.Raw()
		}
		native = weak.Make((*byte)(reflect.ValueOf(rows).UnsafePointer()))
		return nil
	}))
	require.NoError(t, c.Close())
	return native
}

func TestAbandonedRowsStayInMemoryNoLongerThanWithTheNativeDriver(t *testing.T) {
	ws := workspace.New(t, workspace.Options{CloudFetchThreshold: -1, PageRows: 500})
	for _, entry := range append([]entryPoint{native}, entryPoints(&ledger{})...) {
		t.Run(entry.name, func(t *testing.T) {
			db := entry.open(t, ws)
			db.SetMaxOpenConns(1)
			rows := abandon(t, db)
			require.NoError(t, db.Ping(), "the connection is in use")
			eventually.True(t, func() bool {
				runtime.GC()
				return rows.Value() == nil
			}, "the rows and their pages stay in memory")
			require.NoError(t, db.Close())
		})
	}
}

func TestAbandonedRowsAreCountedBeforeTheDatabaseIsClosed(t *testing.T) {
	ws := workspace.New(t, workspace.Options{CloudFetchThreshold: -1, PageRows: 500})
	for _, entry := range entryPoints(nil)[:3] {
		t.Run(entry.name, func(t *testing.T) {
			counted := &ledger{}
			db := entry.with(counted).open(t, ws)
			func() {
				rows, err := db.Query(numbered(1000)) // with a context that can end, database/sql keeps the rows until it does
				require.NoError(t, err)
				require.True(t, rows.Next())
			}()
			require.Equal(t, 1, db.Stats().InUse, "the connection remains in use")
			db.SetMaxIdleConns(0)
			eventually.True(t, func() bool {
				runtime.GC()
				require.NoError(t, db.Ping(), "on another connection")
				return counted.outcome(telemetry.OutcomeAbandoned) == 1
			})
			require.NoError(t, db.Close())
		})
	}
}

// An Arrow reader may outlive the rows it was made from.
func TestRowsWhoseArrowReaderIsInUseAreNotAbandoned(t *testing.T) {
	ws := workspace.New(t, workspace.Options{CloudFetchThreshold: -1, PageRows: 500})
	for _, entry := range entryPoints(nil)[:3] {
		t.Run(entry.name, func(t *testing.T) {
			counted := &ledger{}
			db := entry.with(counted).open(t, ws)
			db.SetMaxIdleConns(0)
			c, err := db.Conn(t.Context())
			require.NoError(t, err)
			require.NoError(t, c.Raw(func(conn any) error {
				var it dbsqlrows.ArrowBatchIterator
				func() {
					rows, err := conn.(driver.QueryerContext).QueryContext(t.Context(), numbered(1000), nil)
					require.NoError(t, err)
					it, err = rows.(dbsqlrows.Rows).GetArrowBatches(t.Context())
					require.NoError(t, err)
				}()
				var read int64
				for it.HasNext() {
					record, err := it.Next()
					require.NoError(t, err)
					read += record.NumRows()
					record.Release()
					runtime.GC()
					other, err := db.Conn(t.Context())
					require.NoError(t, err, "opening a connection looks for abandoned rows")
					require.NoError(t, other.Close())
					require.Zero(t, counted.outcome(telemetry.OutcomeAbandoned))
				}
				require.EqualValues(t, 1000, read)
				it.Close()
				return nil
			}))
			require.NoError(t, c.Close())
			require.NoError(t, db.Close())
			require.Equal(t, 1, counted.outcome(telemetry.OutcomeAbandoned), "the rows themselves were never closed")
		})
	}
}

func TestAbandonedRowsAreCountedWhenTheDatabaseIsClosed(t *testing.T) {
	ws := workspace.New(t, workspace.Options{CloudFetchThreshold: -1, PageRows: 500})
	for _, entry := range entryPoints(nil)[:3] {
		t.Run(entry.name, func(t *testing.T) {
			counted := &ledger{}
			db := entry.with(counted).open(t, ws)
			abandon(t, db)
			require.NoError(t, db.Close())
			require.Equal(t, 1, counted.outcome(telemetry.OutcomeAbandoned))
			require.Equal(t, 1, counted.abandonedStatements())
		})
		// With database/sql the connection stays in use, and db.Close does not close it.
		t.Run(entry.name+", sql.Rows", func(t *testing.T) {
			counted := &ledger{}
			db := entry.with(counted).open(t, ws)
			rows, err := db.Query(numbered(1000))
			require.NoError(t, err)
			require.True(t, rows.Next())
			require.Equal(t, 1, db.Stats().InUse)
			require.NoError(t, db.Close())
			require.Zero(t, counted.count(), "the rows can still be read")
			runtime.KeepAlive(rows)
			eventually.True(t, func() bool { runtime.GC(); return counted.outcome(telemetry.OutcomeAbandoned) == 1 })
		})
	}
}
