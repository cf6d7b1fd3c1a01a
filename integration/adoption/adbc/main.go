// Adbc reads Arrow records through the ADBC driver for Databricks, which is built on
// databricks-sql-go.
package main

import (
	"context"
	"fmt"
	"log"
	"os"

	"github.com/apache/arrow-adbc/go/adbc/driver/databricks"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

func main() {
	log.SetFlags(0)
	ctx := context.Background()
	db, err := databricks.NewDriver(memory.DefaultAllocator).NewDatabase(map[string]string{
		databricks.OptionServerHostname: os.Getenv("DATABRICKS_HOST"),
		databricks.OptionHTTPPath:       os.Getenv("DATABRICKS_HTTPPATH"),
		databricks.OptionAccessToken:    os.Getenv("DATABRICKS_ACCESS_TOKEN"),
	})
	if err != nil {
		log.Fatal(err)
	}
	conn, err := db.Open(ctx)
	if err != nil {
		log.Fatal(err)
	}
	for _, query := range []string{
		"SELECT id, concat('number ', id) AS name FROM range(5)",
		"SELECT sum(id) AS total FROM range(3000)",
		"SELECT * FROM missing",
	} {
		stmt, err := conn.NewStatement()
		if err != nil {
			log.Fatal(err)
		}
		if err := stmt.SetSqlQuery(query); err != nil {
			log.Fatal(err)
		}
		records, _, err := stmt.ExecuteQuery(ctx)
		if err != nil {
			fmt.Println(err)
			continue
		}
		for records.Next() {
			fmt.Println(records.RecordBatch())
		}
		fmt.Println(records.Schema(), records.Err())
		records.Release()
		fmt.Println(stmt.Close())
	}
	fmt.Println(conn.Close(), db.Close())
}
