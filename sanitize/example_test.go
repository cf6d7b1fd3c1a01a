package sanitize_test

import (
	"fmt"

	"github.com/seed-01322ee7/databricks-telemetry/sanitize"
)

func ExampleMessage() {
	fmt.Println(sanitize.Message("[TABLE_OR_VIEW_NOT_FOUND] The table or view `main`.`hr`.`pay` cannot be found. SQLSTATE: 42P01"))
	fmt.Println(sanitize.Message("open /home/alice/q3.csv: permission denied"))
	// Output:
	// [TABLE_OR_VIEW_NOT_FOUND] The table or view <identifier> cannot be found. SQLSTATE: 42P01
	// open <path>: permission denied
}

func ExampleDSN() {
	fmt.Println(sanitize.DSN("token:dapi0123456789@adb-1.azuredatabricks.net:443/sql/1.0/warehouses/abc?catalog=hr&timeout=60"))
	// Output: token:<redacted>@<host>:443/sql/1.0/warehouses/<id>?catalog=<value>&timeout=60
}

func ExampleHeader() {
	fmt.Println(sanitize.Header("Authorization", "Bearer dapi0123456789"))
	// Output: Bearer <redacted>
}
