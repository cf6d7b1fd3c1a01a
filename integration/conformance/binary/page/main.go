// Command page is the same program as wrapped, with the debug page.
package main

import (
	"database/sql"
	"os"

	_ "github.com/seed-01322ee7/databricks-telemetry/driverwrap"
	_ "github.com/seed-01322ee7/databricks-telemetry/telemetry/debugpage"
)

func main() {
	db, err := sql.Open("databricks-telemetry", os.Getenv("DSN"))
	if err != nil {
		panic(err)
	}
	_ = db.Ping()
}
