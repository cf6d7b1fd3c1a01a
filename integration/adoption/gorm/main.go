// Gorm works over a *sql.DB that exists, with the dialect of MySQL: of those that GORM has, its
// SQL is nearest to Databricks SQL (backquotes, question marks, LIMIT).
package main

import (
	"database/sql"
	"fmt"
	"log"
	"os"

	_ "github.com/databricks/databricks-sql-go"
	"gorm.io/driver/mysql"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"
)

// Order has its key from the application: Databricks reports no last insert id.
type Order struct {
	ID       int64 `gorm:"primaryKey;autoIncrement:false"`
	Customer string
	Amount   float64
}

func main() {
	log.SetFlags(0)
	pool, err := sql.Open("databricks", os.Getenv("DATABRICKS_DSN"))
	if err != nil {
		log.Fatal(err)
	}
	defer pool.Close()
	db, err := gorm.Open(
		mysql.New(mysql.Config{Conn: pool, SkipInitializeWithVersion: true}),
		&gorm.Config{
			SkipDefaultTransaction: true, // there are none
			Logger:                 logger.Default.LogMode(logger.Silent),
		})
	if err != nil {
		log.Fatal(err)
	}

	// Migrations are the part of a dialect that differs most. Tables are made by hand.
	must(db.Exec("CREATE TABLE orders (id BIGINT, customer STRING, amount DOUBLE)"))
	must(db.Create(&[]Order{{1, "Ada", 10.5}, {2, "Bob", 3}, {3, "Ada", 7.25}}))
	must(db.Model(&Order{}).Where("id = ?", 2).Update("amount", 4))
	must(db.Save(&Order{3, "Ada", 8}))

	var found []Order
	must(db.Where("customer = ?", "Ada").Order("id").Limit(10).Find(&found))
	fmt.Println(found)
	var total float64
	must(db.Model(&Order{}).Select("sum(amount)").Scan(&total))
	fmt.Println(total)
	fmt.Println(must(db.Delete(&Order{}, 1)).RowsAffected, "deleted")

	var none Order
	fmt.Println("missing:", db.First(&none, 99).Error)
	fmt.Println("transaction:", db.Transaction(func(*gorm.DB) error { return nil }))
}

func must(db *gorm.DB) *gorm.DB {
	if db.Error != nil {
		log.Fatal(db.Error)
	}
	return db
}
