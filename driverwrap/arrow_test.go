package driverwrap_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"testing"

	"github.com/apache/arrow/go/v12/arrow"
	"github.com/apache/arrow/go/v12/arrow/array"
	dbsqlrows "github.com/databricks/databricks-sql-go/rows"
	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/driverwrap"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// arrowConn returns rows that can be read as Arrow records of the given lengths.
type arrowConn struct {
	modernConn
	lengths []int64
}

func (c *arrowConn) QueryContext(context.Context, string, []driver.NamedValue) (driver.Rows, error) {
	return &fakeArrowRows{plainRows{calls: c.calls}, c.lengths}, nil
}

type fakeArrowRows struct {
	plainRows
	lengths []int64
}

var _ dbsqlrows.Rows = (*fakeArrowRows)(nil)

func (r *fakeArrowRows) GetArrowBatches(context.Context) (dbsqlrows.ArrowBatchIterator, error) {
	return &fakeBatches{r.lengths}, nil
}

func (*fakeArrowRows) GetArrowIPCStreams(context.Context) (dbsqlrows.ArrowIPCStreamIterator, error) {
	return nil, errors.ErrUnsupported
}

type fakeBatches struct{ lengths []int64 }

func (b *fakeBatches) HasNext() bool { return len(b.lengths) > 0 }
func (b *fakeBatches) Next() (arrow.Record, error) {
	if len(b.lengths) == 0 {
		return nil, io.EOF
	}
	n := b.lengths[0]
	b.lengths = b.lengths[1:]
	return array.NewRecord(arrow.NewSchema(nil, nil), nil, n), nil
}
func (*fakeBatches) Close()                         {}
func (*fakeBatches) Schema() (*arrow.Schema, error) { return arrow.NewSchema(nil, nil), nil }

// arrowRecords makes connections whose rows are Arrow records of these lengths.
func arrowRecords(lengths ...int64) func(*calls) driver.Conn {
	return func(c *calls) driver.Conn {
		return &arrowConn{modernConn{minimalConn: minimalConn{c, contextStmt}}, lengths}
	}
}

// readBelow runs a query below database/sql, reads and closes its rows, and returns its record.
func readBelow(t *testing.T, ctx context.Context, conn func(*calls) driver.Conn, read func(driver.Rows)) *telemetry.Statement {
	t.Helper()
	sink := &memory{}
	db := sql.OpenDB(driverwrap.Config{Sinks: []telemetry.Sink{sink}}.Wrap(&fakeConnector{calls: &calls{}, conn: conn}))
	c, err := db.Conn(t.Context())
	require.NoError(t, err)
	require.NoError(t, c.Raw(func(raw any) error {
		rows, err := raw.(driver.QueryerContext).QueryContext(ctx, "x", nil)
		require.NoError(t, err)
		read(rows)
		return rows.Close()
	}))
	require.NoError(t, c.Close())
	require.NoError(t, db.Close())
	require.Len(t, sink.statements, 1)
	return sink.statements[0]
}

// readBatches reads rows to their end, and returns the reader.
func readBatches(t *testing.T, rows driver.Rows) dbsqlrows.ArrowBatchIterator {
	t.Helper()
	batches, err := rows.(dbsqlrows.Rows).GetArrowBatches(t.Context())
	require.NoError(t, err)
	for batches.HasNext() {
		record, err := batches.Next()
		require.NoError(t, err)
		record.Release()
	}
	return batches
}

func TestAnEmptyArrowRecordHasNoFirstRow(t *testing.T) {
	for name, test := range map[string]struct {
		lengths []int64
		rows    int64
	}{
		"no record":               {nil, 0},
		"an empty record":         {[]int64{0}, 0},
		"rows after empty record": {[]int64{0, 2, 0, 3}, 5},
	} {
		t.Run(name, func(t *testing.T) {
			s := readBelow(t, t.Context(), arrowRecords(test.lengths...), func(rows driver.Rows) { readBatches(t, rows).Close() })
			require.Equal(t, telemetry.Known(test.rows), s.RowsRead)
			_, hasFirst := s.FirstRow.Get()
			require.Equal(t, test.rows > 0, hasFirst)
		})
	}
}
