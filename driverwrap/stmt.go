package driverwrap

import (
	"context"
	"database/sql/driver"
	"errors"

	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
)

// stmt is a measured prepared statement. Its optional interfaces follow the native one: a
// NamedValueChecker or ColumnConverter that the native statement lacks must not appear, because
// database/sql would convert parameters differently.
type stmt struct {
	native  driver.Stmt
	session *session
	text    string // of the statement
}

var (
	_ driver.Stmt             = (*stmt)(nil)
	_ driver.StmtExecContext  = (*stmt)(nil)
	_ driver.StmtQueryContext = (*stmt)(nil)
)

// newStmt returns a measured statement with the optional interfaces of the native one.
func newStmt(on *session, query string, native driver.Stmt) driver.Stmt {
	base := &stmt{native: native, session: on, text: query}
	checks, isChecking := native.(driver.NamedValueChecker)
	converts, isConverting := native.(driver.ColumnConverter) //nolint:staticcheck // drivers from before NamedValueChecker exist
	switch {
	case isChecking && isConverting:
		return &checkingConvertingStmt{base, checks, converter{converts}}
	case isChecking:
		return &checkingStmt{base, checks}
	case isConverting:
		return &convertingStmt{base, converter{converts}}
	}
	return base
}

type (
	checkingStmt struct {
		*stmt
		driver.NamedValueChecker
	}
	convertingStmt struct {
		*stmt
		converter
	}
	checkingConvertingStmt struct {
		*stmt
		driver.NamedValueChecker
		converter
	}

	converter struct{ native driver.ColumnConverter } //nolint:staticcheck // as above
)

func (c converter) ColumnConverter(i int) driver.ValueConverter { return c.native.ColumnConverter(i) }

// Raw returns the native statement. Calls made on it directly are not measured.
func (s *stmt) Raw() driver.Stmt { return s.native }

// NumInput returns the number of parameters, -1 where the driver does not know.
func (s *stmt) NumInput() int { return s.native.NumInput() }

// Close closes the statement.
func (s *stmt) Close() error { return s.native.Close() }

// Exec runs the statement without a context; database/sql uses ExecContext.
func (s *stmt) Exec(args []driver.Value) (driver.Result, error) {
	return s.exec(context.Background(), func(context.Context) (driver.Result, error) {
		return s.native.Exec(args) //nolint:staticcheck // part of driver.Stmt
	})
}

// ExecContext runs a statement that returns no rows. For a statement without context support
// it does what database/sql does.
func (s *stmt) ExecContext(ctx context.Context, args []driver.NamedValue) (driver.Result, error) {
	return s.exec(ctx, func(ctx context.Context) (driver.Result, error) {
		if native, ok := s.native.(driver.StmtExecContext); ok {
			return native.ExecContext(ctx, args)
		}
		values, err := positional(ctx, args)
		if err != nil {
			return nil, err
		}
		return s.native.Exec(values) //nolint:staticcheck // drivers from before contexts exist
	})
}

func (s *stmt) exec(ctx context.Context, run func(context.Context) (driver.Result, error)) (driver.Result, error) {
	ctx, st := beginStatement(ctx, s.session, call{kind: telemetry.KindUpdate, prepared: true, query: s.text})
	if st == nil {
		return run(ctx)
	}
	return st.runExec(run)
}

// Query runs the statement without a context; database/sql uses QueryContext.
func (s *stmt) Query(args []driver.Value) (driver.Rows, error) {
	return s.query(context.Background(), func(context.Context) (driver.Rows, error) {
		return s.native.Query(args) //nolint:staticcheck // part of driver.Stmt
	})
}

// QueryContext runs the statement and returns rows as QueryContext of a connection does. For a
// statement without context support it does what database/sql does.
func (s *stmt) QueryContext(ctx context.Context, args []driver.NamedValue) (driver.Rows, error) {
	return s.query(ctx, func(ctx context.Context) (driver.Rows, error) {
		if native, ok := s.native.(driver.StmtQueryContext); ok {
			return native.QueryContext(ctx, args)
		}
		values, err := positional(ctx, args)
		if err != nil {
			return nil, err
		}
		return s.native.Query(values) //nolint:staticcheck // drivers from before contexts exist
	})
}

func (s *stmt) query(ctx context.Context, run func(context.Context) (driver.Rows, error)) (driver.Rows, error) {
	ctx, st := beginStatement(ctx, s.session, call{kind: telemetry.KindQuery, prepared: true, query: s.text})
	if st == nil {
		return run(ctx)
	}
	return st.runQuery(run)
}

// positional returns the parameters for a statement without context support.
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
