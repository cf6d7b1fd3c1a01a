// Sqlc runs queries through code that sqlc generated.
package main

import (
	"context"
	"database/sql"
	"fmt"
	"log"
	"os"

	_ "github.com/databricks/databricks-sql-go"

	"github.com/seed-01322ee7/databricks-telemetry/integration/adoption/sqlc/orders"
)

func main() {
	log.SetFlags(0)
	ctx := context.Background()
	db, err := sql.Open("databricks", os.Getenv("DATABRICKS_DSN"))
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(ctx, "CREATE TABLE orders (id BIGINT, customer STRING, note STRING)"); err != nil {
		log.Fatal(err)
	}

	queries := orders.New(db)
	for _, o := range []orders.CreateOrderParams{
		{ID: 1, Customer: "Ada", Note: sql.NullString{String: "a gift", Valid: true}},
		{ID: 2, Customer: "Bob"},
	} {
		if err := queries.CreateOrder(ctx, o); err != nil {
			log.Fatal(err)
		}
	}
	found, err := queries.OrdersOf(ctx, "Ada")
	fmt.Println(found, err)
	fmt.Println(queries.DeleteOrder(ctx, 2))
	fmt.Println(queries.CountOrders(ctx))

	_, err = db.BeginTx(ctx, nil) // queries.WithTx needs one
	fmt.Println("transaction:", err)
}
