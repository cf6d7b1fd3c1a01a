// Package conformance runs real Databricks drivers against the simulated workspace.
//
// The workspace_*_test.go files test the workspace with the unmodified databricks-sql-go driver: what the
// driver requests, what it accepts, and what it does when something breaks. go.mod names the oldest
// supported version of the driver; the driver-*.mod files run the same tests against others:
//
//	go test ./...
//	go test -modfile=driver-v1.15.1.mod ./...
package conformance

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"reflect"
	"strings"
	"testing"
	"time"

	dbsql "github.com/databricks/databricks-sql-go"
	"github.com/databricks/databricks-sql-go/logger"
	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/integration/workspace"
)

func init() {
	// The driver logs every error it returns; tests look at the errors themselves.
	_ = logger.SetLogLevel("disabled")
}

// openWorkspace opens the workspace with a DSN, as most users do.
func openWorkspace(t testing.TB, ws *workspace.Workspace, params ...string) *sql.DB {
	t.Helper()
	db, err := sql.Open("databricks", ws.DSN(append([]string{"enableTelemetry=false"}, params...)...))
	require.NoError(t, err)
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// connectWorkspace opens the workspace with options, some of which have no DSN parameter.
func connectWorkspace(t testing.TB, ws *workspace.Workspace, options ...dbsql.ConnOption) *sql.DB {
	t.Helper()
	base := []dbsql.ConnOption{
		dbsql.WithServerHostname(strings.Split(ws.URL(), ":")[0] + "://" + ws.Host()),
		dbsql.WithPort(ws.Port()),
		dbsql.WithHTTPPath(ws.HTTPPath()),
		dbsql.WithAccessToken(ws.Token()),
		dbsql.WithRetries(4, time.Millisecond, 20*time.Millisecond),
	}
	connector, err := dbsql.NewConnector(append(base, options...)...)
	require.NoError(t, err)
	db := sql.OpenDB(connector)
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// configure sets a field of the driver's configuration that has no option of its own. Its
// type is internal to the driver, but its fields are exported.
func configure(field string, value any) dbsql.ConnOption {
	option := reflect.TypeFor[dbsql.ConnOption]()
	return reflect.MakeFunc(option, func(args []reflect.Value) []reflect.Value {
		args[0].Elem().FieldByName(field).Set(reflect.ValueOf(value))
		return nil
	}).Interface().(dbsql.ConnOption)
}

// withRows passes the driver's own rows to f, below database/sql.
func withRows(t *testing.T, db *sql.DB, query string, f func(driver.Rows)) {
	t.Helper()
	conn, err := db.Conn(t.Context())
	require.NoError(t, err)
	defer conn.Close()
	require.NoError(t, conn.Raw(func(raw any) error {
		rows, err := raw.(driver.QueryerContext).QueryContext(t.Context(), query, nil)
		if err != nil {
			return err
		}
		f(rows)
		return rows.Close()
	}))
}

// count reads a query to its end and returns the number of rows.
func count(t *testing.T, db *sql.DB, query string, args ...any) (n int64) {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), query, args...)
	require.NoError(t, err)
	defer rows.Close()
	for rows.Next() {
		n++
	}
	require.NoError(t, rows.Err())
	return n
}

// requireSequence checks that a query of one BIGINT column returns exactly 0..n-1 in order.
func requireSequence(t *testing.T, db *sql.DB, query string, n int64) {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), query)
	require.NoError(t, err)
	defer rows.Close()
	var next, id int64
	for rows.Next() {
		require.NoError(t, rows.Scan(&id))
		if id != next {
			require.Equal(t, next, id)
		}
		next++
	}
	require.NoError(t, rows.Err())
	require.Equal(t, n, next)
}

// exec runs statements that must work.
func exec(t testing.TB, db *sql.DB, statements ...string) {
	t.Helper()
	for _, s := range statements {
		_, err := db.ExecContext(context.Background(), s)
		require.NoError(t, err, s)
	}
}
