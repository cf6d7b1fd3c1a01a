// Goose migrates a schema. Databricks has no transactions and goose no dialect for it, so goose is
// told its table's statements and runs every step outside a transaction.
package main

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
	"log"
	"os"

	_ "github.com/databricks/databricks-sql-go"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/database"
)

//go:embed migrations
var migrations embed.FS

func main() {
	log.SetFlags(0)
	ctx := context.Background()
	db, err := sql.Open("databricks", os.Getenv("DATABRICKS_DSN"))
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()

	store, err := database.NewStoreFromQuerier("goose_db_version", databricks{})
	if err != nil {
		log.Fatal(err)
	}
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		log.Fatal(err)
	}
	// Without WithIsolateDDL the table of versions is made in a transaction; each file says
	// "+goose NO TRANSACTION" for itself.
	provider, err := goose.NewProvider(goose.DialectCustom, db, files, goose.WithStore(store), goose.WithIsolateDDL(true))
	if err != nil {
		log.Fatal(err)
	}
	applied, err := provider.Up(ctx)
	report(applied, err)
	last, err := provider.Down(ctx)
	report([]*goose.MigrationResult{last}, err)
	fmt.Println(provider.GetDBVersion(ctx))

	_, err = db.BeginTx(ctx, nil)
	fmt.Println("transaction:", err)
}

func report(results []*goose.MigrationResult, err error) {
	if err != nil {
		log.Fatal(err)
	}
	for _, r := range results {
		fmt.Println(r.Source.Path, r.Direction, r.Error)
	}
}

// databricks is what goose asks of its table, in Databricks SQL.
type databricks struct{}

func (databricks) CreateTable(table string) string {
	return "CREATE TABLE " + table + " (version_id BIGINT, is_applied BOOLEAN, tstamp TIMESTAMP)"
}

func (databricks) InsertVersion(table string) string {
	return "INSERT INTO " + table + " VALUES (?, ?, current_timestamp())"
}

func (databricks) DeleteVersion(table string) string {
	return "DELETE FROM " + table + " WHERE version_id = ?"
}

func (databricks) GetMigrationByVersion(table string) string {
	return "SELECT tstamp, is_applied FROM " + table + " WHERE version_id = ? ORDER BY tstamp DESC LIMIT 1"
}

func (databricks) ListMigrations(table string) string {
	return "SELECT version_id, is_applied FROM " + table + " ORDER BY version_id DESC"
}

func (databricks) GetLatestVersion(table string) string {
	return "SELECT max(version_id) FROM " + table
}
