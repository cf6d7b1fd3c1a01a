// Command native is a program that queries Databricks through the native driver.
package main

import (
	"database/sql"
	"os"

	_ "github.com/databricks/databricks-sql-go"
)

func main() {
	db, err := sql.Open("databricks", os.Getenv("DSN"))
	if err != nil {
		panic(err)
	}
	_ = db.Ping()
}
