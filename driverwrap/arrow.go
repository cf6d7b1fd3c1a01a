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

// Callers reach the Arrow readers through sql.Conn.Raw. A reader refers to its rows, so rows that are
// still being read do not count as dropped.

// GetArrowBatches returns the rest of the rows as Arrow records, counted as they are read.
func (r *arrowRows) GetArrowBatches(ctx context.Context) (dbsqlrows.ArrowBatchIterator, error) {
	it, err := r.native.(dbsqlrows.Rows).GetArrowBatches(ctx)
	if err != nil || it == nil {
		return it, err
	}
	r.st.beginArrow(ctx, true)
	return &arrowBatches{it, arrowReader{of: &r.rows}}, nil
}

// GetArrowIPCStreams returns the rest of the rows as Arrow IPC streams. The streams are not decoded
// here, so their rows are not counted.
func (r *arrowRows) GetArrowIPCStreams(ctx context.Context) (dbsqlrows.ArrowIPCStreamIterator, error) {
	it, err := r.native.(dbsqlrows.Rows).GetArrowIPCStreams(ctx)
	if err != nil || it == nil {
		return it, err
	}
	r.st.beginArrow(ctx, false)
	return &arrowStreams{it, arrowReader{of: &r.rows}}, nil
}

// arrowBatches counts the rows of the records that pass. Embedding the native iterator keeps
// methods that a newer driver adds.
type arrowBatches struct {
	dbsqlrows.ArrowBatchIterator
	arrowReader
}

// HasNext reports whether there are more records; the driver may fetch a page to know.
func (b *arrowBatches) HasNext() bool { return b.hasNext(b.ArrowBatchIterator.HasNext) }

// Schema returns the schema of the records; the driver may fetch a page and a file to know.
func (b *arrowBatches) Schema() (*arrow.Schema, error) {
	st := b.begin()
	schema, err := b.ArrowBatchIterator.Schema()
	st.schemaReturned(time.Now(), err)
	return schema, err
}

// Close closes the reader; the driver may close the statement, too.
func (b *arrowBatches) Close() { b.close(b.ArrowBatchIterator.Close) }

// Next returns the next record, io.EOF after the last.
func (b *arrowBatches) Next() (record arrow.Record, err error) {
	now := b.timed(func() error {
		record, err = b.ArrowBatchIterator.Next()
		return err
	})
	if err == nil {
		countRecord(b.of.st, now, record)
	}
	return record, err
}

// arrowStreams notes when reading begins and ends. The streams themselves are not read.
type arrowStreams struct {
	dbsqlrows.ArrowIPCStreamIterator
	arrowReader
}

// HasNext reports whether there are more streams; the driver may fetch a page to know.
func (s *arrowStreams) HasNext() bool { return s.hasNext(s.ArrowIPCStreamIterator.HasNext) }

// Close closes the reader; the driver may close the statement, too.
func (s *arrowStreams) Close() { s.close(s.ArrowIPCStreamIterator.Close) }

// Next returns the next stream, io.EOF after the last.
func (s *arrowStreams) Next() (stream io.Reader, err error) {
	now := s.timed(func() error {
		stream, err = s.ArrowIPCStreamIterator.Next()
		return err
	})
	if err == nil {
		s.of.st.firstRow(now)
	}
	return stream, err
}

// arrowReader is the part that the readers of batches and of streams share.
type arrowReader struct {
	of     *rows
	closed atomic.Bool // by the application: HasNext returning false then says nothing about the rows
}

func (r *arrowReader) begin() *statement {
	st := r.of.st
	st.trace.ReadBegun(st.counted(), time.Now())
	return st
}

// hasNext times a call that may wait for a page.
func (r *arrowReader) hasNext(native func() bool) (more bool) {
	r.timed(func() error {
		if more = native(); !more {
			return io.EOF
		}
		return nil
	})
	return more
}

// timed times a call that may wait for a page or file, and returns when it ended.
func (r *arrowReader) timed(native func() error) (now time.Time) {
	st := r.begin()
	err := errNotReturned
	defer func() {
		now = time.Now()
		switch {
		case err == nil, err == io.EOF && r.closed.Load():
			st.batchReturned(now)
		case err == io.EOF: // also when a page has failed
			st.endArrow(now)
		default:
			st.readEnded(now, err)
		}
	}()
	err = native()
	return now
}

// close times a call that may close the statement on the server.
func (r *arrowReader) close(native func()) {
	r.closed.Store(true)
	st := r.begin()
	native()
	st.batchReturned(time.Now())
}

func countRecord(st *statement, now time.Time, r arrow.Record) {
	defer contain.Process.Recover(contain.Statement)
	if n := r.NumRows(); n > 0 && st.rowsRead.Add(n) == n {
		st.firstRow(now)
	}
}
