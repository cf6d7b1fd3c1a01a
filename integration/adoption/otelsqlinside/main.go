// Otelsqlinside holds a connector that otelsql has wrapped already.
package main

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"log"
	"os"

	"github.com/XSAM/otelsql"
	dbsql "github.com/databricks/databricks-sql-go"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
)

func main() {
	log.SetFlags(0)
	spans := tracetest.NewSpanRecorder()
	connector, err := connect(os.Getenv("DATABRICKS_DSN"),
		otelsql.WithTracerProvider(sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(spans))))
	if err != nil {
		log.Fatal(err)
	}
	db := sql.OpenDB(connector)
	work(context.Background(), db)
	for _, s := range spans.Ended() {
		fmt.Println(s.Name(), s.Status().Code)
	}
}

// connect is a connector of otelsql around one of the native driver.
func connect(dsn string, options ...otelsql.Option) (driver.Connector, error) {
	native, err := dbsql.NewConnector()
	if err != nil {
		return nil, err
	}
	return otelsql.WrapDriver(native.Driver(), options...).(driver.DriverContext).OpenConnector(dsn)
}

func work(ctx context.Context, db *sql.DB) {
	fmt.Println(db.PingContext(ctx))
	var n int64
	fmt.Println(db.QueryRowContext(ctx, "SELECT count(*) FROM range(3)").Scan(&n), n)
	_, err := db.ExecContext(ctx, "INSERT INTO missing VALUES (1)")
	fmt.Println(err)
	fmt.Println(db.Close())
}
