// Migrate shows how an application that builds its connector from options moves over: the
// lines marked - are what it had, those marked + what it has now.
//
// It runs against a simulated workspace, or against a real one when DATABRICKS_HOST,
// DATABRICKS_HTTP_PATH and DATABRICKS_TOKEN are set.
package main

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"strconv"
	"strings"

	dbsql "github.com/databricks/databricks-sql-go"

	"github.com/seed-01322ee7/databricks-telemetry/driverwrap"
	"github.com/seed-01322ee7/databricks-telemetry/integration/workspace"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry/ndjson"
)

func main() {
	if err := run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "migrate:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	w, err := warehouse()
	if err != nil {
		return err
	}
	defer w.stop()

	// - connector, err := dbsql.NewConnector(
	// + connector, err := driverwrap.NewConnector(
	connector, err := driverwrap.NewConnector(
		dbsql.WithServerHostname(w.host),
		dbsql.WithPort(w.port),
		dbsql.WithHTTPPath(w.path),
		dbsql.WithAccessToken(w.token),
		dbsql.WithMaxRows(10_000),
	)
	if err != nil {
		return err
	}
	db := sql.OpenDB(connector)
	fmt.Println("Before anything listens, nothing is recorded:")
	if err := count(ctx, db); err != nil {
		return err
	}

	fmt.Println("\nWith a sink attached, each statement is one line:")
	defer telemetry.Attach(ndjson.New(os.Stdout))()
	if err := count(ctx, db); err != nil {
		return err
	}
	return db.Close() // waits for the sink, at most telemetry_close_timeout (2 s)
}

func count(ctx context.Context, db *sql.DB) error {
	var n int64
	if err := db.QueryRowContext(ctx, "SELECT count(*) FROM range(1000)").Scan(&n); err != nil {
		return err
	}
	fmt.Println("  the application got", n)
	return nil
}

// target is where to connect to.
type target struct {
	host, path, token string
	port              int
	stop              func()
}

func warehouse() (target, error) {
	if host := os.Getenv("DATABRICKS_HOST"); host != "" {
		return target{host, os.Getenv("DATABRICKS_HTTP_PATH"), os.Getenv("DATABRICKS_TOKEN"), 443, func() {}}, nil
	}
	ws, err := workspace.Start(workspace.Options{})
	if err != nil {
		return target{}, err
	}
	return target{
		host:  strings.TrimSuffix(ws.URL(), ":"+strconv.Itoa(ws.Port())),
		port:  ws.Port(),
		path:  ws.HTTPPath(),
		token: ws.Token(),
		stop:  func() { _ = ws.Close() },
	}, nil
}
