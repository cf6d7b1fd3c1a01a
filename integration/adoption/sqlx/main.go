// Sqlx reads rows into structs.
package main

import (
	"fmt"
	"log"
	"os"

	_ "github.com/databricks/databricks-sql-go"
	"github.com/jmoiron/sqlx"
)

type order struct {
	ID       int64   `db:"id"`
	Customer string  `db:"customer"`
	Note     *string `db:"note"`
}

func main() {
	log.SetFlags(0)
	db, err := sqlx.Connect("databricks", os.Getenv("DATABRICKS_DSN"))
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()

	db.MustExec("CREATE TABLE orders (id BIGINT, customer STRING, note STRING)")
	gift := "a gift"
	for _, o := range []order{{1, "Ada", &gift}, {2, "Bob", nil}, {3, "Ada", nil}} {
		if _, err := db.NamedExec("INSERT INTO orders VALUES (:id, :customer, :note)", o); err != nil {
			log.Fatal(err)
		}
	}

	var ofAda []order
	if err := db.Select(&ofAda, "SELECT * FROM orders WHERE customer = ? ORDER BY id", "Ada"); err != nil {
		log.Fatal(err)
	}
	for _, o := range ofAda {
		fmt.Println(o.ID, o.Customer, o.Note != nil)
	}

	query, args, err := sqlx.In("SELECT count(*) FROM orders WHERE id IN (?)", []int64{1, 2, 9})
	if err != nil {
		log.Fatal(err)
	}
	var n int
	if err := db.Get(&n, db.Rebind(query), args...); err != nil {
		log.Fatal(err)
	}
	fmt.Println(n, "of three")

	rows, err := db.NamedQuery("SELECT * FROM orders WHERE id = :id", map[string]any{"id": 2})
	if err != nil {
		log.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		found := map[string]any{}
		if err := rows.MapScan(found); err != nil {
			log.Fatal(err)
		}
		fmt.Println(found)
	}

	_, err = db.Beginx()
	fmt.Println("transaction:", err)
	var missing order
	fmt.Println("missing:", db.Get(&missing, "SELECT * FROM orders WHERE id = ?", 99))
	fmt.Println("unknown:", db.Get(&missing, "SELECT * FROM customers"))
}
