// Migrate shows how an application that builds its connector from options moves over: the
// lines marked - are what it had, those marked + what it has now.
//
// It runs against a simulated workspace, or against a real one when DATABRICKS_DSN is set to
// token:<token>@<host>:<port>/<path>.
package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
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
	if dsn := os.Getenv("DATABRICKS_DSN"); dsn != "" {
		u, err := url.Parse("https://" + strings.TrimPrefix(dsn, "https://"))
		if err != nil {
			return target{}, errors.New("DATABRICKS_DSN is not token:<token>@<host>:<port>/<path>")
		}
		port, err := strconv.Atoi(u.Port())
		if err != nil {
			return target{}, fmt.Errorf("DATABRICKS_DSN has port %q: it takes a number", u.Port())
		}
		token, _ := u.User.Password()
		return target{u.Hostname(), u.Path, token, port, func() {}}, nil
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
