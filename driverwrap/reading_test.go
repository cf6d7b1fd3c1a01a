package driverwrap_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"reflect"
	"testing"
	"testing/synctest"
	"time"

	"github.com/apache/arrow/go/v12/arrow"
	dbsqlrows "github.com/databricks/databricks-sql-go/rows"
	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/driverwrap"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// setsConn returns rows of two sets; what ends the second is in its query.
type setsConn struct{ modernConn }

func (c *setsConn) QueryContext(_ context.Context, query string, _ []driver.NamedValue) (driver.Rows, error) {
	return &slowSets{manySets{plainRows{calls: c.calls, left: 1}, 1}, query}, nil
}

type slowSets struct {
	manySets
	query string
}

func (r *slowSets) NextResultSet() error {
	time.Sleep(10 * time.Second)
	if r.query == "set fails" {
		return errBroken
	}
	if r.query == "second breaks off" {
		r.then = errBroken
	}
	return r.manySets.NextResultSet()
}

func setsDB(sink telemetry.Sink) *sql.DB {
	return sql.OpenDB(driverwrap.Config{Sinks: []telemetry.Sink{sink}}.Wrap(&fakeConnector{calls: &calls{}, conn: func(c *calls) driver.Conn {
		return &setsConn{modernConn{minimalConn: minimalConn{c, contextStmt}}}
	}}))
}

func TestLaterResultSetsArePartOfTheStatement(t *testing.T) {
	for name, test := range map[string]struct {
		most    int // rows of the second set to read
		outcome telemetry.Outcome
		failed  bool
		err     error
	}{
		"read to the end":   {9, telemetry.OutcomeCompleted, false, nil},
		"closed early":      {1, telemetry.OutcomeClosedEarly, false, nil},
		"second breaks off": {9, telemetry.OutcomeFailed, true, errBroken},
		"set fails":         {9, telemetry.OutcomeFailed, true, errBroken},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				sink := &memory{}
				db := setsDB(sink)
				rows, err := db.Query(name)
				require.NoError(t, err)
				for rows.Next() {
				}
				require.NoError(t, rows.Err())
				rows.NextResultSet()
				for i := 0; i < test.most && rows.Next(); i++ {
				}
				require.ErrorIs(t, rows.Err(), test.err)
				require.NoError(t, rows.Close())
				require.NoError(t, db.Close())
				s := sink.statements[0]
				require.Equal(t, test.outcome, s.Outcome)
				require.Equal(t, test.failed, s.Failure != nil)
				require.Less(t, s.Split[telemetry.PartApplication], time.Second, "the driver took the time: %v", s.Split)
			})
		})
	}
}

// waitingSets take 10 s for the columns of each set and for each row of the second.
type waitingSets struct {
	manySets
	described int // the sets whose columns were asked for
}

func (r *waitingSets) Columns() []string {
	if set := 2 - r.sets; r.described < set {
		r.described = set
		time.Sleep(10 * time.Second)
	}
	return r.manySets.Columns()
}

func (r *waitingSets) Next(dest []driver.Value) error {
	if r.sets == 0 {
		time.Sleep(10 * time.Second)
	}
	return r.manySets.Next(dest)
}

type waitingConn struct{ modernConn }

func (c *waitingConn) QueryContext(context.Context, string, []driver.NamedValue) (driver.Rows, error) {
	return &waitingSets{manySets: manySets{plainRows{calls: c.calls, left: 1}, 1}}, nil
}

func TestTheApplicationIsNotBlamedForTheRowsOfALaterResultSet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := readBelow(t, t.Context(), func(c *calls) driver.Conn {
			return &waitingConn{modernConn{minimalConn: minimalConn{c, contextStmt}}}
		}, func(rows driver.Rows) {
			dest := make([]driver.Value, 1)
			readSet := func() {
				rows.Columns()
				for rows.Next(dest) == nil {
				}
			}
			readSet()
			require.NoError(t, rows.(driver.RowsNextResultSet).NextResultSet())
			time.Sleep(3 * time.Second) // the application prepares for another set
			readSet()
		})
		require.Equal(t, 3*time.Second, s.Split[telemetry.PartApplication], "%v", s.Split)
		require.Equal(t, 50*time.Second, s.Split[telemetry.PartUnknown], "columns twice, two rows and their end: %v", s.Split)
	})
}

