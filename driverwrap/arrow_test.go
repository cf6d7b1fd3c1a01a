package driverwrap_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/apache/arrow/go/v12/arrow"
	"github.com/apache/arrow/go/v12/arrow/array"
	dbsqlrows "github.com/databricks/databricks-sql-go/rows"
	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/driverwrap"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// arrowConn returns rows that can be read as Arrow records of the given lengths or, if there are any, as streams of
// which nothing but the number matters.
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

func (r *fakeArrowRows) GetArrowIPCStreams(context.Context) (dbsqlrows.ArrowIPCStreamIterator, error) {
	if r.lengths == nil {
		return nil, errBroken
	}
	return &fakeStreams{r.calls, len(r.lengths)}, nil
}

type fakeStreams struct {
	*calls
	left int
}

func (s *fakeStreams) HasNext() bool { return s.left > 0 }
func (s *fakeStreams) Next() (io.Reader, error) {
	if s.left == 0 {
		return nil, io.EOF
	}
	s.left--
	return strings.NewReader("x"), nil
}
func (s *fakeStreams) Close()                     { s.note("streams Close") }
func (*fakeStreams) SchemaBytes() ([]byte, error) { return []byte("schema"), nil }

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

func TestAnArrowReaderThatCannotBeMadeIsTheDriversError(t *testing.T) {
	s := readBelow(t, t.Context(), arrowRecords(), func(rows driver.Rows) {
		streams, err := rows.(dbsqlrows.Rows).GetArrowIPCStreams(t.Context())
		require.Equal(t, errBroken, err)
		require.Nil(t, streams)
	})
	require.Equal(t, telemetry.Known[int64](0), s.RowsRead)
}

func TestArrowStreamsAreTheDrivers(t *testing.T) {
	var log *calls
	s := readBelow(t, t.Context(), func(c *calls) driver.Conn {
		log = c
		return arrowRecords(2, 3)(c)
	}, func(rows driver.Rows) {
		streams, err := rows.(dbsqlrows.Rows).GetArrowIPCStreams(t.Context())
		require.NoError(t, err)
		schema, err := streams.SchemaBytes()
		require.NoError(t, err)
		require.Equal(t, "schema", string(schema))
		for range 2 {
			require.True(t, streams.HasNext())
			stream, err := streams.Next()
			require.NoError(t, err)
			content, err := io.ReadAll(stream)
			require.NoError(t, err)
			require.Equal(t, "x", string(content))
		}
		require.False(t, streams.HasNext())
		_, err = streams.Next()
		require.Equal(t, io.EOF, err)
		streams.Close()
	})
	require.Contains(t, log.taken(), "streams Close")
	require.Equal(t, telemetry.OutcomeCompleted, s.Outcome)
	require.Equal(t, telemetry.Maybe[int64]{}, s.RowsRead, "nobody counted them")
	_, began := s.FirstRow.Get()
	require.True(t, began)
}

func TestTimeBetweenWhatAnArrowReaderReturnsIsTheApplications(t *testing.T) {
	for name, read := range map[string]func(dbsqlrows.Rows){
		"batches": func(rows dbsqlrows.Rows) {
			batches, err := rows.GetArrowBatches(t.Context())
			require.NoError(t, err)
			time.Sleep(time.Second)
			require.True(t, batches.HasNext())
			time.Sleep(2 * time.Second)
			_, err = batches.Schema()
			require.NoError(t, err)
			time.Sleep(4 * time.Second)
			_, err = batches.Next()
			require.NoError(t, err)
			time.Sleep(8 * time.Second)
			batches.Close()
		},
		"streams": func(rows dbsqlrows.Rows) {
			streams, err := rows.GetArrowIPCStreams(t.Context())
			require.NoError(t, err)
			time.Sleep(time.Second)
			require.True(t, streams.HasNext())
			time.Sleep(6 * time.Second)
			_, err = streams.Next()
			require.NoError(t, err)
			time.Sleep(8 * time.Second)
			streams.Close()
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := readBelow(t, t.Context(), arrowRecords(2, 3), func(rows driver.Rows) { read(rows.(dbsqlrows.Rows)) })
				require.Equal(t, telemetry.Application{Before: time.Second, Between: 14 * time.Second}, s.Application)
			})
		})
	}
}

func TestRowsOfStreamsAndBatchesAreNotCounted(t *testing.T) {
	s := readBelow(t, t.Context(), arrowRecords(2, 3), func(rows driver.Rows) {
		_, err := rows.(dbsqlrows.Rows).GetArrowIPCStreams(t.Context())
		require.NoError(t, err)
		readBatches(t, rows)
	})
	require.Equal(t, telemetry.Maybe[int64]{}, s.RowsRead, "the streams may have been read")
}

// database/sql closes rows whose context is canceled. The driver's Arrow readers go on after a deadline.
func TestAContextMayBeWhyAnArrowReaderWasLeft(t *testing.T) {
	for name, c := range map[string]struct {
		takes   time.Duration // of reading; the deadline is a second
		outcome telemetry.Outcome
	}{
		"nothing":  {0, telemetry.OutcomeClosedEarly},
		"deadline": {2 * time.Second, telemetry.OutcomeClosedEarly},
		"canceled": {0, telemetry.OutcomeCanceled},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				s := readBelow(t, ctx, arrowRecords(2, 3), func(rows driver.Rows) {
					batches, err := rows.(dbsqlrows.Rows).GetArrowBatches(ctx)
					require.NoError(t, err)
					_, err = batches.Next()
					require.NoError(t, err)
					time.Sleep(c.takes)
					if name == "canceled" {
						cancel()
					}
				})
				require.Equal(t, c.outcome, s.Outcome)
				require.Equal(t, c.outcome == telemetry.OutcomeCanceled, s.Failure != nil)
			})
		})
	}
}
