package driverwrap

import (
	"database/sql/driver"
	"io"
	"reflect"
	"sync/atomic"
	"time"

	dbsqlrows "github.com/databricks/databricks-sql-go/rows"

	"github.com/seed-01322ee7/databricks-telemetry/internal/contain"
)

// wrapRows ends the call of a statement that returned native rows or an error, and returns
// measured rows with the optional interfaces of the native ones.
func wrapRows(st *statement, native driver.Rows, err error) (driver.Rows, error) {
	st.queryEnded(native != nil && err == nil, err)
	if native == nil || err != nil {
		return nil, err
	}
	_, isArrow := native.(dbsqlrows.Rows)
	_, isMulti := native.(driver.RowsNextResultSet)
	if !isMulti {
		_, isMulti = native.(driver.RowsColumnTypePrecisionScale)
	}
	switch {
	case isArrow && isMulti:
		r := &arrowMultiRows{}
		r.init(st, native)
		r.of = &r.rows
		return r, nil
	case isArrow:
		r := &arrowRows{}
		r.init(st, native)
		return r, nil
	case isMulti:
		r := &multiRows{}
		r.init(st, native)
		r.of = &r.rows
		return r, nil
	}
	r := &rows{}
	r.init(st, native)
	return r, nil
}

// The sets of optional interfaces. Databricks rows are arrowRows; the others are for other
// drivers.
type (
	arrowRows struct{ rows } // see arrow.go
	multiRows struct {
		rows
		multi
	}
	arrowMultiRows struct {
		arrowRows
		multi
	}
)

var (
	_ dbsqlrows.Rows                      = (*arrowRows)(nil)
	_ driver.RowsNextResultSet            = (*multiRows)(nil)
	_ driver.RowsColumnTypePrecisionScale = (*multiRows)(nil)
)

// rows counts what the application reads and finishes the statement when the rows are closed. A row
// costs one call of the native rows and one atomic add, and no clock reading. Only the call that
// begins a new page or file, known from the wire, is timed, because that is where the reader waits. A
// plain count, published at each page or file, was rejected: other goroutines read the count without
// synchronization, to show a running statement, to close the rows through sql.Conn.Raw, or to finish
// rows that were dropped. An atomic store costs as much as the add on amd64.
//
// For native rows without a column type method, that method gives the answer that database/sql
// assumes. Interfaces whose presence alone makes a difference are added by embedding.
type rows struct {
	native    driver.Rows
	st        *statement
	lease     atomic.Pointer[lease] // until the rows are closed
	described atomic.Bool           // the driver has fetched the columns, or has been asked to
	inference *inference            // what native knows about the result; nil where the wire is read
	read      int64                 // rows read; used by the reading goroutine only, others use statement.rowsRead
	reading   bool                  // in a native call that reads; true in Close if that call panicked or ended its goroutine
	boundary  int64                 // the row that begins the next page or file, at first 0; -1 where unknown
}

var (
	_ driver.Rows                           = (*rows)(nil)
	_ driver.RowsColumnTypeScanType         = (*rows)(nil)
	_ driver.RowsColumnTypeDatabaseTypeName = (*rows)(nil)
	_ driver.RowsColumnTypeNullable         = (*rows)(nil)
	_ driver.RowsColumnTypeLength           = (*rows)(nil)
)

func (r *rows) init(st *statement, native driver.Rows) {
	r.native, r.st = native, st
	defer contain.Process.Recover(contain.Statement)
	if st.session.connector.wire == nil {
		r.inference = infer(native)
	}
	r.lease.Store(st.acquireLease())
}

// Raw returns the native rows. Rows read from them directly are not counted.
func (r *rows) Raw() driver.Rows { return r.native }

// Columns returns the names of the columns.
func (r *rows) Columns() []string {
	defer r.describing().describeEnded()
	return r.native.Columns()
}

// describing notes that the driver is asked to describe the rows, for which it may have to ask the
// server. It returns the rows, whose describeEnded must be called afterwards, or nil if the driver has
// the description already.
func (r *rows) describing() *rows {
	if r.described.Swap(true) {
		return nil
	}
	r.st.trace.DescribeBegun(time.Now())
	return r
}

// describeEnded notes that the driver returned. It does nothing for nil rows.
func (r *rows) describeEnded() {
	if r != nil {
		r.described.Store(r.st.trace.DescribeEnded(time.Now()))
	}
}

