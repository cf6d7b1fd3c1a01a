package driverwrap

import (
	"context"
	"io"
	"sync/atomic"
	"time"

	"github.com/apache/arrow/go/v12/arrow"
	dbsqlrows "github.com/databricks/databricks-sql-go/rows"

	"github.com/seed-01322ee7/databricks-telemetry/internal/contain"
)

// arrowAccess adds Arrow access, which callers reach through sql.Conn.Raw.
type arrowAccess struct {
	arrow dbsqlrows.Rows // the native rows
	of    *rows          // the readers hold them, too: rows that are being read are not dropped
}

// GetArrowBatches returns the rest of the rows as Arrow records, counted as they are read.
func (a arrowAccess) GetArrowBatches(ctx context.Context) (dbsqlrows.ArrowBatchIterator, error) {
	it, err := a.arrow.GetArrowBatches(ctx)
	if err != nil || it == nil {
		return it, err
	}
	a.of.st.beginArrow(true)
	return &arrowBatches{ArrowBatchIterator: it, of: a.of}, nil
}

// GetArrowIPCStreams returns the rest of the rows as Arrow IPC streams. The streams are not
// decoded here, so their rows stay uncounted.
func (a arrowAccess) GetArrowIPCStreams(ctx context.Context) (dbsqlrows.ArrowIPCStreamIterator, error) {
	it, err := a.arrow.GetArrowIPCStreams(ctx)
	if err != nil || it == nil {
		return it, err
	}
	a.of.st.beginArrow(false)
	return &arrowStreams{ArrowIPCStreamIterator: it, of: a.of}, nil
}

// arrowBatches counts the rows of the records that pass. Embedding the native iterator keeps
// methods that a newer driver adds.
type arrowBatches struct {
	dbsqlrows.ArrowBatchIterator
	of     *rows
	closed atomic.Bool // by the application: that there is no more says nothing of the rows
}

// HasNext reports whether there are more records; the driver may fetch a page to know.
func (b *arrowBatches) HasNext() bool {
	return hasNextArrow(b.of.st, &b.closed, b.ArrowBatchIterator.HasNext)
}

// Schema returns the schema of the records; the driver may fetch a page and a file to know.
func (b *arrowBatches) Schema() (*arrow.Schema, error) {
	b.of.st.readBegun(b.of.st.counted())
	schema, err := b.ArrowBatchIterator.Schema()
	b.of.st.schemaReturned(time.Now(), err)
	return schema, err
}

// Close closes the reader; the driver may close the statement, too.
func (b *arrowBatches) Close() { closeArrow(b.of.st, &b.closed, b.ArrowBatchIterator.Close) }

// Next returns the next record, io.EOF after the last.
func (b *arrowBatches) Next() (arrow.Record, error) {
	record, now, err := nextArrow(b.of.st, &b.closed, b.ArrowBatchIterator.Next)
	if err == nil {
		countRecord(b.of.st, now, record)
	}
	return record, err
}

// arrowStreams notes when reading begins and ends. The streams themselves are not read.
type arrowStreams struct {
	dbsqlrows.ArrowIPCStreamIterator
	of     *rows
	closed atomic.Bool // as in arrowBatches
}

// HasNext reports whether there are more streams; the driver may fetch a page to know.
func (s *arrowStreams) HasNext() bool {
	return hasNextArrow(s.of.st, &s.closed, s.ArrowIPCStreamIterator.HasNext)
}

// Close closes the reader.
func (s *arrowStreams) Close() { closeArrow(s.of.st, &s.closed, s.ArrowIPCStreamIterator.Close) }

// Next returns the next stream, io.EOF after the last.
func (s *arrowStreams) Next() (io.Reader, error) {
	stream, now, err := nextArrow(s.of.st, &s.closed, s.ArrowIPCStreamIterator.Next)
	if err == nil {
		s.of.st.firstRow(now)
	}
	return stream, err
}

// hasNextArrow times a call that may wait for a page.
func hasNextArrow(st *statement, closed *atomic.Bool, native func() bool) bool {
	st.readBegun(st.counted())
	more := native()
	now := time.Now()
	if more || closed.Load() {
		st.batchReturned(now)
	} else {
		st.endArrow(now)
	}
	return more
}

// nextArrow times a call that may wait for a page or file.
func nextArrow[T any](st *statement, closed *atomic.Bool, native func() (T, error)) (next T, now time.Time, err error) {
	st.readBegun(st.counted())
	next, err = native()
	now = time.Now()
	switch {
	case err == nil, err == io.EOF && closed.Load():
		st.batchReturned(now)
	case err == io.EOF: // also when a page has failed
		st.endArrow(now)
	default:
		st.readEnded(now, err)
	}
	return next, now, err
}

// closeArrow times a call that may close the statement on the server.
func closeArrow(st *statement, closed *atomic.Bool, native func()) {
	closed.Store(true)
	st.readBegun(st.counted())
	native()
	st.batchReturned(time.Now())
}

func countRecord(st *statement, now time.Time, r arrow.Record) {
	defer contain.Process.Recover(contain.Statement)
	if n := r.NumRows(); n > 0 && st.rowsRead.Add(n) == n {
		st.firstRow(now)
	}
}
