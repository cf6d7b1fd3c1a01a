package driverwrap

import (
	"database/sql/driver"
	"io"
	"reflect"
	"time"

	dbsqlrows "github.com/databricks/databricks-sql-go/rows"
)

// rows counts what the application reads and finishes the statement when the rows end. It
// calls the native rows directly: per row there is one call and one atomic add, no clock.
// Only where a new page or file begins, which the wire told, is the call timed: that is
// where the reader waits.
//
// The column type methods answer what database/sql assumes of rows that lack them. The
// interfaces that make a difference when present are added by shape.
type rows struct {
	raw       driver.Rows
	st        *statement
	lease     *lease     // until they are closed; guarded by st.mu
	inference *inference // what raw tells where the wire does not; nil where it does
	read      int64      // rows read; of the reading goroutine, others see statement.rowsRead
	part      int64      // the row that begins the next page or file, the first row to begin with; -1 where it is unknown
}

var (
	_ driver.Rows                           = (*rows)(nil)
	_ driver.RowsColumnTypeScanType         = (*rows)(nil)
	_ driver.RowsColumnTypeDatabaseTypeName = (*rows)(nil)
	_ driver.RowsColumnTypeNullable         = (*rows)(nil)
	_ driver.RowsColumnTypeLength           = (*rows)(nil)

	_ dbsqlrows.Rows                      = (*arrowRows)(nil)
	_ driver.RowsNextResultSet            = (*multiRows)(nil)
	_ driver.RowsColumnTypePrecisionScale = (*multiRows)(nil)
)

// arrowRows is the shape of the Databricks rows; the others are for other drivers.
type (
	arrowRows struct {
		rows
		arrowAccess
	}
	multiRows struct {
		rows
		multi
	}
	arrowMultiRows struct {
		rows
		arrowAccess
		multi
	}
)

// rowsOf ends the call that was to return rows and puts the measured rows around the native
// ones, which the hooks left in the slot.
func (s *statement) rowsOf(err error) (driver.Rows, error) {
	native := s.rows
	s.slot = slot{} // the application alone keeps rows alive
	s.queryEnded(native != nil && err == nil, err)
	if err != nil {
		return nil, asNative(err)
	}
	asArrow, isArrow := native.(dbsqlrows.Rows)
	_, isMulti := native.(driver.RowsNextResultSet)
	if !isMulti {
		_, isMulti = native.(driver.RowsColumnTypePrecisionScale)
	}
	switch {
	case isArrow && isMulti:
		r := &arrowMultiRows{arrowAccess: arrowAccess{native: asArrow}, multi: multi{native}}
		r.arrowAccess.of = s.wrapRows(native, &r.rows)
		return r, nil
	case isArrow:
		r := &arrowRows{arrowAccess: arrowAccess{native: asArrow}}
		r.of = s.wrapRows(native, &r.rows)
		return r, nil
	case isMulti:
		r := &multiRows{multi: multi{native}}
		s.wrapRows(native, &r.rows)
		return r, nil
	}
	return s.wrapRows(native, &rows{}), nil
}

// Raw returns the native rows. What is read from them is not counted.
func (r *rows) Raw() driver.Rows { return r.raw }

// Columns returns the names of the columns.
func (r *rows) Columns() []string { return r.raw.Columns() }

// Next reads one row.
func (r *rows) Next(dest []driver.Value) error {
	if r.read == r.part {
		return r.nextPart(dest)
	}
	err := r.raw.Next(dest)
	if err != nil {
		r.st.readEnded(time.Now(), notEOF(err))
		return err
	}
	r.read = r.st.rowsRead.Add(1)
	return nil
}

// nextPart reads a row for which the driver may have to wait.
func (r *rows) nextPart(dest []driver.Value) error {
	start := time.Now()
	err := r.raw.Next(dest)
	now := time.Now()
	r.st.waited.add(now.Sub(start))
	if err != nil {
		r.st.readEnded(now, notEOF(err))
		return err
	}
	if r.read = r.st.rowsRead.Add(1); r.read == 1 {
		r.st.firstRow(now)
	}
	r.part = r.st.nextPart(r.read)
	return nil
}

// notEOF is nil for the regular end of rows.
func notEOF(err error) error {
	if err == io.EOF {
		return nil
	}
	return err
}

// Close closes the rows and finishes the statement. It may be called more than once.
func (r *rows) Close() error {
	r.st.inferResult(r.inference)
	start := time.Now()
	err := r.raw.Close()
	r.st.closed(start, err)
	r.releaseLease()
	return err
}

// ColumnTypeScanType returns the Go type a column is best scanned into.
func (r *rows) ColumnTypeScanType(i int) reflect.Type {
	if t, ok := r.raw.(driver.RowsColumnTypeScanType); ok {
		return t.ColumnTypeScanType(i)
	}
	return reflect.TypeFor[any]()
}

// ColumnTypeDatabaseTypeName returns the name of a column's type.
func (r *rows) ColumnTypeDatabaseTypeName(i int) string {
	if t, ok := r.raw.(driver.RowsColumnTypeDatabaseTypeName); ok {
		return t.ColumnTypeDatabaseTypeName(i)
	}
	return ""
}

// ColumnTypeNullable tells whether a column can be NULL, and whether that is known.
func (r *rows) ColumnTypeNullable(i int) (nullable, ok bool) {
	if t, ok := r.raw.(driver.RowsColumnTypeNullable); ok {
		return t.ColumnTypeNullable(i)
	}
	return false, false
}

// ColumnTypeLength returns the length of a variable-length column.
func (r *rows) ColumnTypeLength(i int) (length int64, ok bool) {
	if t, ok := r.raw.(driver.RowsColumnTypeLength); ok {
		return t.ColumnTypeLength(i)
	}
	return 0, false
}

// multi adds what the Databricks rows do not have.
type multi struct{ of driver.Rows }

func (m multi) HasNextResultSet() bool {
	n, ok := m.of.(driver.RowsNextResultSet)
	return ok && n.HasNextResultSet()
}

func (m multi) NextResultSet() error {
	if n, ok := m.of.(driver.RowsNextResultSet); ok {
		return n.NextResultSet()
	}
	return io.EOF
}

func (m multi) ColumnTypePrecisionScale(i int) (precision, scale int64, ok bool) {
	if t, ok := m.of.(driver.RowsColumnTypePrecisionScale); ok {
		return t.ColumnTypePrecisionScale(i)
	}
	return 0, 0, false
}
