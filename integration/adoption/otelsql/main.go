// Otelsql makes a span of every call of database/sql: it lies around the driver.
package main

import (
	"context"
	"database/sql"
	"fmt"
	"log"
	"os"

	"github.com/XSAM/otelsql"
	_ "github.com/databricks/databricks-sql-go"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
)

func main() {
	log.SetFlags(0)
	spans := tracetest.NewSpanRecorder()
	db, err := otelsql.Open("databricks", os.Getenv("DATABRICKS_DSN"),
		otelsql.WithTracerProvider(sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(spans))))
	if err != nil {
		log.Fatal(err)
	}
	work(context.Background(), db)
	for _, s := range spans.Ended() {
		fmt.Println(s.Name(), s.Status().Code)
	}
}

func work(ctx context.Context, db *sql.DB) {
	fmt.Println(db.PingContext(ctx))
	rows, err := db.QueryContext(ctx, "SELECT id FROM range(3) WHERE id > ?", 0)
	if err != nil {
		log.Fatal(err)
	}
	for rows.Next() {
		var id int64
		fmt.Println(rows.Scan(&id), id)
	}
	fmt.Println(rows.Err(), rows.Close())
	_, err = db.ExecContext(ctx, "INSERT INTO missing VALUES (1)")
	fmt.Println(err)
	fmt.Println(db.Close())
}
