// Arrow reads a result as Arrow batches, below database/sql, and shows that it is measured too: the
// connection that sql.Conn.Raw provides has the methods of the native driver's.
//
// It runs against a simulated workspace, or against a real one when DATABRICKS_DSN is set.
package main

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	dbsqlrows "github.com/databricks/databricks-sql-go/rows"

	_ "github.com/seed-01322ee7/databricks-telemetry/driverwrap" // registers "databricks-telemetry"
	"github.com/seed-01322ee7/databricks-telemetry/examples/internal/demo"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry/explain"
)

const query = "SELECT id, id * 2 AS twice FROM range(150000)"

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "arrow:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, out io.Writer) error {
	ws, err := demo.Open(out)
	if err != nil {
		return err
	}
	defer ws.Close()

	defer telemetry.Attach(printer{out})()
	db, err := sql.Open("databricks-telemetry", ws.DSN)
	if err != nil {
		return err
	}
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "\n%s\n", query)
	// The same lines as with the native driver: the conn in Raw is a driver.QueryerContext,
	// and its rows are those of package rows.
	err = conn.Raw(func(c any) error {
		rows, err := c.(driver.QueryerContext).QueryContext(ctx, query, nil)
		if err != nil {
			return err
		}
		defer func() { _ = rows.Close() }()
		return read(ctx, rows.(dbsqlrows.Rows), out)
	})
	return errors.Join(err, conn.Close(), db.Close()) // db.Close waits for the record, too
}

// read sums a column, batch by batch.
func read(ctx context.Context, rows dbsqlrows.Rows, out io.Writer) error {
	batches, err := rows.GetArrowBatches(ctx)
	if err != nil {
		return err
	}
	defer batches.Close()
	var n, sum int64
	for batches.HasNext() {
		batch, err := batches.Next()
		if err != nil {
			return err
		}
		n++
		for _, id := range batch.Column(0).(interface{ Int64Values() []int64 }).Int64Values() {
			sum += id
		}
		batch.Release()
	}
	fmt.Fprintf(out, "  the application read %d batches, whose ids sum to %d\n", n, sum)
	return nil
}

// printer is a sink: it receives each record once the statement is over.
type printer struct{ out io.Writer }

func (p printer) StatementFinished(s *telemetry.Statement) {
	fmt.Fprintf(p.out, "  recorded: %d rows as %s, %s in %s\n", s.RowsRead.Or(0), s.Result.Format, s.Outcome, s.Total.Round(time.Millisecond))
	if f := s.CloudFetch; f != nil {
		fmt.Fprintf(p.out, "            %d files of %d bytes, slowest %s\n", f.Present, f.Bytes, f.Slowest.Round(time.Millisecond))
	}
	fmt.Fprintf(p.out, "            %s\n", explain.Of(s).Sentence)
}
