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
	native dbsqlrows.Rows
	of     *rows // a reader of the rows keeps them
}

// GetArrowBatches returns the rest of the rows as Arrow records, counted as they are read.
func (a arrowAccess) GetArrowBatches(ctx context.Context) (dbsqlrows.ArrowBatchIterator, error) {
	it, err := a.native.GetArrowBatches(ctx)
	if err != nil || it == nil {
		return it, err
	}
	a.of.st.arrowTaken(true)
	return &arrowBatches{it, a.of}, nil
}

// GetArrowIPCStreams returns the rest of the rows as Arrow IPC streams. Nobody decodes them
// here, so their rows stay uncounted.
func (a arrowAccess) GetArrowIPCStreams(ctx context.Context) (dbsqlrows.ArrowIPCStreamIterator, error) {
	it, err := a.native.GetArrowIPCStreams(ctx)
	if err != nil || it == nil {
		return it, err
	}
	a.of.st.arrowTaken(false)
	return &arrowStreams{it, a.of}, nil
}

// arrowBatches counts the rows of the records that pass. It embeds the native iterator, so
// that methods a newer driver adds are there, too.
type arrowBatches struct {
	dbsqlrows.ArrowBatchIterator
	of *rows
}

// HasNext reports whether there are more records; the driver may fetch a page to know.
func (b *arrowBatches) HasNext() bool {
	start := time.Now()
	more := b.ArrowBatchIterator.HasNext()
	now := time.Now()
	b.of.st.waited.add(now.Sub(start))
	if !more {
		b.of.st.arrowEnded(now)
	}
	return more
}

// Next returns the next record, io.EOF after the last.
func (b *arrowBatches) Next() (arrow.Record, error) {
	start := time.Now()
	record, err := b.ArrowBatchIterator.Next()
	now := time.Now()
	b.of.st.waited.add(now.Sub(start))
	if err != nil {
		b.of.st.readEnded(now, notEOF(err))
		return record, err
	}
	b.of.st.took(now, record)
	return record, nil
}

// took counts a record.
func (s *statement) took(now time.Time, r arrow.Record) {
	defer contain.Process.Recover(contain.Statement)
	if n := r.NumRows(); s.rowsRead.Add(n) == n {
		s.firstRow(now)
	}
}

// arrowStreams notes when reading begins and ends; what is in the streams is not looked at.
type arrowStreams struct {
	dbsqlrows.ArrowIPCStreamIterator
	of *rows
}

// HasNext reports whether there are more streams; the driver may fetch a page to know.
func (s *arrowStreams) HasNext() bool {
	start := time.Now()
	more := s.ArrowIPCStreamIterator.HasNext()
	now := time.Now()
	s.of.st.waited.add(now.Sub(start))
	if !more {
		s.of.st.arrowEnded(now)
	}
	return more
}

// Next returns the next stream, io.EOF after the last.
func (s *arrowStreams) Next() (io.Reader, error) {
	start := time.Now()
	stream, err := s.ArrowIPCStreamIterator.Next()
	now := time.Now()
	s.of.st.waited.add(now.Sub(start))
	if err != nil {
		s.of.st.readEnded(now, notEOF(err))
		return stream, err
	}
	s.of.st.firstRow(now)
	return stream, nil
}

// arrowTaken notes that rows leave through an Arrow reader, and whether they are counted.
func (s *statement) arrowTaken(counted bool) {
	defer contain.Process.Recover(contain.Statement)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.viaArrow = true
	s.uncounted = s.uncounted || !counted
}

// arrowEnded notes that an Arrow reader has no more. The driver says so of a page that failed,
// too: what the wire tells decides when the statement is finished.
func (s *statement) arrowEnded(now time.Time) {
	s.readEnded(now, nil)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.arrowEnd = true
}
