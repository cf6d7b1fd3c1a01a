// Hooks puts an application's own proxy around the driver, with the hooks of ngrok/sqlmw.
package main

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"log"
	"os"

	_ "github.com/databricks/databricks-sql-go"
	"github.com/ngrok/sqlmw"
)

// audit prints every statement before it runs.
type audit struct{ sqlmw.NullInterceptor }

func (audit) ConnQueryContext(ctx context.Context, conn driver.QueryerContext, query string, args []driver.NamedValue) (context.Context, driver.Rows, error) {
	fmt.Println("query:", query, len(args))
	rows, err := conn.QueryContext(ctx, query, args)
	return ctx, rows, err
}

func (audit) ConnExecContext(ctx context.Context, conn driver.ExecerContext, query string, args []driver.NamedValue) (driver.Result, error) {
	fmt.Println("exec:", query, len(args))
	return conn.ExecContext(ctx, query, args)
}

func main() {
	log.SetFlags(0)
	dsn := os.Getenv("DATABRICKS_DSN")
	native, err := sql.Open("databricks", dsn)
	if err != nil {
		log.Fatal(err)
	}
	sql.Register("audited", sqlmw.Driver(native.Driver(), audit{}))

	db, err := sql.Open("audited", dsn)
	if err != nil {
		log.Fatal(err)
	}
	var n int64
	fmt.Println(db.QueryRow("SELECT count(*) FROM range(?)", 3).Scan(&n), n)
	_, err = db.Exec("INSERT INTO missing VALUES (1)")
	fmt.Println(err)
	stmt, err := db.Prepare("SELECT ? + 1")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(stmt.QueryRow(1).Scan(&n), n, stmt.Close())
	fmt.Println(db.Ping(), db.Close(), native.Close())
}
