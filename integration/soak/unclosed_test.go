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

// Applications forget to close rows. What the bare driver lets go of then, we must let go of,
// too; and we tell.

// forget runs a statement below database/sql, reads one row and drops the rows. The
// returned pointer is to the native ones.
func forget(t *testing.T, db *sql.DB) (native weak.Pointer[byte]) {
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

func TestForgottenRowsAreKeptAliveNoLongerThanWithoutUs(t *testing.T) {
	ws := workspace.New(t, workspace.Options{CloudFetchThreshold: -1, PageRows: 500})
	for _, d := range append([]door{bare}, doors(&books{})...) {
		t.Run(d.name, func(t *testing.T) {
			db := d.open(t, ws)
			db.SetMaxOpenConns(1)
			native := forget(t, db)
			require.NoError(t, db.Ping(), "the connection is in use")
			eventually.True(t, func() bool {
				runtime.GC()
				return native.Value() == nil
			}, "the rows, and the pages in them, stay in memory")
			require.NoError(t, db.Close())
		})
	}
}

func TestForgottenRowsAreCountedBeforeTheDatabaseIsClosed(t *testing.T) {
	ws := workspace.New(t, workspace.Options{CloudFetchThreshold: -1, PageRows: 500})
	for _, d := range doors(nil)[:3] {
		t.Run(d.name, func(t *testing.T) {
			counted := &books{}
			db := d.with(counted).open(t, ws)
			func() {
				rows, err := db.Query(numbered(1000)) // with a context that can end, database/sql keeps the rows until it does
				require.NoError(t, err)
				require.True(t, rows.Next())
			}()
			require.Equal(t, 1, db.Stats().InUse, "the connection is lost")
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
func TestRowsWhoseReaderIsInUseAreNotForgotten(t *testing.T) {
	ws := workspace.New(t, workspace.Options{CloudFetchThreshold: -1, PageRows: 500})
	for _, d := range doors(nil)[:3] {
		t.Run(d.name, func(t *testing.T) {
			counted := &books{}
			db := d.with(counted).open(t, ws)
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
					require.NoError(t, err, "opening a connection looks for what was forgotten")
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

func TestForgottenRowsAreCountedWhenTheDatabaseIsClosed(t *testing.T) {
	ws := workspace.New(t, workspace.Options{CloudFetchThreshold: -1, PageRows: 500})
	for _, d := range doors(nil)[:3] {
		t.Run(d.name, func(t *testing.T) {
			counted := &books{}
			db := d.with(counted).open(t, ws)
			forget(t, db)
			require.NoError(t, db.Close())
			require.Equal(t, 1, counted.outcome(telemetry.OutcomeAbandoned))
			require.Equal(t, 1, counted.abandoned())
		})
		// Behind database/sql the connection stays taken, and db.Close does not close it.
		t.Run(d.name+", sql.Rows", func(t *testing.T) {
			counted := &books{}
			db := d.with(counted).open(t, ws)
			rows, err := db.Query(numbered(1000))
			require.NoError(t, err)
			require.True(t, rows.Next())
			require.Equal(t, 1, db.Stats().InUse)
			require.NoError(t, db.Close())
			require.Zero(t, counted.count(), "they can still be read")
			runtime.KeepAlive(rows)
			eventually.True(t, func() bool { runtime.GC(); return counted.outcome(telemetry.OutcomeAbandoned) == 1 })
		})
	}
}