// describedRows take 10 s to describe a column.
type describedRows struct{ typedRows }

func (r *describedRows) Columns() []string {
	time.Sleep(10 * time.Second)
	return r.typedRows.Columns()
}

func (r *describedRows) ColumnTypeScanType(i int) reflect.Type {
	time.Sleep(10 * time.Second)
	return r.typedRows.ColumnTypeScanType(i)
}

func (r *describedRows) ColumnTypeDatabaseTypeName(i int) string {
	time.Sleep(10 * time.Second)
	return r.typedRows.ColumnTypeDatabaseTypeName(i)
}

func (r *describedRows) ColumnTypeNullable(i int) (nullable, ok bool) {
	time.Sleep(10 * time.Second)
	return r.typedRows.ColumnTypeNullable(i)
}

func (r *describedRows) ColumnTypeLength(i int) (length int64, ok bool) {
	time.Sleep(10 * time.Second)
	return r.typedRows.ColumnTypeLength(i)
}

func (r *describedRows) ColumnTypePrecisionScale(i int) (precision, scale int64, ok bool) {
	time.Sleep(10 * time.Second)
	return r.typedRows.ColumnTypePrecisionScale(i)
}

type describedConn struct{ modernConn }

func (c *describedConn) QueryContext(context.Context, string, []driver.NamedValue) (driver.Rows, error) {
	return &describedRows{typedRows{plainRows{calls: c.calls, left: 1}}}, nil
}

// The driver may ask the server for whatever describes a column, whichever is asked for first.
func TestTheApplicationIsNotBlamedForADescription(t *testing.T) {
	for name, describe := range map[string]func(driver.Rows){
		"names":     func(r driver.Rows) { r.Columns() },
		"scan type": func(r driver.Rows) { r.(driver.RowsColumnTypeScanType).ColumnTypeScanType(0) },
		"type":      func(r driver.Rows) { r.(driver.RowsColumnTypeDatabaseTypeName).ColumnTypeDatabaseTypeName(0) },
		"nullable":  func(r driver.Rows) { r.(driver.RowsColumnTypeNullable).ColumnTypeNullable(0) },
		"length":    func(r driver.Rows) { r.(driver.RowsColumnTypeLength).ColumnTypeLength(0) },
		"precision": func(r driver.Rows) { r.(driver.RowsColumnTypePrecisionScale).ColumnTypePrecisionScale(0) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := readBelow(t, t.Context(), func(c *calls) driver.Conn {
					return &describedConn{modernConn{minimalConn: minimalConn{c, contextStmt}}}
				}, func(rows driver.Rows) {
					time.Sleep(time.Second)
					describe(rows)
				})
				require.Equal(t, time.Second, s.Split[telemetry.PartApplication], "%v", s.Split)
				require.Equal(t, 10*time.Second, s.Split[telemetry.PartUnknown], "%v", s.Split)
			})
		})
	}
}

type panickingConn struct {
	modernConn
	rows int
}

// panickingRows panic after their rows.
type panickingRows struct{ fakeArrowRows }

func (r *panickingRows) Next(dest []driver.Value) error {
	if r.left == 0 {
		panic("native")
	}
	return r.plainRows.Next(dest)
}
func (*panickingRows) GetArrowBatches(context.Context) (dbsqlrows.ArrowBatchIterator, error) {
	return &panickingBatches{}, nil
}

func (*panickingRows) HasNextResultSet() bool { return true }
func (*panickingRows) NextResultSet() error   { panic("native") }

