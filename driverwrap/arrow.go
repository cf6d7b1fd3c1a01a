package driverwrap

import (
	"context"
	"io"
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
	return &arrowBatches{it, a.of}, nil
}

// GetArrowIPCStreams returns the rest of the rows as Arrow IPC streams. The streams are not
// decoded here, so their rows stay uncounted.
func (a arrowAccess) GetArrowIPCStreams(ctx context.Context) (dbsqlrows.ArrowIPCStreamIterator, error) {
	it, err := a.arrow.GetArrowIPCStreams(ctx)
	if err != nil || it == nil {
		return it, err
	}
	a.of.st.beginArrow(false)
	return &arrowStreams{it, a.of}, nil
}

// arrowBatches counts the rows of the records that pass. Embedding the native iterator keeps
// methods that a newer driver adds.
type arrowBatches struct {
	dbsqlrows.ArrowBatchIterator
	of *rows
}

// HasNext reports whether there are more records; the driver may fetch a page to know.
func (b *arrowBatches) HasNext() bool { return hasNextArrow(b.of.st, b.ArrowBatchIterator.HasNext) }

// Next returns the next record, io.EOF after the last.
func (b *arrowBatches) Next() (arrow.Record, error) {
	record, now, err := nextArrow(b.of.st, b.ArrowBatchIterator.Next)
	if err == nil {
		countRecord(b.of.st, now, record)
	}
	return record, err
}

// arrowStreams notes when reading begins and ends. The streams themselves are not read.
type arrowStreams struct {
	dbsqlrows.ArrowIPCStreamIterator
	of *rows
}

// HasNext reports whether there are more streams; the driver may fetch a page to know.
func (s *arrowStreams) HasNext() bool { return hasNextArrow(s.of.st, s.ArrowIPCStreamIterator.HasNext) }

// Next returns the next stream, io.EOF after the last.
func (s *arrowStreams) Next() (io.Reader, error) {
	stream, now, err := nextArrow(s.of.st, s.ArrowIPCStreamIterator.Next)
	if err == nil {
		s.of.st.firstRow(now)
	}
	return stream, err
}

// hasNextArrow times a call that may wait for a page.
func hasNextArrow(st *statement, native func() bool) bool {
	st.readBegun(st.counted())
	more := native()
	now := time.Now()
	if more {
		st.batchReturned(now)
	} else {
		st.endArrow(now)
	}
	return more
}

// nextArrow times a call that may wait for a page or file.
func nextArrow[T any](st *statement, native func() (T, error)) (next T, now time.Time, err error) {
	st.readBegun(st.counted())
	next, err = native()
	now = time.Now()
	if err != nil {
		st.readEnded(now, notEOF(err))
	} else {
		st.batchReturned(now)
	}
	return next, now, err
}

func countRecord(st *statement, now time.Time, r arrow.Record) {
	defer contain.Process.Recover(contain.Statement)
	if n := r.NumRows(); n > 0 && st.rowsRead.Add(n) == n {
		st.firstRow(now)
	}
}
