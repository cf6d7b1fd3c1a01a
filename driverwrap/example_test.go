package driverwrap_test

import (
	"database/sql"
	"fmt"
	"os"
	"time"

	dbsql "github.com/databricks/databricks-sql-go"

	"github.com/seed-01322ee7/databricks-telemetry/driverwrap"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry"
	"github.com/seed-01322ee7/databricks-telemetry/telemetry/ndjson"
)

// An application with a DSN changes one import and one string.
func Example() {
	db, err := sql.Open("databricks-telemetry", "token:dapi@example.cloud.databricks.com:443/sql/1.0/warehouses/abc")
	if err != nil {
		panic(err)
	}
	defer db.Close() // reports what is left to report
	fmt.Printf("%T\n", db.Driver())
	// Output: *driverwrap.dsnDriver
}

// Settings are DSN parameters. The error for a value that cannot be understood names
// what is accepted.
func Example_parameters() {
	_, err := sql.Open("databricks-telemetry",
		"token:dapi@example.cloud.databricks.com:443/sql/1.0/warehouses/abc?telemetry_flush_interval=5")
	fmt.Println(err)
	// Output: databricks-telemetry: telemetry_flush_interval="5" is not understood: it takes a Go duration from 100ms to 1h, such as 5s
}

// An application that builds its connector from options renames a package.
func ExampleNewConnector() {
	connector, err := driverwrap.NewConnector(
		dbsql.WithServerHostname("example.cloud.databricks.com"),
		dbsql.WithPort(443),
		dbsql.WithHTTPPath("/sql/1.0/warehouses/abc"),
		dbsql.WithAccessToken("dapi"),
	)
	if err != nil {
		panic(err)
	}
	db := sql.OpenDB(connector)
	defer db.Close()
	fmt.Println(db.Stats().OpenConnections)
	// Output: 0
}

// An application that has a connector, of any origin, wraps it.
func ExampleWrap() {
	connector, err := dbsql.NewConnector(
		dbsql.WithServerHostname("example.cloud.databricks.com"),
		dbsql.WithHTTPPath("/sql/1.0/warehouses/abc"),
		dbsql.WithAccessToken("dapi"),
	)
	if err != nil {
		panic(err)
	}
	db := sql.OpenDB(driverwrap.Wrap(connector))
	defer db.Close()
	fmt.Println(db.Stats().OpenConnections)
	// Output: 0
}

// A Config with a name of its own is a driver for sql.Open. Its sinks see the statements of
// its connectors only.
func ExampleConfig_Register() {
	driverwrap.Config{
		Settings: telemetry.Settings{
			SampleRate:    telemetry.Known(0.1), // of successful statements; failed ones always
			SlowThreshold: 2 * time.Second,
			LogLevel:      "warn",
		},
		Sinks: []telemetry.Sink{ndjson.New(os.Stderr)},
	}.Register("warehouse")

	db, err := sql.Open("warehouse", "token:dapi@example.cloud.databricks.com:443/sql/1.0/warehouses/abc")
	if err != nil {
		panic(err)
	}
	defer db.Close()
	fmt.Println(db.Stats().OpenConnections)
	// Output: 0
}

// Off means no request of the wrapper and no telemetry of the native driver. Local sinks still
// receive records.
func ExampleConfig_OpenConnector() {
	connector, err := driverwrap.Config{Settings: telemetry.Settings{Enabled: telemetry.SwitchOff}}.
		OpenConnector("token:dapi@example.cloud.databricks.com:443/sql/1.0/warehouses/abc")
	if err != nil {
		panic(err)
	}
	db := sql.OpenDB(connector)
	defer db.Close()
	fmt.Println(telemetry.Default.Connectors()[len(telemetry.Default.Connectors())-1].Info().Reports)
	// Output: none
}