// Next reads one row.
func (r *rows) Next(dest []driver.Value) error {
	if r.read == r.boundary {
		return r.nextAtBoundary(dest)
	}
	r.reading = true
	err := r.native.Next(dest)
	r.reading = false
	if err != nil {
		r.st.readEnded(time.Now(), notEOF(err))
		return err
	}
	r.read = r.st.rowsRead.Add(1)
	return nil
}

// nextAtBoundary reads a row for which the driver may have to wait.
func (r *rows) nextAtBoundary(dest []driver.Value) (err error) {
	r.st.trace.ReadBegun(r.read, time.Now())
	err = errNotReturned
	defer func() { r.returned(time.Now(), err) }()
	err = r.native.Next(dest)
	return err
}

// returned notes that a call for which the driver may have waited has ended.
func (r *rows) returned(now time.Time, err error) {
	if err != nil {
		r.st.readEnded(now, notEOF(err))
		return
	}
	if r.read = r.st.rowsRead.Add(1); r.read == 1 {
		r.st.firstRow(now)
	}
	r.boundary = r.st.trace.RowReturned(r.read, now)
}

// notEOF returns err, or nil if err is io.EOF, the regular end of rows.
func notEOF(err error) error {
	if err == io.EOF {
		return nil
	}
	return err
}

// Close closes the rows and finishes the statement. It may be called more than once.
func (r *rows) Close() (err error) {
	r.st.inferResult(r.inference)
	start := time.Now()
	if r.reading {
		r.st.readEnded(start, errNotReturned)
	}
	r.st.trace.CloseBegun(start)
	err = errNotReturned
	defer func() {
		r.st.rowsClosed(start, err)
		r.st.releaseLease(r.lease.Swap(nil))
	}()
	err = r.native.Close()
	return err
}

// ColumnTypeScanType returns the Go type a column is best scanned into.
func (r *rows) ColumnTypeScanType(i int) reflect.Type {
	defer r.describing().describeEnded()
	if t, ok := r.native.(driver.RowsColumnTypeScanType); ok {
		return t.ColumnTypeScanType(i)
	}
	return reflect.TypeFor[any]()
}

// ColumnTypeDatabaseTypeName returns the name of a column's type.
func (r *rows) ColumnTypeDatabaseTypeName(i int) string {
	defer r.describing().describeEnded()
	if t, ok := r.native.(driver.RowsColumnTypeDatabaseTypeName); ok {
		return t.ColumnTypeDatabaseTypeName(i)
	}
	return ""
}

// ColumnTypeNullable reports whether a column can be NULL, and whether that is known.
func (r *rows) ColumnTypeNullable(i int) (nullable, ok bool) {
	defer r.describing().describeEnded()
	if t, ok := r.native.(driver.RowsColumnTypeNullable); ok {
		return t.ColumnTypeNullable(i)
	}
	return false, false
}

// ColumnTypeLength returns the length of a variable-length column.
func (r *rows) ColumnTypeLength(i int) (length int64, ok bool) {
	defer r.describing().describeEnded()
	if t, ok := r.native.(driver.RowsColumnTypeLength); ok {
		return t.ColumnTypeLength(i)
	}
	return 0, false
}

// multi adds what Databricks rows do not have.
type multi struct{ of *rows }

func (m multi) HasNextResultSet() bool {
	n, ok := m.of.native.(driver.RowsNextResultSet)
	return ok && n.HasNextResultSet()
}

// NextResultSet moves to the next set of rows, which begins with a new page and has its own columns.
func (m multi) NextResultSet() error {
	r := m.of
	n, ok := r.native.(driver.RowsNextResultSet)
	if !ok {
		return io.EOF
	}
	r.st.nextSetBegun()
	r.reading = true
	err := n.NextResultSet()
	r.reading = false
	if now := time.Now(); err != nil {
		r.st.readEnded(now, notEOF(err))
	} else {
		r.boundary = r.read
		r.described.Store(false)
		r.st.batchReturned(now)
	}
	return err
}

func (m multi) ColumnTypePrecisionScale(i int) (precision, scale int64, ok bool) {
	defer m.of.describing().describeEnded()
	if t, ok := m.of.native.(driver.RowsColumnTypePrecisionScale); ok {
		return t.ColumnTypePrecisionScale(i)
	}
	return 0, 0, false
}
