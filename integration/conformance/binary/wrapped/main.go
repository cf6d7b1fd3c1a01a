// Command wrapped is the same program as native, with the wrapped driver.
package main

import (
	"database/sql"
	"os"

	_ "github.com/seed-01322ee7/databricks-telemetry/driverwrap"
)

func main() {
	db, err := sql.Open("databricks-telemetry", os.Getenv("DSN"))
	if err != nil {
		panic(err)
	}
	_ = db.Ping()
}