type panickingBatches struct{ fakeBatches }

func (*panickingBatches) Next() (arrow.Record, error) { panic("native") }

func (c *panickingConn) QueryContext(context.Context, string, []driver.NamedValue) (driver.Rows, error) {
	return &panickingRows{fakeArrowRows{plainRows{calls: c.calls, left: c.rows}, nil}}, nil
}

func TestReadingThatPanicsHasFailed(t *testing.T) {
	next := func(r driver.Rows) { _ = r.Next(make([]driver.Value, 1)) }
	for name, test := range map[string]struct {
		rows int64 // before the panic
		read func(driver.Rows)
	}{
		"first row":    {0, next},
		"rows":         {2, func(r driver.Rows) { next(r); next(r); next(r) }},
		"the next set": {0, func(r driver.Rows) { _ = r.(driver.RowsNextResultSet).NextResultSet() }},
		"batches": {0, func(r driver.Rows) {
			it, _ := r.(dbsqlrows.Rows).GetArrowBatches(context.Background())
			_, _ = it.Next()
		}},
	} {
		t.Run(name, func(t *testing.T) {
			s := readBelow(t, t.Context(), func(c *calls) driver.Conn {
				return &panickingConn{modernConn{minimalConn: minimalConn{c, contextStmt}}, int(test.rows)}
			}, func(rows driver.Rows) { require.Panics(t, func() { test.read(rows) }) })
			require.Equal(t, telemetry.OutcomeFailed, s.Outcome)
			require.Equal(t, telemetry.Known(test.rows), s.RowsRead)
			require.Equal(t, telemetry.CategoryOther, s.Failure.Category)
		})
	}
}

func TestTimeAfterTheLastBatchIsAfterIt(t *testing.T) {
	for name, end := range map[string]func(dbsqlrows.ArrowBatchIterator){
		"the reader is left":      func(dbsqlrows.ArrowBatchIterator) {},
		"the reader is closed":    func(it dbsqlrows.ArrowBatchIterator) { it.Close() },
		"its schema is asked for": func(it dbsqlrows.ArrowBatchIterator) { _, _ = it.Schema() },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := readBelow(t, t.Context(), arrowRecords(2), func(rows driver.Rows) {
					end(readBatches(t, rows))
					time.Sleep(10 * time.Second) // the application works with what it read
				})
				require.Equal(t, telemetry.Application{After: 10 * time.Second}, s.Application)
			})
		})
	}
}

// lateBatches fail as a client whose own timeout has passed.
type lateBatches struct{ fakeBatches }

func (*lateBatches) Next() (arrow.Record, error) {
	return nil, fmt.Errorf("Client.Timeout: %w", context.DeadlineExceeded)
}
func (*lateBatches) HasNext() bool { return true }

type lateRows struct{ fakeArrowRows }

func (*lateRows) GetArrowBatches(context.Context) (dbsqlrows.ArrowBatchIterator, error) {
	return &lateBatches{}, nil
}

type lateConn struct{ modernConn }

func (c *lateConn) QueryContext(context.Context, string, []driver.NamedValue) (driver.Rows, error) {
	return &lateRows{fakeArrowRows{plainRows{calls: c.calls}, nil}}, nil
}

func TestAFailureIsNotBlamedOnAContextThatWasDoneLater(t *testing.T) {
	submit, cancel := context.WithCancel(t.Context())
	s := readBelow(t, submit, func(c *calls) driver.Conn {
		return &lateConn{modernConn{minimalConn: minimalConn{c, contextStmt}}}
	}, func(rows driver.Rows) {
		batches, err := rows.(dbsqlrows.Rows).GetArrowBatches(t.Context())
		require.NoError(t, err)
		_, err = batches.Next()
		require.Error(t, err)
		cancel()
	})
	require.Equal(t, telemetry.OutcomeFailed, s.Outcome)
}
