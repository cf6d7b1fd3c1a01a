package soak

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"regexp"
	"syscall"

	dbsqlerr "github.com/databricks/databricks-sql-go/errors"
	dbsqlrows "github.com/databricks/databricks-sql-go/rows"
)

// outcome is what an application observes of one step.
type outcome struct {
	observed    []string // what does not depend on time: columns, values, results
	failed      string   // the error, as far as a caller can distinguish it from others; "" for none
	contextDone bool     // the error is that of the caller's own context
}

func (o *outcome) observe(a ...any) { o.observed = append(o.observed, fmt.Sprint(a...)) }

func (o *outcome) fail(err error) {
	if err == nil || o.failed != "" {
		return
	}
	o.failed = describe(err)
	o.contextDone = errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// Addresses and ids differ from run to run, and so does the error of a broken connection.
var (
	address = regexp.MustCompile(`127\.0\.0\.1:\d+`)
	guid    = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)
	object  = regexp.MustCompile(`/results/[^"\s]*`)
	broken  = regexp.MustCompile(`(read|write) tcp ADDRESS->ADDRESS: \w+: (connection reset by peer|broken pipe)|unexpected EOF|EOF`)
)

// describe is everything a caller can find out about an error, without ids.
func describe(err error) string {
	if err == nil {
		return "no error"
	}
	text := address.ReplaceAllString(err.Error(), "ADDRESS")
	text = object.ReplaceAllString(guid.ReplaceAllString(text, "ID"), "OBJECT")
	out := fmt.Sprintf("%T %s", err, broken.ReplaceAllString(text, "BROKEN"))
	for _, target := range []error{
		dbsqlerr.DatabricksError, dbsqlerr.DriverError, dbsqlerr.RequestError, dbsqlerr.ExecutionError,
		driver.ErrBadConn, driver.ErrSkip, sql.ErrNoRows, context.Canceled, context.DeadlineExceeded,
	} {
		out += fmt.Sprint(" ", errors.Is(err, target))
	}
	var execution dbsqlerr.DBExecutionError
	if errors.As(err, &execution) {
		out += fmt.Sprint(" ", execution.SqlState(), execution.IsRetryable(), execution.QueryId() != "", execution.ConnectionId() != "")
	}
	if errors.Is(err, syscall.ECONNREFUSED) {
		out += " refused"
	}
	return out
}

// read reads all rows, or the first most of them: columns with their types, and every value.
func (o *outcome) read(rows *sql.Rows, err error, most int) {
	if err != nil {
		o.fail(err)
		return
	}
	o.columns(rows)
	o.values(rows, most)
	if err := rows.Close(); err != nil {
		o.fail(err)
	}
	o.fail(rows.Err())
}

func (o *outcome) columns(rows *sql.Rows) {
	types, err := rows.ColumnTypes()
	o.fail(err)
	for _, t := range types {
		nullable, ok1 := t.Nullable()
		length, ok2 := t.Length()
		precision, scale, ok3 := t.DecimalSize()
		o.observe(t.Name(), " ", t.DatabaseTypeName(), " ", t.ScanType(), nullable, ok1, length, ok2, precision, scale, ok3)
	}
}

// values reads rows, up to most; each becomes a hash.
func (o *outcome) values(rows *sql.Rows, most int) {
	names, err := rows.Columns()
	o.fail(err)
	values := make([]any, len(names))
	for i := range values {
		values[i] = new(any)
	}
	for n := 0; n < most && rows.Next(); n++ {
		if err := rows.Scan(values...); err != nil { // the rows were closed meanwhile
			o.fail(err)
			return
		}
		h := fnv.New64a()
		for _, v := range values {
			fmt.Fprintf(h, "%T %v,", *v.(*any), *v.(*any))
		}
		o.observe(h.Sum64())
	}
}

// result adds the result of an Exec.
func (o *outcome) result(r sql.Result, err error) {
	if err != nil {
		o.fail(err)
		return
	}
	n, err1 := r.RowsAffected()
	id, err2 := r.LastInsertId()
	o.observe(n, err1, id, err2)
}

// records reads rows as Arrow batches, below database/sql.
func (o *outcome) records(ctx context.Context, db *sql.DB, query string) {
	o.raw(ctx, db, query, func(rows dbsqlrows.Rows) error {
		it, err := rows.GetArrowBatches(ctx)
		if err != nil {
			return err
		}
		defer it.Close()
		for it.HasNext() {
			record, err := it.Next()
			if err != nil {
				return err
			}
			h := fnv.New64a()
			fmt.Fprint(h, record)
			o.observe(record.NumRows(), h.Sum64())
			record.Release()
		}
		_, err = it.Next()
		if err == io.EOF {
			return nil
		}
		return err
	})
}

// streams reads rows as Arrow IPC streams.
func (o *outcome) streams(ctx context.Context, db *sql.DB, query string) {
	o.raw(ctx, db, query, func(rows dbsqlrows.Rows) error {
		it, err := rows.GetArrowIPCStreams(ctx)
		if err != nil {
			return err
		}
		defer it.Close()
		for it.HasNext() {
			stream, err := it.Next()
			if err != nil {
				return err
			}
			h := fnv.New64a()
			n, err := io.Copy(h, stream)
			if err != nil {
				return err
			}
			o.observe(n, h.Sum64())
		}
		return nil
	})
}

func (o *outcome) raw(ctx context.Context, db *sql.DB, query string, read func(dbsqlrows.Rows) error) {
	c, err := db.Conn(ctx)
	if err != nil {
		o.fail(err)
		return
	}
	o.fail(c.Raw(func(conn any) error {
		rows, err := conn.(driver.QueryerContext).QueryContext(ctx, query, nil)
		if err != nil {
			return err
		}
		return errors.Join(read(rows.(dbsqlrows.Rows)), rows.Close())
	}))
	o.fail(c.Close())
}
