package conformance

import (
	"context"
	"database/sql"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed-01322ee7/databricks-telemetry/integration/workspace"
)

// topCustomers stands for your own code: it takes a *sql.DB and knows nothing about tests.
func topCustomers(ctx context.Context, db *sql.DB, n int) ([]string, error) {
	rows, err := db.QueryContext(ctx,
		"SELECT name FROM customers GROUP BY name ORDER BY sum(revenue) DESC, name LIMIT :n", sql.Named("n", n))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var names []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, err
		}
		names = append(names, name)
	}
	return names, rows.Err()
}

// Code that talks to Databricks runs offline: start a workspace, put tables in it, open it
// with the real driver.
func Example() {
	ctx := context.Background()
	ws, err := workspace.Start(workspace.Options{})
	if err != nil {
		panic(err)
	}
	defer ws.Close()
	if err := ws.Exec(ctx,
		"CREATE TABLE customers (name STRING, revenue DECIMAL(10,2))",
		"INSERT INTO customers VALUES ('Ada', 10.50), ('Bob', 3.00), ('Ada', 1.00), ('Eve', 7.25)",
	); err != nil {
		panic(err)
	}
	db, err := sql.Open("databricks", ws.DSN("enableTelemetry=false"))
	if err != nil {
		panic(err)
	}
	defer db.Close()

	names, err := topCustomers(ctx, db, 2)
	fmt.Println(names, err)
	fmt.Println(ws.Statements()[0].Format, ws.Statements()[0].Rows)
	// Output:
	// [Ada Eve] <nil>
	// INLINE_ARROW 2
}

// A test can also show that the code survives the faults of production.
func TestExampleSurvivesABusyWarehouse(t *testing.T) {
	ws := workspace.New(t, workspace.Options{})
	require.NoError(t, ws.Exec(t.Context(), "CREATE TABLE customers (name STRING, revenue DECIMAL(10,2))"))
	busy := ws.Inject(workspace.Fault{
		On: workspace.Method("ExecuteStatement"), First: 2, Do: workspace.Status(503),
	})
	names, err := topCustomers(t.Context(), connectWorkspace(t, ws), 2)
	require.NoError(t, err)
	require.Empty(t, names)
	require.Equal(t, 2, busy.Hits())
}
