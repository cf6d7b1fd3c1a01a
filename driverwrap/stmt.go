package driverwrap

import (
	"context"
	"database/sql/driver"
	"errors"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// stmt is a measured prepared statement. Its shape follows the native one: a
// NamedValueChecker or ColumnConverter that is not there must not appear, because
// database/sql would convert parameters differently.
type stmt struct {
	raw    driver.Stmt // the native one
	middle driver.Stmt // sqlmw's or unhooked, around raw
	conn   *conn
	text   string // of the statement
}

var (
	_ driver.Stmt             = (*stmt)(nil)
	_ driver.StmtExecContext  = (*stmt)(nil)
	_ driver.StmtQueryContext = (*stmt)(nil)
)

type (
	checkingStmt struct {
		*stmt
		checker
	}
	convertingStmt struct {
		*stmt
		converter
	}
	checkingConvertingStmt struct {
		*stmt
		checker
		converter
	}

	converter struct{ native driver.ColumnConverter } //nolint:staticcheck // drivers from before NamedValueChecker exist
)

func (c converter) ColumnConverter(i int) driver.ValueConverter { return c.native.ColumnConverter(i) }

func newStmt(c *conn, query string, raw, middle driver.Stmt) driver.Stmt {
	base := &stmt{raw: raw, middle: middle, conn: c, text: query}
	checks, isChecking := raw.(driver.NamedValueChecker)
	converts, isConverting := raw.(driver.ColumnConverter) //nolint:staticcheck // as above
	switch {
	case isChecking && isConverting:
		return &checkingConvertingStmt{base, checker{checks}, converter{converts}}
	case isChecking:
		return &checkingStmt{base, checker{checks}}
	case isConverting:
		return &convertingStmt{base, converter{converts}}
	}
	return base
}

// Raw returns the native statement. What is done with it is not measured.
func (s *stmt) Raw() driver.Stmt { return s.raw }

// NumInput returns the number of parameters, -1 where the driver does not know.
func (s *stmt) NumInput() int { return s.raw.NumInput() }

// Close closes the statement.
func (s *stmt) Close() error { return s.middle.Close() }

// Exec runs the statement without a context; database/sql uses ExecContext.
func (s *stmt) Exec(args []driver.Value) (driver.Result, error) {
	return s.exec(context.Background(), func(context.Context) (driver.Result, error) {
		return s.raw.Exec(args) //nolint:staticcheck // part of driver.Stmt
	})
}

// ExecContext runs the statement for its effect.
func (s *stmt) ExecContext(ctx context.Context, args []driver.NamedValue) (driver.Result, error) {
	return s.exec(ctx, func(ctx context.Context) (driver.Result, error) {
		return s.middle.(driver.StmtExecContext).ExecContext(ctx, args)
	})
}

func (s *stmt) exec(ctx context.Context, run func(context.Context) (driver.Result, error)) (driver.Result, error) {
	ctx, st := s.conn.begin(ctx, call{kind: telemetry.KindUpdate, prepared: true, query: s.text})
	if st == nil {
		return run(ctx)
	}
	result, err := run(&st.ctx)
	st.execEnded(result, err)
	return result, err
}

// Query runs the statement without a context; database/sql uses QueryContext.
func (s *stmt) Query(args []driver.Value) (driver.Rows, error) {
	return s.query(context.Background(), func(ctx context.Context) error {
		rows, err := s.raw.Query(args) //nolint:staticcheck // part of driver.Stmt
		_, _, err = leaveRows(ctx, rows, err)
		return err
	})
}

// QueryContext runs the statement and returns rows as conn.QueryContext does.
func (s *stmt) QueryContext(ctx context.Context, args []driver.NamedValue) (driver.Rows, error) {
	return s.query(ctx, func(ctx context.Context) error {
		_, err := s.middle.(driver.StmtQueryContext).QueryContext(ctx, args)
		return err
	})
}

// query runs the statement; the rows arrive in the slot of the context.
func (s *stmt) query(ctx context.Context, run func(context.Context) error) (driver.Rows, error) {
	ctx, st := s.conn.begin(ctx, call{kind: telemetry.KindQuery, prepared: true, query: s.text})
	if st == nil {
		var s slot
		if err := run(context.WithValue(ctx, slotKey{}, &s)); err != nil {
			return nil, asNative(err)
		}
		return s.rows, nil
	}
	return st.rowsOf(run(&st.ctx))
}

// unhooked stands in for sqlmw's statement around one that was prepared without a hook: it
// speaks contexts, as database/sql does for a statement that does not, and fills the slot.
type unhooked struct{ driver.Stmt }

var (
	_ driver.StmtExecContext  = unhooked{}
	_ driver.StmtQueryContext = unhooked{}
)

func (s unhooked) ExecContext(ctx context.Context, args []driver.NamedValue) (driver.Result, error) {
	if native, ok := s.Stmt.(driver.StmtExecContext); ok {
		return native.ExecContext(ctx, args)
	}
	values, err := positional(ctx, args)
	if err != nil {
		return nil, err
	}
	return s.Exec(values)
}

func (s unhooked) QueryContext(ctx context.Context, args []driver.NamedValue) (driver.Rows, error) {
	if native, ok := s.Stmt.(driver.StmtQueryContext); ok {
		rows, err := native.QueryContext(ctx, args)
		_, rows, err = leaveRows(ctx, rows, err)
		return rows, err
	}
	values, err := positional(ctx, args)
	if err != nil {
		return nil, err
	}
	rows, err := s.Query(values)
	_, rows, err = leaveRows(ctx, rows, err)
	return rows, err
}

func positional(ctx context.Context, args []driver.NamedValue) ([]driver.Value, error) {
	values := make([]driver.Value, len(args))
	for i, a := range args {
		if a.Name != "" {
			return nil, errors.New("sql: driver does not support the use of Named Parameters")
		}
		values[i] = a.Value
	}
	return values, ctx.Err()
}
